//! Programs that a test puts somewhere and then starts.
//!
//! The kernel starts no file that somebody has open for writing (`ETXTBSY` in execve(2)). A test that writes one itself
//! has it open for a moment, and a process that another test starts in that moment has it open too, until it has become
//! its own program. So a child writes, whose open files nobody else gets.

use std::path::Path;
use std::process::Command;

/// Writes an executable file.
pub fn write_program(path: &Path, text: &str) {
    let script = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"";
    let mut writer = Command::new("/bin/sh");
    writer.args(["-c", script, "sh", text]).arg(path);
    assert!(writer.status().expect("a shell starts").success(), "{} can be written", path.display());
}

/// Copies an executable file.
pub fn copy_program(from: &Path, to: &Path) {
    let mut copier = Command::new("cp");
    copier.arg(from).arg(to);
    assert!(copier.status().expect("cp starts").success(), "{} can be copied", from.display());
}
