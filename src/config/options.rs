//! The one table of every option of `run`, from which all else follows: the flags of the command line, the
//! environment variables, the keys of `taskcache.toml` with their schema, and the reference pages.
//!
//! # Invariants
//!
//! - A row stands at the index that its [`OptionName`] has as a number, so that finding a row cannot fail.
//! - No name of one row is a name of another, on any surface.
//! - A built-in value in the table is read like a value that somebody typed; there is no second list of them.
//!
//! Deliberately absent: what the values mean. The table knows texts, lists, switches and choices; `resolve` makes
//! types of them. Options of other subcommands are none of this table's business either.

/// Where an option stands in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heading {
    /// What the work is called, and which version of it.
    Identity,
    /// What the result depends on.
    Inputs,
    /// What the command writes.
    Outputs,
    /// When to look up, run and store.
    Control,
}

impl Heading {
    /// Every heading, in the order of the help.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Inputs, Self::Outputs, Self::Control];

    /// Returns the words of the heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Identity => "Identity and version",
            Self::Inputs => "Inputs",
            Self::Outputs => "Outputs",
            Self::Control => "Control",
        }
    }
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One text; the last one counts.
    Text,
    /// Texts, in order; a config file takes an array.
    List,
    /// On or off; `--no-…` undoes it.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// Where a config file may say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In `[defaults]`, `[task.NAME]` and `[env.NAME]`.
    Tables,
    /// In `[defaults]` and `[task.NAME]`, because it chooses the `[env.NAME]`.
    AboveEnvironments,
    /// In `[store]`, under this key.
    Store(&'static str),
    /// Nowhere.
    Nowhere,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionRow {
    /// Which one it is.
    pub name: OptionName,
    /// The long name, without dashes.
    pub long: &'static str,
    /// The letter.
    pub short: Option<char>,
    /// Further long names.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// What the help calls the value; empty for a switch.
    pub value_name: &'static str,
    /// Where it stands in the help.
    pub heading: Heading,
    /// What it does: imperative, one line, no full stop.
    pub help: &'static str,
    /// Where a config file may say it.
    pub place: Place,
    /// The variable, where it is not the long name in capitals.
    pub own_variable: Option<&'static str>,
    /// What counts where nobody says anything.
    pub built_in: Option<&'static str>,
}

impl OptionRow {
    /// Returns the environment variable.
    pub fn variable(&self) -> String {
        self.own_variable.map_or_else(|| variable_of(self.long), str::to_owned)
    }

    /// Returns the key in the tables of a config file: the long name with `_`, in the plural for a list.
    pub fn key(&self) -> Option<String> {
        match self.place {
            Place::Tables | Place::AboveEnvironments => {
                let plural = if self.kind == List { "s" } else { "" };
                Some(format!("{}{plural}", self.long.replace('-', "_")))
            }
            Place::Store(_) | Place::Nowhere => None,
        }
    }

    /// Returns the long names that undo a switch, that of the row itself first; none for other kinds.
    pub fn undoing(&self) -> Vec<String> {
        if self.kind != Switch {
            return Vec::new();
        }
        let names = std::iter::once(&self.long).chain(self.aliases);
        names
            .map(|name| name.strip_prefix("no-").map_or_else(|| format!("no-{name}"), str::to_owned))
            .collect()
    }

    /// Returns the variable that undoes a switch.
    pub fn undoing_variable(&self) -> Option<String> {
        self.undoing().first().map(|name| variable_of(name))
    }

    /// Returns the key that undoes a switch.
    pub fn undoing_key(&self) -> Option<String> {
        let undoing = self.undoing();
        self.key().and(undoing.first()).map(|name| name.replace('-', "_"))
    }
}

/// Returns `TASKCACHE_` and a long name in capitals.
fn variable_of(long: &str) -> String {
    format!("TASKCACHE_{}", long.replace('-', "_").to_ascii_uppercase())
}

/// Writes the enum and the table from one list, so that a row stands at the index of its name.
macro_rules! options {
    ($($name:ident $long:literal $kind:expr, $value_name:literal, $heading:ident, $help:literal
        $(, $field:ident = $value:expr)*;)+) => {
        /// The name of an option in the program.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OptionName {
            $(#[doc = concat!("`--", $long, "`.")] $name,)+
        }

        /// Every option of `run`, in the order of the help.
        pub static OPTIONS: &[OptionRow] = &[$(OptionRow {
            $($field: $value,)*
            ..plain(OptionName::$name, $long, $kind, $value_name, Heading::$heading, $help)
        }),+];
    };
}

use Kind::{Choice, List, Switch, Text};

options! {
    Task "task" Text, "NAME", Identity, "Name the task, which takes its settings from [task.NAME]",
        short = Some('t'), place = Place::Nowhere;
    Environment "environment" Text, "NAME", Identity, "Take defaults from the group [env.NAME]",
        place = Place::AboveEnvironments;
    Project "project" Text, "PROJECT", Identity, "Keep entries apart by project", built_in = Some("default");
    Domain "domain" Text, "DOMAIN", Identity, "Keep entries apart by domain", built_in = Some("development");
    Version "version" Text, "VERSION", Identity,
        "Say the cache version, instead of deriving it from the source", aliases = &["cache-version"];
    Behavior "behavior" Choice(&["auto", "override", "disable"]), "BEHAVIOR", Identity,
        "Choose who says the version: the source, --version, or nobody", built_in = Some("auto");
    Salt "salt" Text, "TEXT", Identity, "Use a separate key space for the same work";
    VersionCmd "version-cmd" List, "CMD", Identity, "Make the output of a command part of the version";
    Policy "policy" Text, "EXPR", Identity,
        "Choose which ingredients make the key, as in 'INPUTS + TASK_SOURCE - debug'",
        built_in = Some("DEFAULT");
    Key "key" Text, "TEXT", Identity, "Use a key of your own";
    KeyCmd "key-cmd" Text, "CMD", Identity,
        "Use what a command prints as the key; it reads the context as JSON";

    Input "input" List, "[NAME=]PATTERN", Inputs,
        "Declare a file, directory or glob as input; '!' in front takes out, '?' makes optional",
        short = Some('i');
    InputList "input-list" List, "FILE", Inputs, "Read more input patterns from a file, one a line";
    Null "null" Switch, "", Inputs, "Expect NUL instead of line ends in input lists", short = Some('0');
    Value "value" List, "NAME=TEXT", Inputs, "Declare a literal input";
    InputCmd "input-cmd" List, "[NAME=]CMD", Inputs, "Declare the output of a command as input";
    Env "env" List, "PATTERN", Inputs,
        "Declare environment variables that matter; '*' is a wildcard, '!' in front takes out",
        short = Some('e');
    PassEnv "pass-env" List, "PATTERN", Inputs, "Let the command see variables in strict mode, unkeyed";
    EnvMode "env-mode" Choice(&["all", "declared", "strict"]), "MODE", Inputs,
        "Choose which variables matter, and which ones the command sees";
    Stdin "stdin" Choice(&["null", "hash", "inherit"]), "MODE", Inputs,
        "Choose what the command reads on standard input", built_in = Some("null");
    Cwd "cwd" Choice(&["auto", "absolute", "relative", "ignore"]), "MODE", Inputs,
        "Choose how the working directory enters the key", built_in = Some("auto");
    Ignore "ignore" List, "NAME", Inputs,
        "Keep a variable, an input, an option or a NAME=... word out of the key";
    Depfile "depfile" Text, "FILE", Inputs, "Take further inputs from the dependency file that the command writes";
    NoArgumentInputs "no-argument-inputs" Switch, "", Inputs, "Do not take arguments that name files as inputs";

    Output "output" List, "[NAME=]PATTERN", Outputs,
        "Declare a file, directory or glob as output; '!' in front takes out, '?' makes optional",
        short = Some('o');
    CleanOutputs "clean-outputs" Switch, "", Outputs,
        "Empty the declared output folders before a run and before a restore";
    OutputMtime "output-mtime" Choice(&["now", "keep"]), "MODE", Outputs,
        "Choose what times restored files get", built_in = Some("now");
    Replay "replay" Choice(&["all", "stdout", "stderr", "none"]), "STREAMS", Outputs,
        "Choose what a hit prints", built_in = Some("all");

    Ttl "ttl" Text, "DURATION", Control, "Store how long the result is valid, as in 90s or 1d12h";
    MaxAge "max-age" Text, "DURATION", Control, "Take nothing older than this";
    Stale "stale" Text, "DURATION", Control, "Replay what is older than this, and refresh it in the background";
    Warm "warm" Switch, "", Control, "Fill or refresh in the background, print nothing, exit at once";
    Refresh "refresh" Switch, "", Control, "Run and overwrite what is stored; --no-refresh forbids it",
        aliases = &["force"];
    NoCache "no-cache" Switch, "", Control, "Neither look up nor store";
    ReadOnly "read-only" Switch, "", Control, "Look up, but do not store";
    CachedOnly "cached-only" Switch, "", Control, "Never run; exit with 124 on a miss";
    CacheExit "cache-exit" Text, "CODES", Control, "Keep results with these exit codes, as in 0,2-4 or any",
        built_in = Some("0");
    FailureTtl "failure-ttl" Text, "DURATION", Control,
        "Store how long a result with a non-zero exit code is valid";
    Serialize "serialize" Switch, "", Control, "Let one run at a time compute a key; others wait and replay";
    Wait "wait" Text, "DURATION", Control, "Limit how long to wait for the other run";
    OnTimeout "on-timeout" Choice(&["run", "fail"]), "ACTION", Control,
        "Choose what happens when the wait ends without a result", built_in = Some("run");
    Verify "verify" Switch, "", Control, "Run although there is an entry, and say what differs";
    MinTime "min-time" Text, "DURATION", Control, "Do not store what ran faster than this";
    FailMode "fail-mode" Choice(&["open", "closed"]), "MODE", Control,
        "Choose what happens when the store cannot be used: run, or stop with 125", built_in = Some("open");
    Paranoid "paranoid" Switch, "", Control, "Read every input and blob again, without a stat cache";
    Strict "strict" Switch, "", Control, "Make warnings errors";
    Status "status" Choice(&["auto", "always", "never"]), "WHEN", Control,
        "Choose when to print a line about the outcome", built_in = Some("auto");
    Events "events" Text, "FILE", Control, "Append one JSON object a run to a file";
    CacheDir "cache-dir" Text, "DIR", Control, "Keep the store in this folder",
        place = Place::Store("dir"), own_variable = Some("TASKCACHE_DIR");
    Config "config" Text, "FILE", Control, "Read this file instead of searching for taskcache.toml",
        place = Place::Nowhere;
}

impl OptionName {
    /// Returns the row.
    pub fn row(self) -> &'static OptionRow {
        &OPTIONS[self as usize]
    }
}

