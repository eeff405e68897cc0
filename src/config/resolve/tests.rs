//! Precedence over all layers, the rules between options, and the whole text of each error.

use super::*;
use crate::config::options::{Kind, OPTIONS};
use crate::config::settings::{Behavior, EnvMode, PatternKind};
use crate::config::testing::host_in;
use crate::model::policy::Policy;
use crate::model::time::Span;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use tempfile::TempDir;

/// A machine with a project, a user, an environment and a command line.
struct Scene {
    _folder: TempDir,
    root: PathBuf,
    host: Host,
    flags: Layer,
    command: Vec<OsString>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let host = host_in(&root, &[]);
        Self { _folder: folder, root, host, flags: Layer::new(), command: vec!["/bin/train".into()] }
    }

    fn project(self, text: &str) -> Self {
        fs::write(self.root.join("work/taskcache.toml"), text).unwrap();
        self
    }

    fn user(self, text: &str) -> Self {
        fs::write(self.root.join("config/taskcache/config.toml"), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.host.environment.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, name: OptionName, value: &str) -> Self {
        let origin = Origin::Flag(format!("--{}", name.row().long));
        let value = match name.row().kind {
            Kind::Switch => RawValue::Switch(value == "true"),
            Kind::List => RawValue::List(
                value.split(':').map(|text| Located::new(text.into(), origin.clone())).collect(),
            ),
            Kind::Text | Kind::Choice(_) => RawValue::Text(value.into()),
        };
        self.flags.set(name, value, origin);
        self
    }

    fn without_command(mut self) -> Self {
        self.command.clear();
        self
    }

    fn resolved(&self) -> Result<Resolved, ConfigError> {
        resolve(&self.host, &self.flags, &self.command)
    }

    fn settings(&self) -> Settings {
        self.resolved().unwrap().settings
    }

    /// Returns the whole text of the error and its hint.
    fn fault(&self) -> (String, String) {
        let error = self.resolved().unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default())
    }

    /// Returns an option as `config show` tells it.
    fn shown(&self, name: &str) -> (String, String) {
        let resolved = resolve_in(&self.host, &self.flags, &self.command, Detail::Origins).unwrap();
        let found = resolved.origins.iter().find(|known| known.name == name).unwrap();
        (found.to_string(), found.origin.to_string())
    }
}

fn pair(first: &str, second: &str) -> (String, String) {
    (first.to_owned(), second.to_owned())
}

/// A scene in which the layers from `first` on say something, each its own number; the order is that of precedence.
fn layered(first: usize) -> Scene {
    let values = |layer: usize| {
        format!("ttl = '{layer}s'\nenvs = ['...', 'E{layer}']\nserialize = {}\n", layer.is_multiple_of(2))
    };
    let file = |task: usize| {
        let headers = ["[task.train]", "[env.ci]", "[defaults]"];
        let tables = headers.iter().enumerate().map(|(index, header)| {
            let layer = task + index;
            let chooses = if *header == "[defaults]" { "environment = 'ci'\n" } else { "" };
            let values = if layer >= first { values(layer) } else { String::new() };
            format!("{header}\n{chooses}{values}")
        });
        tables.collect::<String>()
    };
    let mut scene = Scene::new().project(&file(2)).user(&file(5));
    if first <= 1 {
        for (name, value) in [("TTL", "1s"), ("ENV", "...:E1"), ("SERIALIZE", "false")] {
            scene = scene.variable(&format!("TASKCACHE_{name}"), value);
        }
    }
    if first == 0 {
        for (name, value) in
            [(OptionName::Ttl, "0s"), (OptionName::Env, "...:E0"), (OptionName::Serialize, "true")]
        {
            scene = scene.flag(name, value);
        }
    }
    scene
}

#[test]
fn each_layer_stands_above_the_next() {
    for first in 0..=7 {
        let settings = layered(first).settings();
        assert_eq!(settings.ttl, Some(Span::from_millis(first as u64 * 1000)), "{first}");
        assert_eq!(settings.serialize, first.is_multiple_of(2), "{first}");
        let envs: Vec<String> = settings.envs.iter().map(|env| printable(env)).collect();
        let inherited: Vec<String> = (first..=7).rev().map(|layer| format!("E{layer}")).collect();
        assert_eq!(envs, inherited, "{first}");
    }
    let settings = layered(8).settings();
    assert_eq!((settings.ttl, settings.serialize, settings.envs.len()), (None, false, 0));
}

