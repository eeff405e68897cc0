//! Which script a known interpreter is given: the part of a task's source that its argv names.
//!
//! The answer is a list of candidates: whether they exist, and are files, is for the caller to see. A candidate
//! that is no file is no source. One that is missed is still an input, as arguments that name files are; so where
//! an option is unknown, and may or may not take the next word as its value, the search ends with what is certain.
//!
//! Deliberately absent: what a script includes, modules that are found along a search path (`python -m`,
//! `ruby -S`), and programs on the command line (`-c`, `-e`), which argv holds already.

mod grammar;

use grammar::{Grammar, LAUNCHER, Operand};

/// The scripts that a command names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scripts {
    /// The scripts that argv names, in its order.
    pub named: Vec<Script>,
    /// Paths of which the first that exists is the script, where argv names none: the default files of make.
    pub candidates: Vec<Vec<u8>>,
}

/// A script that argv names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The position in argv of the word that holds the path, alone or behind an option.
    pub position: usize,
    /// The path, relative to the working directory of the command unless absolute.
    pub path: Vec<u8>,
}

/// Returns the scripts that a command gives to a known interpreter, which the base name of `argv[0]` says. A version
/// behind the name is no part of it (`python3.11`), and `env` in front is looked through.
pub fn script_arguments(argv: &[&[u8]]) -> Scripts {
    let Some(start) = behind_launchers(argv) else { return Scripts::default() };
    let name = base_name(argv[start]);
    let words = Words { argv, next: start + 1 };
    if name == b"java" {
        return java(words);
    }
    let Some(grammar) = Grammar::of(name) else { return Scripts::default() };
    let mut search = Search { grammar, words, scripts: Scripts::default(), directory: Vec::new() };
    let certain = search.run().is_some();
    let mut scripts = search.scripts;
    if certain && scripts.named.is_empty() {
        scripts.candidates =
            grammar.defaults.iter().map(|name| joined(&search.directory, name.as_bytes())).collect();
    }
    // make changes folder before it reads its files, so a `-C` counts wherever it stands, and one that the search
    // did not reach would make every path wrong.
    if !certain && !grammar.directories.is_empty() {
        scripts.named.clear();
    }
    for script in &mut scripts.named {
        script.path = joined(&search.directory, &script.path);
    }
    scripts
}

/// Returns the position of the program behind any number of `env`s, or `None` where that is not certain.
fn behind_launchers(argv: &[&[u8]]) -> Option<usize> {
    let mut at = 0;
    while base_name(argv.get(at)?) == b"env" {
        let words = Words { argv, next: at + 1 };
        let mut search =
            Search { grammar: &LAUNCHER, words, scripts: Scripts::default(), directory: Vec::new() };
        search.run()?;
        at = search.scripts.named.first()?.position;
    }
    Some(at)
}

/// Returns a program's name without its folder and version.
fn base_name(program: &[u8]) -> &[u8] {
    let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or(program);
    let version = name.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    &name[..name.len() - version]
}

fn joined(directory: &[u8], path: &[u8]) -> Vec<u8> {
    if directory.is_empty() || path.starts_with(b"/") {
        path.to_vec()
    } else if directory.ends_with(b"/") {
        [directory, path].concat()
    } else {
        [directory, b"/", path].concat()
    }
}

/// argv, read word by word.
struct Words<'a> {
    argv: &'a [&'a [u8]],
    next: usize,
}

impl<'a> Words<'a> {
    fn take(&mut self) -> Option<(usize, &'a [u8])> {
        let word = *self.argv.get(self.next)?;
        self.next += 1;
        Some((self.next - 1, word))
    }
}

/// What is done with an option's value.
#[derive(Clone, Copy)]
enum Value {
    Skipped,
    Script,
    Directory,
}

struct Search<'a> {
    grammar: &'static Grammar,
    words: Words<'a>,
    scripts: Scripts,
    directory: Vec<u8>,
}

