//! Hosts made by hand, for the tests of this module and of those above.

use crate::model::time::Timestamp;
use crate::world::host::{Clock, Host, Terminals};
use std::path::Path;

/// Returns a host with these variables, whose folders are nowhere and whose clock stands still.
pub(crate) fn host_with(variables: &[(&str, &str)]) -> Host {
    Host {
        environment: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        directory: Some("/work".into()),
        home: Some("/home/ada".into()),
        config_directory: None,
        terminals: Terminals::default(),
        streams_joined: false,
        umask: 0o022,
        process: 1,
        clock: Clock::Fixed(Timestamp::from_millis(0)),
    }
}

/// Returns a host whose working directory is `directory/work` and whose folder for configuration is
/// `directory/config`, both made.
pub(super) fn host_in(directory: &Path, variables: &[(&str, &str)]) -> Host {
    let (work, config) = (directory.join("work"), directory.join("config"));
    std::fs::create_dir_all(&work).unwrap();
    std::fs::create_dir_all(config.join("taskcache")).unwrap();
    Host { directory: Some(work), config_directory: Some(config), ..host_with(variables) }
}
