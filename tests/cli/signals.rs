//! Signals, stops and sudden ends.

use crate::support::{Ran, TestEnv, ran};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Output, Stdio};
use std::time::{Duration, Instant};

/// Starts a script under taskcache in a group of its own, and waits for its first line.
fn started(env: &TestEnv, script: &str) -> (Child, BufReader<ChildStdout>, String) {
    let mut command = env.command();
    command.args(["run", "--cache-exit", "any", "--", "sh", "-c", script]);
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    (child, stdout, line)
}

fn ended(child: Child, mut stdout: BufReader<ChildStdout>) -> Ran {
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    Ran::of(&Output { status, stdout: rest, stderr })
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Waits in a way that a trap ends at once.
const WAIT: &str = "sleep 60 > /dev/null 2>&1 & echo ready; wait $!";

#[test]
fn an_interrupt_of_the_group_is_the_commands_to_act_upon() {
    let env = TestEnv::new();
    // A process sent it and no terminal, so it is forwarded as well and may come twice.
    let script = format!("trap 'trap \"\" INT; kill $!; echo caught; exit 7' INT; {WAIT}");
    let (child, stdout, line) = started(&env, &script);
    assert_eq!(line, "ready\n");
    kill_process_group(pid(&child), Signal::INT).unwrap();
    let warning = "taskcache: warning: the result was not stored: signal 2 arrived during the run\n";
    assert_eq!(ended(child, stdout), ran(7, "caught\n").with_stderr(warning));
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
}

/// Makes the script of a command that says `ready` and waits to die by a signal. It does not become another program to
/// wait: a shell puts an interrupt off at some points, and one that becomes another program then never acts upon it.
fn dies_by(name: &str) -> String {
    format!("trap 'kill $!; trap - {name}; kill -{name} $$' {name}; {WAIT}")
}

#[test]
fn an_interrupt_that_the_command_dies_of_ends_both() {
    let env = TestEnv::new();
    let (child, stdout, _) = started(&env, &dies_by("INT"));
    kill_process_group(pid(&child), Signal::INT).unwrap();
    assert_eq!(ended(child, stdout), ran(128 + 2, ""));
    let shell = env.shell("taskcache run -- sh -c 'kill -INT $$'; echo after");
    assert_eq!(shell.stdout, "after\n");
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
}

#[test]
fn a_signal_to_taskcache_alone_is_forwarded_once() {
    for (signal, name) in [
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
    ] {
        let env = TestEnv::new();
        let script = format!("trap 'echo {name} >> got; kill $!; exit 3' {name}; {WAIT}");
        let (child, stdout, _) = started(&env, &script);
        kill_process(pid(&child), signal).unwrap();
        let number = signal.as_raw();
        let warning = format!(
            "taskcache: warning: the result was not stored: signal {number} arrived during the run\n"
        );
        assert_eq!(ended(child, stdout), ran(3, "").with_stderr(&warning), "{name}");
        assert_eq!(env.read("got"), Some(format!("{name}\n")));

        let (child, stdout, _) = started(&env, &dies_by(name));
        kill_process(pid(&child), signal).unwrap();
        assert_eq!(ended(child, stdout), ran(128 + number, ""), "{name}");
        assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"), "{name}");
    }
}

#[test]
fn what_the_caller_ignores_stays_ignored() {
    let env = TestEnv::new();
    let line = "trap '' HUP TERM; taskcache run -- sh -c 'kill -HUP $$; kill -TERM $PPID; echo alive'";
    assert_eq!(env.shell(line), ran(0, "alive\n"));
    assert_eq!(env.shell(line), ran(0, "alive\n"));
}

#[test]
fn a_command_that_stops_itself_goes_on_when_it_is_told_to() {
    let env = TestEnv::new();
    let script = "echo ran >> count; echo $$; kill -STOP $$; echo done";
    let (child, stdout, line) = started(&env, script);
    let command: i32 = line.trim().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let stat = fs::read_to_string(format!("/proc/{command}/stat")).unwrap();
        if stat.rsplit(") ").next().unwrap().starts_with('T') {
            break;
        }
        assert!(Instant::now() < deadline, "{stat}");
        std::thread::yield_now();
    }
    kill_process(Pid::from_raw(command).unwrap(), Signal::CONT).unwrap();
    assert_eq!(ended(child, stdout), ran(0, "done\n"));
    let again = env.run_words(["run", "--cache-exit", "any", "--", "sh", "-c", script]);
    assert_eq!(again, ran(0, &format!("{command}\ndone\n")));
    assert_eq!(env.count(), 1);
}

/// Asserts that SQLite and we find the store sound.
fn assert_sound(env: &TestEnv) {
    let connection = rusqlite::Connection::open(env.store().join("index.db")).unwrap();
    let says: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(says, "ok");
    assert!(!env.store().join("quarantine").exists());
}