impl Search<'_> {
    /// Reads argv to its end, or to where the scripts are known. `None`: something is not certain, or there is no
    /// script by intent. An unknown long option is not certain even with its value behind `=`: it may be a known one
    /// cut short (`--direct=a`).
    fn run(&mut self) -> Option<()> {
        let grammar = self.grammar;
        let mut only_operands = false;
        let mut seen_operand = false;
        while let Some((position, word)) = self.words.take() {
            let is_option = !only_operands
                && (word.starts_with(b"-") || (grammar.plus && word.starts_with(b"+")))
                && word != b"-";
            if is_option && word == b"--" {
                only_operands = true;
            } else if is_option {
                match word.strip_prefix(b"--") {
                    Some(long) => self.long(position, long)?,
                    None => self.short(position, &word[1..])?,
                }
            } else if word == b"-" && !only_operands && grammar.dash_is_end {
                only_operands = true;
            } else {
                match grammar.operand {
                    Operand::Script if !self.scripts.named.is_empty() => return Some(()),
                    Operand::Script if word == b"-" => return None,
                    Operand::Script if !seen_operand && grammar.runs.contains(&word) => seen_operand = true,
                    Operand::Script if !seen_operand && grammar.commands.contains(&word) => return None,
                    Operand::Script => {
                        self.add(position, word);
                        return Some(());
                    }
                    Operand::Program if word == b"-" || word.contains(&b'=') => {}
                    Operand::Program => {
                        self.add(position, word);
                        return Some(());
                    }
                    Operand::Argument => return Some(()),
                    Operand::Target => {}
                }
            }
        }
        Some(())
    }

    fn add(&mut self, position: usize, path: &[u8]) {
        self.scripts.named.push(Script { position, path: path.to_vec() });
    }

    /// Takes the value of an option: what stands behind it in the same word, else the next word.
    fn value(&mut self, position: usize, inline: Option<&[u8]>, meaning: Value) -> Option<()> {
        let (position, value) = match inline {
            Some(value) => (position, value),
            None => self.words.take()?,
        };
        match meaning {
            Value::Skipped => {}
            Value::Script if value == b"-" || value.is_empty() => return None,
            Value::Script => self.add(position, value),
            Value::Directory => self.directory = joined(&self.directory, value),
        }
        Some(())
    }

    fn long(&mut self, position: usize, long: &[u8]) -> Option<()> {
        let grammar = self.grammar;
        let (name, inline) = match long.iter().position(|byte| *byte == b'=') {
            Some(at) => (&long[..at], Some(&long[at + 1..])),
            None => (long, None),
        };
        let name = str::from_utf8(name).ok()?;
        if grammar.long_ending.contains(&name) {
            None
        } else if grammar.long_scripts.contains(&name) {
            self.value(position, inline, Value::Script)
        } else if grammar.long_directories.contains(&name) {
            self.value(position, inline, Value::Directory)
        } else if grammar.long_valued.contains(&name) {
            self.value(position, inline, Value::Skipped)
        } else {
            (grammar.unknown_are_flags || grammar.long_flags.contains(&name)).then_some(())
        }
    }

    fn short(&mut self, position: usize, letters: &[u8]) -> Option<()> {
        let grammar = self.grammar;
        let mut rest = letters;
        while let Some((letter, behind)) = rest.split_first() {
            rest = behind;
            let inline = (!rest.is_empty()).then_some(rest);
            let is_in = |class: &str| class.as_bytes().contains(letter);
            if is_in(grammar.flags) {
                continue;
            } else if is_in(grammar.counted) {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                rest = &rest[digits..];
            } else if is_in(grammar.next_word) {
                self.words.take()?;
            } else if is_in(grammar.attached) {
                break;
            } else if is_in(grammar.valued) {
                return self.value(position, inline, Value::Skipped);
            } else if is_in(grammar.scripts) {
                return self.value(position, inline, Value::Script);
            } else if is_in(grammar.directories) {
                return self.value(position, inline, Value::Directory);
            } else {
                return None;
            }
        }
        Some(())
    }
}

/// java spells its long options with one dash, and runs a class unless it is given an archive or a source file.
fn java(mut words: Words<'_>) -> Scripts {
    const VALUED: &[&[u8]] = &[
        b"-cp",
        b"-classpath",
        b"--class-path",
        b"-p",
        b"--module-path",
        b"--upgrade-module-path",
        b"--add-modules",
        b"--limit-modules",
        b"--add-exports",
        b"--add-opens",
        b"--add-reads",
        b"--patch-module",
        b"--enable-native-access",
        b"--source",
        b"--describe-module",
        b"-d",
    ];
    let mut script = None;
    while let Some((position, word)) = words.take() {
        match word {
            b"-jar" => script = words.take(),
            b"-m" | b"--module" => {}
            // An argument file may hold anything.
            _ if word.starts_with(b"@") || word.starts_with(b"--module=") => {}
            _ if VALUED.contains(&word) => {
                words.take();
                continue;
            }
            _ if word.starts_with(b"-") => continue,
            _ if word.ends_with(b".java") => script = Some((position, word)),
            _ => {}
        }
        break;
    }
    let named = script.map(|(position, path)| Script { position, path: path.to_vec() });
    Scripts { named: named.into_iter().collect(), candidates: Vec::new() }
}

#[cfg(test)]
mod tests;