#[test]
fn origins_name_the_layer_that_counts() {
    let places = [
        ("option --ttl", ""),
        ("variable TASKCACHE_TTL", ""),
        ("taskcache.toml:", " [task.train] ttl"),
        ("taskcache.toml:", " [env.ci] ttl"),
        ("taskcache.toml:", " [defaults] ttl"),
        ("/", "config/taskcache/config.toml:2 [task.train] ttl"),
        ("/", "config/taskcache/config.toml:3 [env.ci] ttl"),
        ("/", "config/taskcache/config.toml:5 [defaults] ttl"),
        ("built-in", ""),
    ];
    for (first, (start, end)) in places.into_iter().enumerate() {
        let origin = layered(first).shown("ttl").1;
        assert!(origin.starts_with(start) && origin.ends_with(end), "{first} {origin}");
    }
}

#[test]
fn a_list_replaces_what_it_does_not_inherit() {
    let project = "[defaults]\nenvs = ['A', 'B']\n[task.train]\nenvs = ['C']\n";
    let envs = |scene: Scene| {
        let envs = scene.settings().envs;
        envs.iter().map(|env| printable(env)).collect::<Vec<_>>()
    };
    assert_eq!(envs(Scene::new().project(project)), ["C"]);
    assert_eq!(envs(Scene::new().project(project).flag(OptionName::Env, "X:...:Y")), ["X", "C", "Y"]);
    assert_eq!(envs(Scene::new().project(project).flag(OptionName::Env, "...:...")), ["C"]);
    assert_eq!(envs(Scene::new().project(project).variable("TASKCACHE_ENV", "")), [""; 0]);
    assert_eq!(envs(Scene::new().flag(OptionName::Env, "...:X")), ["X"]);
    let shown = Scene::new().project(project).flag(OptionName::Env, "...:X\"").shown("envs");
    assert_eq!(shown, pair("[\"C\", \"X\\\"\"]", "option --env"));
}

#[test]
fn built_in_values() {
    let scene = Scene::new();
    let resolved = scene.resolved().unwrap();
    let settings = resolved.settings;
    assert_eq!((settings.task.as_slice(), settings.project.as_str()), (&b"train"[..], "default"));
    assert_eq!((settings.domain.as_str(), settings.policy), ("development", Policy::default()));
    assert_eq!((settings.cache_exit.to_string().as_str(), settings.argument_inputs), ("0", true));
    assert_eq!((settings.behavior, settings.env_mode), (Behavior::Auto, EnvMode::All));
    assert_eq!((settings.refresh, settings.enabled), (None, true));
    assert_eq!((settings.project_root, settings.project_from_config), (None, false));
    let store = resolved.store.unwrap();
    assert_eq!(store.dir, Path::new("/home/ada/.flyte/local-cache/taskcache"));
    assert_eq!((store.max_size.as_bytes(), store.max_age.to_string().as_str()), (10 << 30, "30d"));
    assert_eq!((store.locking.means.name(), store.locking.lease.to_string().as_str()), ("auto", "10s"));
    for row in OPTIONS.iter().filter(|row| row.long != "cache-dir") {
        let name = row.key().unwrap_or_else(|| row.long.to_owned());
        let (value, origin) = scene.shown(&name);
        match (row.long, row.built_in) {
            ("task", _) => assert_eq!((value, origin), pair("train", "name of the program")),
            ("env-mode", _) => assert_eq!((value, origin), pair("all", "built-in")),
            (_, Some(built_in)) => assert_eq!((value, origin), pair(built_in, "built-in")),
            _ => assert_eq!(origin, "built-in"),
        }
    }
}

#[test]
fn choices_mean_what_they_say() {
    for row in OPTIONS {
        let Kind::Choice(words) = row.kind else { continue };
        for word in words {
            let scene = Scene::new().flag(row.name, word).flag(OptionName::Salt, "s");
            let scene = if *word == "override" { scene.flag(OptionName::Version, "1") } else { scene };
            let text = format!("{:#?}", scene.settings()).to_lowercase();
            let line = format!("{}: {word},", row.long.replace('-', "_"));
            assert!(text.contains(&line), "{line} in {text}");
        }
    }
}