#[test]
fn many_runs_of_one_key_at_once_are_all_right() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\nseq 9000 > out\nseq 9000\nseq 9 >&2\n");
    let expected = env.run("run --no-cache -- ./make");
    let out = env.read("out");
    for round in 0..2 {
        let runs: Vec<_> = (0..20).map(|_| env.spawn("run -o out -- ./make", Stdio::null())).collect();
        for run in runs {
            let mut found = Ran::of(&run.wait_with_output().unwrap());
            // Runs that disturb each other say so, and do not store what may be wrong.
            let own = |line: &&str| !line.starts_with("taskcache: warning: the result was not stored: ");
            found.stderr = found.stderr.lines().filter(own).map(|line| format!("{line}\n")).collect();
            assert_eq!((found.code, &found.stderr), (0, &expected.stderr), "{round}");
            assert!(found.stdout == expected.stdout, "{round}");
        }
        assert!(env.read("out") == out, "{round}");
    }
    assert_sound(&env);
    let found = env.run("run -o out -- ./make");
    assert!((found, env.read("out")) == (expected, out));
}

#[test]
fn runs_that_share_outputs_never_keep_each_others_files() {
    let env = TestEnv::new();
    let script = "#!/bin/sh\necho $1 > out; i=0; while [ $i -lt 200 ]; do echo $1; i=$((i+1)); done >> out\n";
    env.script("make", script);
    let line = |number: usize| format!("run --task t{} -o out -- ./make {}", number % 2, number % 3);
    for round in 0..8 {
        let runs: Vec<_> = (0..6).map(|number| env.spawn(&line(number), Stdio::null())).collect();
        for run in runs {
            assert!(run.wait_with_output().unwrap().status.success());
        }
        for number in 0..6 {
            let found = env.run(&line(number));
            assert_eq!(found, ran(0, ""), "{round}");
            assert!(env.read("out").unwrap() == format!("{}\n", number % 3).repeat(201), "{round}: {number}");
        }
        env.run("local-cache clear");
    }
}

#[test]
fn clearing_harms_no_run_that_is_at_work() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\nmkdir -p out$1\nseq $1 $((9000 + $1)) | tee out$1/a\n");
    let line = |number: usize| format!("run -o out{number} -- ./make {number}");
    for _ in 0..4 {
        let runs: Vec<_> =
            (0..6).map(|number| (number, env.spawn(&line(number % 3), Stdio::null()))).collect();
        let clears: Vec<_> = (0..3).map(|_| env.spawn("local-cache clear", Stdio::null())).collect();
        for (number, run) in runs {
            let found = Ran::of(&run.wait_with_output().unwrap());
            let first = number % 3;
            let wanted: String = (first..=9000 + first).map(|line| format!("{line}\n")).collect();
            assert!(found.code == 0 && found.stdout == wanted, "{number}: {}", found.stderr);
            assert!(!found.stderr.contains("without the cache"), "{number}: {}", found.stderr);
        }
        for clear in clears {
            let found = Ran::of(&clear.wait_with_output().unwrap());
            assert_eq!((found.code, found.stderr.as_str()), (0, ""));
        }
    }
    assert_sound(&env);
    for number in 0..3 {
        let (first, second) = (env.run(&line(number)), env.run(&line(number)));
        assert!(first.code == 0 && first == second, "{number}");
    }
}

#[test]
fn a_run_that_is_killed_at_any_point_leaves_a_sound_store() {
    let env = TestEnv::new();
    let make = env.script("make", "#!/bin/sh\nmkdir -p out\nseq $1 > out/a\necho $1 > out/b\nseq $1\n");
    let make = make.display().to_string();
    let line = |number: usize| format!("run --cwd ignore -o out -- {make} {}", 9000 + number % 5);
    let spawn = |number: usize| {
        let folder = env.work().join(format!("w{number}"));
        fs::create_dir(&folder).unwrap();
        let mut command = env.command();
        command.args(crate::support::split(&line(number))).current_dir(folder);
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap()
    };
    // How long a whole run takes here and now, so that the kills are spread over all of it.
    let begin = Instant::now();
    spawn(0).wait().unwrap();
    let whole = begin.elapsed();
    for number in 1..=200 {
        let mut child = spawn(number);
        // Not to wait for anything: the moment is what is tried.
        std::thread::sleep(whole.mul_f64((number * 37 % 100) as f64 / 100.0));
        // The command goes too, so that nothing is left at work in the folder.
        kill_process_group(pid(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
    }
    for number in 0..5 {
        for what in ["first", "second"] {
            let folder = format!("check-{what}-{number}");
            let found = env.run_in(&folder, &line(number));
            let wanted = env.shell(&format!("seq {}", 9000 + number)).stdout;
            assert_eq!(found, ran(0, &wanted), "{number} {what}");
            assert_eq!(env.read(&format!("{folder}/out/a")), Some(wanted), "{number} {what}");
            assert_eq!(env.read(&format!("{folder}/out/b")), Some(format!("{}\n", 9000 + number)));
        }
    }
    assert_sound(&env);
    let cleared = env.run("local-cache clear");
    assert!(cleared.stdout.starts_with("removed 5 entries, "), "{cleared:?}");
    assert_eq!(fs::read_dir(env.store().join("tmp")).unwrap().count(), 0);
}
