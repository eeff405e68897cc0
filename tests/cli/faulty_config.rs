//! Commands about a store that `--cache-dir` names, where the config has a fault.

use crate::support::{Ran, TestEnv, ran};

const FAULT: &str = "taskcache.toml:2: unknown key 'max_sizes' in [store]";

fn env() -> TestEnv {
    let env = TestEnv::new();
    assert_eq!(env.run("run --cache-dir S -- echo hi").code, 0);
    env.write("export.tcx", "");
    assert_eq!(env.run("local-cache --cache-dir S export -o export.tcx").code, 0);
    env.write("taskcache.toml", "[store]\nmax_sizes = '1KiB'\n");
    env
}

fn refused() -> Ran {
    let stderr = format!("taskcache: error: {FAULT}\ntaskcache: hint: did you mean 'max_size'?\n");
    ran(125, "").with_stderr(&stderr)
}

fn warned() -> String {
    format!("taskcache: warning: what is built in counts: {FAULT}; did you mean 'max_size'?\n")
}

#[test]
fn what_needs_nothing_of_it_goes_on() {
    let env = env();
    for line in ["path", "list", "verify", "export -o again.tcx", "clear --dry-run", "clear"] {
        let ran = env.run(&format!("local-cache --cache-dir S {line}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}");
    }
    let id = env.run("transaction begin --cache-dir S").stdout;
    assert!(env.run("transaction list --cache-dir S").stdout.contains(id.trim_end()));
}

#[test]
fn what_only_tells_goes_on_with_a_warning() {
    let env = env();
    for line in [
        "local-cache --cache-dir S stats",
        "local-cache --cache-dir S list --running",
        "local-cache --cache-dir S import export.tcx",
        "report --format markdown --cache-dir S",
    ] {
        let ran = env.run(line);
        assert_eq!((ran.code, ran.stderr), (0, warned()), "{line}");
    }
}

#[test]
fn what_deletes_or_locks_is_refused() {
    let env = env();
    for line in [
        "local-cache --cache-dir S gc",
        "local-cache --cache-dir S gc --dry-run",
        "transaction --cache-dir S -- true",
        "transaction commit 0123456789abcdef --cache-dir S",
        "transaction rollback 0123456789abcdef --cache-dir S",
    ] {
        assert_eq!(env.run(line), refused(), "{line}");
    }
}

#[test]
fn without_a_named_store_everything_is_refused() {
    let env = env();
    for line in ["local-cache list", "local-cache stats", "report --format json", "transaction list"] {
        assert_eq!(env.run(line), refused(), "{line}");
    }
}
