//! Causes, told from fingerprints made by hand.

use super::*;
use crate::model::difference::compare;
use crate::model::fingerprint::Ingredient;
use proptest::prelude::*;

/// Makes a fingerprint of `kind:name=value`; without a `=` the value is absent.
fn fingerprint(texts: &[&str]) -> Fingerprint {
    let ingredient = |text: &&str| {
        let (label, value) =
            text.split_once('=').map_or((*text, None), |(label, value)| (label, Some(value)));
        let (kind, name) = label.split_once(':').unwrap_or((label, ""));
        let kind = Kind::ALL.into_iter().find(|known| known.label() == kind).unwrap();
        let digest = value.map_or(Presence::Absent, |value| Presence::Present(value.as_bytes())).digest();
        Ingredient::new(kind, name, digest)
    };
    Fingerprint::new(texts.iter().map(ingredient).collect()).unwrap()
}

/// Returns the causes as `class change name old>new`, and what follows.
fn told(old: (&[&str], &str), new: (&[&str], &str)) -> (Vec<String>, Vec<String>) {
    let prints = [fingerprint(old.0), fingerprint(new.0)];
    let words = |line: &str| line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    let commands = [words(old.1), words(new.1)];
    let side = |at: usize| Side {
        fingerprint: &prints[at],
        command: &commands[at],
        project: ["p", "q"][at],
        domain: "d",
        task: b"t",
        directory: [&b"/old"[..], b"/new"][at],
    };
    let reading = Reading { mask: &|digest| *digest, only_mode: &|_| None };
    let causes = causes(&compare(&prints[0], &prints[1]), side(0), side(1), &reading);
    let shown = |text: &Option<Vec<u8>>| text.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let line = |cause: &Cause| {
        let mut line = format!(
            "{} {} {}",
            cause.class.name(),
            cause.change.name(),
            String::from_utf8_lossy(&cause.name)
        );
        if cause.old.is_some() || cause.new.is_some() {
            line.push_str(&format!(
                " {}>{}",
                shown(&cause.old).unwrap_or_default(),
                shown(&cause.new).unwrap_or_default()
            ));
        }
        line
    };
    (causes.list.iter().map(line).collect(), causes.following)
}

#[test]
fn each_kind_has_its_class() {
    for (old, new, cause) in [
        ("project=p", "project=q", "project changed  p>q"),
        ("salt=a", "salt=b", "salt changed "),
        ("version=a", "version=b", "version changed "),
        ("source:cc=a", "source:cc=b", "source changed cc"),
        ("env:A=a", "env:A=b", "environment changed A"),
        ("env:A=a", "env:A", "environment removed A"),
        ("env:A", "env:A=", "environment added A"),
        ("input:a=1", "input:a=2", "file changed a"),
        ("input:a=1", "input:a", "file removed a"),
        ("value:v=1", "value:v=2", "value changed v"),
        ("probe:v=1", "probe:v=2", "probe changed v"),
        ("stdin=1", "stdin=2", "stdin changed "),
        ("cwd=1", "cwd=2", "cwd changed  /old>/new"),
        ("parameter:a=1", "parameter:a=2", "parameter changed a"),
        ("run-id=1", "run-id=2", "run-id changed "),
        ("key=1", "key=2", "key changed "),
        ("dependency:h=1", "dependency:h", "dependency removed h"),
        ("policy=INPUTS", "policy=INPUTS + RUN_ID", "policy changed  INPUTS>INPUTS + RUN_ID"),
        ("policy=INPUTS - x", "policy=INPUTS", "policy changed  >INPUTS"),
        ("signature:umask=022", "signature:umask=077", "umask changed  022>077"),
        ("signature:stdin=null", "signature:stdin=hash", "signature changed stdin null>hash"),
        ("signature:output:0=a", "signature:output:0=b", "signature changed output:0"),
    ] {
        assert_eq!(told((&[old], ""), (&[new], "")), (vec![cause.to_owned()], Vec::new()), "{old} {new}");
    }
}

