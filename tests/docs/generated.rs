//! Files that the program writes about itself: committed, and proved current here.
//!
//! `TASKCACHE_BLESS=1 cargo test --test docs` writes all of them anew.

use super::session::{file, read};
use clap_complete::Shell;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// Returns whether generated files are to be written anew.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests asks for new files")]
pub(crate) fn is_blessing() -> bool {
    std::env::var_os("TASKCACHE_BLESS").is_some()
}

/// Proves that a folder holds exactly these files; when blessing, it is made so.
fn assert_folder(folder: &str, expected: &BTreeMap<String, String>) {
    if is_blessing() {
        let _ = fs::remove_dir_all(file(folder));
        fs::create_dir_all(file(folder)).expect("a folder can be made");
        for (name, text) in expected {
            fs::write(file(folder).join(name), text).expect("a generated file can be written");
        }
        return;
    }
    let present = fs::read_dir(file(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let present =
        present.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned());
    let mut present: Vec<_> = present.collect();
    present.sort();
    let names: Vec<_> = expected.keys().cloned().collect();
    assert_eq!(present, names, "{folder}: run again with TASKCACHE_BLESS=1");
    for (name, text) in expected {
        // The whole text of a script says nothing that its first wrong line does not say better.
        let committed = read(&format!("{folder}/{name}"));
        let differs = committed.lines().zip(text.lines()).find(|(committed, now)| committed != now);
        assert_eq!(differs, None, "{folder}/{name}: run again with TASKCACHE_BLESS=1");
        assert!(committed == *text, "{folder}/{name} has another length: run again with TASKCACHE_BLESS=1");
    }
}

#[test]
fn the_completion_scripts_are_current() {
    let shells = [
        (Shell::Bash, "taskcache.bash"),
        (Shell::Zsh, "_taskcache"),
        (Shell::Fish, "taskcache.fish"),
        (Shell::Elvish, "taskcache.elv"),
        (Shell::PowerShell, "_taskcache.ps1"),
    ];
    let script = |shell| taskcache::cli::completions::script(shell);
    assert_folder("completions", &shells.map(|(shell, name)| (name.to_owned(), script(shell))).into());
}

#[test]
fn the_manual_pages_are_current() {
    assert_folder("docs/man", &taskcache::cli::man::pages().into_iter().collect());
}

/// `man` sets each page without a word of complaint.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_manual_pages_are_right() {
    if !super::is_there("man") {
        eprintln!("skipped: there is no man");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text) in taskcache::cli::man::pages() {
        let page = folder.path().join(&name);
        fs::write(&page, text).expect("a page can be written");
        let output = Command::new("man")
            .args(["--warnings", "--local-file", "-E", "UTF-8"])
            .arg(&page)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("MANWIDTH", "100")
            .output()
            .expect("man starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.contains("SYNOPSIS"), "{name}: {shown}");
    }
}
