//! Output files come back as the run left them, and nothing else is touched.

use crate::support::{TestEnv, ran};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const BUILD: &str = "#!/bin/sh
echo ran >> count
mkdir -p out/bin out/empty
echo lib > out/lib
printf '#!/bin/sh\\n' > out/bin/tool
chmod 755 out/bin/tool
ln -sf bin/tool out/link
";

fn built() -> TestEnv {
    let env = TestEnv::new();
    env.script("build", BUILD);
    assert_eq!(env.run("run -o out -- ./build"), ran(0, ""));
    env
}

fn tree(env: &TestEnv) -> Vec<String> {
    let root = env.work();
    let mut tree: Vec<_> = walkdir::WalkDir::new(root.join("out"))
        .into_iter()
        .map(|step| {
            let step = step.unwrap();
            let name = step.path().strip_prefix(&root).unwrap().display().to_string();
            let metadata = step.path().symlink_metadata().unwrap();
            if metadata.is_symlink() {
                return format!("{name} -> {}", fs::read_link(step.path()).unwrap().display());
            }
            let text =
                if metadata.is_file() { fs::read_to_string(step.path()).unwrap() } else { String::new() };
            format!("{name} {:o} {}", metadata.permissions().mode() & 0o7777, text.escape_debug())
        })
        .collect();
    tree.sort();
    tree
}

#[test]
fn files_folders_links_and_modes_come_back() {
    let env = built();
    let expected = tree(&env);
    assert_eq!(expected.len(), 6);
    fs::remove_dir_all(env.work().join("out")).unwrap();
    assert_eq!(env.run("run -o out -- ./build"), ran(0, ""));
    assert_eq!(tree(&env), expected);
    assert_eq!(env.count(), 1);
}

#[test]
fn deleted_changed_and_truncated_outputs_come_back_and_the_rest_stays() {
    let env = built();
    let expected = tree(&env);
    fs::remove_file(env.work().join("out/link")).unwrap();
    fs::write(env.work().join("out/lib"), "").unwrap();
    fs::set_permissions(env.work().join("out/bin/tool"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_dir(env.work().join("out/empty")).unwrap();
    env.write("out/mine", "mine");
    assert_eq!(env.run("run -o out -- ./build"), ran(0, ""));
    assert_eq!(env.read("out/mine").as_deref(), Some("mine"));
    fs::remove_file(env.work().join("out/mine")).unwrap();
    assert_eq!(tree(&env), expected);
    assert_eq!(env.count(), 1);
}

#[test]
fn what_is_right_stays_and_is_touched_or_kept() {
    let env = built();
    let path = env.work().join("out/lib");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let set_old = || {
        let times = fs::FileTimes::new().set_modified(old);
        fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    };
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
    let before = inode();
    set_old();
    env.run("run -o out --output-mtime keep -- ./build");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), old);
    env.run("run -o out -- ./build");
    assert!(fs::metadata(&path).unwrap().modified().unwrap() > old);
    assert_eq!(inode(), before);
    assert_eq!(env.count(), 1);
}

#[test]
fn what_an_earlier_version_left_goes_and_what_is_the_users_stays() {
    let env = TestEnv::new();
    env.script(
        "make",
        "#!/bin/sh\necho ran >> count\nmkdir -p out\nfor n in $(cat names); do echo $n > out/$n; done\n",
    );
    let run = |names: &str| {
        env.write("names", names);
        assert_eq!(env.run("run -i names -o out -- ./make"), ran(0, ""));
        let mut found: Vec<_> = fs::read_dir(env.work().join("out"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        found
    };
    assert_eq!(run("one two"), ["one", "two"]);
    env.write("out/mine", "mine");
    assert_eq!(run("one"), ["mine", "one"]);
    assert_eq!(run("one two"), ["mine", "one", "two"]);
    assert_eq!(run("one"), ["mine", "one"]);
    assert_eq!(env.count(), 2);
    env.write("out/one", "edited by the user");
    assert_eq!(run("two"), ["mine", "one", "two"], "what the user touched is theirs");
    assert_eq!(env.read("out/one").as_deref(), Some("edited by the user"));
}

#[test]
fn a_failing_run_gives_back_what_it_was_denied() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\nmkdir -p out\ngrep -q bad input && exit 1\necho good > out/file\n");
    env.write("input", "good");
    env.run("run -i input -o out -- ./make");
    env.write("input", "bad");
    assert_eq!(env.run("run -i input -o out -- ./make").code, 1);
    assert_eq!(env.read("out/file").as_deref(), Some("good\n"));
}

#[test]
fn a_users_own_file_is_never_written_over_by_a_hit() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\necho made > out/made\n");
    env.write("out/notes", "first");
    env.run("run -o out -- ./make");
    env.write("out/notes", "second");
    assert_eq!(env.run("run -o out -- ./make"), ran(0, ""));
    assert_eq!(env.read("out/notes").as_deref(), Some("second"));
    assert_eq!(env.count(), 1);
}

