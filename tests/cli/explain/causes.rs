//! Each cause of a miss, with the way back.

use super::{assert_told, miss, misses, says, stored};
use crate::support::{TestEnv, ran};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use taskcache::model::digest::Digest;

#[test]
fn files_that_changed_came_and_went() {
    let env = stored();
    env.write("src/a.c", "2");
    env.write("src/c.c", "2");
    fs::remove_file(env.work().join("src/b.c")).unwrap();
    let rest = "  file         changed  src/a.c
  file         added    src/c.c
  file         removed  src/b.c

for a hit, all of these
  put src/a.c back as it was
  take src/c.c away
  put src/b.c back";
    misses(&env, "-i src -- sh tool.sh", "sh", "17 of 20", rest);
}

#[test]
fn a_mode_is_told_from_a_content() {
    let env = stored();
    let set =
        |mode| fs::set_permissions(env.work().join("src/b.c"), fs::Permissions::from_mode(mode)).unwrap();
    set(0o755);
    let rest = "  mode         changed  src/b.c executable (was 'not executable')

for a hit
  chmod -x src/b.c";
    misses(&env, "-i src -- sh tool.sh", "sh", "18 of 19", rest);
    env.run("run -i src -- sh tool.sh");
    // Both are stored now, and another content makes the one with the same mode no nearer.
    set(0o644);
    env.write("src/b.c", "2");
    let rest = "  file         changed  src/b.c\n\nfor a hit\n  put src/b.c back as it was";
    misses(&env, "-i src -- sh tool.sh", "sh", "18 of 19", rest);
}

#[test]
fn an_edited_script_and_another_program() {
    let env = stored();
    env.write("tool.sh", "echo ho\n");
    let rest = "  source       changed  tool.sh

for a hit
  put tool.sh back as it was

from the next run on
  --version V  counts in place of what the source holds";
    misses(&env, "-i src -- sh tool.sh", "sh", "18 of 19", rest);
    // One that is a declared input as well differs twice, and is put back once.
    env.run("run -t both -i tool.sh -- sh tool.sh");
    env.write("tool.sh", "echo hu\n");
    let told = env.run("explain -t both -i tool.sh -- sh tool.sh").stdout;
    assert!(told.contains("\n\nfor a hit\n  put tool.sh back as it was\n\n"), "{told}");
    env.script("program", "#!/bin/sh\necho 1\n");
    env.run("run -- ./program");
    env.script("program", "#!/bin/sh\necho 2\n");
    let rest = "  source       changed  ./program

for a hit
  put ./program back as it was

from the next run on
  --version V  counts in place of what the source holds";
    misses(&env, "-- ./program", "program", "13 of 14", rest);
}

#[test]
fn words_are_told_one_by_one_and_what_they_name_follows() {
    let env = stored();
    env.write("other.sh", "echo");
    let rest = "  argument     changed  word 1 other.sh (was tool.sh)
  and with that 2: source:other.sh, source:tool.sh

on the way to a hit (then ask again)
  run: sh tool.sh";
    misses(&env, "-i src -- sh other.sh", "sh", "17 of 20", rest);
    env.run("run -- cc -O2 -j=4 -g a.c");
    env.run("run -t cc -- true -O2 -j=4 -g a.c");
    let rest = "  argument     changed  word 1 -O3 (was -O2)
  argument     changed  word 2 -j=8 (was -j=4)
  argument     added    word 3 -Wall

on the way to a hit (then ask again)
  run: true -O2 -j=4 -g a.c

from the next run on
  --ignore arg:-j  leaves such words out of the key";
    misses(&env, "-t cc -- true -O3 -j=8 -Wall -g a.c", "cc", "13 of 18", rest);
}

#[test]
fn variables_are_told_by_name() {
    let mut env = stored();
    env.set("NEW", "secret-value");
    let rest = "  environment  added    NEW

for a hit
  unset NEW

from the next run on
  --ignore env:NEW  leaves the variable out of the key";
    misses(&env, "-i src -- sh tool.sh", "sh", "19 of 20", rest);
    env.set("OTHER", "1");
    env.run("run -t e -- true");
    env.unset("NEW");
    env.set("OTHER", "secret-value");
    let rest = "  environment  changed  OTHER
  environment  removed  NEW

for a hit, all of these
  set OTHER to what it was
  set NEW again

from the next run on
  --ignore env:OTHER  leaves the variable out of the key
  --ignore env:NEW    leaves the variable out of the key";
    misses(&env, "-t e -- true", "e", "13 of 15", rest);
    // Declared by its name, an unset variable is an ingredient; it is told as unset all the same.
    env.run("run -t d -e NEW -- true");
    env.set("NEW", "");
    let rest = "  environment  added    NEW

for a hit
  unset NEW

from the next run on
  --ignore env:NEW  leaves the variable out of the key";
    misses(&env, "-t d -e NEW -- true", "d", "12 of 13", rest);
    let said = env.run("explain --format json -t e -- true");
    assert!(!said.stdout.contains("secret-value"));
}

