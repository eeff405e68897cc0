//! Config files, and finding them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use taskcache::config::document::parse;
use taskcache::config::file::ConfigFiles;
use taskcache::model::time::Timestamp;
use taskcache::world::host::{Clock, Host, Terminals};

/// The text of a config file: a document, or an error that names the file.
pub fn config(bytes: &[u8]) {
    let path = Path::new("/project/taskcache.toml");
    let read = || parse(bytes, path, Some(Path::new("/project")));
    match (read(), read()) {
        (Ok(once), Ok(again)) => assert_eq!(once, again),
        (Err(error), Err(_)) => assert!(error.to_string().contains("taskcache.toml"), "{error}"),
        _ => panic!("read twice, one document and one error"),
    }
}

/// A tree of folders with configs of all kinds in it, as the bytes say, searched from its innermost folder: the
/// nearest config counts or is refused, and none above the home is found.
pub fn discovery(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let mut inner = folder.path().canonicalize().unwrap();
    let mut files = Vec::new();
    for byte in bytes.iter().take(6) {
        inner.push("d");
        fs::create_dir(&inner).unwrap();
        let config = inner.join("taskcache.toml");
        match byte % 8 {
            0 => fs::write(&config, "").unwrap(),
            1 => fs::write(&config, bytes).unwrap(),
            2 => fs::create_dir(&config).unwrap(),
            3 => std::os::unix::fs::symlink("../taskcache.toml", &config).unwrap(),
            4 => {
                fs::write(&config, "[defaults]\n").unwrap();
                fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
            }
            5 => std::os::unix::fs::symlink("taskcache.toml", &config).unwrap(),
            _ => continue,
        }
        files.push(config);
    }
    let host = Host {
        environment: Vec::new(),
        directory: Some(inner),
        home: Some(folder.path().to_owned()),
        config_directory: None,
        terminals: Terminals::default(),
        streams_joined: false,
        umask: 0o022,
        process: 1,
        clock: Clock::Fixed(Timestamp::from_millis(0)),
    };
    match ConfigFiles::read(&host, None) {
        Ok(ConfigFiles { project: Some(found), .. }) => {
            assert_eq!(Some(&found.path), files.last(), "the nearest one is the project's");
        }
        Ok(ConfigFiles { project: None, .. }) => {
            assert!(files.iter().all(|file| !file.is_file()), "a config was passed by: {files:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty() && !files.is_empty()),
    }
}
