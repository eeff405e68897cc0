//! A restore that fails leaves nothing: the command runs as if there had been none. And one that could succeed with few
//! descriptors does.

use crate::support::{TestEnv, ran};
use std::fs;

/// Insists on making its folders itself.
const MAKES_FOLDERS: &str = "#!/bin/sh
echo ran >> count
mkdir above above/out above/out/deep || exit 9
yes first | head -c 40000 > above/out/first
yes last | head -c 40000 > above/out/deep/last
";

#[test]
fn the_command_finds_no_folder_of_a_restore_that_failed() {
    // Of the second one another output comes before it, whose anchor both share.
    for line in ["run -o above/out -- ./build", "run -o above/out/first -o above/out/deep -- ./build"] {
        finds_no_folder(line);
    }
}

fn finds_no_folder(line: &str) {
    let env = TestEnv::new();
    env.script("build", MAKES_FOLDERS);
    assert_eq!(env.run(line), ran(0, ""));
    fs::remove_dir_all(env.work().join("above")).unwrap();
    let blobs = walkdir::WalkDir::new(env.store().join("blobs")).into_iter().flatten();
    let blobs = blobs.filter(|blob| blob.file_type().is_file()).map(walkdir::DirEntry::into_path);
    let last: Vec<_> = blobs.filter(|blob| fs::read(blob).unwrap().starts_with(b"last\n")).collect();
    assert_eq!(last.len(), 1);
    fs::write(&last[0], vec![b'x'; 40_000]).unwrap();
    let found = env.run(line);
    assert_eq!((found.code, found.stdout.as_str(), env.count()), (0, "", 2), "{}", found.stderr);
}

#[test]
fn outputs_in_more_folders_than_there_are_descriptors_come_back() {
    let env = TestEnv::new();
    env.script(
        "build",
        "#!/bin/sh
        echo ran >> count
        mkdir out || exit 9
        for number in $(seq 120); do mkdir out/$number; echo $number > out/$number/file; done
        chmod 711 out/7
        yes | head -c 40000 > out/99/large
        ",
    );
    let line = "ulimit -n 64; taskcache run -o out -- ./build";
    assert_eq!(env.shell(line), ran(0, ""));
    fs::remove_dir_all(env.work().join("out")).unwrap();
    for round in 0..2 {
        assert_eq!(env.shell(line), ran(0, ""), "round {round}");
        for number in 1..=120 {
            assert_eq!(env.read(&format!("out/{number}/file")), Some(format!("{number}\n")));
        }
        let files = walkdir::WalkDir::new(env.work().join("out")).into_iter().flatten();
        assert_eq!(files.filter(|file| file.file_type().is_file()).count(), 121);
    }
    assert_eq!(env.count(), 1);
}

#[test]
fn no_folder_is_made_to_find_nothing_in_it() {
    let env = TestEnv::new();
    env.script("build", "#!/bin/sh\nif [ -s in ]; then mkdir -p gen; cp in gen/file.txt; fi\n");
    let line = "run -i in -o ?gen/*.txt -- ./build";
    for input in ["", "text"] {
        env.write("in", input);
        assert_eq!(env.run(line), ran(0, ""));
    }
    fs::remove_dir_all(env.work().join("gen")).unwrap();
    env.write("in", "");
    assert_eq!(env.run(line), ran(0, ""));
    assert!(!env.exists("gen"));
}
