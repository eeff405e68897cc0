//! What `--ignore` keeps out of a key.
//!
//! A rule is a name with wildcards (`*`), optionally narrowed by `env:`, `input:` or `arg:`. Where a rule begins
//! with a dash it names an option of the command: `--jobs` takes out the words `--jobs` and `--jobs=4`. Every other
//! rule takes out environment variables, named inputs, values and probes, input files, and `NAME=…` words of argv.
//!
//! Rules are signature: two runs that ignore different things never share a key (see [`super::fingerprint`]).

use super::path::printable;
use std::fmt;
use std::str::FromStr;

/// What a rule is narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoreScope {
    /// Anything that has the name.
    Any,
    /// Environment variables.
    Environment,
    /// Named inputs, values, probes, and files.
    Input,
    /// Words of argv.
    Argument,
}

/// One thing to keep out of the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IgnoreRule {
    scope: IgnoreScope,
    pattern: Vec<u8>,
}

/// A rule that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' names nothing to ignore")]
pub struct ParseIgnoreRuleError(String);

impl IgnoreRule {
    /// Reads a rule from bytes.
    pub fn new(text: &[u8]) -> Result<Self, ParseIgnoreRuleError> {
        let scopes = [
            (&b"env:"[..], IgnoreScope::Environment),
            (b"input:", IgnoreScope::Input),
            (b"arg:", IgnoreScope::Argument),
        ];
        let narrowed = scopes.iter().find_map(|(prefix, scope)| Some((*scope, text.strip_prefix(*prefix)?)));
        let (scope, pattern) = narrowed.unwrap_or((IgnoreScope::Any, text));
        if pattern.is_empty() {
            return Err(ParseIgnoreRuleError(printable(text)));
        }
        Ok(Self { scope, pattern: pattern.to_vec() })
    }

    /// Makes a rule for a named input, as a policy's `- NAME` asks for.
    pub fn for_name(name: &str) -> Self {
        Self { scope: IgnoreScope::Any, pattern: name.as_bytes().to_vec() }
    }

    /// Returns whether the rule is meant for inputs alone, so that one which takes out nothing is a mistake: inputs
    /// are declared, while a variable or an option may well be absent this time.
    pub const fn is_narrowed_to_inputs(&self) -> bool {
        matches!(self.scope, IgnoreScope::Input)
    }

    /// Returns whether the environment variable `name` is taken out.
    pub fn takes_variable(&self, name: &[u8]) -> bool {
        matches!(self.scope, IgnoreScope::Any | IgnoreScope::Environment) && wildcard(&self.pattern, name)
    }

    /// Returns whether the input `name` (a given name or a path) is taken out.
    pub fn takes_input(&self, name: &[u8]) -> bool {
        matches!(self.scope, IgnoreScope::Any | IgnoreScope::Input) && wildcard(&self.pattern, name)
    }

    /// Returns whether a word of argv behind the program is taken out: `NAME=…` for a name, `--jobs` and
    /// `--jobs=…` for an option.
    pub fn takes_argument(&self, word: &[u8]) -> bool {
        if !matches!(self.scope, IgnoreScope::Any | IgnoreScope::Argument) {
            return false;
        }
        let is_option = self.pattern.starts_with(b"-");
        match word.iter().position(|byte| *byte == b'=') {
            Some(at) => wildcard(&self.pattern, &word[..at]),
            None => (is_option || self.scope == IgnoreScope::Argument) && wildcard(&self.pattern, word),
        }
    }
}

impl FromStr for IgnoreRule {
    type Err = ParseIgnoreRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.as_bytes())
    }
}

impl IgnoreRule {
    /// Returns the canonical spelling, which is what enters the key.
    pub fn to_bytes(&self) -> Vec<u8> {
        let prefix: &[u8] = match self.scope {
            IgnoreScope::Any => b"",
            IgnoreScope::Environment => b"env:",
            IgnoreScope::Input => b"input:",
            IgnoreScope::Argument => b"arg:",
        };
        [prefix, &self.pattern].concat()
    }
}

impl fmt::Display for IgnoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.to_bytes()))
    }
}

/// Returns whether `name` fits `pattern`, in which each `*` stands for any bytes, none included.
pub fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    // Asked for each variable and each known name: nearly all differ at once.
    if let (Some(one), Some(other)) = (pattern.first(), name.first())
        && *one != b'*'
        && one != other
    {
        return false;
    }
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        match rest.windows(piece.len()).position(|window| window == piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, fits) in [
            ("DEBUG", "DEBUG", true),
            ("DEBUG", "DEBUGX", false),
            ("DEBUG*", "DEBUG", true),
            ("*_TOKEN", "GH_TOKEN", true),
            ("*_TOKEN", "TOKEN", false),
            ("A*B*C", "AxxByyC", true),
            ("A*B*C", "AC", false),
            ("A*A", "A", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(wildcard(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn rules_take_out_what_they_name() {
        let rule = |text: &str| text.parse::<IgnoreRule>().unwrap();
        let table = [
            ("DEBUG", "DEBUG", [true, true, false]),
            ("DEBUG", "DEBUG=1", [false, false, true]),
            ("env:DEBUG", "DEBUG", [true, false, false]),
            ("env:DEBUG", "DEBUG=1", [false, false, false]),
            ("input:log*", "log.txt", [false, true, false]),
            ("--jobs", "--jobs", [true, true, true]),
            ("--jobs", "--jobs=4", [false, false, true]),
            ("--jobs", "--jobserver=4", [false, false, false]),
            ("--jobs", "4", [false, false, false]),
            ("arg:-v", "-v", [false, false, true]),
            ("arg:verbose", "verbose", [false, false, true]),
            ("arg:NAME", "NAME=", [false, false, true]),
        ];
        for (text, name, expected) in table {
            let (rule, name) = (rule(text), name.as_bytes());
            let taken = [rule.takes_variable(name), rule.takes_input(name), rule.takes_argument(name)];
            assert_eq!(taken, expected, "{text} {name:?}");
        }
    }

    #[test]
    fn rules_have_one_spelling_and_a_name() {
        for text in ["DEBUG", "env:X", "input:a*", "arg:--jobs"] {
            assert_eq!(text.parse::<IgnoreRule>().unwrap().to_string(), text);
        }
        for text in ["", "env:", "arg:"] {
            assert!(text.parse::<IgnoreRule>().is_err());
        }
    }
}