#[test]
fn the_task_finds_its_table_however_it_was_named() {
    let project = "[task.train]\nttl = '1s'\n[task.eval]\nttl = '2s'\ncommand = ['eval', '-x']\n";
    let scene = Scene::new().project(project);
    assert_eq!(scene.settings().ttl, Some(Span::from_millis(1000)));
    let scene = scene.variable("TASKCACHE_TASK", "eval");
    let settings = scene.settings();
    assert_eq!((settings.task.as_slice(), settings.ttl), (&b"eval"[..], Some(Span::from_millis(2000))));
    assert!(settings.command.is_empty());
    let scene = scene.flag(OptionName::Task, "other");
    assert_eq!((scene.settings().task.as_slice(), scene.settings().ttl), (&b"other"[..], None));
    assert_eq!(scene.shown("task"), pair("other", "option --task"));

    let scene = Scene::new().project(project).flag(OptionName::Task, "eval").without_command();
    assert_eq!(scene.settings().command, ["eval", "-x"]);
    let mut scene = Scene::new();
    scene.command = vec![OsString::from_vec(b"/bin/\xff".to_vec())];
    assert_eq!(scene.settings().task, b"\xff");
}

#[test]
fn the_environment_may_be_chosen_on_every_layer() {
    let project = concat!(
        "[defaults]\nenvironment = 'a'\n[task.train]\nenvironment = 'b'\n",
        "[env.a]\nsalt = 'a'\n[env.b]\nsalt = 'b'\n[env.c]\nsalt = 'c'\n",
    );
    let salt = |scene: Scene| printable(&scene.settings().salt.unwrap());
    assert_eq!(salt(Scene::new().project(project)), "b");
    assert_eq!(salt(Scene::new().project(project).flag(OptionName::Task, "x")), "a");
    assert_eq!(salt(Scene::new().project(project).variable("TASKCACHE_ENVIRONMENT", "c")), "c");
    let scene = Scene::new().user("[env.z]\nsalt = 'z'\n").flag(OptionName::Environment, "z");
    assert_eq!(salt(scene), "z");
}

#[test]
fn version_and_behavior_are_one_decision() {
    let decided = |scene: Scene| (scene.settings().behavior, scene.settings().version);
    let some = |version: &str| Some(version.to_owned());
    let config = |text: &str| Scene::new().project(&format!("[defaults]\n{text}\n"));
    assert_eq!(decided(config("version = '1'")), (Behavior::Override, some("1")));
    assert_eq!(decided(config("behavior = 'override'\nversion = '1'")), (Behavior::Override, some("1")));
    assert_eq!(decided(config("behavior = 'disable'")), (Behavior::Disable, None));
    let scene = config("version = '1'").flag(OptionName::Behavior, "auto");
    assert_eq!(scene.shown("version"), pair("", "built-in"));
    assert_eq!(decided(scene), (Behavior::Auto, None));
    let scene = config("version = '1'").flag(OptionName::Behavior, "disable");
    assert_eq!(decided(scene), (Behavior::Disable, None));
    for lower in ["auto", "disable"] {
        let scene = config(&format!("behavior = '{lower}'")).flag(OptionName::Version, "2");
        assert_eq!(scene.shown("behavior"), pair("override", "option --version"));
        assert_eq!(decided(scene), (Behavior::Override, some("2")));
    }
    let scene = config("version = '1'").flag(OptionName::Behavior, "override");
    assert_eq!(scene.shown("version"), pair("1", "taskcache.toml:2 [defaults] version"));
    assert_eq!(decided(scene), (Behavior::Override, some("1")));
    let scene = config("version = '1'")
        .variable("TASKCACHE_BEHAVIOR", "disable")
        .flag(OptionName::Behavior, "override");
    assert_eq!(decided(scene), (Behavior::Override, some("1")));
}