/// Returns a row that says what every row has to say, and no more.
const fn plain(
    name: OptionName,
    long: &'static str,
    kind: Kind,
    value_name: &'static str,
    heading: Heading,
    help: &'static str,
) -> OptionRow {
    OptionRow {
        name,
        long,
        short: None,
        aliases: &[],
        kind,
        value_name,
        heading,
        help,
        place: Place::Tables,
        own_variable: None,
        built_in: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_row_stands_where_its_name_says() {
        for (index, row) in OPTIONS.iter().enumerate() {
            assert_eq!(row.name as usize, index, "{}", row.long);
            assert_eq!(row.name.row(), row);
        }
    }

    #[test]
    fn no_name_is_used_twice_on_any_surface() {
        let mut flags = BTreeSet::new();
        let mut variables = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for row in OPTIONS {
            let long = [row.long].into_iter().chain(row.aliases.iter().copied()).map(str::to_owned);
            let short = row.short.map(String::from);
            for flag in long.chain(row.undoing()).chain(short) {
                assert!(flags.insert(flag.clone()), "{flag}");
            }
            for variable in [row.variable()].into_iter().chain(row.undoing_variable()) {
                assert!(variables.insert(variable.clone()), "{variable}");
            }
            for key in row.key().into_iter().chain(row.undoing_key()) {
                assert!(keys.insert(key.clone()), "{key}");
            }
        }
        assert!(!keys.contains("command"), "the tables of tasks have a key of that name");
    }

    #[test]
    fn rows_are_written_in_one_way() {
        for row in OPTIONS {
            assert!(row.help.starts_with(char::is_uppercase) && !row.help.ends_with('.'), "{}", row.help);
            assert_eq!(row.value_name.is_empty(), row.kind == Switch, "{}", row.long);
            if let (Choice(choices), Some(built_in)) = (row.kind, row.built_in) {
                assert!(choices.contains(&built_in), "{}", row.long);
            }
        }
    }

    #[test]
    fn names_on_the_other_surfaces() {
        let names = |name: OptionName| {
            let row = name.row();
            (row.variable(), row.key().unwrap_or_default(), row.undoing().join(" "))
        };
        let expected = |variable: &str, key: &str, undoing: &str| {
            (variable.to_owned(), key.to_owned(), undoing.to_owned())
        };
        assert_eq!(names(OptionName::Ttl), expected("TASKCACHE_TTL", "ttl", ""));
        assert_eq!(names(OptionName::VersionCmd), expected("TASKCACHE_VERSION_CMD", "version_cmds", ""));
        assert_eq!(names(OptionName::CacheDir), expected("TASKCACHE_DIR", "", ""));
        assert_eq!(
            names(OptionName::Refresh),
            expected("TASKCACHE_REFRESH", "refresh", "no-refresh no-force")
        );
        assert_eq!(names(OptionName::NoCache), expected("TASKCACHE_NO_CACHE", "no_cache", "cache"));
        assert_eq!(OptionName::NoArgumentInputs.row().undoing_key().as_deref(), Some("argument_inputs"));
        let plural: Vec<_> =
            OPTIONS.iter().filter(|row| row.kind == List).filter_map(OptionRow::key).collect();
        let expected = [
            "version_cmds",
            "inputs",
            "input_lists",
            "values",
            "input_cmds",
            "envs",
            "pass_envs",
            "ignores",
            "outputs",
        ];
        assert_eq!(plural, expected);
    }
}
