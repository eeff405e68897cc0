//! A hit is indistinguishable from a run, and nothing that a user owns is lost: each of these once failed.

use crate::support::{TestEnv, ran};
use std::os::unix::fs::symlink;

#[test]
fn clean_outputs_touches_no_match_of_a_glob_and_no_declared_input() {
    let env = TestEnv::new();
    std::fs::create_dir(env.work().join(".git")).unwrap();
    env.write("notes.txt", "notes");
    for pattern in ["'*'", "'../*'", "'**'"] {
        let refused = env.run(&format!("run -o {pattern} --clean-outputs -- sh -c 'echo hi > out'"));
        assert_eq!((refused.code, env.read("notes.txt").as_deref()), (125, Some("notes")), "{pattern}");
    }
    env.run("run -o '*.txt' --clean-outputs -- sh -c 'echo hi > out.txt'");
    assert_eq!(env.read("notes.txt").as_deref(), Some("notes"));
    env.write("src/a.c", "a");
    env.script("tools/gen.sh", "#!/bin/sh\n");
    symlink("src", env.work().join("link")).unwrap();
    for line in [
        "--key k -i src/a.c -o src --clean-outputs -- true",
        "--policy TASK_SOURCE -i src/a.c -o src --clean-outputs -- true",
        "-i src -o link --clean-outputs -- true",
        "-i link/a.c -o src --clean-outputs -- true",
        "-o tools --clean-outputs -- tools/gen.sh",
    ] {
        assert_eq!(env.run(&format!("run {line}")).code, 125, "{line}");
        assert_eq!((env.read("src/a.c").as_deref(), env.exists("tools/gen.sh")), (Some("a"), true), "{line}");
    }
}

#[test]
fn a_file_that_a_command_writes_over_is_never_put_back_over_an_edit() {
    let env = TestEnv::new();
    env.write("data.txt", "b\na\n");
    let line = "run -o data.txt -- sort -o data.txt data.txt";
    env.run(line);
    env.run(line);
    assert_eq!(env.read("data.txt").as_deref(), Some("a\nb\n"));
    env.write("data.txt", "z\nmy new work\n");
    assert_eq!(env.run(line), ran(0, ""));
    assert_eq!(env.read("data.txt").as_deref(), Some("my new work\nz\n"));
}

#[test]
fn one_command_does_not_take_away_what_another_of_the_same_program_made() {
    let env = TestEnv::new();
    env.write(
        "Makefile",
        "conf:\n\tmkdir -p build; echo c > build/conf\nall:\n\tcat build/conf > build/all\n",
    );
    assert_eq!(env.run("run -o build -- make -s conf"), ran(0, ""));
    assert_eq!(env.run("run -o build -- make -s all"), ran(0, ""));
    assert_eq!(
        (env.read("build/conf").as_deref(), env.read("build/all").as_deref()),
        (Some("c\n"), Some("c\n"))
    );
}

#[test]
fn a_command_that_cannot_be_started_gets_its_outputs_back() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\nmkdir -p out; echo a > out/a\n");
    env.run("run -o out -- ./make");
    env.script("make", "#!/nonexistent\n");
    assert_eq!(env.run("run -o out -- ./make").code, 127);
    assert_eq!(env.read("out/a").as_deref(), Some("a\n"));
}

#[test]
fn the_order_of_variable_patterns_counts_where_one_takes_out() {
    let mut env = TestEnv::new();
    env.set("AB", "1");
    assert_eq!(env.run("run -e 'A*' -e '!AB' -- sh -c 'echo ${AB-unset}'"), ran(0, "1\n"));
    env.unset("AB");
    assert_eq!(env.run("run -e '!AB' -e 'A*' -- sh -c 'echo ${AB-unset}'"), ran(0, "unset\n"));
    env.set("LANG", "C");
    env.run("run -e LANG -e AB -- sh -c 'echo ran >> count'");
    env.run("run -e AB -e LANG -- sh -c 'echo ran >> count'");
    assert_eq!(env.count(), 1, "the order of others does not");
}

#[test]
fn a_file_that_appears_during_the_run_is_noticed() {
    let env = TestEnv::new();
    let warning = "taskcache: warning: the result was not stored: \
                   files that the declared inputs find appeared or went during the run\n";
    for pattern in ["?cfg", "?*.cfg", "src"] {
        env.write("src/a", "");
        let line = format!("run -i '{pattern}' -- sh -c 'touch cfg b.cfg src/b; echo x'");
        assert_eq!(env.run(&line), ran(0, "x\n").with_stderr(warning), "{pattern}");
        for made in ["cfg", "b.cfg", "src/b"] {
            std::fs::remove_file(env.work().join(made)).unwrap();
        }
    }
}