#[test]
fn a_higher_layer_drops_what_cannot_hold_beside_it() {
    let scene = Scene::new().variable("TASKCACHE_REFRESH", "1").flag(OptionName::CachedOnly, "true");
    assert_eq!((scene.settings().cached_only, scene.settings().refresh), (true, None));
    let scene = Scene::new().variable("TASKCACHE_CACHED_ONLY", "1").flag(OptionName::Refresh, "true");
    assert_eq!((scene.settings().cached_only, scene.settings().refresh), (false, Some(true)));
    assert_eq!(scene.shown("cached_only"), pair("false", "option --refresh"));
    let scene = Scene::new().variable("TASKCACHE_CACHED_ONLY", "1").flag(OptionName::NoCache, "true");
    assert_eq!((scene.settings().cached_only, scene.settings().no_cache), (false, true));
    let scene = Scene::new().variable("TASKCACHE_CACHED_ONLY", "1").flag(OptionName::Refresh, "false");
    assert_eq!((scene.settings().cached_only, scene.settings().refresh), (true, Some(false)));
    let scene = Scene::new().variable("TASKCACHE_KEY", "k").flag(OptionName::KeyCmd, "c");
    assert_eq!((scene.settings().key, scene.settings().key_cmd), (None, Some(b"c".to_vec())));
    let scene = Scene::new().variable("TASKCACHE_KEY_CMD", "c").flag(OptionName::Key, "k");
    assert_eq!((scene.settings().key, scene.settings().key_cmd), (Some(b"k".to_vec()), None));
}

#[test]
fn paths_are_relative_to_the_place_that_says_them() {
    let scene = Scene::new().user("[defaults]\ninputs = ['u']\ndepfile = 'u.d'\n[store]\ndir = 'u'\n");
    let (work, root) = (scene.root.join("work"), scene.root.clone());
    fs::write(root.join("taskcache.toml"), "[defaults]\ninputs = ['...', 'p']\nevents = 'e'\n").unwrap();
    let scene = scene.flag(OptionName::Input, "...:src=?f");
    let resolved = scene.resolved().unwrap();
    let settings = resolved.settings;
    let bases: Vec<_> = settings.inputs.iter().map(|input| (input.text.as_slice(), &input.base)).collect();
    assert_eq!(bases, [(&b"u"[..], &work), (b"p", &root), (b"f", &work)]);
    let last = settings.inputs.last().unwrap();
    assert_eq!((last.name.as_deref(), last.kind), (Some("src"), PatternKind::Optional));
    assert_eq!((settings.depfile, settings.events), (Some(work.join("u.d")), Some(root.join("e"))));
    assert_eq!(resolved.store.unwrap().dir, root.join("config/taskcache/u"));
    assert_eq!(settings.project_root, Some(root));
}

#[test]
fn the_store_and_its_limits() {
    let project = "[store]\ndir = '~/p'\nmax_size = '1KiB'\n";
    let user = "[store]\ndir = 'u'\nmax_size = '2KiB'\nmax_age = '2d'\nlocks = 'lease'\nlease = '1m'\n";
    let scene = Scene::new().project(project).user(user);
    let store = scene.resolved().unwrap().store.unwrap();
    assert_eq!((store.dir.as_path(), store.max_size.as_bytes()), (Path::new("/home/ada/p"), 1024));
    assert_eq!(store.max_age.to_string(), "2d");
    assert_eq!((store.locking.means.name(), store.locking.lease.to_string().as_str()), ("lease", "1m"));
    assert_eq!(scene.shown("store.dir"), pair("/home/ada/p", "taskcache.toml:2 [store] dir"));
    let scene = scene.variable("TASKCACHE_DIR", "v");
    assert_eq!(scene.resolved().unwrap().store.unwrap().dir, scene.root.join("work/v"));
    let scene = scene.flag(OptionName::CacheDir, "~");
    assert_eq!(scene.resolved().unwrap().store.unwrap().dir, Path::new("/home/ada"));

    let mut scene = Scene::new();
    scene.host.home = None;
    let resolved = scene.resolved().unwrap();
    assert_eq!(resolved.store, Err(ConfigError::NoStoreFolder));
    let scene = scene.flag(OptionName::CacheDir, "/cache");
    assert_eq!(scene.resolved().unwrap().store.unwrap().dir, Path::new("/cache"));
}

