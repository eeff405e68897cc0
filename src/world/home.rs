//! The caller's own folders.
//!
//! On Linux they follow from `HOME`, `XDG_CONFIG_HOME` and `/etc/passwd` alone. The C library would ask further sources
//! for a user who is not in that file, through modules that it loads at run time: a program that is linked statically
//! (see `build.rs`) crashes there. Where neither says anything there is no home folder, and a run goes without a store.
//!
//! Deliberately absent: users of directory services whose `HOME` is unset.

use std::path::PathBuf;

/// The caller's own folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The home folder.
    pub home: PathBuf,
    /// The folder for the user's configuration, such as `~/.config`.
    pub config: PathBuf,
}

impl Folders {
    /// Returns the folders of who runs this program; `None` where there is no home folder.
    #[cfg(target_os = "linux")]
    #[expect(clippy::disallowed_methods, reason = "asked by the host as it is captured")]
    pub fn of_caller() -> Option<Self> {
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let in_passwd = || {
            let passwd = super::file::read_whole(std::path::Path::new("/etc/passwd")).ok()?;
            home_in(&passwd, rustix::process::getuid().as_raw())
        };
        let home = home.or_else(in_passwd)?;
        let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        Some(Self { config: config.unwrap_or_else(|| home.join(".config")), home })
    }

    /// Returns the folders of who runs this program; `None` where there is no home folder.
    #[cfg(not(target_os = "linux"))]
    pub fn of_caller() -> Option<Self> {
        let folders = directories::BaseDirs::new()?;
        Some(Self { home: folders.home_dir().to_owned(), config: folders.config_dir().to_owned() })
    }
}

/// Returns the home folder of a user in the text of a `passwd` file (see passwd(5)): the sixth field of the first line
/// whose third is the user's number.
#[cfg(target_os = "linux")]
fn home_in(passwd: &[u8], user: u32) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let number = user.to_string();
    let line = passwd
        .split(|byte| *byte == b'\n')
        .map(|line| line.split(|byte| *byte == b':').collect::<Vec<_>>())
        .find(|fields| fields.len() >= 6 && fields[2] == number.as_bytes())?;
    (!line[5].is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(line[5])))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_home_folder_is_found_by_the_number_of_its_user() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\n# a comment\nshort:x:7\n\
            ada:x:1000:1000:Ada:/home/a\xff:/bin/sh\nagain:x:1000:1:::\nnone:x:1001:1:::/bin/sh\nend:x:2:2::/end";
        let home = |user| home_in(passwd, user).map(|home| home.into_os_string().into_encoded_bytes());
        assert_eq!(home(0), Some(b"/root".to_vec()));
        assert_eq!(home(1000), Some(b"/home/a\xff".to_vec()));
        assert_eq!(home(2), Some(b"/end".to_vec()));
        for user in [1, 7, 100, 1001, 4_000_000_000] {
            assert_eq!(home(user), None, "{user}");
        }
    }
}
