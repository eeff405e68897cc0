//! Disks that are really full, read-only or forbidden: small file systems in memory, mounted where nobody else sees
//! them, and a user who may not.

use crate::support::{Effort, KEPT, MADE, Ran, TASKCACHE, Tasks, figure};
use std::fs;
use std::process::Command;

/// Runs a script in which mounts are seen by nobody else. `None` where that is not allowed.
fn unshared(tasks: &Tasks, script: &str) -> Option<Ran> {
    let probe = Command::new("unshare")
        .args(["-m", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut command = tasks.world.program("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script, "sh", TASKCACHE]);
    command.arg(tasks.world.store());
    Some(Ran::of(&command.output().unwrap()).no_panic(script))
}

/// Reads what the script wrote about one of its runs.
fn told(tasks: &Tasks, name: &str) -> Ran {
    let read = |part: &str| fs::read_to_string(tasks.world.beside(&format!("{name}.{part}"))).unwrap();
    Ran { code: read("code").trim().parse().unwrap(), stdout: read("out"), stderr: read("err") }
        .no_panic(name)
}

fn step(name: &str, line: &str) -> String {
    format!("\"$1\" {line} > ../{name}.out 2> ../{name}.err; echo $? > ../{name}.code\n")
}

#[test]
fn a_store_on_a_full_disk_costs_the_result_only() {
    let effort = Effort::asked();
    let sizes: Vec<u64> = (0..100).map(|number| 20 + number * 8).collect();
    let (mut times, mut warned) = (0, 0);
    for (number, size) in effort.sample("disks", sizes, 4).into_iter().enumerate() {
        let tasks = Tasks::new();
        fs::remove_dir_all(tasks.world.store()).unwrap();
        fs::create_dir(tasks.world.store()).unwrap();
        // Every other disk runs out of files before it runs out of space.
        let limit = if number % 2 == 0 {
            format!("size={size}k")
        } else {
            format!("size=8m,nr_inodes={}", 2 + size / 8)
        };
        let script = format!(
            "set -e; mount -t tmpfs -o {limit},mode=700 none \"$2\"; set +e\n{}{}mount -o remount,size=16m,nr_inodes=1000 \"$2\"\n{}rm -r made\n{}",
            step("full", MADE),
            "rm -r made\n",
            step("grown", MADE),
            step("again", MADE),
        );
        let Some(ran) = unshared(&tasks, &script) else {
            return figure("full disks", "skipped: file systems cannot be mounted here");
        };
        assert_eq!(ran.code, 0, "{limit}: {}", ran.stderr);
        fs::create_dir_all(tasks.world.work().join("made/sub")).unwrap();
        for name in ["full", "grown", "again"] {
            let told = told(&tasks, name);
            let plain: Vec<_> = told.stderr.lines().filter(|line| !line.starts_with("taskcache: ")).collect();
            assert_eq!((told.code, plain), (0, vec!["error 2"]), "{limit}, {name}: {}", told.stderr);
            assert!(told.stdout == crate::support::lines(2, 9000), "{limit}, {name}: wrong bytes");
            assert!(told.warnings() <= usize::from(name == "full"), "{limit}, {name}: {}", told.stderr);
            warned += told.warnings();
        }
        // The disk grew, so the second run at the latest is stored, and the third is a hit.
        assert!(tasks.count("made") <= 2, "{limit}: ran {} times", tasks.count("made"));
        times += 1;
    }
    figure(
        "full disks",
        &format!("{times} disks of 20 to 820 KiB or few files, {warned} warnings, nothing else to be seen"),
    );
}

#[test]
fn a_store_that_cannot_be_written_still_gives_hits() {
    let tasks = Tasks::new();
    let script = format!(
        "set -e; mount --bind \"$2\" \"$2\"; mount -o remount,ro,bind \"$2\"; set +e\n{}{}",
        step("hit", KEPT),
        step("miss", MADE),
    );
    let Some(ran) = unshared(&tasks, &script) else {
        return figure("read-only store", "skipped: file systems cannot be mounted here");
    };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (hit, miss) = (told(&tasks, "hit"), told(&tasks, "miss"));
    tasks.assert_right("hit", &hit, 1);
    tasks.assert_right("miss", &miss, 2);
    assert!(hit.warnings() <= 1 && miss.warnings() <= 1, "{} {}", hit.stderr, miss.stderr);
    let told = "taskcache: warning: these outputs will count as files of yours: cannot create ";
    assert!(hit.stderr.contains(told), "{}", hit.stderr);
    assert_eq!(tasks.count("kept"), 1, "it was no hit: {}", hit.stderr);
    figure(
        "read-only store",
        &format!("ran {} times beside one stored result; {} warnings", tasks.count("kept"), hit.warnings()),
    );
}

#[test]
fn a_store_that_is_forbidden_costs_a_warning() {
    let tasks = Tasks::new();
    if !rustix::process::geteuid().is_root() {
        return figure("forbidden stores", "skipped: only root can become somebody else");
    }
    let home = tasks.world.beside("home");
    let everybody = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    };
    for path in [
        home.parent().unwrap(),
        &home,
        &tasks.world.work(),
        &home.join(".flyte"),
        &home.join(".flyte/local-cache"),
    ] {
        everybody(path);
    }
    everybody(&tasks.world.work());
    fs::set_permissions(
        tasks.world.beside("kept-count"),
        std::os::unix::fs::PermissionsExt::from_mode(0o666),
    )
    .unwrap();
    let nobody = |line: &str| {
        let mut command = tasks.world.program("setpriv");
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", TASKCACHE])
            .args(line.split_whitespace());
        Ran::of(&command.output().unwrap()).no_panic(line)
    };
    if nobody("local-cache path").code != 0 {
        return figure("forbidden stores", "skipped: the program cannot be run as somebody else");
    }
    let own = tasks.world.store();
    let states: [(&str, &dyn Fn()); 3] = [
        ("of another user", &|| {}),
        ("without any permission", &|| {
            std::os::unix::fs::chown(&own, Some(65534), Some(65534)).unwrap();
            fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        }),
        ("whose files belong to another user", &|| {
            fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        }),
    ];
    for (what, prepare) in states {
        prepare();
        let ran = nobody(KEPT);
        tasks.assert_right(what, &ran, 1);
        assert_eq!(ran.warnings(), 1, "{what}: {}", ran.stderr);
        fs::remove_dir_all(tasks.world.work().join("kept")).unwrap();
    }
    figure("forbidden stores", "3 states, one warning each");
}