#[test]
fn lists_of_inputs() {
    let scene = Scene::new().flag(OptionName::Input, "a").flag(OptionName::InputList, "l:m");
    fs::write(scene.root.join("work/l"), b"b\n\n \n!x=c\n\xff").unwrap();
    fs::write(scene.root.join("work/m"), b"").unwrap();
    let texts = |scene: &Scene| {
        let inputs = scene.settings().inputs;
        inputs.iter().map(|input| printable(&input.text)).collect::<Vec<_>>()
    };
    assert_eq!(texts(&scene), ["a", "b", "c", "\\xff"]);
    fs::write(scene.root.join("work/l"), b"b\nc\0 \0\0d").unwrap();
    let error = pair("l:2: the line holds a NUL byte", "give --null");
    assert_eq!(scene.fault(), error);
    let scene = scene.flag(OptionName::Null, "true");
    assert_eq!(texts(&scene), ["a", "b\\nc", " ", "d"]);
    fs::write(scene.root.join("work/m"), b"ok\0!").unwrap();
    assert_eq!(scene.fault(), pair("m:2: '!' names nothing", ""));
}

#[test]
fn policies_may_be_named_in_both_configs() {
    let scene = Scene::new()
        .project("[policy]\nnightly = 'base + RUN_ID'\nloop = 'loop + INPUTS'\n")
        .user("[policy]\nbase = 'INPUTS'\nnightly = 'NONE'\n")
        .flag(OptionName::Policy, "nightly - debug");
    assert_eq!(scene.settings().policy.to_string(), "INPUTS + RUN_ID - debug");
    let scene = scene.flag(OptionName::Policy, "nigthly");
    assert_eq!(
        scene.fault(),
        pair(
            "option --policy: the policy 'nigthly' names 'nigthly', which is no policy",
            "did you mean 'nightly'?"
        )
    );
    let known = "the names are DEFAULT, INPUTS, TASK_SOURCE, FLOW_PARAMETERS, RUN_ID, NONE, nightly";
    for strange in ["XYZXYZ", "INPUTS +"] {
        assert_eq!(
            Scene::new()
                .project("[policy]\nnightly = 'INPUTS'\n")
                .flag(OptionName::Policy, strange)
                .fault()
                .1,
            known
        );
    }
    let scene = scene.flag(OptionName::Policy, "loop");
    assert_eq!(scene.fault(), pair("option --policy: the policy 'loop' contains itself", ""));
}

#[test]
fn a_later_value_of_one_name_counts() {
    let scene = Scene::new()
        .project("[defaults]\nvalues = ['lr=0.1', 'seed=1']\n")
        .flag(OptionName::Value, "...:lr=0.2");
    let values = scene.settings().values;
    let values: Vec<_> = values.iter().map(|value| (value.name.as_str(), printable(&value.text))).collect();
    assert_eq!(values, [("seed", "1".to_owned()), ("lr", "0.2".to_owned())]);
}

#[test]
fn env_mode_follows_the_declarations() {
    let scene = Scene::new().project("[defaults]\nenvs = ['LANG']\n");
    assert_eq!(scene.settings().env_mode, EnvMode::Declared);
    assert_eq!(scene.shown("env_mode"), pair("declared", "taskcache.toml:2 [defaults] envs"));
    let scene = scene.variable("TASKCACHE_ENV_MODE", "all");
    assert_eq!(scene.settings().env_mode, EnvMode::All);
}

#[test]
fn only_the_projects_config_names_the_project() {
    let from_config = |scene: Scene| scene.settings().project_from_config;
    let text = "[defaults]\nproject = 'p'\n";
    assert!(from_config(Scene::new().project(text)));
    assert!(from_config(Scene::new().project("[task.train]\nproject = 'p'\n")));
    assert!(!from_config(Scene::new().project("[defaults]\n")));
    assert!(!from_config(Scene::new().user(text)));
    assert!(!from_config(Scene::new().project(text).variable("TASKCACHE_PROJECT", "q")));
}

#[test]
fn caching_switched_off_is_a_setting() {
    let scene = Scene::new().variable("TASKCACHE_ENABLED", "no");
    assert!(!scene.settings().enabled);
    assert_eq!(scene.shown("enabled"), pair("false", "variable TASKCACHE_ENABLED"));
}