#[test]
fn identity_is_told_with_the_way_back() {
    let env = stored();
    for (option, counts, rest) in [
        (
            "--project p",
            "18 of 19",
            "  project      changed  p (was default)

on the way to a hit (then ask again)
  say --project default",
        ),
        (
            "--domain d",
            "18 of 19",
            "  domain       changed  d (was development)

on the way to a hit (then ask again)
  say --domain development",
        ),
        ("--salt x", "19 of 20", "  salt         added    --salt\n\nfor a hit\n  leave --salt out"),
        (
            "--version 1",
            "17 of 20",
            "  version      added    --version
  and with that 2: source:sh, source:tool.sh

on the way to a hit (then ask again)
  leave --version out",
        ),
        (
            "--version-cmd 'echo 1'",
            "19 of 20",
            "  version      added    --version-cmd 'echo 1'

on the way to a hit (then ask again)
  leave --version-cmd 'echo 1' out",
        ),
        (
            "--policy INPUTS",
            "16 of 19",
            "  policy       changed  INPUTS (was 'INPUTS + TASK_SOURCE')
  and with that 2: source:sh, source:tool.sh

on the way to a hit (then ask again)
  say --policy 'INPUTS + TASK_SOURCE'",
        ),
        (
            "--key k",
            "2 of 20",
            "  key          added    --key
  and with that 17: task, signature:argument-inputs, signature:cwd, signature:env-mode, signature:input:=src and 12 more

on the way to a hit (then ask again)
  leave --key out",
        ),
    ] {
        misses(&env, &format!("-i src {option} -- sh tool.sh"), "sh", counts, rest);
    }
    let expected = "miss (absent) other KEY: nothing is stored under this key
nearest is KEY of sh, made TIME ago: 18 of 19 ingredients are the same

  task         changed  other (was sh)

on the way to a hit (then ask again)
  say --task sh";
    says(&env, "-i src -t other -- sh tool.sh", expected);
}

#[test]
fn declarations_are_told_as_options() {
    let env = stored();
    for (options, counts, rest) in [
        (
            "-i 'src/*.c'",
            "17 of 20",
            "  signature    added    --input 'src/*.c'
  signature    removed  --input src
  and with that 1: input:src

on the way to a hit (then ask again)
  leave --input 'src/*.c' out
  say --input src again",
        ),
        (
            "-i src --value a=1",
            "19 of 21",
            "  value        added    a\n\non the way to a hit (then ask again)\n  leave --value a out",
        ),
        (
            "-i src --input-cmd 'p=echo 1'",
            "19 of 21",
            "  probe        added    p\n\non the way to a hit (then ask again)\n  leave --input-cmd p out",
        ),
        (
            "-i src --stdin hash",
            "18 of 20",
            "  signature    changed  --stdin hash (was null)
  and with that 1: stdin

on the way to a hit (then ask again)
  say --stdin null",
        ),
        (
            "-i src -o out",
            "19 of 21",
            "  signature    added    output 1
  and with that 1: signature:umask

on the way to a hit (then ask again)
  leave output 1 out",
        ),
        (
            "-i src --ignore PATH",
            "18 of 20",
            "  signature    added    --ignore PATH
  and with that 1: env:PATH

on the way to a hit (then ask again)
  leave --ignore PATH out",
        ),
        (
            "-i src --no-argument-inputs",
            "18 of 19",
            "  signature    changed  --no-argument-inputs (not said before)

on the way to a hit (then ask again)
  leave --no-argument-inputs out",
        ),
        (
            "-i src -e LANG",
            "16 of 21",
            "  signature    added    --env LANG
  and with that 4: signature:env-mode, env:HOME, env:LANG, env:PATH

on the way to a hit (then ask again)
  leave --env LANG out",
        ),
        (
            "-i src --cwd ignore",
            "17 of 19",
            "  signature    changed  --cwd ignore (was auto)
  and with that 1: cwd

on the way to a hit (then ask again)
  say --cwd auto",
        ),
    ] {
        misses(&env, &format!("{options} -- sh tool.sh"), "sh", counts, rest);
    }
}

