//! Help and manual pages, from outside.

use crate::support::{TestEnv, ran};

#[test]
fn help_is_short_or_long_and_ends_with_examples() {
    let env = TestEnv::new();
    let (short, long) = (env.run("run -h"), env.run("run --help"));
    assert_eq!((short.code, long.code, short.stderr.as_str(), long.stderr.as_str()), (0, 0, "", ""));
    assert!(short.stdout.contains("\n  -t, --task <NAME> "), "{}", short.stdout);
    assert!(!short.stdout.contains("TASKCACHE_"), "{}", short.stdout);
    assert!(long.stdout.contains("[variable: TASKCACHE_TTL; key: ttl]"), "{}", long.stdout);
    assert!(short.stdout.len() * 2 < long.stdout.len());
    // The options of a run are listed there alone.
    for line in ["explain", "key"] {
        let (short, long) =
            (env.run(&format!("{line} -h")).stdout, env.run(&format!("{line} --help")).stdout);
        assert!(!short.contains("--ttl") && short.contains("'taskcache run -h' lists them"), "{short}");
        assert!(long.contains("[variable: TASKCACHE_TTL; key: ttl]"), "{long}");
    }
    let none = env.run("");
    assert_eq!((none.code, none.stdout.as_str()), (125, ""));
    assert!(none.stderr.starts_with("Memoise any command"), "{}", none.stderr);
    // What is not the caller's to ask is the command's.
    assert_eq!(env.run("run -- printf %s --help"), ran(0, "--help"));
    assert_eq!(env.run("run --help").stdout, env.run("help run").stdout);
    let hidden = env.run("--help").stdout;
    assert!(!hidden.contains("complete "), "{hidden}");
    for line in ["--help", "run --help", "flow -h", "transaction -h", "completions -h", "man -h"] {
        let help = env.run(line).stdout;
        assert!(help.contains("\n\nExamples:\n  taskcache "), "{line}: {help}");
    }
}

#[test]
fn manual_pages_go_to_standard_output_or_into_a_folder() {
    let env = TestEnv::new();
    let printed = env.run("man");
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    assert_eq!(env.run("man a/b"), ran(0, ""));
    assert_eq!(env.read("a/b/taskcache.1"), Some(printed.stdout));
    assert!(env.read("a/b/taskcache-local-cache-clear.1").unwrap().contains(".SH SYNOPSIS"));
    assert_eq!(env.run("man a/b"), ran(0, ""), "pages are written again");
    env.write("file", "");
    let message = format!(
        "taskcache: error: cannot make the folder '{}': File exists (os error 17)\n",
        env.work().join("file").display()
    );
    assert_eq!(env.run("man file"), ran(125, "").with_stderr(&message));
}
