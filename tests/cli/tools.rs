//! The law, on tools that people run: without the cache, on a miss and on a hit, the same bytes on the same streams,
//! the same exit code, and the same files with the same modes.

use crate::support::{Ran, TestEnv, split};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Everything in a folder: names, modes, link texts and bytes.
fn tree(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let steps = walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name();
    let steps = steps.into_iter().map(Result::unwrap);
    let seen = steps.map(|step| {
        let name = step.path().strip_prefix(folder).unwrap().display().to_string();
        let metadata = step.path().symlink_metadata().unwrap();
        let bytes = match metadata.file_type() {
            kind if kind.is_symlink() => {
                fs::read_link(step.path()).unwrap().into_os_string().into_encoded_bytes()
            }
            kind if kind.is_file() => fs::read(step.path()).unwrap(),
            _ => Vec::new(),
        };
        (name, metadata.permissions().mode(), bytes)
    });
    seen.collect()
}

fn fill(env: &TestEnv) {
    for step in fs::read_dir(env.work()).unwrap() {
        let path = step.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    env.write(
        "main.c",
        "#include <stdio.h>\n#include \"a.h\"\nint main(void) { puts(WORD); return CODE; }\n",
    );
    env.write("a.h", "#define WORD \"hello\"\n#define CODE 7\n");
    env.write("bad.c", "int main(void) { return x; }\n");
    env.write(
        "Makefile",
        "all: out/app\nout/app: main.c a.h\n\t@mkdir -p out\n\tcc -o $@ main.c\n\tln -sf app out/link\n",
    );
    env.write("words", "pear\napple\nfig\n\u{e4}pfel\n");
    env.script("big", "#!/bin/sh\nseq 50000; seq 3 >&2\nexit 9\n");
    env.write("t.py", "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr, flush=True)\nsys.stdout.buffer.write(bytes(range(256)))\nsys.exit(4)\n");
}

#[test]
fn a_hit_is_indistinguishable_from_a_run() {
    let cases = [
        ("", "sort words"),
        ("", "sort -r words missing"),
        ("-o sorted", "sort -o sorted words"),
        ("-o main.o -i a.h", "cc -c main.c"),
        ("-o app -i a.h", "cc -o app main.c"),
        ("-o main.o --depfile main.d", "cc -MMD -c main.c"),
        ("", "cc -c bad.c"),
        ("-o out -i main.c -i a.h -i Makefile", "make"),
        ("-i Makefile", "make nothing"),
        ("-o all.tar -i words -i main.c", "tar --mtime=@0 -cf all.tar words main.c"),
        (
            "-o copy",
            "sh -c 'mkdir -m 751 copy; cp words copy/w; chmod 604 copy/w; ln -s w copy/l; mkdir copy/empty'",
        ),
        ("", "./big"),
        ("", "wc -c words main.c a.h"),
        ("", "grep -c nothing words"),
        ("-o parts", "sh -c 'mkdir parts; split -l 1 words parts/x'"),
        ("-o zipped", "sh -c 'gzip -nc words > zipped'"),
        ("", "python3 t.py"),
        ("-i words", "sh -c 'printf %s no-newline; exit 200'"),
        ("", "sh -c 'exec >&-; echo lost 2>&1; exit 2'"),
        ("", "sh -c 'echo one; echo two >&2; exec 2>&-; echo three'"),
        ("", "sh -c 'setsid sleep 1 < /dev/null > /dev/null 2>&1 & echo started'"),
    ];
    let env = TestEnv::new();
    for (options, line) in cases {
        let words = split(line);
        if !words[0].starts_with('.') && Command::new(&words[0]).arg("--version").output().is_err() {
            eprintln!("skipped: there is no {}", words[0]);
            continue;
        }
        fill(&env);
        let mut plain = Command::new(&words[0]);
        plain
            .args(&words[1..])
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", env.home());
        let plain = plain.current_dir(env.work()).stdin(Stdio::null()).output().unwrap();
        let expected = (Ran::of(&plain), plain.stdout, plain.stderr, tree(&env.work()));
        for what in ["miss", "hit", "second hit"] {
            fill(&env);
            let wanted = if what == "miss" { "--refresh" } else { "--cached-only" };
            let head = split(&format!("run {wanted} --cache-exit any {options} --"));
            let output = env.command().args(head.iter().chain(&words)).output().unwrap();
            let found = (Ran::of(&output), output.stdout, output.stderr, tree(&env.work()));
            assert_eq!(found.0, expected.0, "{what}: {line}");
            assert!(found.1 == expected.1 && found.2 == expected.2, "{what}: {line}");
            assert_eq!(found.3, expected.3, "{what}: {line}");
        }
    }
}
