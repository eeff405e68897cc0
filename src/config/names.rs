//! The names that config files give: for whoever completes them, not for a run.

use super::document::BUILT_IN_POLICIES;
use super::error::ConfigError;
use super::file::ConfigFiles;
use super::layer::Layer;
use super::options::OptionName;
use super::variables::variables;
use crate::world::host::Host;
use std::collections::BTreeMap;

/// Names, each with a few words about it, which may be none. They are what the files say, not yet safe on a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Each `[task.NAME]`, with its command.
    pub tasks: Vec<(String, String)>,
    /// Each `[env.NAME]`.
    pub environments: Vec<(String, String)>,
    /// The built-in policies, and each `[policy.NAME]` with its expression.
    pub policies: Vec<(String, String)>,
}

impl Names {
    /// Reads the files that a run with these flags would read. Of a name that both have, the project's counts.
    pub fn of(host: &Host, flags: &Layer) -> Result<Self, ConfigError> {
        let variables = variables(host)?;
        let named = [flags, &variables].into_iter().find_map(|layer| layer.text(OptionName::Config));
        let files = ConfigFiles::read(host, named)?;
        let (mut tasks, mut environments) = (BTreeMap::new(), BTreeMap::new());
        let mut policies: BTreeMap<_, _> =
            BUILT_IN_POLICIES.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        for file in [&files.user, &files.project].into_iter().flatten() {
            for (name, task) in &file.document.tasks {
                let words = task.command.iter().flat_map(|command| &command.value);
                let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
                tasks.insert(name.clone(), words.join(" "));
            }
            let names = file.document.environments.keys().cloned();
            environments.extend(names.map(|name| (name, String::new())));
            let said = file.document.policies.iter();
            policies.extend(said.map(|(name, policy)| (name.clone(), policy.value.clone())));
        }
        let listed = |names: BTreeMap<String, String>| names.into_iter().collect();
        Ok(Self { tasks: listed(tasks), environments: listed(environments), policies: listed(policies) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::host_in;

    #[test]
    fn the_projects_names_hide_the_users() {
        let folder = tempfile::tempdir().unwrap();
        let host = host_in(folder.path(), &[]);
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("config/taskcache/config.toml", "[task.a]\ncommand = 'user'\n[task.b]\nttl = '1d'\n[env.ci]\n");
        write(
            "work/taskcache.toml",
            "[task.a]\ncommand = ['sort', 'x y']\n[policy.mine]\nexpression = 'INPUTS'\n",
        );
        let names = Names::of(&host, &Layer::new()).unwrap();
        let pair = |name: &str, says: &str| (name.to_owned(), says.to_owned());
        assert_eq!(names.tasks, [pair("a", "sort x y"), pair("b", "")]);
        assert_eq!(names.environments, [pair("ci", "")]);
        assert_eq!(names.policies.len(), BUILT_IN_POLICIES.len() + 1);
        assert!(names.policies.contains(&pair("mine", "INPUTS")));
    }
}
