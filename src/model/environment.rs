//! Which environment variables count in a key.
//!
//! Unless told otherwise every variable counts, because any may change what a command does. What is left out is
//! *session noise*: variables that differ from one terminal, login or shell to the next and say how to reach the
//! user, not what to compute. When in doubt a variable stays in: a needless miss costs a run, a wrong hit costs
//! trust. So `TERM`, `COLUMNS`, `LANG`, `TZ`, `XDG_RUNTIME_DIR` and what CI systems set are keyed.
//!
//! A variable that is declared by its name and unset is keyed as unset, which is not the same as empty. No
//! `TASKCACHE_*` variable is ever keyed, declared or not: each stands for an option that speaks for itself.

use super::ignore::wildcard;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Variables that do not count unless they are declared; `*` at the end of one stands for any characters.
pub const SESSION_NOISE: &[&str] = &[
    // The shell's own bookkeeping. The working directory has an ingredient of its own.
    "_",
    "SHLVL",
    "PWD",
    "OLDPWD",
    // Which window or pane the caller sits in: ids and sockets. What the terminal can do (`TERM`) is no noise.
    "WINDOWID",
    "TERM_SESSION_ID",
    "ITERM_SESSION_ID",
    "KITTY_WINDOW_ID",
    "KITTY_PID",
    "KITTY_LISTEN_ON",
    "ALACRITTY_WINDOW_ID",
    "ALACRITTY_SOCKET",
    "WEZTERM_PANE",
    "WEZTERM_UNIX_SOCKET",
    "GNOME_TERMINAL_SCREEN",
    "GNOME_TERMINAL_SERVICE",
    "KONSOLE_DBUS_*",
    "WT_SESSION",
    "TILIX_ID",
    "TERMINATOR_UUID",
    "TMUX",
    "TMUX_PANE",
    "STY",
    "WINDOW",
    "ZELLIJ_PANE_ID",
    "ZELLIJ_SESSION_NAME",
    "VSCODE_IPC_HOOK*",
    "VSCODE_GIT_IPC_HANDLE",
    // Where the login came from and which session it is.
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "XDG_SESSION_*",
    "XDG_VTNR",
    "XDG_SEAT",
    "XDG_SEAT_PATH",
    "XDG_ACTIVATION_TOKEN",
    "DESKTOP_STARTUP_ID",
    "SESSION_MANAGER",
    // Agents and buses: sockets and process ids that are new with each login.
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GPG_AGENT_INFO",
    "GPG_TTY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SESSION_BUS_PID",
    "DBUS_SESSION_BUS_WINDOWID",
    "GNOME_KEYRING_CONTROL",
    "GNOME_KEYRING_PID",
    // The display that windows would open on.
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    // The unit that a service manager started us in.
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID",
    "MANAGERPID",
    "MANAGERPIDFDID",
    // What make tells its children about itself. MFLAGS repeats MAKEFLAGS, which is keyed without its job count.
    "MAKELEVEL",
    "MAKE_TERMOUT",
    "MAKE_TERMERR",
    "MFLAGS",
    // Ours, and the switch that the caches of Flyte share: they turn caching on and off.
    "TASKCACHE_*",
    "FLYTE_LOCAL_CACHE_ENABLED",
];

/// What a command sees in `strict` mode besides the variables that it is given by name. They are not keyed.
pub const STRICT_MINIMUM: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "PWD", "TERM"];

/// Variables that hold flags of make, of which the job count and the job server are no part of the key.
const MAKE_FLAGS: &[&[u8]] = &[b"MAKEFLAGS", b"CARGO_MAKEFLAGS"];

/// Which variables count where no pattern speaks about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeclared {
    /// They count, but for the session noise (`--env-mode all`).
    Keyed,
    /// They do not (`declared` and `strict`).
    LeftOut,
}

/// Returns whether a variable is session noise.
pub fn is_noise(name: &[u8]) -> bool {
    // Asked for each variable at each run; nearly all names differ from nearly all of the list in their length.
    SESSION_NOISE.iter().any(|pattern| match pattern.as_bytes() {
        [prefix @ .., b'*'] => name.starts_with(prefix),
        whole => whole == name,
    })
}