#[test]
fn a_missing_output_is_a_warning_and_nothing_is_stored() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\n");
    let warning = "taskcache: warning: the result was not stored: the declared output 'out' is missing\n";
    for runs in 1..=2 {
        assert_eq!(env.run("run -o out -- ./make"), ran(0, "").with_stderr(warning));
        assert_eq!(env.count(), runs);
    }
    let optional = "run -o '?out' -- ./make";
    assert_eq!(env.run(optional), ran(0, ""));
    assert_eq!(env.run(optional), ran(0, ""));
    assert_eq!(env.count(), 3);
}

#[test]
fn globs_store_what_they_match_and_nothing_that_is_taken_out() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\nfor n in a.o b.o c.log; do echo $n > $n; done\n");
    let line = "run -o '*.o' -o '!b.o' -- ./make";
    env.run(line);
    for name in ["a.o", "b.o", "c.log"] {
        fs::remove_file(env.work().join(name)).unwrap();
    }
    env.run(line);
    assert_eq!(["a.o", "b.o", "c.log"].map(|name| env.exists(name)), [true, false, false]);
    assert_eq!(env.count(), 1);
}

#[test]
fn clean_outputs_empties_folders_before_a_run_and_a_restore() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\nls out > seen\necho made > out/made\n");
    env.write("out/old", "old");
    env.run("run --clean-outputs -o out -- ./make");
    assert_eq!((env.read("seen").as_deref(), env.exists("out/old")), (Some(""), false));
    env.write("out/new", "new");
    env.run("run --clean-outputs -o out -- ./make");
    assert_eq!((env.exists("out/new"), env.exists("out/made"), env.count()), (false, true, 1));
}

#[test]
fn nothing_is_written_through_a_planted_link() {
    let env = built();
    fs::create_dir(env.work().join("elsewhere")).unwrap();
    fs::remove_dir_all(env.work().join("out/bin")).unwrap();
    symlink("../elsewhere", env.work().join("out/bin")).unwrap();
    let ran = env.run("run -o out -- ./build");
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("is in the way of an output"), "{}", ran.stderr);
    assert_eq!(env.count(), 2, "the command decides what to do about it");
}

#[test]
fn a_users_layout_of_links_is_kept() {
    let env = TestEnv::new();
    env.script("build", BUILD);
    fs::create_dir(env.work().join("disk")).unwrap();
    symlink("disk", env.work().join("out")).unwrap();
    env.run("run -o out -- ./build");
    fs::remove_file(env.work().join("disk/lib")).unwrap();
    assert_eq!(env.run("run -o out -- ./build"), ran(0, ""));
    assert_eq!(env.read("disk/lib").as_deref(), Some("lib\n"));
    assert!(env.work().join("out").symlink_metadata().unwrap().is_symlink());
    assert_eq!(env.count(), 1);
}

#[test]
fn an_output_that_would_eat_something_is_refused() {
    let env = TestEnv::new();
    env.write("src/a.c", "");
    env.script("make", "#!/bin/sh\necho ran >> count\n");
    for (line, message) in [
        ("run -o . -- ./make", "the output '.' holds the working directory"),
        ("run -i src/a.c -o src -- ./make", "the output 'src' holds the input 'src/a.c'"),
        ("run -i 'src/*.c' -o src -- ./make", "the output 'src' holds the input 'src/*.c'"),
    ] {
        let ran = env.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (125, ""), "{line}");
        assert!(ran.stderr.starts_with(&format!("taskcache: error: {message}\n")), "{}", ran.stderr);
    }
    assert_eq!(env.count(), 0);
}

#[test]
fn an_input_that_changes_during_the_run_is_not_kept() {
    let env = TestEnv::new();
    env.script("make", "#!/bin/sh\necho ran >> count\necho more >> input\n");
    env.write("input", "x");
    let warning = "taskcache: warning: the result was not stored: the input 'input' changed during the run\n";
    assert_eq!(env.run("run -i input -- ./make"), ran(0, "").with_stderr(warning));
    let strict = env.run("run --strict -i input -- ./make");
    assert_eq!(strict.code, 125);
}

