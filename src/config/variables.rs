//! The layer of the environment: `TASKCACHE_TTL` for `--ttl`, and so on for every row of the table.
//!
//! # A run within a run
//!
//! A cached command sees its own key in `TASKCACHE_KEY` and its own task in `TASKCACHE_TASK`. Those are also the
//! variables of `--key` and `--task`, and a nested run that took them for options would file its result under the
//! key of the run around it. So the outer run writes a third variable, [`CONTEXT_VARIABLE`], that repeats both:
//! what agrees with it is inherited context and no option, what differs was set by somebody since.
//!
//! Deliberately absent: errors for unknown `TASKCACHE_*` variables. They may belong to another release; whoever
//! starts a run warns about them ([`unknown`]).

use super::error::{ConfigError, did_you_mean};
use super::layer::{Layer, Located, Origin, RawValue};
use super::options::{Kind, OPTIONS, OptionName, OptionRow};
use crate::model::nearest::nearest;
use crate::model::path::printable;
use crate::world::host::Host;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The variable that tells a nested run what it inherits.
pub const CONTEXT_VARIABLE: &str = "TASKCACHE_CONTEXT";

/// The variables that switch all caching off: ours, and the one that Flyte's users know.
pub const ENABLED_VARIABLES: [&str; 2] = ["TASKCACHE_ENABLED", "FLYTE_LOCAL_CACHE_ENABLED"];

/// What the names of all variables of ours begin with.
const PREFIX: &str = "TASKCACHE_";

/// Variables with our prefix that stand for no option.
pub const OTHER_VARIABLES: [&str; 8] = [
    "TASKCACHE_ENABLED",
    "TASKCACHE_OUTCOME",
    "TASKCACHE_RUN_ID",
    "TASKCACHE_FLOW",
    "TASKCACHE_TRANSACTION",
    "TASKCACHE_STACK",
    CONTEXT_VARIABLE,
    crate::world::background::MARK,
];

/// Returns the value of [`CONTEXT_VARIABLE`] for a command that sees `key` and `task`: the key's hex digits, `;`,
/// and the task's bytes as hex digits. The key is empty where the run has none.
pub fn context(key: &str, task: &[u8]) -> String {
    let task: String = task.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{key};{task}")
}

/// Reads the layer of the environment.
pub fn variables(host: &Host) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new();
    // Mostly there are none, and to spell out the names of all options would be a good part of a hit.
    if !host.environment.iter().any(|(name, _)| name.as_bytes().starts_with(PREFIX.as_bytes())) {
        return Ok(layer);
    }
    for row in OPTIONS {
        if let Some(found) = value_of(host, row)? {
            layer.set(row.name, found.value, found.origin);
        }
    }
    Ok(layer)
}

/// Returns whether caching is on at all. Where it is off, the origin says who did it.
pub fn enabled(host: &Host) -> Result<Located<bool>, ConfigError> {
    let mut enabled = Located::new(true, Origin::BuiltIn);
    for name in ENABLED_VARIABLES {
        if let Some(text) = host.variable(name) {
            let origin = Origin::Variable(name.to_owned());
            let says = boolean(text, &origin)?;
            if enabled.value {
                enabled = Located::new(says, origin);
            }
        }
    }
    Ok(enabled)
}

/// Returns the variables with our prefix that mean nothing, each as the error that it is where that is asked for.
/// Inside of another run there are none: that one has spoken of them.
pub fn unknown(host: &Host) -> Vec<ConfigError> {
    if host.variable(CONTEXT_VARIABLE).is_some() {
        return Vec::new();
    }
    let names = host.environment.iter().map(|(name, _)| name.as_bytes());
    let ours = names.filter(|name| name.starts_with(PREFIX.as_bytes()));
    let mut strange: Vec<_> = ours.filter(|name| !is_known(name)).collect();
    strange.sort_unstable();
    strange.into_iter().map(unknown_variable).collect()
}

/// Returns whether a variable with our prefix is a long name in capitals.
fn spells(name: &[u8], long: &str) -> bool {
    let letters = long.bytes().map(|byte| if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() });
    name[PREFIX.len()..].iter().copied().eq(letters)
}