/// Returns whether patterns name a variable. A leading `!` takes out, and the last pattern that fits decides.
pub fn is_declared(name: &[u8], patterns: &[Vec<u8>]) -> bool {
    verdict(name, patterns) == Some(true)
}

fn verdict(name: &[u8], patterns: &[Vec<u8>]) -> Option<bool> {
    patterns.iter().rev().find_map(|pattern| match pattern.strip_prefix(b"!") {
        Some(pattern) => wildcard(pattern, name).then_some(false),
        None => wildcard(pattern, name).then_some(true),
    })
}

/// Returns the variables that count, sorted by name, with their values as they are keyed; `None` for one that is
/// declared by its name and unset. Where a name stands twice the first counts, as for `getenv`.
pub fn keyed_variables(
    environment: &[(OsString, OsString)],
    undeclared: Undeclared,
    patterns: &[Vec<u8>],
) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut keyed = BTreeMap::new();
    let literals = patterns.iter().filter(|pattern| !pattern.starts_with(b"!") && !pattern.contains(&b'*'));
    for name in literals.filter(|name| !is_own(name) && is_declared(name, patterns)) {
        keyed.insert(name.clone(), None);
    }
    let mut seen = BTreeSet::new();
    for (name, value) in environment {
        let name = name.as_bytes();
        let by_default = || undeclared == Undeclared::Keyed && !is_noise(name);
        if seen.insert(name) && !is_own(name) && verdict(name, patterns).unwrap_or_else(by_default) {
            let value = value.as_bytes();
            let value =
                if MAKE_FLAGS.contains(&name) { makeflags_without_jobs(value) } else { value.to_vec() };
            keyed.insert(name.to_vec(), Some(value));
        }
    }
    keyed.into_iter().collect()
}

fn is_own(name: &[u8]) -> bool {
    name.starts_with(b"TASKCACHE_")
}

/// Short options of make that take a value, so that what follows in the same word is none of its options.
const MAKE_VALUED: &[u8] = b"CEfIoWO";

/// Returns `MAKEFLAGS` without what only says how many jobs may run at once and where the job server is.
///
/// The first word may be a bundle of letters without a dash (`kw`). Behind `--` stand the variables of make's
/// command line, in which blanks are escaped; they are kept as they are.
pub fn makeflags_without_jobs(value: &[u8]) -> Vec<u8> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut words = words(value).into_iter().peekable();
    let mut is_first = true;
    while let Some(word) = words.next() {
        let leads = std::mem::take(&mut is_first);
        if word == b"--" {
            kept.push(word.to_vec());
            kept.extend(words.map(<[u8]>::to_vec));
            break;
        }
        let (without, takes_number) = if let Some(long) = word.strip_prefix(b"--") {
            without_long_jobs(word, long)
        } else if let Some(letters) = word.strip_prefix(b"-") {
            let (left, takes_number) = without_short_jobs(letters);
            let keep = !left.is_empty() || letters.is_empty();
            (keep.then(|| [b"-", left.as_slice()].concat()), takes_number)
        } else if leads && !word.contains(&b'=') {
            let (left, takes_number) = without_short_jobs(word);
            ((!left.is_empty()).then_some(left), takes_number)
        } else {
            (Some(word.to_vec()), false)
        };
        kept.extend(without);
        if takes_number {
            words.next_if(|word| is_number(word));
        }
    }
    kept.join(&b' ')
}

