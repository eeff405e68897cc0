//! The `taskcache.toml` that `taskcache init` writes, purely: what stands in the folder in, a text out.
//!
//! Everything in it is a comment, so that writing it changes no key. A comment is prose where a blank follows the
//! `#`, and a setting where none does; with all settings uncommented it is a configuration without a fault, which
//! the tests prove.

use super::location::{DEFAULT_AGE, DEFAULT_SIZE};
use super::values::is_name;

/// A tool whose files tell what its task would look like.
struct Tool {
    /// The file that shows that it is used.
    file: &'static str,
    /// A task of it.
    task: &'static str,
}

/// The tools that are looked for.
const TOOLS: [Tool; 5] = [
    Tool {
        file: "Makefile",
        task: "\
# Outputs are put back on a hit, as if just written; a later 'make' finds them up to date.
#[task.make]
#command = [\"make\"]
#inputs = [\"Makefile\", \"src/**\"]
#input_cmds = [\"cc --version\"]
#outputs = [\"build\"]
",
    },
    Tool {
        file: "Cargo.toml",
        task: "\
#[task.cargo-test]
#command = [\"cargo\", \"test\"]
#inputs = [\"Cargo.toml\", \"?Cargo.lock\", \"src/**\", \"?tests/**\"]
#input_cmds = [\"rustc --version\"]
#envs = [\"RUSTFLAGS\", \"CARGO_*\"]
",
    },
    Tool {
        file: "package.json",
        task: "\
#[task.npm-build]
#command = [\"npm\", \"run\", \"build\"]
#inputs = [\"package.json\", \"?package-lock.json\", \"src/**\"]
#input_cmds = [\"node --version\"]
#envs = [\"NODE_ENV\"]
#outputs = [\"dist\"]
",
    },
    Tool {
        file: "pyproject.toml",
        task: "\
#[task.pytest]
#command = [\"python3\", \"-m\", \"pytest\"]
#inputs = [\"pyproject.toml\", \"**/*.py\"]
#input_cmds = [\"python3 --version\", \"python3 -m pip freeze\"]
",
    },
    Tool {
        file: "go.mod",
        task: "\
#[task.go-test]
#command = [\"go\", \"test\", \"./...\"]
#inputs = [\"go.mod\", \"?go.sum\", \"**/*.go\"]
#input_cmds = [\"go version\"]
#envs = [\"GO*\", \"CGO_*\"]
",
    },
];

/// The task of a folder that says nothing about itself.
const ANY_TASK: &str = "\
#[task.report]
#command = [\"sh\", \"report.sh\"]
#inputs = [\"data/**\"]
#outputs = [\"report.html\"]
";

/// Returns the files whose presence changes the text.
pub fn telling_files() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.file)
}

/// Returns the text for a folder of this name in which these of the [`telling_files`] stand.
pub fn starter(folder: &str, present: &[&str]) -> String {
    let tasks: Vec<_> =
        TOOLS.iter().filter(|tool| present.contains(&tool.file)).map(|tool| tool.task).collect();
    let tasks = if tasks.is_empty() { ANY_TASK.to_owned() } else { tasks.join("\n") };
    // A name that would have to be escaped is nothing to begin with.
    let project = if is_name(folder.as_bytes()) { folder } else { "my-project" };
    let (size, age) = (DEFAULT_SIZE, DEFAULT_AGE);
    format!(
        "\
# What taskcache always says for this project. The folder of this file is the project root.
# Take the '#' away from what you want; then
#
#   taskcache config check     says what is wrong
#   taskcache config show      says what counts, and where it comes from
#   taskcache run --help       describes each option; its key here is named there

# What counts for every task.
[defaults]
# Keep the results of this project apart. With a name, checkouts in other folders share them.
#project = \"{project}\"
# The environment variables that matter. Without a list all do, but for those of a session.
#envs = [\"LANG\", \"LC_*\"]
# How long a result is valid, and when a failure is kept.
#ttl = \"7d\"
#cache_exit = \"0\"
# Let one run at a time compute a result; others wait for it.
#serialize = true

# A task: 'taskcache run --task NAME' runs its command, in this folder. With a command behind the options it gives
# that command its settings. What the command reads and no input names is not noticed.
{tasks}
# A group of defaults, chosen by '--environment ci'. In a list, \"...\" stands for what is inherited.
#[env.ci]
#status = \"always\"
#envs = [\"...\", \"CI\"]

# A name for '--policy': which ingredients make the key.
#[policy.inputs-alone]
#expression = \"INPUTS\"

# Where results are kept, and how many. These are the limits that count without a word.
#[store]
#max_size = \"{size}\"
#max_age = \"{age}\"
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document::{self, Document};
    use std::path::Path;

    fn parsed(text: &str) -> Document {
        document::parse(text.as_bytes(), Path::new("taskcache.toml"), None)
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Takes the `#` away from every setting.
    fn uncommented(text: &str) -> String {
        let lines = text.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
            _ => line,
        });
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn it_says_nothing_until_it_is_uncommented() {
        let all: Vec<_> = telling_files().collect();
        for present in [&[][..], &["Makefile"], &["Cargo.toml", "package.json"], &all] {
            let text = starter("web-shop", present);
            assert_eq!(parsed(&text), Document::default(), "{text}");
            let said = parsed(&uncommented(&text));
            assert_eq!(said.tasks.len(), present.len().max(1), "{text}");
            assert!(said.tasks.values().all(|task| task.command.is_some()), "{text}");
            assert_eq!((said.environments.len(), said.policies.len()), (1, 1), "{text}");
            let size = said.store.max_size.unwrap().value.parse();
            assert_eq!(size, Ok(DEFAULT_SIZE), "{text}");
            assert_eq!(said.store.max_age.unwrap().value.parse(), Ok(DEFAULT_AGE), "{text}");
            let project = said.defaults.text(crate::config::options::OptionName::Project).unwrap().0;
            assert_eq!(project, "web-shop");
        }
        for strange in ["a \"b\"\n\\", "", "\u{7f}", "ä"] {
            assert!(starter(strange, &[]).contains("#project = \"my-project\"\n"), "{strange}");
        }
    }
}