/// Returns whether a variable with our prefix means something. A run asks this at every start, and mostly of none or
/// one, so no list of names is made.
fn is_known(name: &[u8]) -> bool {
    OTHER_VARIABLES.iter().any(|known| known.as_bytes() == name)
        || OPTIONS.iter().any(|row| match row.own_variable {
            Some(known) => known.as_bytes() == name,
            None => spells(name, row.long),
        })
        || OPTIONS
            .iter()
            .filter(|row| row.kind == Kind::Switch)
            .any(|row| row.undoing_variable().is_some_and(|known| known.as_bytes() == name))
}

fn unknown_variable(name: &[u8]) -> ConfigError {
    let mut known: Vec<String> = OTHER_VARIABLES.map(str::to_owned).into();
    for row in OPTIONS {
        known.push(row.variable());
        known.extend(row.undoing_variable());
    }
    // One that stands for an option under its other name, as for --cache-dir and --force.
    let same = OPTIONS
        .iter()
        .find(|row| spells(name, row.long) || row.aliases.iter().any(|long| spells(name, long)));
    let name = printable(name);
    // All begin alike, which would make all of them near.
    let rest = |name: &'_ str| name.strip_prefix(PREFIX).map(str::to_owned).unwrap_or_default();
    let rests: Vec<_> = known.iter().map(|known| rest(known)).collect();
    let near = nearest(&rest(&name), rests.iter().map(String::as_str)).map(|near| format!("{PREFIX}{near}"));
    ConfigError::UnknownVariable { name, nearest: same.map(OptionRow::variable).or(near) }
}

/// Returns what the environment says about one option.
fn value_of(host: &Host, row: &OptionRow) -> Result<Option<Located<RawValue>>, ConfigError> {
    let name = row.variable();
    let origin = Origin::Variable(name.clone());
    let text = host.variable(&name).filter(|text| !is_inherited(host, row.name, text));
    let value = match row.kind {
        Kind::Switch => return switch(host, row, text, origin),
        Kind::Text | Kind::Choice(_) => text.map(|text| RawValue::Text(text.to_owned())),
        Kind::List => text.map(|text| {
            let elements = elements(text).into_iter();
            RawValue::List(elements.map(|element| Located::new(element, origin.clone())).collect())
        }),
    };
    Ok(value.map(|value| Located::new(value, origin)))
}

/// Reads a switch from its variable or from the one that undoes it.
fn switch(
    host: &Host,
    row: &OptionRow,
    text: Option<&OsStr>,
    origin: Origin,
) -> Result<Option<Located<RawValue>>, ConfigError> {
    let doing = text.map(|text| boolean(text, &origin)).transpose()?;
    let undoing = row.undoing_variable().and_then(|name| {
        let text = host.variable(&name)?;
        Some((text, Origin::Variable(name)))
    });
    let undoing = match undoing {
        Some((text, origin)) => Some((!boolean(text, &origin)?, origin)),
        None => None,
    };
    Ok(match (doing, undoing) {
        (Some(on), Some((other, second))) if on != other => {
            return Err(ConfigError::Contradiction {
                first: origin.to_string(),
                second: second.to_string(),
                hint: None,
            });
        }
        (Some(on), _) => Some(Located::new(RawValue::Switch(on), origin)),
        (None, Some((on, origin))) => Some(Located::new(RawValue::Switch(on), origin)),
        (None, None) => None,
    })
}

/// Returns whether a variable was set by the run around this one, and says nothing about this one.
fn is_inherited(host: &Host, name: OptionName, text: &OsStr) -> bool {
    let Some(context) = host.variable(CONTEXT_VARIABLE) else { return false };
    let context = context.as_bytes();
    let Some(at) = context.iter().position(|byte| *byte == b';') else { return false };
    let (key, task) = (&context[..at], &context[at + 1..]);
    match name {
        OptionName::Key => text.as_bytes() == key,
        OptionName::Task => {
            let hex = self::context("", text.as_bytes());
            hex.as_bytes().strip_prefix(b";") == Some(task)
        }
        _ => false,
    }
}

/// Splits a list at `:`. Empty elements are no elements; `\:` is a colon within one.
fn elements(text: &OsStr) -> Vec<OsString> {
    let mut elements = vec![Vec::new()];
    let mut bytes = text.as_bytes().iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, elements.last_mut()) {
            (b'\\', Some(element)) if bytes.next_if_eq(&b':').is_some() => element.push(b':'),
            (b':', _) | (_, None) => elements.push(Vec::new()),
            (byte, Some(element)) => element.push(byte),
        }
    }
    elements.into_iter().filter(|element| !element.is_empty()).map(OsString::from_vec).collect()
}

