//! What a Makefile-style dependency file lists, as gcc and clang (`-MD`), rustc and many others write it.
//!
//! The file was written by a program to say what it read. A prerequisite that gets lost here is an input that no
//! later look-up checks, so whatever is not understood is an error, and where the writers differ the reading that
//! keeps more files wins:
//!
//! - make escapes a blank, `#` or `:` with a backslash, and then halves the backslashes in front of it. Any other
//!   backslash is a character of the name.
//! - `$$` is `$`. A `$` alone is a character, because rustc escapes none; `$(` and `${` are an error.
//! - `#` begins a comment only at the start of a word, because rustc escapes none inside.
//! - `:` ends the targets where a blank or a line's end follows, since compilers escape none inside a name;
//!   a line that has none of these is split at the first `:` there is (`a.o:a.c`).
//! - Order-only prerequisites (behind `|`) count.
//! - A file without any rule is an error: it was cut short, or is something else.
//!
//! Targets are dropped, those of the empty rules that `-MP` adds included. Line ends may be LF or CRLF.

use super::path::printable;
use std::collections::HashSet;

/// A file that is no dependency file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct DepfileError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: DepfileProblem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepfileProblem {
    /// The file has no rule at all.
    #[error("there is no rule in the file")]
    NoRule,
    /// A line that is no rule.
    #[error("no ':' behind '{0}'")]
    NoColon(String),
    /// Nothing stands in front of the colon.
    #[error("no target in front of the ':'")]
    NoTarget,
    /// A rule with two colons.
    #[error("a second ':' behind '{0}'")]
    SecondColon(String),
    /// A line that begins with a tab, which make would run.
    #[error("a recipe, which a dependency file does not have")]
    Recipe,
    /// `$(NAME)`, which only make can replace.
    #[error("a variable of make, which cannot be replaced here")]
    Variable,
    /// The last line says that it goes on.
    #[error("the file ends behind a '\\'")]
    CutShort,
    /// A NUL byte, which no path can hold.
    #[error("a NUL byte")]
    Nul,
}

/// Returns the prerequisites of every rule, each once, in the order in which they first stand there.
pub fn prerequisites(text: &[u8]) -> Result<Vec<Vec<u8>>, DepfileError> {
    let mut reader = Reader { text, at: 0, line: 1 };
    let mut listed = Vec::new();
    let mut known = HashSet::new();
    let mut has_rule = false;
    while let Some(rule) = reader.rule()? {
        has_rule = true;
        for path in rule {
            if known.insert(path.clone()) {
                listed.push(path);
            }
        }
    }
    if has_rule { Ok(listed) } else { Err(reader.refuse(DepfileProblem::NoRule)) }
}

/// A word as it is meant, with what its colons may mean.
#[derive(Default)]
struct Word {
    bytes: Vec<u8>,
    /// Where the first colon stands that was not escaped.
    colon: Option<usize>,
    /// A colon that was not escaped stood behind the word.
    ends_targets: bool,
}

/// What ended a word.
#[derive(PartialEq, Eq)]
enum End {
    Blank,
    Line,
    File,
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
}

