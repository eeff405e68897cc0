//! What a config file may say, and the whole text of each refusal.

use super::*;
use crate::config::options::OptionName;
use proptest::prelude::*;
use std::ffi::OsStr;

fn read(text: &str) -> Result<Document, ConfigError> {
    parse(text.as_bytes(), Path::new("taskcache.toml"), Some(Path::new("/project")))
}

/// Returns the whole text of an error and its hint.
fn fault(text: &str) -> (String, String) {
    let error = read(text).unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn every_table_is_read_with_its_lines() {
    let document = read(concat!(
        "[defaults]\nttl = '1h'\nserialize = true\nno_refresh = true\n",
        "[task.train]\ncommand = ['python', 'train.py']\ninputs = [\n  'a',\n  'b',\n]\n",
        "[task.'my task']\ncommand = 'make | tee log'\nttl = '1s'\n",
        "[env.ci]\nread_only = true\n",
        "[policy.nightly]\nexpression = 'DEFAULT + RUN_ID'\n[policy]\noff = 'NONE'\n",
        "[store]\ndir = '~/cache'\nmax_size = '1GiB'\nmax_age = '1d'\nlocks = 'auto'\nlease = '9s'\n",
    ))
    .unwrap();
    let told = |layer: &Layer, name| {
        layer.get(name).map(|found| (found.value.clone(), found.origin.to_string())).unwrap()
    };
    let text = |text: &str| RawValue::Text(text.into());
    let ttl = told(&document.defaults, OptionName::Ttl);
    assert_eq!(ttl, (text("1h"), "taskcache.toml:2 [defaults] ttl".into()));
    let refresh = told(&document.defaults, OptionName::Refresh);
    assert_eq!(refresh, (RawValue::Switch(false), "taskcache.toml:4 [defaults] no_refresh".into()));
    assert_eq!(document.defaults.base(), Some(Path::new("/project")));

    let train = &document.tasks["train"];
    let (inputs, origin) = train.layer.list(OptionName::Input).unwrap();
    assert_eq!(origin.to_string(), "taskcache.toml:7 [task.train] inputs");
    let lines: Vec<_> = inputs.iter().map(|input| input.origin.to_string()).collect();
    assert_eq!(lines, [8, 9].map(|line| format!("taskcache.toml:{line} [task.train] inputs")));
    let words = |name: &str| document.tasks[name].command.clone().unwrap().value;
    assert_eq!(words("train"), ["python", "train.py"]);
    assert_eq!(words("my task"), ["sh", "-c", "make | tee log"]);
    let ttl = told(&document.tasks["my task"].layer, OptionName::Ttl);
    assert_eq!(ttl, (text("1s"), "taskcache.toml:13 [task.\"my task\"] ttl".into()));
    assert!(document.environments["ci"].switch(OptionName::ReadOnly).is_some());
    let policies: Vec<_> =
        document.policies.iter().map(|(name, policy)| (name.as_str(), policy.value.as_str())).collect();
    assert_eq!(policies, [("nightly", "DEFAULT + RUN_ID"), ("off", "NONE")]);
    let StoreTable { dir, max_size, max_age, locks, lease } = document.store;
    let store = [dir, max_size, max_age, locks, lease];
    assert_eq!(store.map(|value| value.unwrap().value), ["~/cache", "1GiB", "1d", "auto", "9s"]);
}

#[test]
fn every_key_is_taken_in_its_tables() {
    for row in OPTIONS {
        let Some(key) = row.key() else { continue };
        let value = match row.kind {
            Kind::Switch => "true",
            Kind::List => "['x']",
            Kind::Text | Kind::Choice(_) => "'x'",
        };
        let document = read(&format!("[defaults]\n{key} = {value}\n")).unwrap();
        assert!(document.defaults.get(row.name).is_some(), "{key}");
        let document = read(&format!("[task.x]\n{key} = {value}\n")).unwrap();
        assert!(document.tasks["x"].layer.get(row.name).is_some(), "{key}");
        let in_environment = read(&format!("[env.x]\n{key} = {value}\n")).is_ok();
        assert_eq!(in_environment, row.name != OptionName::Environment, "{key}");
    }
}

#[test]
fn faults_are_told_with_file_line_and_what_was_meant() {
    let cases = [
        (
            "[defaults]\ntttl = '1h'",
            "taskcache.toml:2: unknown key 'tttl' in [defaults]",
            "did you mean 'ttl'?",
        ),
        (
            "[task.a]\ninput = ['x']",
            "taskcache.toml:2: unknown key 'input' in [task.a]",
            "did you mean 'inputs'?",
        ),
        (
            "[task.a]\ncomand = 'x'",
            "taskcache.toml:2: unknown key 'comand' in [task.a]",
            "did you mean 'command'?",
        ),
        (
            "[defaults]\nforce = true",
            "taskcache.toml:2: unknown key 'force' in [defaults]",
            "did you mean 'refresh'?",
        ),
        (
            "[defaults]\ncache_dir = 'x'",
            "taskcache.toml:2: unknown key 'cache_dir' in [defaults]",
            "did you mean '[store] dir'?",
        ),
        ("[defaults]\ntask = 'x'", "taskcache.toml:2: unknown key 'task' in [defaults]", ""),
        ("[defaults]\ncommand = 'x'", "taskcache.toml:2: unknown key 'command' in [defaults]", ""),
        ("[env.ci]\nenvironment = 'x'", "taskcache.toml:2: unknown key 'environment' in [env.ci]", ""),
        (
            "[store]\nmaxsize = '1'",
            "taskcache.toml:2: unknown key 'maxsize' in [store]",
            "did you mean 'max_size'?",
        ),
        (
            "[policy.p]\nexpr = 'x'",
            "taskcache.toml:2: unknown key 'expr' in [policy.p]",
            "did you mean 'expression'?",
        ),
        ("\n[tasks.a]", "taskcache.toml:2: unknown table [tasks]", "did you mean 'task'?"),
        ("[remote]", "taskcache.toml:1: unknown table [remote]", ""),
        ("ttl = '1h'", "taskcache.toml:1: key 'ttl' stands outside a table", "put it below [defaults]"),
        (
            "x = 1",
            "taskcache.toml:1: key 'x' stands outside a table",
            "the tables are [defaults], [task.NAME], [env.NAME], [policy.NAME] and [store]",
        ),
        (
            "[defaults]\nttl = 90",
            "taskcache.toml:2 [defaults] ttl: expected a string, found a number",
            "write it in quotes",
        ),
        (
            "[defaults]\nstrict = 'yes'",
            "taskcache.toml:2 [defaults] strict: expected true or false, found a string",
            "write it without quotes",
        ),
        (
            "[defaults]\ninputs = 'a'",
            "taskcache.toml:2 [defaults] inputs: expected an array of strings, found a string",
            "write [\"...\", \"...\"]",
        ),
        (
            "[defaults]\ninputs = ['a',\n1979-05-27]",
            "taskcache.toml:3 [defaults] inputs: expected a string, found a date",
            "write it in quotes",
        ),
        (
            "[task.a]\ncommand = true",
            "taskcache.toml:2 [task.a] command: expected an array of words or a string, found a boolean",
            "",
        ),
        ("[task.a]\ncommand = []", "taskcache.toml:2 [task.a] command: the command is empty", ""),
        ("[task.a]\ncommand = ' '", "taskcache.toml:2 [task.a] command: the command is empty", ""),
        ("[task]\na = []", "taskcache.toml:2 [task] a: expected a table, found an array", ""),
        ("store = 1.5", "taskcache.toml:1 [store] store: expected a table, found a number", ""),
        (
            "[defaults]\nsalt = \"\\u0000\"",
            "taskcache.toml:2 [defaults] salt: the value holds a NUL byte",
            "",
        ),
        (
            "[defaults]\ncache = true\nno_cache = true",
            "taskcache.toml:2 [defaults] cache contradicts taskcache.toml:3 [defaults] no_cache",
            "",
        ),
        (
            "[policy]\nINPUTS = 'NONE'",
            "taskcache.toml:2 [policy] INPUTS: 'INPUTS' is the name of a built-in policy",
            "",
        ),
        (
            "[policy]\n'a b' = 'NONE'",
            "taskcache.toml:2 [policy] a b: 'a b' cannot be named in a policy",
            "write letters, digits, '_', '.' and '-', with a letter or '_' in front",
        ),
        ("[policy.p]", "taskcache.toml:1 [policy] p: 'p' has no 'expression'", ""),
        (
            "[defaults]\nzzzzzzzz = 1\naaaaaaaa = 1",
            "taskcache.toml:2: unknown key 'zzzzzzzz' in [defaults]",
            "",
        ),
        ("[defaults]\n\"\\u001b[31m\" = 1", "taskcache.toml:2: unknown key '\\u{1b}[31m' in [defaults]", ""),
        ("[defaults]\nttl = '1h\n", "taskcache.toml:2: invalid literal string, expected `'`", ""),
        ("[defaults]\nttl = '1'\nttl = '2'", "taskcache.toml:3: duplicate key", ""),
    ];
    for (text, error, hint) in cases {
        assert_eq!(fault(text), (error.to_owned(), hint.to_owned()), "{text}");
    }
    let error = parse(b"[defaults]\n\nsalt = '\xff'", Path::new("x.toml"), None).unwrap_err();
    assert_eq!(error.to_string(), "x.toml:3: not UTF-8");
}

#[test]
fn a_deep_file_is_refused_and_not_followed() {
    for text in [
        format!("[{}a]", "a.".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("x = {}", "[".repeat(100_000)),
    ] {
        assert!(read(&text).is_err());
    }
}

#[test]
fn bytes_are_bytes_in_keys_too() {
    let document = read("\u{feff}[defaults]\r\nsalt = '\u{e9}'\r\n").unwrap();
    let (salt, origin) = document.defaults.text(OptionName::Salt).unwrap();
    assert_eq!(
        (salt, origin.to_string().as_str()),
        (OsStr::new("\u{e9}"), "taskcache.toml:2 [defaults] salt")
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, Path::new("x"), None).map_err(|error| (error.to_string(), error.hint()));
    }

    #[test]
    fn no_pieces_of_configs_make_it_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "[defaults]", "[task.a]", "[env.", "]", "\n", "ttl", "inputs", " = ", "'1h'", "['a']", "true", "command",
        "[policy]", "[[store]]", "{", "}", ".", "\"", "'", "#", "\u{e9}", "\0", "1", ",", "no_cache", "[", "\\u0000",
    ]), 0..40)) {
        let text = pieces.concat();
        let _ = read(&text).map_err(|error| (error.to_string(), error.hint()));
    }
}