/// Reads a boolean.
fn boolean(text: &OsStr, origin: &Origin) -> Result<bool, ConfigError> {
    const WORDS: [(&str, bool); 8] = [
        ("true", true),
        ("yes", true),
        ("on", true),
        ("1", true),
        ("false", false),
        ("no", false),
        ("off", false),
        ("0", false),
    ];
    let word = String::from_utf8_lossy(text.as_bytes()).to_ascii_lowercase();
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
        let near = nearest(&word, WORDS.map(|(known, _)| known)).map(did_you_mean);
        ConfigError::Value {
            origin: Box::new(origin.clone()),
            reason: format!("'{}' is neither true nor false", printable(text.as_bytes())),
            hint: near.or_else(|| Some("write true, yes, on or 1, or else false, no, off or 0".into())),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::host_with;

    fn switch_in(pairs: &[(&str, &str)], name: OptionName) -> Option<(bool, String)> {
        let layer = variables(&host_with(pairs)).unwrap();
        layer.switch(name).map(|(on, origin)| (on, origin.to_string()))
    }

    #[test]
    fn every_row_has_its_variable() {
        for row in OPTIONS {
            let text = if row.kind == Kind::Switch { "true" } else { "x" };
            let layer = variables(&host_with(&[(&row.variable(), text)])).unwrap();
            assert!(row.variable().starts_with(PREFIX), "{}", row.long);
            let origin = layer.get(row.name).map(|found| found.origin.clone());
            assert_eq!(origin, Some(Origin::Variable(row.variable())), "{}", row.long);
            let others = OPTIONS.iter().filter(|other| layer.get(other.name).is_some());
            assert_eq!(others.count(), 1, "{}", row.long);
        }
    }

    #[test]
    fn lists_are_split_at_colons() {
        for (text, expected) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a:b", &["a", "b"]),
            (":a::b:", &["a", "b"]),
            ("...:extra", &["...", "extra"]),
            (r"env\:LANG:b\c\", &["env:LANG", r"b\c\"]),
        ] {
            assert_eq!(elements(OsStr::new(text)), expected, "{text}");
        }
        let bytes = OsString::from_vec(b"\xff:\xfe".to_vec());
        assert_eq!(elements(&bytes), [OsStr::from_bytes(b"\xff"), OsStr::from_bytes(b"\xfe")]);
    }

    #[test]
    fn booleans_in_any_case_and_nothing_else() {
        for text in ["true", "TRUE", "1", "Yes", "oN"] {
            let found = switch_in(&[("TASKCACHE_REFRESH", text)], OptionName::Refresh);
            assert_eq!(found, Some((true, "variable TASKCACHE_REFRESH".into())), "{text}");
        }
        for text in ["false", "False", "0", "no", "OFF"] {
            let found = switch_in(&[("TASKCACHE_REFRESH", text)], OptionName::Refresh);
            assert_eq!(found, Some((false, "variable TASKCACHE_REFRESH".into())), "{text}");
        }
        for text in ["", "2", "maybe", " true"] {
            let error = variables(&host_with(&[("TASKCACHE_REFRESH", text)])).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("variable TASKCACHE_REFRESH: '{text}' is neither true nor false")
            );
        }
        let error = variables(&host_with(&[("TASKCACHE_STRICT", "ture")])).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean 'true'?"));
        let error = variables(&host_with(&[("TASKCACHE_STRICT", "maybe")])).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("write true, yes, on or 1, or else false, no, off or 0"));
    }

    #[test]
    fn the_undoing_variable_undoes() {
        let undone = switch_in(&[("TASKCACHE_NO_SERIALIZE", "1")], OptionName::Serialize);
        assert_eq!(undone, Some((false, "variable TASKCACHE_NO_SERIALIZE".into())));
        let done = switch_in(&[("TASKCACHE_CACHE", "no")], OptionName::NoCache);
        assert_eq!(done, Some((true, "variable TASKCACHE_CACHE".into())));
        let both = [("TASKCACHE_REFRESH", "1"), ("TASKCACHE_NO_REFRESH", "0")];
        assert_eq!(switch_in(&both, OptionName::Refresh), Some((true, "variable TASKCACHE_REFRESH".into())));
        let error = variables(&host_with(&[("TASKCACHE_REFRESH", "1"), ("TASKCACHE_NO_REFRESH", "1")]));
        assert_eq!(
            error.unwrap_err().to_string(),
            "variable TASKCACHE_REFRESH contradicts variable TASKCACHE_NO_REFRESH"
        );
    }

    #[test]
    fn what_a_run_inherits_is_no_option() {
        let key = "ab".repeat(32);
        let context = context(&key, b"train\xff");
        assert_eq!(context, format!("{key};747261696eff"));
        let task = OsString::from_vec(b"train\xff".to_vec());
        let layer = |key: &str, task: &OsStr, context: &str| {
            let mut host = host_with(&[("TASKCACHE_KEY", key), (CONTEXT_VARIABLE, context)]);
            host.environment.push(("TASKCACHE_TASK".into(), task.to_owned()));
            let layer = variables(&host).unwrap();
            [OptionName::Key, OptionName::Task].map(|name| layer.text(name).is_some())
        };
        assert_eq!(layer(&key, &task, &context), [false, false]);
        assert_eq!(layer("mine", &task, &context), [true, false]);
        assert_eq!(layer(&key, OsStr::new("train"), &context), [false, true]);
        for broken in ["", ";", "747261", "zz;zz"] {
            assert_eq!(layer(&key, &task, broken), [true, true], "{broken}");
        }
        let bare = variables(&host_with(&[("TASKCACHE_KEY", &key)])).unwrap();
        assert!(bare.text(OptionName::Key).is_some());
    }

    #[test]
    fn caching_can_be_switched_off() {
        let found = |pairs: &[(&str, &str)]| {
            enabled(&host_with(pairs)).map(|found| (found.value, found.origin.to_string()))
        };
        let (ours, theirs) = ("TASKCACHE_ENABLED", "FLYTE_LOCAL_CACHE_ENABLED");
        assert_eq!(found(&[]), Ok((true, "built-in".into())));
        assert_eq!(found(&[(ours, "off")]), Ok((false, format!("variable {ours}"))));
        assert_eq!(found(&[(theirs, "0")]), Ok((false, format!("variable {theirs}"))));
        assert_eq!(found(&[(ours, "1"), (theirs, "0")]), Ok((false, format!("variable {theirs}"))));
        let error = found(&[(ours, "0"), (theirs, "x")]).unwrap_err();
        assert_eq!(error.to_string(), format!("variable {theirs}: 'x' is neither true nor false"));
    }

    #[test]
    fn unknown_variables_are_told_and_not_refused() {
        let mut pairs = vec![
            ("TASKCACHE_TLL", "1h"),
            ("TASKCACHE_RUN_ID", "7"),
            ("TASKCACHE_NO_VERIFY", "1"),
            ("TASKCACHE_CACHE_DIR", "x"),
            ("TASKCACHE_XYZZY_PLUGH", "1"),
            ("TASKCACHE_", "1"),
            ("PATH", "/bin"),
        ];
        assert!(variables(&host_with(&pairs)).is_ok());
        let told = |pairs: &[(&str, &str)]| {
            let found = unknown(&host_with(pairs)).into_iter();
            found.map(|error| (error.to_string(), error.hint())).collect::<Vec<_>>()
        };
        let expected = |name: &str, near: Option<&str>| {
            (
                format!("variable {name} stands for no option"),
                near.map(|near| format!("did you mean '{near}'?")),
            )
        };
        assert_eq!(
            told(&pairs),
            [
                expected("TASKCACHE_", None),
                expected("TASKCACHE_CACHE_DIR", Some("TASKCACHE_DIR")),
                expected("TASKCACHE_TLL", Some("TASKCACHE_TTL")),
                expected("TASKCACHE_XYZZY_PLUGH", None),
            ]
        );
        pairs.push((CONTEXT_VARIABLE, ";"));
        assert_eq!(told(&pairs), []);
    }

    #[test]
    fn every_variable_of_ours_is_known() {
        let options = OPTIONS.iter().flat_map(|row| [Some(row.variable()), row.undoing_variable()]).flatten();
        for name in options.chain(OTHER_VARIABLES.map(str::to_owned)) {
            assert!(is_known(name.as_bytes()), "{name}");
        }
    }
}