#[test]
fn a_depfile_names_the_inputs_of_the_next_look_up() {
    let env = TestEnv::new();
    env.script(
        "compile",
        "#!/bin/sh\necho ran >> count\ncat main.c a.h > main.o\necho 'main.o: main.c a.h' > main.d\n",
    );
    env.write("main.c", "1");
    env.write("a.h", "1");
    env.write("b.h", "1");
    let line = "run --depfile main.d -o main.o -- ./compile";
    let runs = |what: &str, expected: usize| {
        let before = env.count();
        assert_eq!(env.run(line), ran(0, ""), "{what}");
        assert_eq!(env.count() - before, expected, "{what}");
    };
    runs("first", 1);
    runs("unchanged", 0);
    env.write("b.h", "2");
    runs("not included", 0);
    env.write("a.h", "2");
    runs("included", 1);
    env.write("a.h", "1");
    fs::remove_file(env.work().join("main.o")).unwrap();
    fs::remove_file(env.work().join("main.d")).unwrap();
    runs("put back", 0);
    assert_eq!(env.read("main.o").as_deref(), Some("11"));
    assert_eq!(env.read("main.d").as_deref(), Some("main.o: main.c a.h\n"));
}

/// Makes enough for two threads: three folders, each with 20 files of 40 kB and one small one.
const LARGE: &str = "#!/bin/sh
echo ran >> count
for folder in out/a out/b out/a/c; do
    mkdir -p $folder
    echo small > $folder/small
    for file in 00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19; do
        yes $folder/$file | head -c 40000 > $folder/$file
        chmod 6$((1$file % 4))4 $folder/$file
    done
done
";

fn built_large() -> (TestEnv, Vec<String>) {
    let env = TestEnv::new();
    env.script("build", LARGE);
    assert_eq!(env.run("run -o out -- ./build"), ran(0, ""));
    let tree = tree(&env);
    assert_eq!(tree.len(), 4 + 3 * 21);
    (env, tree)
}

#[test]
fn many_files_in_several_folders_come_back() {
    let (env, expected) = built_large();
    for round in 0..2 {
        fs::remove_dir_all(env.work().join("out")).unwrap();
        assert_eq!(env.run("run -o out -- ./build"), ran(0, ""), "round {round}");
        assert_eq!(tree(&env), expected, "round {round}");
    }
    // Some of them, with folders that are there and files that are not right.
    fs::remove_dir_all(env.work().join("out/a/c")).unwrap();
    for file in ["a/07", "b/00", "b/19"] {
        env.write(&format!("out/{file}"), "edited");
    }
    assert_eq!(env.run("run -o out -- ./build"), ran(0, ""));
    assert_eq!(tree(&env), expected);
    assert_eq!(env.count(), 1);
}

#[test]
fn several_processes_that_restore_the_same_files_do_not_mind_each_other() {
    let (env, expected) = built_large();
    fs::remove_dir_all(env.work().join("out")).unwrap();
    let start = || env.spawn("run -o out -- ./build", std::process::Stdio::null());
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for child in children {
        assert_eq!(crate::support::Ran::of(&child.wait_with_output().unwrap()), ran(0, ""));
    }
    assert_eq!(tree(&env), expected);
    assert_eq!(env.count(), 1);
}

#[test]
fn one_damaged_content_among_many_leaves_nothing_behind() {
    let (env, expected) = built_large();
    fs::remove_dir_all(env.work().join("out/b")).unwrap();
    fs::remove_dir_all(env.work().join("out/a/c")).unwrap();
    // What the restore finds first and last, and what it finds in between, is another thing of the same size.
    let blobs = walkdir::WalkDir::new(env.store().join("blobs")).into_iter().flatten();
    let damaged = blobs.filter(|blob| blob.file_type().is_file()).filter(|blob| {
        let text = fs::read_to_string(blob.path()).unwrap();
        ["out/b/09\n", "out/b/19\n", "out/a/c/00\n"].iter().any(|line| text.starts_with(line))
    });
    let damaged: Vec<_> = damaged.map(walkdir::DirEntry::into_path).collect();
    assert_eq!(damaged.len(), 3);
    for path in damaged {
        fs::write(path, vec![b'x'; 40_000]).unwrap();
    }
    let ran = env.run("run -o out -- ./build");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    // The command has run, and nobody's temporary file is among what it made.
    assert_eq!(env.count(), 2);
    assert_eq!(tree(&env), expected);
}