#[test]
fn errors_name_their_place() {
    let span = "write a number and a unit, such as 90s, 15m or 1d12h";
    let cases = [
        (OptionName::Ttl, "x", format!("option --ttl: 'x' is not a length of time ({span})"), ""),
        (
            OptionName::CacheExit,
            "300",
            "option --cache-exit: '300' is no list of exit codes (write codes and ranges from 0 to 255, such as \
             0,2-4, or 'any')"
                .to_owned(),
            "",
        ),
        (OptionName::Ignore, "env", String::new(), ""),
        (OptionName::Stdin, "nul", "option --stdin: 'nul' is none of null, hash, inherit".to_owned(), "did you mean 'null'?"),
        (OptionName::Behavior, "x", "option --behavior: 'x' is none of auto, override, disable".to_owned(), ""),
        (OptionName::Version, " ", "option --version: the version is empty".to_owned(), ""),
        (OptionName::Behavior, "override", "option --behavior: 'override' needs a version, and none is given".to_owned(),
            "give --version, or 'version' in a config"),
        (OptionName::Task, "", "option --task: the value is empty".to_owned(), ""),
        (OptionName::Project, "", "option --project: the value is empty".to_owned(), ""),
        (OptionName::Key, "", "option --key: the value is empty".to_owned(), ""),
        (OptionName::Events, "", "option --events: the value is empty".to_owned(), ""),
        (OptionName::CacheDir, "", "option --cache-dir: the value is empty".to_owned(), ""),
        (OptionName::Config, "", "option --config: '' names no file".to_owned(), ""),
        (OptionName::Input, "a:!", "option --input: '!' names nothing".to_owned(), ""),
        (OptionName::Output, "?", "option --output: '?' names nothing".to_owned(), ""),
        (
            OptionName::Env,
            "A=b",
            "option --env: 'A=b' is no name of a variable (its value comes from the environment)".to_owned(),
            "",
        ),
        (OptionName::Value, "lr", "option --value: 'lr' is not NAME=TEXT".to_owned(), ""),
        (OptionName::InputCmd, "cc=", "option --input-cmd: 'cc=' has no command".to_owned(), ""),
        (OptionName::VersionCmd, " ", "option --version-cmd: ' ' has no command".to_owned(), ""),
        (OptionName::InputList, "-", "option --input-list: '-' is not supported, because standard input is the command's".to_owned(),
            "write '<(...)' or a file"),
        (OptionName::Environment, "prdo", "option --environment: there is no table [env.prdo]".to_owned(), "did you mean 'prod'?"),
        (OptionName::Environment, "", "option --environment: the value is empty".to_owned(), ""),
        (OptionName::Policy, "INPUTS +", "option --policy: the policy 'INPUTS +' lacks a name beside a '+' or '-'".to_owned(),
            "the names are DEFAULT, INPUTS, TASK_SOURCE, FLOW_PARAMETERS, RUN_ID, NONE"),
    ];
    for (name, value, error, hint) in cases {
        let scene = Scene::new().project("[env.prod]\n").flag(name, value);
        if error.is_empty() {
            assert!(scene.resolved().is_ok());
        } else {
            assert_eq!(scene.fault(), (error, hint.to_owned()));
        }
    }
    let scene = Scene::new().flag(OptionName::Ignore, "env").flag(OptionName::InputList, "gone");
    let path = scene.root.join("work/gone").display().to_string();
    let reason = format!("option --input-list: cannot read {path}: No such file or directory (os error 2)");
    assert_eq!(scene.fault().0, reason);
    let mut scene = Scene::new();
    let bytes = OsString::from_vec(b"\xff".to_vec());
    scene.flags.set(OptionName::Domain, RawValue::Text(bytes), Origin::Flag("--domain".into()));
    assert_eq!(scene.fault(), pair("option --domain: '\\xff' is not UTF-8", ""));
    let scene = Scene::new().project("[store]\n\nmax_size = 'big'\n");
    assert_eq!(
        scene.fault().0,
        "taskcache.toml:3 [store] max_size: 'big' is not a size (write bytes or a unit, such as 500MB or 10GiB)"
    );
    let scene = Scene::new().project("[defaults]\nvalues = [\n  'a=1',\n  'b',\n]\n");
    assert_eq!(scene.fault().0, "taskcache.toml:4 [defaults] values: 'b' is not NAME=TEXT");
}

