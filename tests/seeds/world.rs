//! Worlds in which a declaration is made by options, and worlds in which it stands in a config.

use crate::support::{Ran, TestEnv, ran};
use std::path::Path;
use std::process::{Child, Stdio};
use toml::de::{DeTable, DeValue};

/// A command that says how often it ran.
pub const WORK: &str = "#!/bin/sh\necho ran >> count\necho \"run $(($(wc -l < count)))\"\n";

/// How a declaration is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By options.
    Options,
    /// In the `[task.work]` of a config.
    Config,
}

/// A world with the command `./work`.
pub struct World {
    /// What surrounds it.
    pub env: TestEnv,
    way: Way,
}

/// Makes a world for each way.
pub fn each_way() -> [World; 2] {
    [Way::Options, Way::Config].map(|way| {
        let env = TestEnv::new();
        env.script("work", WORK);
        World { env, way }
    })
}

/// Makes a world without a config of its own.
pub fn world() -> TestEnv {
    let env = TestEnv::new();
    env.script("work", WORK);
    env
}

/// Makes the expectation of `./work` on its run number `number`.
pub fn nth(number: usize) -> Ran {
    ran(0, &format!("run {number}\n"))
}

impl World {
    /// Returns the line that runs the task `work` under a declaration, which is written as a config writes it.
    /// `rest` are further options, and the command behind `--`.
    pub fn line(&self, declaration: &str, rest: &str) -> String {
        match self.way {
            Way::Options => format!("run --task work {} {rest}", options(declaration)),
            Way::Config => {
                let config = format!("[task.work]\n{declaration}\n");
                // A run that was started before may be reading it.
                if self.env.read("taskcache.toml").as_deref() != Some(&config) {
                    self.env.write("taskcache.toml", config);
                }
                format!("run --task work {rest}")
            }
        }
    }

    /// Runs the task `work` under a declaration.
    pub fn run(&self, declaration: &str, rest: &str) -> Ran {
        self.env.run(&self.line(declaration, rest))
    }

    /// Starts the task `work` under a declaration.
    pub fn spawn(&self, declaration: &str, rest: &str) -> Child {
        self.env.spawn(&self.line(declaration, rest), Stdio::null())
    }

    /// Runs `./work` under one declaration after the other, and asserts on which of its runs each result comes from.
    pub fn assert_runs(&self, expected: &[(&str, usize)]) {
        for (declaration, number) in expected {
            assert_eq!(self.run(declaration, "-- ./work"), nth(*number), "{declaration}");
        }
    }
}

/// Turns the keys of a config into options.
fn options(declaration: &str) -> String {
    let table = DeTable::parse(declaration).unwrap();
    let mut options = Vec::new();
    for (key, value) in table.get_ref() {
        let name = key.get_ref().replace('_', "-");
        match value.get_ref() {
            DeValue::String(text) => options.push(format!("'--{name}={text}'")),
            DeValue::Boolean(true) => options.push(format!("--{name}")),
            DeValue::Boolean(false) => options.push(format!("--no-{name}")),
            DeValue::Array(elements) => {
                let name = name.strip_suffix('s').unwrap();
                let texts = elements.iter().map(|element| element.get_ref().as_str().unwrap());
                options.extend(texts.map(|text| format!("'--{name}={text}'")));
            }
            other => panic!("{other:?}"),
        }
    }
    options.join(" ")
}

/// Returns the stored entries.
pub fn entries(env: &TestEnv) -> Vec<serde_json::Value> {
    serde_json::from_str(&env.run("local-cache list --format json").stdout).unwrap()
}

/// Returns when the only entry expires, as `local-cache show` tells it.
pub fn expiry(env: &TestEnv) -> Option<String> {
    let entries = entries(env);
    assert_eq!(entries.len(), 1);
    let key = entries[0]["key"].as_str().unwrap();
    let shown = env.run(&format!("local-cache show --format json {key}")).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["expires"].as_str().map(str::to_owned)
}

/// Waits until the history has this many lines: a run in the background writes its line when it is over.
pub fn wait_for_runs(env: &TestEnv, runs: usize) {
    let history = env.store().join("history.jsonl");
    while std::fs::read_to_string(&history).unwrap_or_default().lines().count() < runs {}
}

/// Waits until a run holds a reservation.
pub fn wait_until_running(env: &TestEnv) {
    while env.run("local-cache list --running").stdout.lines().count() < 2 {}
}

/// Makes a pipe in the working directory.
pub fn pipe(env: &TestEnv, name: &str) {
    let status = std::process::Command::new("mkfifo").arg(env.work().join(name)).status().unwrap();
    assert!(status.success());
}

/// Makes a folder that is a working copy of a project; the copies count their runs together.
pub fn copy_of_project(env: &TestEnv, folder: &str, config: &str) {
    env.write(&format!("{folder}/taskcache.toml"), config);
    let script = WORK.replace("count", "../count");
    env.script(Path::new(folder).join("work").to_str().unwrap(), &script);
}

/// Returns how a started run ended.
pub fn output(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}
