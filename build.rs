//! Links the release build statically where the machine can.
//!
//! Most of a small hit is the start of the program, and a good part of that is the dynamic linker: five libraries to
//! find, map and relocate. `-C target-feature=+crt-static` would be the usual way, but in the settings of a checkout
//! it reaches the procedural macros as well, unless a target is named, and then the binary is no longer where people
//! look for it. So the libraries that rustc names are offered to the linker once more, in a folder of ours that is
//! searched first, as scripts that lead to the static ones.
//!
//! A small program is linked in the same way first. Where that fails (no static C library installed, another C library
//! than glibc) the build is dynamic as ever; `TASKCACHE_LINK=dynamic` asks for that.

#![expect(clippy::disallowed_methods, reason = "a build script has no other way to be told anything")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What rustc links on Linux with glibc, in its order.
const LIBRARIES: [&str; 7] = ["gcc_s", "util", "rt", "pthread", "m", "dl", "c"];

/// At a fixed address, which spares the start some hundred pages of relocations. The standard library takes what a C
/// library may lack where it is linked anyway, and in a static one only what is asked for is: without this one function
/// a command that has a working folder of its own is started by a fork, which copies all of our page tables.
const ARGUMENTS: [&str; 3] = ["-no-pie", "-static", "-Wl,-u,posix_spawn_file_actions_addchdir_np"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for name in ["TASKCACHE_LINK", "RUSTC_LINKER"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_wanted = variable("PROFILE") == "release"
        && variable("TARGET") == variable("HOST")
        && variable("TARGET").ends_with("-linux-gnu")
        && variable("TASKCACHE_LINK") != "dynamic";
    if !is_wanted {
        return;
    }
    let linker = std::env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let folder = PathBuf::from(variable("OUT_DIR"));
    if offer_static_libraries(&linker, &folder).is_some() && links(&linker, &folder) {
        println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
        for argument in ARGUMENTS {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}

/// Writes a script for each library; `None` where there is no static one.
fn offer_static_libraries(linker: &str, folder: &Path) -> Option<()> {
    for library in LIBRARIES {
        let script = match library {
            // What of it the program needs is the unwinder, which has a static library of its own.
            "gcc_s" => "INPUT(-lgcc_eh -lgcc)\n".to_owned(),
            name => format!("INPUT({})\n", static_library(linker, name)?.display()),
        };
        std::fs::write(folder.join(format!("lib{library}.so")), script).ok()?;
    }
    Some(())
}

/// Asks the compiler where a static library is; one that it does not find it names without a folder.
fn static_library(linker: &str, name: &str) -> Option<PathBuf> {
    let asked = Command::new(linker).arg(format!("-print-file-name=lib{name}.a")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim_end());
    path.is_absolute().then_some(path)
}

/// Returns whether a program can be linked that way, and runs.
fn links(linker: &str, folder: &Path) -> bool {
    let (source, program) = (folder.join("probe.c"), folder.join("probe"));
    let written = std::fs::write(&source, "int main(void) { return 0; }\n").is_ok();
    let mut link = Command::new(linker);
    link.arg(&source).arg("-o").arg(&program).arg("-pie").arg("-L").arg(folder).arg("-Wl,-Bdynamic");
    link.args(LIBRARIES.map(|library| format!("-l{library}"))).args(ARGUMENTS);
    let succeeds = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    written && succeeds(&mut link) && succeeds(&mut Command::new(&program))
}