#[test]
fn what_contradicts_on_one_layer_is_refused() {
    let scene = Scene::new().flag(OptionName::Behavior, "auto").flag(OptionName::Version, "1");
    assert_eq!(
        scene.fault(),
        pair(
            "option --behavior 'auto' contradicts option --version",
            "a version of your own goes with 'override'"
        )
    );
    let scene = Scene::new().project("[defaults]\nbehavior = 'auto'\nversion = '1'\n");
    assert_eq!(
        scene.fault().0,
        "taskcache.toml:2 [defaults] behavior 'auto' contradicts taskcache.toml:3 [defaults] version"
    );
    let scene = Scene::new().flag(OptionName::Key, "a").flag(OptionName::KeyCmd, "b");
    assert_eq!(scene.fault(), pair("option --key contradicts option --key-cmd", ""));
    for other in [OptionName::NoCache, OptionName::Refresh] {
        let scene = Scene::new().flag(OptionName::CachedOnly, "true").flag(other, "true");
        let expected = format!("option --cached-only contradicts option --{}", other.row().long);
        assert_eq!(scene.fault(), (expected, String::new()));
        assert!(scene.flag(other, "false").resolved().is_ok());
    }
}

#[test]
fn without_a_command_a_task_has_to_have_one() {
    let project = "[task.train]\ncommand = 'x'\n[task.bare]\n";
    let scene = || Scene::new().project(project).without_command();
    assert_eq!(scene().fault(), pair("no command is given", "tasks with a command: train"));
    assert_eq!(
        Scene::new().without_command().fault(),
        pair("no command is given", "write it behind the options, as in 'taskcache run -- COMMAND'")
    );
    assert_eq!(
        scene().flag(OptionName::Task, "trian").fault(),
        pair(
            "option --task: no command is given and there is no table [task.trian]",
            "did you mean 'train'?"
        )
    );
    assert_eq!(scene().flag(OptionName::Task, "zzz").fault().1, "tasks with a command: train");
    assert_eq!(
        scene().flag(OptionName::Task, "bare").fault(),
        pair("option --task: no command is given and [task.bare] has none", "add 'command' to [task.bare]")
    );
}

#[test]
fn a_survey_needs_no_command() {
    let scene = Scene::new().project("[task.train]\nttl = '1s'\ncommand = 'x'\n").without_command();
    let resolved = survey(&scene.host, &scene.flags).unwrap();
    assert!(resolved.settings.task.is_empty() && resolved.store.is_ok());
    assert_eq!(resolved.project_file, Some(scene.root.join("work/taskcache.toml")));
    let scene = scene.flag(OptionName::Task, "train");
    let resolved = survey(&scene.host, &scene.flags).unwrap();
    assert_eq!((resolved.settings.ttl, resolved.settings.command.len()), (Some(Span::from_millis(1000)), 3));
}

#[test]
fn a_check_reads_every_table() {
    let scene = Scene::new().project(concat!(
        "[defaults]\nbehavior = 'override'\nttl = '5'\n[task.a]\nstdin = 'x'\n[env.b]\nignores = ['']\n",
        "[task.c]\nenvironment = 'no'\n[policy]\np = 'XYZ'\n[store]\nmax_age = 'x'\n",
    ));
    let faults: Vec<_> = check(&scene.host, &scene.flags).iter().map(ToString::to_string).collect();
    let places = [
        "taskcache.toml:3 [defaults] ttl: '5' is not a length of time",
        "taskcache.toml:5 [task.a] stdin: 'x' is none of null, hash, inherit",
        "taskcache.toml:9 [task.c] environment: there is no table [env.no]",
        "taskcache.toml:7 [env.b] ignores: '' names nothing to ignore",
        "taskcache.toml:11 [policy] p: the policy 'XYZ' names 'XYZ', which is no policy",
        "taskcache.toml:13 [store] max_age: 'x' is not a length of time",
    ];
    assert_eq!(faults.len(), places.len(), "{faults:#?}");
    for (fault, place) in faults.iter().zip(places) {
        assert!(fault.starts_with(place), "{fault}");
    }
    let scene = Scene::new().project("[defaults]\nx = 1\n");
    assert_eq!(check(&scene.host, &scene.flags).len(), 1);
    assert!(check(&Scene::new().host, &Layer::new()).is_empty());
}

#[test]
fn a_nested_run_does_not_inherit_key_and_task() {
    let key = "ab".repeat(32);
    let context = crate::config::variables::context(&key, b"outer");
    let scene = Scene::new()
        .variable("TASKCACHE_KEY", &key)
        .variable("TASKCACHE_TASK", "outer")
        .variable("TASKCACHE_CONTEXT", &context);
    assert_eq!((scene.settings().task, scene.settings().key), (b"train".to_vec(), None));
}
