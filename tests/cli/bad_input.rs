//! Inputs, outputs and arguments that no caller should have, and what becomes of them.

use crate::support::program::copy_program;
use crate::support::{Ran, TestEnv, ran};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Makes the expectation of a failure of taskcache's own.
fn refused(message: &str) -> Ran {
    ran(125, "").with_stderr(&format!("taskcache: error: {message}\n"))
}

#[test]
fn flags_that_make_no_sense_are_refused_and_nothing_runs() {
    let env = TestEnv::new();
    let write = "(write a number and a unit, such as 90s, 15m or 1d12h)";
    for (options, message) in [
        ("--version ''", "option --version: the version is empty".to_owned()),
        ("--cache-version ''", "option --version: the version is empty".to_owned()),
        ("--ttl=-1", format!("option --ttl: '-1' is not a length of time {write}")),
        ("--ttl=NaN", format!("option --ttl: 'NaN' is not a length of time {write}")),
        ("--ttl=", format!("option --ttl: '' is not a length of time {write}")),
        ("--max-age=soon", format!("option --max-age: 'soon' is not a length of time {write}")),
        (
            "--ttl 9999999999999d",
            "option --ttl: '9999999999999d' is not a length of time (too long)".to_owned(),
        ),
        (
            "--env A=b",
            "option --env: 'A=b' is no name of a variable (its value comes from the environment)".to_owned(),
        ),
        ("--env ''", "option --env: '' names nothing".to_owned()),
        ("--input ''", "option --input: '' names nothing".to_owned()),
        ("--output ''", "option --output: '' names nothing".to_owned()),
        ("--value x", "option --value: 'x' is not NAME=TEXT".to_owned()),
        ("--task ''", "option --task: the value is empty".to_owned()),
        ("--project ''", "option --project: the value is empty".to_owned()),
        ("--no-cache --cached-only", "option --cached-only contradicts option --no-cache".to_owned()),
        (
            "--cache-exit 300",
            "option --cache-exit: '300' is no list of exit codes (write codes and ranges from 0 to 255, \
             such as 0,2-4, or 'any')"
                .to_owned(),
        ),
        (
            "--policy 'INPUTS +'",
            "option --policy: the policy 'INPUTS +' lacks a name beside a '+' or '-'\n\
             taskcache: hint: the names are DEFAULT, INPUTS, TASK_SOURCE, FLOW_PARAMETERS, RUN_ID, NONE"
                .to_owned(),
        ),
    ] {
        assert_eq!(
            env.run(&format!("run {options} -- sh -c 'echo ran >> count'")),
            refused(&message),
            "{options}"
        );
    }
    for (line, start) in [
        (
            "run --frob -- true",
            "taskcache: error: unknown option '--frob'\ntaskcache: hint: 'taskcache run --help' describes all options\n",
        ),
        (
            "run --replay some -- true",
            "taskcache: error: option --replay: 'some' is none of all, stdout, stderr, none\n",
        ),
        ("run", "taskcache: error: no command is given"),
        (
            "run --behavior override -- true",
            "taskcache: error: option --behavior: 'override' needs a version",
        ),
        ("run --behavior auto --version 1 -- true", "taskcache: error: option --behavior 'auto' contradicts"),
    ] {
        let found = env.run(line);
        assert_eq!((found.code, found.stdout.as_str()), (125, ""), "{line}");
        assert!(found.stderr.starts_with(start), "{line}: {}", found.stderr);
    }
    assert_eq!(env.count(), 0);
    assert!(!env.store().exists());
}

#[test]
fn flags_behind_the_dashes_are_the_commands() {
    let env = TestEnv::new();
    assert_eq!(env.run("run -- echo --no-cache -t --"), ran(0, "--no-cache -t --\n"));
    assert_eq!(env.run("run echo --no-cache"), ran(0, "--no-cache\n"));
    assert_eq!(env.run("local-cache clear"), ran(0, "removed 2 entries, 28 B\n"));
}