impl Reader<'_> {
    const fn refuse(&self, problem: DepfileProblem) -> DepfileError {
        DepfileError { line: self.line, problem }
    }

    /// Returns the prerequisites of the next rule, or `None` behind the last.
    fn rule(&mut self) -> Result<Option<Vec<Vec<u8>>>, DepfileError> {
        loop {
            let line = self.line;
            let is_recipe = self.text.get(self.at) == Some(&b'\t');
            let (words, end) = self.words()?;
            if !words.is_empty() {
                let rule = if is_recipe { Err(DepfileProblem::Recipe) } else { split(words) };
                return rule.map(Some).map_err(|problem| DepfileError { line, problem });
            }
            if end == End::File {
                return Ok(None);
            }
        }
    }

    /// Reads the words of a line and of those that continue it.
    fn words(&mut self) -> Result<(Vec<Word>, End), DepfileError> {
        let mut words = Vec::new();
        loop {
            let (word, end) = self.word()?;
            if !word.bytes.is_empty() || word.ends_targets {
                words.push(word);
            }
            if end != End::Blank {
                return Ok((words, end));
            }
        }
    }

    fn word(&mut self) -> Result<(Word, End), DepfileError> {
        let mut word = Word::default();
        loop {
            if let Some(length) = self.line_end(self.at) {
                self.at += length;
                self.line += 1;
                return Ok((word, End::Line));
            }
            let Some(&byte) = self.text.get(self.at) else { return Ok((word, End::File)) };
            self.at += 1;
            match byte {
                0 => return Err(self.refuse(DepfileProblem::Nul)),
                b' ' | b'\t' => return Ok((word, End::Blank)),
                b'#' if word.bytes.is_empty() => {
                    while self.at < self.text.len() && self.line_end(self.at).is_none() {
                        self.at += 1;
                    }
                }
                b'$' => match self.text.get(self.at) {
                    Some(b'(' | b'{') => return Err(self.refuse(DepfileProblem::Variable)),
                    next => {
                        self.at += usize::from(next == Some(&b'$'));
                        word.bytes.push(b'$');
                    }
                },
                b'\\' => {
                    if self.backslashes(&mut word.bytes)? {
                        return Ok((word, End::Blank));
                    }
                }
                b':' if self.ends_word() => {
                    word.ends_targets = true;
                    return Ok((word, End::Blank));
                }
                b':' => {
                    word.colon.get_or_insert(word.bytes.len());
                    word.bytes.push(b':');
                }
                byte => word.bytes.push(byte),
            }
        }
    }

    /// Reads a run of backslashes, of which the first is taken, and what they escape. Returns whether the line goes
    /// on behind them.
    fn backslashes(&mut self, bytes: &mut Vec<u8>) -> Result<bool, DepfileError> {
        let run = 1 + self.text[self.at..].iter().take_while(|byte| **byte == b'\\').count();
        self.at += run - 1;
        let escapes = run % 2 == 1;
        let halved = run / 2;
        let line_end = self.line_end(self.at);
        match self.text.get(self.at) {
            None if escapes => return Err(self.refuse(DepfileProblem::CutShort)),
            Some(&special @ (b' ' | b'\t' | b'#' | b':')) => {
                bytes.resize(bytes.len() + halved, b'\\');
                if escapes {
                    bytes.push(special);
                    self.at += 1;
                }
            }
            _ if line_end.is_some() => {
                bytes.resize(bytes.len() + halved, b'\\');
                if escapes {
                    self.at += line_end.unwrap_or_default();
                    self.line += 1;
                    return if self.at < self.text.len() {
                        Ok(true)
                    } else {
                        Err(self.refuse(DepfileProblem::CutShort))
                    };
                }
            }
            _ => bytes.resize(bytes.len() + run, b'\\'),
        }
        Ok(false)
    }

    /// Returns the length of the line end at a position, if one is there.
    fn line_end(&self, at: usize) -> Option<usize> {
        match self.text.get(at..)? {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        }
    }

    /// Returns whether the colon before this position ends a word, with the second one of `::` taken.
    fn ends_word(&mut self) -> bool {
        let behind = self.at + usize::from(self.text.get(self.at) == Some(&b':'));
        let ends = match self.text.get(behind) {
            None | Some(b' ' | b'\t') => true,
            Some(b'\\') => self.line_end(behind + 1).is_some(),
            Some(_) => self.line_end(behind).is_some(),
        };
        if ends {
            self.at = behind;
        }
        ends
    }
}