#[test]
fn what_options_hold_is_compared_and_never_told() {
    let env = TestEnv::new();
    env.write("f", "1");
    for (task, before, now, counts, rest) in [
        (
            "salt",
            "--salt a",
            "--salt b",
            "13 of 14",
            "  salt         changed  --salt\n\nfor a hit\n  say the --salt that it had",
        ),
        (
            "version",
            "--version 1",
            "--version 2",
            "12 of 13",
            "  version      changed  --version\n\nfor a hit\n  say the --version that it had",
        ),
        (
            "value",
            "--value a=1",
            "--value a=2",
            "14 of 15",
            "  value        changed  a\n\nfor a hit\n  say the --value a that it had",
        ),
        (
            "values",
            "--value a=1 --value b=2",
            "--value b=2",
            "15 of 17",
            "  value        removed  a\n\non the way to a hit (then ask again)\n  say --value a again",
        ),
        (
            "key",
            "--key a",
            "--key b",
            "2 of 3",
            "  key          changed  --key\n\non the way to a hit (then ask again)\n  say the --key that it had",
        ),
    ] {
        env.run(&format!("run -t {task} {before} -- true"));
        misses(&env, &format!("-t {task} {now} -- true"), task, counts, rest);
    }
    let line = "-t probes --input-cmd 'p=cat f' --version-cmd 'cat f' -- true";
    env.run(&format!("run {line}"));
    env.write("f", "2");
    let rest = "  version      changed  --version-cmd 'cat f'
  probe        changed  p

for a hit, all of these
  have 'cat f' print what it printed then
  have --input-cmd p run and print what it did then";
    misses(&env, line, "probes", "14 of 16", rest);
}

#[test]
fn standard_input_umask_and_directory() {
    let env = TestEnv::new();
    env.run_with_stdin("run --stdin hash -- cat", b"a");
    let rest = "  stdin        changed  what it holds\n\nfor a hit\n  give it the same standard input";
    let told = env.run_with_stdin("explain --stdin hash -- cat", b"b");
    assert_told(&env, "stdin", &told, &miss("cat", "13 of 14", rest));

    env.shell("umask 022; taskcache run -t u -o out -- touch out");
    let told = env.shell("umask 077; taskcache explain -t u -o out -- touch out");
    let rest = "  umask        changed  077 (was 022)\n\nfor a hit\n  umask 022";
    assert_told(&env, "umask", &told, &miss("u", "15 of 16", rest));

    env.run("run -t c -- true");
    let told = env.run_in("below", "explain -t c -- true");
    let rest = "  cwd          changed  WORK/below (was WORK)

on the way to a hit (then ask again)
  run it in WORK

from the next run on
  --cwd ignore  leaves the working directory out of the key";
    assert_told(&env, "cwd", &told, &miss("c", "12 of 13", rest));
}

#[test]
fn a_flow_run_has_parameters_and_an_id() {
    let env = TestEnv::new();
    let policy = "--policy 'INPUTS + FLOW_PARAMETERS + RUN_ID' -- true";
    let program = env!("CARGO_BIN_EXE_taskcache");
    assert_eq!(env.run(&format!("flow --param a=1 -- {program} run {policy}")), ran(0, ""));
    let told = env.run(&format!("flow --param a=2 -- {program} explain {policy}"));
    let rest = "  parameter    changed  a
  run-id       changed  the flow run's

for a hit, all of these
  give the flow run the parameter a that it had
  stay within one flow run";
    assert_told(&env, "flow", &told, &miss("true", "12 of 14", rest));
}

#[test]
fn files_of_a_dependency_file() {
    let env = TestEnv::new();
    env.write("a.h", "1");
    let line = "-o o --depfile d -- sh -c 'cat a.h > o; echo o: a.h b.h > d'";
    env.run(&format!("run {line}"));
    says(&env, line, "hit sh KEY: the result made TIME ago would be given back\nmade");
    env.write("a.h", "2");
    env.write("b.h", "2");
    let expected = "miss (dependencies) sh KEY: nothing is stored for these inputs and the files that the dependency file named
nearest is KEY, made TIME ago: 19 of 21 ingredients are the same

  dependency   changed  a.h
  dependency   added    b.h

for a hit, all of these
  put a.h back as it was
  take b.h away";
    says(&env, line, expected);
}