#[test]
fn what_has_no_content_is_no_input() {
    let env = TestEnv::new();
    make_fifo(&env.work().join("fifo"));
    fs::create_dir(env.work().join("folder")).unwrap();
    make_fifo(&env.work().join("folder/fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(env.work().join("socket")).unwrap();
    for (input, name, what) in [
        ("fifo", "fifo", "pipe"),
        ("folder", "folder/fifo", "pipe"),
        ("fi*", "fifo", "pipe"),
        ("socket", "socket", "socket"),
        ("/dev/null", "/dev/null", "character device"),
    ] {
        let message = format!(
            "the input '{name}' is a {what}, not a file or a folder\n\
             taskcache: hint: take it out with '!' in front of its path"
        );
        assert_eq!(env.run(&format!("run -i {input} -- true")), refused(&message), "{input}");
    }
    assert_eq!(env.run("run -i folder -i !folder/fifo -- echo x"), ran(0, "x\n"));
    let missing = "the input 'none' matches nothing\ntaskcache: hint: write '?' in front of an input that may be missing";
    assert_eq!(env.run("run -i none -- true"), refused(missing));
    assert_eq!(
        env.run("run -- echo fifo socket /dev/null"),
        ran(0, "fifo socket /dev/null\n"),
        "no input at all"
    );
}

#[test]
fn links_that_lead_in_circles_are_known_by_their_text() {
    let env = TestEnv::new();
    fs::create_dir_all(env.work().join("folder/inner")).unwrap();
    symlink("loop", env.work().join("folder/loop")).unwrap();
    symlink("..", env.work().join("folder/inner/up")).unwrap();
    symlink("nowhere", env.work().join("folder/dangling")).unwrap();
    let line = "run --policy INPUTS -i folder -- sh -c 'echo ran >> count'";
    for runs in [1, 1] {
        assert_eq!(env.run(line), ran(0, ""));
        assert_eq!(env.count(), runs);
    }
    fs::remove_file(env.work().join("folder/dangling")).unwrap();
    symlink("elsewhere", env.work().join("folder/dangling")).unwrap();
    env.run(line);
    assert_eq!(env.count(), 2);
    assert_eq!(env.run("run -i folder/loop -- echo x"), ran(0, "x\n"));
}

#[test]
fn the_same_file_by_many_names_is_no_conflict() {
    let env = TestEnv::new();
    env.write("src/a", "1");
    symlink("a", env.work().join("src/link")).unwrap();
    let line =
        "run -i src/a -i ./src/a -i src -i 'src/*' -i src/../src/a -- sh -c 'echo ran >> count; cat src/a'";
    assert_eq!(env.run(line), ran(0, "1"));
    assert_eq!(env.run(line), ran(0, "1"));
    assert_eq!(env.count(), 1);
    env.write("src/a", "2");
    assert_eq!(env.run(line), ran(0, "2"));
}

#[test]
fn an_output_that_is_no_file_is_not_stored() {
    let env = TestEnv::new();
    let work = env.work().display().to_string();
    for (make, what) in [
        ("mkfifo out", "is a pipe, socket or device".to_owned()),
        ("mkdir out; mkfifo out/x", "is a pipe, socket or device".to_owned()),
        (
            "echo x > out; chmod 4755 out",
            "has a set-user-id, set-group-id or sticky bit, and those are not stored".into(),
        ),
        (
            "echo x > out; chmod 2755 out",
            "has a set-user-id, set-group-id or sticky bit, and those are not stored".into(),
        ),
        (
            "mkdir out; chmod 1777 out",
            "has a set-user-id, set-group-id or sticky bit, and those are not stored".into(),
        ),
        (
            "mkdir out; chmod 2755 out",
            "has a set-user-id, set-group-id or sticky bit, and those are not stored".into(),
        ),
    ] {
        let name = if make.contains("out/x") { "out/x" } else { "out" };
        let warning =
            format!("taskcache: warning: the result was not stored: the output '{work}/{name}' {what}\n");
        for _ in 0..2 {
            let before = env.count();
            let found = env.run(&format!("run -o out -- sh -c 'echo ran >> count; rm -rf out; {make}'"));
            assert_eq!(found, ran(0, "").with_stderr(&warning), "{make}");
            assert_eq!(env.count() - before, 1, "{make}");
        }
    }
}

#[test]
fn folders_in_a_set_group_id_tree_are_stored() {
    let env = TestEnv::new();
    fs::set_permissions(env.work(), fs::Permissions::from_mode(0o2755)).unwrap();
    let line = "run -o out -- sh -c 'echo ran >> count; mkdir -p out/a; echo x > out/a/b'";
    assert_eq!(env.run(line), ran(0, ""));
    let mode = |name: &str| fs::metadata(env.work().join(name)).unwrap().permissions().mode() & 0o7777;
    let before = ["out", "out/a", "out/a/b"].map(mode);
    fs::remove_dir_all(env.work().join("out")).unwrap();
    assert_eq!(env.run(line), ran(0, ""));
    assert_eq!(["out", "out/a", "out/a/b"].map(mode), before);
    assert_eq!(env.count(), 1);
}

#[test]
fn modes_come_back_exactly_whatever_the_umask_takes() {
    let env = TestEnv::new();
    env.script(
        "make",
        "#!/bin/sh\necho ran >> count\nmkdir -p out/d out/open\nfor m in 777 666 640 400 000 111; do
         echo $m > out/f$m; chmod $m out/f$m; done\nchmod 777 out/open\nchmod 555 out/d\n",
    );
    let names = ["f777", "f666", "f640", "f400", "f000", "f111", "open", "d", ""];
    let mode =
        |name: &str| fs::metadata(env.work().join("out").join(name)).unwrap().permissions().mode() & 0o7777;
    for umask in ["022", "077", "000", "027"] {
        let line = format!("umask {umask}; taskcache run -o out -- ./make");
        let before = env.count();
        assert_eq!(env.shell(&line), ran(0, ""), "{umask}");
        let modes = names.map(mode);
        assert_eq!(modes[..7], [0o777, 0o666, 0o640, 0o400, 0, 0o111, 0o777], "{umask}");
        fs::remove_dir_all(env.work().join("out")).unwrap();
        assert_eq!(env.shell(&line), ran(0, ""), "{umask}");
        assert_eq!(names.map(mode), modes, "{umask}");
        fs::remove_dir_all(env.work().join("out")).unwrap();
        assert_eq!(env.count() - before, 1, "{umask}: each umask has a result of its own");
    }
}

#[test]
fn trees_that_are_too_deep_are_not_stored_and_deep_inputs_are_no_trouble() {
    let env = TestEnv::new();
    env.script(
        "deep",
        "#!/bin/sh\necho ran >> count\nmkdir -p out; cd out\ni=1; while [ $i -lt $1 ]; do mkdir -p d; cd d; i=$((i+1)); done\n",
    );
    assert_eq!(env.run("run -o out -- ./deep 64"), ran(0, ""));
    fs::remove_dir_all(env.work().join("out")).unwrap();
    assert_eq!(env.run("run -o out -- ./deep 64"), ran(0, ""));
    assert!(env.exists(&format!("out{}", "/d".repeat(63))));
    assert_eq!(env.count(), 1);
    let found = env.run("run -o out -- ./deep 65");
    assert_eq!((found.code, found.stdout.as_str()), (0, ""));
    assert!(found.stderr.starts_with("taskcache: warning: the result was not stored: "), "{}", found.stderr);
    assert!(found.stderr.contains("is more than 64 components deep"), "{}", found.stderr);
    env.run("run --no-cache -- ./deep 300");
    let before = env.count();
    for _ in 0..2 {
        assert_eq!(env.run("run -i out -- sh -c 'echo ran >> count'"), ran(0, ""));
    }
    assert_eq!(env.count() - before, 1);
}

#[test]
fn globs_that_would_take_a_repository_or_the_store_are_refused() {
    let mut env = TestEnv::new();
    env.write(".git/HEAD", "ref");
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    let hint = "declare the folder or the files that the command writes, not the tree it works in";
    for glob in ["*", "**", ".g*", ".git/*"] {
        let message = format!("the output '{glob}' holds a .git folder\ntaskcache: hint: {hint}");
        let line = format!("run --clean-outputs -o {glob} -- ./run");
        assert_eq!(env.run(&line), refused(&message), "{glob}");
    }
    let message = format!("the output '../w*' holds the working directory\ntaskcache: hint: {hint}");
    assert_eq!(env.run("run -o ../w* -- ./run"), refused(&message));
    env.set("TASKCACHE_DIR", env.work().join("cache/store"));
    let found = env.run("run -o cache/* -- ./run");
    assert!(
        found.stderr.starts_with("taskcache: error: the output 'cache/*' overlaps the store"),
        "{}",
        found.stderr
    );
    assert_eq!((env.read(".git/HEAD").as_deref(), env.count()), (Some("ref"), 0));
    assert_eq!(env.run("run -o *.o -o **/*.x -- ./run"), {
        let missing = "taskcache: warning: the result was not stored: the declared output '*.o' is missing\n";
        ran(0, "").with_stderr(missing)
    });
}

#[test]
fn what_a_killed_restore_left_is_no_output() {
    let env = TestEnv::new();
    let line = "run -o out -- sh -c 'echo ran >> count; mkdir -p out; echo x > out/x'";
    env.write("out/.taskcache-0123456789abcdef", "half a file");
    env.write("out/.taskcache-mine", "whole");
    assert_eq!(env.run(line), ran(0, ""));
    fs::remove_dir_all(env.work().join("out")).unwrap();
    assert_eq!(env.run(line), ran(0, ""));
    assert!(env.exists("out/x") && env.exists("out/.taskcache-mine"));
    assert!(!env.exists("out/.taskcache-0123456789abcdef"));
    assert_eq!(env.count(), 1);
}

#[test]
fn outputs_that_were_taken_away_come_back_when_the_command_does_not_start() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\nmkdir -p out\necho made > out/made\n");
    assert_eq!(env.run("run --key 1 -o out -- ./make"), ran(0, ""));
    env.script("make", "#!/no/such/interpreter\n");
    let found = env.run("run --key 1 --refresh -o out -- ./make");
    assert_eq!((found.code, found.stdout.as_str()), (127, ""), "{}", found.stderr);
    assert_eq!(env.read("out/made").as_deref(), Some("made\n"));
}

#[test]
fn stdin_that_was_read_reaches_the_command_without_a_cache_too() {
    let env = TestEnv::new();
    let line = "run --stdin hash -- sh -c 'echo ran >> count; cat'";
    env.write("file", "");
    let elsewhere = "run --stdin hash --cache-dir file -- cat";
    let found = env.run_with_stdin(elsewhere, b"in");
    assert_eq!((found.code, found.stdout.as_str()), (0, "in"));
    assert_eq!(env.run_with_stdin(line, b"in"), ran(0, "in"));
    // Damage that is found after standard input was read.
    let index = env.store().join("index.db");
    rusqlite::Connection::open(&index).unwrap().execute_batch("DROP TABLE entry").unwrap();
    let found = env.run_with_stdin(line, b"other");
    assert_eq!((found.code, found.stdout.as_str()), (0, "other"), "{}", found.stderr);
    assert!(found.stderr.starts_with("taskcache: warning: running without the cache: "), "{}", found.stderr);
}

#[test]
fn a_store_where_nothing_can_be_spooled_does_not_stop_a_run_with_stdin() {
    let env = TestEnv::new();
    env.run("run -- true");
    fs::remove_dir_all(env.store().join("tmp")).unwrap();
    fs::write(env.store().join("tmp"), "").unwrap();
    for options in ["", "--read-only", "--stdin null"] {
        let found = env.run_with_stdin(&format!("run --stdin hash {options} -- sh -c 'cat; exit 3'"), b"in");
        let stdout = if options == "--stdin null" { "" } else { "in" };
        assert_eq!((found.code, found.stdout.as_str()), (3, stdout), "{options}: {}", found.stderr);
    }
}

#[test]
fn a_dependency_file_that_never_ends_is_refused() {
    let env = TestEnv::new();
    make_fifo(&env.work().join("fifo"));
    symlink("/dev/zero", env.work().join("zero")).unwrap();
    for name in ["fifo", "zero"] {
        let found = env.run(&format!("run --depfile {name} -- echo x"));
        let path = env.work().join(name).display().to_string();
        let warning = format!(
            "taskcache: warning: the result was not stored: the dependency file '{path}' \
             cannot be read: it is not a regular file\n"
        );
        assert_eq!(found, ran(0, "x\n").with_stderr(&warning), "{name}");
    }
}

#[test]
fn inputs_and_programs_that_may_not_be_read() {
    let env = TestEnv::new();
    env.script("tool", "#!/bin/sh\necho ran\n");
    copy_program(Path::new("/bin/echo"), &env.work().join("binary"));
    fs::set_permissions(env.work().join("binary"), fs::Permissions::from_mode(0o711)).unwrap();
    env.write("input", "x");
    fs::set_permissions(env.work().join("input"), fs::Permissions::from_mode(0o000)).unwrap();
    let Some(as_nobody) = as_nobody(&env) else { return };
    let found = as_nobody("run -i input -- ./tool");
    let message = "cannot open 'INPUT': Permission denied (os error 13)\n\
                   taskcache: hint: make it readable, or take it out with '!' in front of its path";
    let message = message.replace("INPUT", &env.work().join("input").display().to_string());
    assert_eq!(found, refused(&message));
    assert_eq!(as_nobody("run -- ./tool"), ran(0, "ran\n"));
    let found = as_nobody("run --stdin hash -- ./binary hello");
    assert_eq!((found.code, found.stdout.as_str()), (0, "hello\n"), "{}", found.stderr);
    assert!(found.stderr.starts_with("taskcache: warning: running without the cache: "), "{}", found.stderr);
}

#[test]
fn a_store_of_another_user_is_not_used() {
    let env = TestEnv::new();
    env.run("run -- echo x");
    let Some(as_nobody) = as_nobody(&env) else { return };
    let store = env.store().display().to_string();
    fs::set_permissions(env.home().join(".flyte"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(env.home().join(".flyte/local-cache"), fs::Permissions::from_mode(0o755)).unwrap();
    let warning = format!(
        "taskcache: warning: running without the cache: the store '{store}' belongs to another user\n"
    );
    assert_eq!(as_nobody("run -- echo x"), ran(0, "x\n").with_stderr(&warning));
}

/// Returns a way to run taskcache as a user who may not do everything, or `None` where there is none.
fn as_nobody(env: &TestEnv) -> Option<impl Fn(&str) -> Ran> {
    if !rustix::process::geteuid().is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("skipped: this needs root and setpriv");
        return None;
    }
    let folder = env.home().parent()?.to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let (home, work) = (env.home(), env.work());
    for path in [&home, &work] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let program = env.command().get_program().to_owned();
    let copied = folder.join("taskcache");
    copy_program(program.as_ref(), &copied);
    Some(move |line: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--clear-groups"]).arg(&copied).args(crate::support::split(line));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .current_dir(&work)
            .stdin(Stdio::null());
        Ran::of(&command.output().unwrap())
    })
}

#[test]
fn a_store_that_cannot_be_written_is_read_or_left_out() {
    let env = TestEnv::new();
    let Some(as_nobody) = as_nobody(&env) else { return };
    fs::set_permissions(env.home(), fs::Permissions::from_mode(0o555)).unwrap();
    let found = as_nobody("run -- sh -c 'echo x; exit 3'");
    assert_eq!((found.code, found.stdout.as_str()), (3, "x\n"));
    assert!(
        found.stderr.starts_with("taskcache: warning: running without the cache: cannot create"),
        "{}",
        found.stderr
    );
    assert_eq!(found.stderr.lines().count(), 1, "{}", found.stderr);
    let closed = as_nobody("run --fail-mode closed -- echo x");
    assert_eq!((closed.code, closed.stdout.as_str()), (125, ""));
    assert_eq!(as_nobody("local-cache list"), ran(0, "no entries\n"));
}

#[test]
fn a_deleted_working_directory_has_no_key_and_is_told() {
    let env = TestEnv::new();
    let found = env.shell("mkdir gone; cd gone; rmdir ../gone; taskcache run -- echo x");
    assert_eq!(found, refused("the working directory does not exist or cannot be read"));
    let found = env.shell("mkdir gone; cd gone; rmdir ../gone; taskcache local-cache list");
    assert_eq!(found, ran(0, "no entries\n"));
}

#[test]
fn a_home_that_is_missing_or_odd_costs_the_cache_only() {
    let env = TestEnv::new();
    let run = |line: &str| env.shell(&format!("{line} -- sh -c 'echo x; exit 3'"));
    // Without HOME the user's entry in the password file counts; the store is set to be safe from that.
    let unset = run("unset HOME; TASKCACHE_DIR=$PWD/store taskcache run");
    assert_eq!(unset, ran(3, "x\n"));
    let relative = run("HOME=home taskcache run");
    assert_eq!((relative.code, relative.stdout.as_str()), (3, "x\n"));
    let broken = run("HOME=/dev/null taskcache run");
    assert_eq!((broken.code, broken.stdout.as_str()), (3, "x\n"));
    assert!(
        broken.stderr.starts_with("taskcache: warning: running without the cache: "),
        "{}",
        broken.stderr
    );
    assert_eq!(broken.stderr.lines().count(), 1);
}

#[test]
fn too_few_files_or_bytes_cost_the_result_and_not_the_run() {
    let env = TestEnv::new();
    env.run("run -- true");
    for limit in [10, 12, 14, 16, 20, 24] {
        let found = env.shell(&format!("ulimit -n {limit}; taskcache run -- sh -c 'echo x; cat /dev/null'"));
        assert_eq!((found.code, found.stdout.as_str()), (0, "x\n"), "{limit}: {}", found.stderr);
        let warning = "taskcache: warning: the result was not stored: its output could not be recorded\n";
        assert!(found.stderr.is_empty() || found.stderr == warning, "{limit}: {}", found.stderr);
        assert!(limit > 12 || found.stderr == warning, "{limit}: {}", found.stderr);
        let failing = env.shell(&format!("ulimit -n {limit}; taskcache run -- sh -c 'echo x; exit 3'"));
        assert_eq!(failing, ran(3, "x\n"), "{limit}");
    }
    let line = "run -- sh -c 'echo ran >> count; seq 20000'";
    let wanted = env.run(line);
    for limit in [12, 14, 16, 20] {
        let found = env.shell(&format!("ulimit -n {limit}; taskcache {line}"));
        assert!(found.code == 0 && found.stdout == wanted.stdout, "a hit with {limit}: {}", found.stderr);
    }
    let line = "run -- sh -c 'seq 100000; exit 0'";
    for _ in 0..2 {
        // First without any store, which cannot be made, then with one that is full.
        let found = env.shell(&format!("ulimit -f 8; taskcache {line} | wc -c"));
        assert_eq!((found.code, found.stdout.as_str()), (0, "588895\n"), "{}", found.stderr);
        assert!(found.stderr.starts_with("taskcache: warning: "), "{}", found.stderr);
        env.run(line);
    }
    let own = env.shell("ulimit -f 8; taskcache run -- sh -c 'seq 100000 > file'");
    assert_eq!(own.code, 128 + 25, "the command meets its limit as it would without us: {}", own.stderr);
}

#[test]
fn streams_that_are_closed_full_or_gone() {
    let env = TestEnv::new();
    let line = "taskcache run --cache-exit any -- sh -c 'echo ran >> count; echo x; exit 3'";
    assert_eq!(env.shell(&format!("{line} >&-")), ran(3, ""));
    assert_eq!(env.shell(&format!("{line} >&- 2>&-")), ran(3, ""));
    assert_eq!(env.shell(&format!("{line} >&- 2>&- <&-")), ran(3, ""));
    assert_eq!(env.count(), 1);
    let full = "taskcache: warning: cannot write to standard output: No space left on device (os error 28)\n";
    assert_eq!(env.shell(&format!("{line} > /dev/full")), ran(3, "").with_stderr(full), "a hit");
    let line = line.replace("run ", "run --salt 2 ");
    let full = "taskcache: warning: the result was not stored: cannot write to standard output: \
                No space left on device (os error 28)\n";
    assert_eq!(env.shell(&format!("{line} > /dev/full")), ran(3, "").with_stderr(full), "a miss");
    assert_eq!(env.shell(&line), ran(3, "x\n"));
    assert_eq!(env.count(), 3);
    assert_eq!(env.shell("taskcache run -- cat <&-"), ran(0, ""));
    assert_eq!(env.shell("taskcache run --stdin hash -- cat <&-"), ran(0, ""));
    assert_eq!(env.shell("taskcache local-cache list | true"), ran(0, ""));
    let listed = env.shell("taskcache local-cache list > /dev/full");
    let full = "taskcache: error: cannot write to standard output: No space left on device (os error 28)\n";
    assert_eq!(listed, ran(125, "").with_stderr(full));
}

#[test]
fn a_disk_that_is_full_costs_the_result() {
    let env = TestEnv::new();
    let mount = |size: &str, line: &str| {
        let inner = format!("mount -t tmpfs -o {size} none disk && {line}");
        env.shell(&format!("mkdir -p disk; unshare -m --propagation private sh -c '{inner}'"))
    };
    if mount("size=1m", "true").code != 0 {
        eprintln!("skipped: this needs the right to mount");
        return;
    }
    let run = "taskcache run --cache-dir disk/store --stdin hash -- sh -c \"cat; seq 60000; exit 0\" < input | cksum";
    env.write("input", "in");
    let plain = env.shell("sh -c 'cat; seq 60000' < input | cksum").stdout;
    for size in
        ["size=40k", "size=120k", "size=300k", "size=500k", "size=8m,nr_inodes=6", "size=8m,nr_inodes=12"]
    {
        let found = mount(size, &format!("{run}; {run}"));
        assert_eq!((found.code, found.stdout.clone()), (0, plain.repeat(2)), "{size}: {}", found.stderr);
        for line in found.stderr.lines() {
            assert!(line.starts_with("taskcache: warning: "), "{size}: {}", found.stderr);
        }
        let is_tiny = size == "size=40k";
        assert!(!is_tiny || found.stderr.lines().count() == 2, "{size}: {}", found.stderr);
    }
    let read_only = "mount -o remount,ro disk";
    let found = mount("size=8m", &format!("{run}; {read_only}; {run}"));
    assert_eq!((found.code, found.stdout), (0, plain.repeat(2)), "{}", found.stderr);
}