/// Returns the prerequisites among the words of a rule.
fn split(mut words: Vec<Word>) -> Result<Vec<Vec<u8>>, DepfileProblem> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let behind = if let Some(last) = words.iter().position(|word| word.ends_targets) {
        if last == 0 && words[0].bytes.is_empty() {
            return Err(DepfileProblem::NoTarget);
        }
        last + 1
    } else {
        let first = &mut words[0];
        let at = first.colon.ok_or_else(|| DepfileProblem::NoColon(printable(&first.bytes)))?;
        let rest = &first.bytes[at + 1..];
        match (&first.bytes[..at], rest.first()) {
            (b"", _) => return Err(DepfileProblem::NoTarget),
            // `A:=b` sets a variable.
            (_, Some(b'=')) => return Err(DepfileProblem::NoColon(printable(&first.bytes))),
            _ => found.push(rest.to_vec()),
        }
        1
    };
    for word in words.drain(behind..) {
        if word.ends_targets {
            return Err(DepfileProblem::SecondColon(printable(&word.bytes)));
        }
        if word.bytes != b"|" {
            found.push(word.bytes);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<String>, DepfileError> {
        let paths = prerequisites(text.as_bytes())?;
        Ok(paths.into_iter().map(|path| String::from_utf8(path).unwrap()).collect())
    }

    #[test]
    fn what_gcc_writes() {
        let text = "main.o: main.c /usr/include/stdc-predef.h inc/a\\ b.h \\\n inc/c\\#.h inc/d$$e.h \\\n \
                    inc/f:g.h /usr/include/stdio.h\n/usr/include/stdc-predef.h:\ninc/a\\ b.h:\n\n\
                    inc/c\\#.h:\ninc/d$$e.h:\ninc/f:g.h:\n/usr/include/stdio.h:\n";
        assert_eq!(
            read(text).unwrap(),
            [
                "main.c",
                "/usr/include/stdc-predef.h",
                "inc/a b.h",
                "inc/c#.h",
                "inc/d$e.h",
                "inc/f:g.h",
                "/usr/include/stdio.h"
            ]
        );
    }

    #[test]
    fn what_clang_writes() {
        let text = "out/main.o out/main.d: \\\n  src/main.c \\\n  src/a:b.h \\\n  src/back\\slash.h\n";
        assert_eq!(read(text).unwrap(), ["src/main.c", "src/a:b.h", "src/back\\slash.h"]);
    }

    #[test]
    fn what_rustc_writes() {
        let text = "/t/debug/libx.rmeta: src/lib.rs src/a\\ b.rs src/c#d.rs src/e$f.rs\n\n\
                    /t/debug/x.d: src/lib.rs src/a\\ b.rs src/c#d.rs src/e$f.rs\n\n\
                    src/lib.rs:\nsrc/a\\ b.rs:\nsrc/c#d.rs:\nsrc/e$f.rs:\n\n\
                    # env-dep:CARGO_PKG_VERSION=0.1.0\n# env-dep:OUT: x\n";
        assert_eq!(read(text).unwrap(), ["src/lib.rs", "src/a b.rs", "src/c#d.rs", "src/e$f.rs"]);
    }

    #[test]
    fn what_others_write() {
        for (text, expected) in [
            ("a: b", &["b"][..]),
            ("a:\n", &[]),
            ("a : b\r\n", &["b"]),
            ("a: b \\\r\n\tc\r\n", &["b", "c"]),
            ("a:\\\n b\n", &["b"]),
            ("a.o:a.c b.c\n", &["a.c", "b.c"]),
            ("a.o:a.c\\\n  b.c\n", &["a.c", "b.c"]),
            ("a:: b\n", &["b"]),
            ("a b: c\nd: c e\n", &["c", "e"]),
            ("a: b\nb:\nc: a\n", &["b", "a"]),
            ("a: b | c\n", &["b", "c"]),
            ("a: b # c\n# d: e\n\n \t\nf: g\n", &["b", "g"]),
            // Halved in front of a blank, kept elsewhere.
            (r"a: b\\ c\\d e\\\ f g\h", &[r"b\", r"c\\d", r"e\ f", r"g\h"]),
            ("a: b\\\\\nc: d\n", &["b\\", "d"]),
            ("a\\:b: c\\\td e\\:f\n", &["c\td", "e:f"]),
            ("a: b\rc\n", &["b\rc"]),
            ("  a: b\n", &["b"]),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(prerequisites(b"a: \xff\xfe\n").unwrap(), [b"\xff\xfe"]);
    }

    #[test]
    fn what_is_malformed() {
        for (text, line, problem) in [
            ("", 1, DepfileProblem::NoRule),
            ("# only words\n\n", 3, DepfileProblem::NoRule),
            ("a: b\n\nsome words\n", 3, DepfileProblem::NoColon("some".into())),
            ("A := b\n", 1, DepfileProblem::NoColon("A".into())),
            ("A:=b\n", 1, DepfileProblem::NoColon("A:=b".into())),
            ("a: b \\\n c\n\u{7f}ELF\n", 3, DepfileProblem::NoColon("\\u{7f}ELF".into())),
            (": b\n", 1, DepfileProblem::NoTarget),
            (":b\n", 1, DepfileProblem::NoTarget),
            ("a: b: c\n", 1, DepfileProblem::SecondColon("b".into())),
            ("a: b\n\techo: c\n", 2, DepfileProblem::Recipe),
            ("a: $(B)\n", 1, DepfileProblem::Variable),
            ("a: \\\n ${B}\n", 2, DepfileProblem::Variable),
            ("a: b \\", 1, DepfileProblem::CutShort),
            ("a: b \\\n", 2, DepfileProblem::CutShort),
            ("a: b\0\n", 1, DepfileProblem::Nul),
        ] {
            assert_eq!(read(text), Err(DepfileError { line, problem }), "{text:?}");
        }
        assert_eq!(read("a: b\nc\n").unwrap_err().to_string(), "line 2: no ':' behind 'c'");
    }

    /// Writes a path as gcc does.
    fn escaped(path: &str) -> String {
        let mut text = String::new();
        let mut backslashes = 0;
        for character in path.chars() {
            match character {
                ' ' => text.push_str(&"\\".repeat(backslashes + 1)),
                '#' | ':' => text.push('\\'),
                '$' => text.push('$'),
                _ => {}
            }
            backslashes = if character == '\\' { backslashes + 1 } else { 0 };
            text.push(character);
        }
        text
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            text in prop::collection::vec(prop::sample::select(b"ab:\\ \t\r\n#$(|\0\xff".to_vec()), 0..24),
        ) {
            if let Ok(paths) = prerequisites(&text) {
                prop_assert!(paths.iter().all(|path| !path.contains(&0) && !path.is_empty()));
                prop_assert_eq!(paths.iter().collect::<HashSet<_>>().len(), paths.len());
            }
        }

        #[test]
        fn what_is_written_is_read(
            paths in prop::collection::hash_set("[ab$/](\\\\{0,3}[ab $]|[ab#:]){0,6}[ab/]", 1..6),
            breaks in prop::collection::vec(prop::sample::select(vec![" ", " \\\n ", "\t", " \\\r\n\t"]), 6),
        ) {
            let mut text = "out/a.o:".to_owned();
            for (path, gap) in paths.iter().zip(&breaks) {
                text.push_str(gap);
                text.push_str(&escaped(path));
            }
            text.push('\n');
            for path in &paths {
                text.push_str(&format!("{}:\n", escaped(path)));
            }
            prop_assert_eq!(read(&text).unwrap(), paths.into_iter().collect::<Vec<_>>(), "{}", text);
        }
    }
}