#[test]
fn an_entry_that_may_not_be_used() {
    let env = TestEnv::new();
    env.run("run -t c --ttl 1ms -- true");
    let expected = "miss (expired) c KEY: the result made TIME ago expired TIME ago
made

from the next run on
  --ttl of more than TIME  keeps the next result longer";
    says(&env, "-t c -- true", expected);
    env.run("run -t c --refresh -- true");
    let expected = "miss (too-old) c KEY: the result made TIME ago is older than --max-age TIME
made

for a hit
  say --max-age TIME";
    says(&env, "-t c --max-age 0 -- true", expected);
    env.run("run -t e --cache-exit any -- sh -c 'exit 3'");
    let expected =
        "miss (exit-code) e KEY: the result made TIME ago has exit code 3, and --cache-exit takes 0
made

for a hit
  say --cache-exit 0,3";
    says(&env, "-t e -- sh -c 'exit 3'", expected);
    assert_eq!(env.run("run -t e --cached-only --cache-exit 0,3 -- sh -c 'exit 3'"), ran(3, ""));
}

#[test]
fn an_entry_whose_streams_cannot_be_told_apart() {
    let mut env = TestEnv::new();
    env.set("PATH", "/usr/bin:/bin");
    let program = env!("CARGO_BIN_EXE_taskcache");
    assert_eq!(env.run(&format!("run -t outer -- sh -c '{program} run -e X -- echo hi > log 2>&1'")).code, 0);
    let expected =
        "miss (joined) echo KEY: both streams were captured as one, and now they lead to different places
made";
    says(&env, "-e X -- echo hi", expected);
}

#[test]
fn what_stands_in_the_way_of_outputs() {
    let env = TestEnv::new();
    let line = "-o out -- sh -c ': > out'";
    env.run(&format!("run {line}"));
    fs::remove_file(env.work().join("out")).unwrap();
    says(&env, line, "hit sh KEY: the result made TIME ago would be given back\nmade");
    assert!(!env.exists("out"), "nothing is restored");
    fs::create_dir(env.work().join("out")).unwrap();
    says(&env, line, "miss (occupied) sh KEY: 'WORK/out' is in the way of an output\nmade");
    env.write("text", "x");
    let line = "-o text -- sh -c 'echo y > text'";
    env.run(&format!("run {line}"));
    env.write("text", "z");
    says(&env, line, "miss (edited) sh KEY: 'WORK/text' was edited since\nmade");
}

#[test]
fn what_was_there_and_is_gone() {
    let env = TestEnv::new();
    env.run("run -t c -- true");
    env.run("run -t c -- true other");
    env.run("local-cache clear --yes");
    says(&env, "-t c -- true", "miss (absent) c KEY: a result was stored TIME ago and is not there now");
    says(&env, "-t c -- true third", "miss (absent) c KEY: nothing is stored for this task");
}

#[test]
fn many_are_told_by_folder_and_counted() {
    let mut env = TestEnv::new();
    let change = |env: &mut TestEnv, text: &str| {
        for number in 0..20 {
            env.write(&format!("m/{}/{}/f{number}", number % 3, number % 2), text);
        }
        for number in 0..7 {
            env.set(&format!("V{number}"), text);
        }
    };
    change(&mut env, "1");
    env.run("run -i m -- true");
    change(&mut env, "2");
    let rest = "  file         changed  m/0/ (7 files)
  file         changed  m/1/ (7 files)
  file         changed  m/2/ (6 files)
  environment  changed  V0, V1, V2, V3, V4 and 2 more

for a hit, all of these
  put the 20 changed files back as they were
  put the 7 changed variables back as they were

from the next run on
  --env NAME  for each variable that matters leaves all others out of the key";
    misses(&env, "-i m -- true", "true", "24 of 51", rest);
}

#[test]
fn keys_of_another_format_are_told() {
    let env = TestEnv::new();
    env.run("run -t t -- true");
    let index = rusqlite::Connection::open(env.store().join("index.db")).unwrap();
    let (key, mut body): (Vec<u8>, Vec<u8>) =
        index.query_row("SELECT key, body FROM entry", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    // The fingerprint begins with its format, its count, and the project.
    let begin = [&1_u32.to_be_bytes()[..], &13_u64.to_be_bytes(), &[1]].concat();
    let at = body.windows(begin.len()).position(|window| window == begin).unwrap();
    body[at + 3] = 9;
    let sum = Digest::of(&[key.as_slice(), &body].concat()).as_bytes()[..16].to_vec();
    let update = "UPDATE entry SET body = ?1, checksum = ?2, key = zeroblob(32)";
    // Under its own key it is damage; under another it is a neighbour.
    index.execute(&update.replace(", key = zeroblob(32)", ""), rusqlite::params![body, sum]).unwrap();
    drop(index);
    says(
        &env,
        "-t t -- true other",
        "miss (absent) t KEY: the stored results of this task (1) have keys of another format",
    );
}