#[test]
fn what_follows_is_told_apart() {
    for (old, new, causes, following) in [
        (
            (&["signature:env-mode=all", "env:A=1", "env:B=1"][..], ""),
            (&["signature:env-mode=declared", "signature:env:A=", "env:A=2"][..], ""),
            &["signature added env:A", "environment changed A"][..],
            &["signature:env-mode", "env:B"][..],
        ),
        (
            (&["argv:0=sort", "argv:1=a", "input:a=1"], "sort a"),
            (&["argv:0=sort", "argv:1=b", "input:b=1"], "sort b"),
            &["argument changed 000001 a>b"],
            &["input:a", "input:b"],
        ),
        (
            (&["policy=INPUTS + TASK_SOURCE", "source:cc=1"], ""),
            (&["policy=INPUTS"], ""),
            &["policy changed  INPUTS + TASK_SOURCE>INPUTS"],
            &["source:cc"],
        ),
        (
            (&["source:./a=1", "source:#!/bin/sh=1"], "./a"),
            (&["source:./a=2", "source:#!/bin/bash=1"], "./a"),
            &["source changed ./a"],
            &["source:#!/bin/bash", "source:#!/bin/sh"],
        ),
        ((&["version=1"], ""), (&["source:cc=1"], ""), &["version removed "], &["source:cc"]),
        (
            (&["signature:value:v=", "value:v=1"], ""),
            (&["signature:stdin=hash", "stdin=1"], ""),
            &["signature added stdin >hash", "value removed v"],
            &["stdin"],
        ),
        (
            (&["key=1", "project=p", "signature:output:0=a"], ""),
            (&["project=q", "task=t", "argv:0=x"], ""),
            &["project changed  p>q", "key removed ", "signature removed output:0"],
            &["task", "argv:0"],
        ),
        ((&["input:*.c"], ""), (&["input:a.c=1"], ""), &["file added a.c"], &["input:*.c"]),
        // Nothing but what is thought to follow: then it is the cause.
        ((&["input:*.c"], ""), (&[], ""), &["file removed *.c"], &[]),
    ] {
        let (list, follow) = told(old, new);
        assert_eq!(
            (list.as_slice(), follow.as_slice()),
            (
                causes.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().as_slice(),
                following.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().as_slice(),
            ),
            "{old:?} {new:?}"
        );
    }
}

#[test]
fn words_that_are_ignored_are_no_cause() {
    let rule = "signature:ignore:--jobs=";
    let old: &[&str] = &[rule, "argv:0=make", "argv:1=a"];
    let new: &[&str] = &[rule, "argv:0=make", "argv:1=b"];
    let (list, _) = told((old, "make --jobs=4 a"), (new, "make --jobs=8 b"));
    assert_eq!(list, ["argument changed 000001 a>b"]);
}

proptest! {
    /// Every difference is a cause, follows from one, or is told by a word or by its ingredient; and a difference
    /// always has a cause.
    #[test]
    fn no_difference_is_lost(
        old in prop::collection::btree_map(0_usize..24, "[01]", 0..12),
        new in prop::collection::btree_map(0_usize..24, "[01]", 0..12),
    ) {
        const LABELS: [&str; 24] = [
            "project", "task", "salt", "policy", "version", "source:cc", "source:#!sh", "env:A", "env:B",
            "input:a", "input:b", "value:v", "probe:p", "stdin", "cwd", "key", "dependency:h", "parameter:x",
            "signature:env-mode", "signature:env:A", "signature:value:v", "signature:probe:p", "signature:umask",
            "signature:ignore:a",
        ];
        let texts = |map: &std::collections::BTreeMap<usize, String>| -> Vec<String> {
            map.iter().map(|(at, value)| format!("{}={value}", LABELS[*at])).collect()
        };
        let (old, new) = (texts(&old), texts(&new));
        let (old, new): (Vec<&str>, Vec<&str>) =
            (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
        let differences = compare(&fingerprint(&old), &fingerprint(&new)).differences;
        let (list, following) = told((&old, ""), (&new, ""));
        prop_assert_eq!(list.is_empty(), differences.is_empty());
        let repeated = differences.iter().filter(|one| {
            one.kind == Kind::Signature && (one.name == b"value:v" || one.name == b"probe:p")
        }).count();
        prop_assert!(list.len() + following.len() <= differences.len());
        prop_assert!(list.len() + following.len() + repeated >= differences.len());
    }
}