/// Returns the words between blanks that no backslash escapes.
fn words(value: &[u8]) -> Vec<&[u8]> {
    let mut escaped = false;
    value
        .split(|byte| {
            let is_gap = !escaped && matches!(byte, b' ' | b'\t');
            escaped = !escaped && *byte == b'\\';
            is_gap
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns a long option where it is kept, and whether the next word may be its number.
fn without_long_jobs(word: &[u8], long: &[u8]) -> (Option<Vec<u8>>, bool) {
    let (name, has_value) = match long.iter().position(|byte| *byte == b'=') {
        Some(at) => (&long[..at], true),
        None => (long, false),
    };
    match name {
        b"jobserver-auth" | b"jobserver-fds" | b"jobserver-style" => (None, false),
        b"jobs" | b"load-average" | b"max-load" => (None, !has_value),
        _ => (Some(word.to_vec()), false),
    }
}

/// Returns short options without `j` and `l` and their numbers, and whether the next word may be such a number.
fn without_short_jobs(letters: &[u8]) -> (Vec<u8>, bool) {
    let mut kept = Vec::new();
    let mut rest = letters;
    while let Some((letter, behind)) = rest.split_first() {
        if matches!(letter, b'j' | b'l') {
            let digits = behind.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
            rest = &behind[digits..];
            if digits == 0 && rest.is_empty() {
                return (kept, true);
            }
        } else if MAKE_VALUED.contains(letter) {
            kept.extend_from_slice(rest);
            break;
        } else {
            kept.push(*letter);
            rest = behind;
        }
    }
    (kept, false)
}

fn is_number(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;

    fn patterns(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    fn keyed(environment: &[(&str, &str)], undeclared: Undeclared, texts: &[&str]) -> Vec<String> {
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        keyed_variables(&environment, undeclared, &patterns(texts))
            .into_iter()
            .map(|(name, value)| {
                let shown = |bytes| String::from_utf8(bytes).unwrap();
                match value {
                    Some(value) => format!("{}={}", shown(name), shown(value)),
                    None => format!("{} unset", shown(name)),
                }
            })
            .collect()
    }

    #[test]
    fn stars_of_the_list_stand_at_the_end() {
        for pattern in SESSION_NOISE {
            assert!(!pattern.trim_end_matches('*').contains('*') && !pattern.ends_with("**"), "{pattern}");
            let name = pattern.replace('*', "X");
            for name in [pattern.trim_end_matches('*'), &name, &format!("{name}_"), &format!("_{name}")] {
                let expected =
                    SESSION_NOISE.iter().any(|pattern| wildcard(pattern.as_bytes(), name.as_bytes()));
                assert_eq!(is_noise(name.as_bytes()), expected, "{name}");
            }
        }
    }

    #[test]
    fn noise_is_what_the_list_says() {
        for name in ["_", "PWD", "XDG_SESSION_ID", "KONSOLE_DBUS_WINDOW", "TASKCACHE_DIR", "MFLAGS"] {
            assert!(is_noise(name.as_bytes()), "{name}");
        }
        for name in ["__", "TERM", "COLUMNS", "LANG", "TZ", "XDG_RUNTIME_DIR", "MAKEFLAGS", "CI", "PATH", ""]
        {
            assert!(!is_noise(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        for (texts, name, declared) in [
            (&[][..], "A", false),
            (&["A"], "A", true),
            (&["A*"], "AB", true),
            (&["*", "!A*"], "AB", false),
            (&["*", "!A*", "AB"], "AB", true),
            (&["!A", "*"], "A", true),
            (&["!A"], "B", false),
        ] {
            assert_eq!(is_declared(name.as_bytes(), &patterns(texts)), declared, "{texts:?} {name}");
        }
    }

    #[test]
    fn what_counts() {
        let environment = [
            ("PATH", "/bin"),
            ("SHLVL", "2"),
            ("LANG", "C"),
            ("EMPTY", ""),
            ("LANG", "de"),
            ("MAKEFLAGS", "k -j4"),
            ("TASKCACHE_KEY", "x"),
            ("FLYTE_LOCAL_CACHE_ENABLED", "true"),
        ];
        use Undeclared::{Keyed, LeftOut};
        for (undeclared, texts, expected) in [
            (Keyed, &[][..], &["EMPTY=", "LANG=C", "MAKEFLAGS=k", "PATH=/bin"][..]),
            (Keyed, &["!LANG", "!E*"], &["MAKEFLAGS=k", "PATH=/bin"]),
            (
                Keyed,
                &["SHLVL", "GONE"],
                &["EMPTY=", "GONE unset", "LANG=C", "MAKEFLAGS=k", "PATH=/bin", "SHLVL=2"],
            ),
            (LeftOut, &[], &[]),
            (LeftOut, &["LANG", "EMPTY", "GONE"], &["EMPTY=", "GONE unset", "LANG=C"]),
            (LeftOut, &["L*", "GONE*"], &["LANG=C"]),
            (LeftOut, &["GONE", "!G*"], &[]),
            (LeftOut, &["TASKCACHE_*", "TASKCACHE_KEY", "TASKCACHE_GONE"], &[]),
            (
                LeftOut,
                &["*", "!PATH"],
                &["EMPTY=", "FLYTE_LOCAL_CACHE_ENABLED=true", "LANG=C", "MAKEFLAGS=k", "SHLVL=2"],
            ),
        ] {
            assert_eq!(keyed(&environment, undeclared, texts), expected, "{undeclared:?} {texts:?}");
        }
    }

    #[test]
    fn names_and_values_are_bytes() {
        let environment = [(OsString::from_vec(b"A\xff".to_vec()), OsString::from_vec(b"\xfe".to_vec()))];
        assert_eq!(
            keyed_variables(&environment, Undeclared::Keyed, &[]),
            [(b"A\xff".to_vec(), Some(b"\xfe".to_vec()))]
        );
    }

    #[test]
    fn jobs_are_no_part_of_the_flags_of_make() {
        for (value, expected) in [
            ("", ""),
            (" -j4 --jobserver-auth=3,4", ""),
            ("kw -j4 --jobserver-auth=fifo:/tmp/GMfifo1 -- CC=gcc", "kw -- CC=gcc"),
            ("w -j --jobserver-fds=3,4 -j", "w"),
            ("-j 8 -k", "-k"),
            ("-j -k", "-k"),
            ("--jobs 8 --jobs=4 --load-average=2.5 -l 3 -l2.5 target", "target"),
            ("kj8l2s", "ks"),
            ("-kj", "-k"),
            ("-j8k -n", "-k -n"),
            ("j", ""),
            ("j4", ""),
            ("-Oline -fjobs -Ilib --output-sync=line", "-Oline -fjobs -Ilib --output-sync=line"),
            ("k --no-print-directory --jobserver-style=pipe", "k --no-print-directory"),
            ("JOBS=-j4 -j4", "JOBS=-j4"),
            ("k jl", "k jl"),
            (r"X=a\ -j4 -j4", r"X=a\ -j4"),
            (r"k -- X=a\ -j4 -j4", r"k -- X=a\ -j4 -j4"),
            ("-", "-"),
        ] {
            let found = makeflags_without_jobs(value.as_bytes());
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_no_job_count_stays(words in prop::collection::vec(
            prop::sample::select(vec![
                ("-j4", false), ("-j 4", false), ("-l2.5", false), ("--jobs", false), ("--jobs=3", false),
                ("--jobserver-auth=3,4", false), ("-k", true), ("--no-print-directory", true),
                ("-Oline", true), ("--output-sync=job", true), (r"A=b\ -j4", true),
            ]), 0..8),
        ) {
            let joined = |words: Vec<&str>| words.join(" ").into_bytes();
            let kept = joined(words.iter().filter(|(_, kept)| *kept).map(|(word, _)| *word).collect());
            let all = joined(words.iter().map(|(word, _)| *word).collect());
            prop_assert_eq!(makeflags_without_jobs(&all), kept.clone());
            prop_assert_eq!(makeflags_without_jobs(&kept), kept);
        }

        #[test]
        fn any_bytes_are_flags(value in prop::collection::vec(prop::sample::select(b" -jlkC=4\\\xff".to_vec()), 0..16)) {
            prop_assert!(makeflags_without_jobs(&value).len() <= value.len());
        }

        #[test]
        fn each_name_counts_once(names in prop::collection::vec("[A-C]{1,2}", 0..8), all: bool) {
            let environment: Vec<_> =
                names.iter().enumerate().map(|(at, name)| (name.into(), at.to_string().into())).collect();
            let undeclared = if all { Undeclared::Keyed } else { Undeclared::LeftOut };
            let keyed = keyed_variables(&environment, undeclared, &patterns(&["A*", "BB"]));
            prop_assert!(keyed.is_sorted_by(|a, b| a.0 < b.0));
            for (name, value) in keyed {
                let first = names.iter().position(|known| known.as_bytes() == name);
                prop_assert_eq!(value, first.map(|at| at.to_string().into_bytes()));
            }
        }
    }
}