#[test]
fn a_link_that_was_there_before_is_no_result() {
    let env = TestEnv::new();
    std::fs::create_dir(env.work().join("d")).unwrap();
    symlink("d/r.txt", env.work().join("out.txt")).unwrap();
    let line = "run -o out.txt -- sh -c 'echo hi > out.txt'";
    assert!(env.run(line).stderr.contains("is a link that was there before; declare what it leads to"));
    std::fs::remove_file(env.work().join("d/r.txt")).unwrap();
    env.run(line);
    assert_eq!(env.read("out.txt").as_deref(), Some("hi\n"));
}

#[test]
fn an_interpreter_that_env_finds_is_source() {
    let env = TestEnv::new();
    env.script("s", "#!/usr/bin/env myi\n");
    for version in ["v1", "v2"] {
        env.script("bin/myi", &format!("#!/bin/sh\necho {version}\n"));
        let path = format!("PATH={}/bin:$PATH", env.work().display());
        assert_eq!(env.shell(&format!("{path} taskcache run -- ./s")), ran(0, &format!("{version}\n")));
        assert_eq!(
            env.shell(&format!("{path} taskcache run -- env X=1 myi")),
            ran(0, &format!("{version}\n"))
        );
    }
}

#[test]
fn what_was_read_from_stdin_reaches_a_command_that_is_not_cached_after_all() {
    let env = TestEnv::new();
    env.set_store_to_a_file();
    let ran_with = env.run_with_stdin("run --stdin hash -- cat", b"hello");
    assert_eq!((ran_with.code, ran_with.stdout.as_str()), (0, "hello"));
}

#[test]
fn verify_compares_though_nothing_would_be_stored() {
    let env = TestEnv::new();
    env.write("answer", "one\n");
    env.run("run --no-argument-inputs -- cat answer");
    env.write("answer", "two\n");
    for option in ["--read-only", "--min-time 1h", "--ttl 0"] {
        let line = format!("run --no-argument-inputs --verify --strict {option} -- cat answer");
        assert_eq!(env.run(&line).code, 125, "{option}");
    }
}

#[test]
fn stale_and_warm_are_refused_with_keyed_input() {
    let env = TestEnv::new();
    for option in ["--stale 1h", "--warm"] {
        assert_eq!(env.run(&format!("run {option} --stdin hash -- cat")).code, 125, "{option}");
    }
}

#[test]
fn the_mode_of_a_folder_comes_back() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    let out = env.work().join("out");
    let line = "run -o out -- sh -c 'mkdir -p out; chmod 750 out'";
    env.run(line);
    std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o700)).unwrap();
    env.run(line);
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o750);
}

#[test]
fn a_result_that_was_made_in_a_full_folder_is_none_for_an_empty_one() {
    let env = TestEnv::new();
    env.write("out/old", "old");
    let command = "-o out -- sh -c 'echo 1 > out/a; ls out > out/list'";
    env.run(&format!("run {command}"));
    env.run(&format!("run --clean-outputs {command}"));
    assert_eq!((env.read("out/list").as_deref(), env.exists("out/old")), (Some("a\nlist\n"), false));
}

#[test]
fn a_file_of_the_store_makes_no_result() {
    let env = TestEnv::new();
    let store = env.store();
    let history = store.join("history.jsonl").display().to_string();
    let own = |name: &str| {
        format!(
            "taskcache: warning: running without the cache: the input '{name}' is a file of the store, \
             which every run changes\n"
        )
    };
    for lines in 1..4 {
        env.run("run --refresh -- echo hi");
        let found = env.run(&format!("run -- wc -l {history}"));
        assert_eq!(found, ran(0, &format!("{lines} {history}\n")).with_stderr(&own(&history)));
    }
    let told = env.run(&format!("explain -- wc -l {history}")).stdout;
    assert!(told.starts_with("bypass (own-file) wc"), "{told}");
    // Under another name the index is known by what it is; the folder around the store is an input without it.
    symlink(store.join("index.db"), env.work().join("link")).unwrap();
    std::fs::hard_link(store.join("index.db"), env.work().join("hard")).unwrap();
    for name in ["link", "hard"] {
        for line in [format!("run -- sh -c 'echo out' {name}"), format!("run -i {name} -- sh -c 'echo out'")]
        {
            assert_eq!(env.run(&line), ran(0, "out\n").with_stderr(&own(name)), "{line}");
        }
    }
    let flyte = store.parent().unwrap().display().to_string();
    for line in [
        format!("run --status always -i {flyte} -- echo out"),
        format!("run --status always --ignore {history} -- wc -c {history}"),
    ] {
        assert!(env.run(&line).stderr.contains(": miss (absent) "), "{line}");
        assert!(env.run(&line).stderr.contains(": hit "), "{line}");
    }
}
