//! The vectors of `docs/key.md`, computed a second time from what that page says and from nothing of the program's.
//!
//! The page's tables are the source: each value in them is an expression in the notation that the page explains.

#[path = "docs/session.rs"]
#[expect(dead_code, reason = "the sessions of all documents are run elsewhere")]
mod session;

use session::{Block, Session, blocks, read, steps};
use sha2::{Digest, Sha256};

/// An ingredient, as a row of a table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ingredient {
    kind: u8,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// An expression that is being read.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Reads an expression to its end, or to the parenthesis that closes it.
    fn all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return bytes;
            }
            bytes.extend(self.one());
        }
    }

    fn one(&mut self) -> Vec<u8> {
        if let Some(text) = self.rest.strip_prefix('"') {
            let (text, rest) = text.split_once('"').expect("a text is closed");
            self.rest = rest;
            return text.replace("\\n", "\n").into_bytes();
        }
        let end = self.rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word == "absent" {
            self.rest = rest;
            return hash(&[0]);
        }
        self.rest = rest.strip_prefix('(').unwrap_or_else(|| panic!("no '(' behind '{word}'"));
        if let "u8" | "u64" = word {
            let (number, rest) = self.rest.split_once(')').expect("a number is closed");
            self.rest = rest;
            let number = match number.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).expect("a hexadecimal number"),
                None => number.parse().expect("a number"),
            };
            let bytes = number.to_be_bytes();
            return if word == "u8" { bytes[7..].to_vec() } else { bytes.to_vec() };
        }
        let inner = self.all();
        self.rest = self.rest.strip_prefix(')').unwrap_or_else(|| panic!("'{word}(' is never closed"));
        match word {
            "bytes" => delimited(&inner),
            "sha256" => hash(&inner),
            "present" => hash(&[&[1], delimited(&inner).as_slice()].concat()),
            _ => panic!("'{word}' is not explained"),
        }
    }
}

fn delimited(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_be_bytes(), bytes].concat()
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(expression: &str) -> Vec<u8> {
    let mut reader = Reader { rest: expression };
    let value = reader.all();
    assert!(reader.rest.is_empty(), "something is left of '{expression}': '{}'", reader.rest);
    assert_eq!(value.len(), 32, "'{expression}' is no digest");
    value
}

/// Computes a key.
fn key(mut ingredients: Vec<Ingredient>) -> String {
    ingredients.sort_by_key(|ingredient| {
        let number = std::str::from_utf8(&ingredient.name).ok().and_then(|name| name.parse::<u64>().ok());
        let number = number.filter(|_| ingredient.kind == 9);
        (ingredient.kind, number, ingredient.name.clone())
    });
    ingredients.dedup();
    let mut bytes = 1_u32.to_be_bytes().to_vec();
    bytes.extend((ingredients.len() as u64).to_be_bytes());
    for Ingredient { kind, name, value } in &ingredients {
        bytes.push(*kind);
        bytes.extend(delimited(name));
        bytes.extend(value);
    }
    hex(&hash(&bytes))
}

/// Reads the table of a vector.
fn table(section: &str) -> Vec<Ingredient> {
    let cell = |text: &str| text.trim().trim_matches('`').to_owned();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()))
        .map(|row| {
            let cells: Vec<_> = row.splitn(3, '|').map(cell).collect();
            let [kind, name, expression] = cells.as_slice() else { panic!("three cells in '{row}'") };
            Ingredient {
                kind: kind.parse().expect("a kind is a number"),
                name: name.clone().into_bytes(),
                value: value(expression),
            }
        })
        .collect()
}

/// Returns the sections of the vectors, each with its heading in front.
fn sections(page: &str) -> Vec<String> {
    let (_, vectors) = page.split_once("\n## Vectors\n").expect("there are vectors");
    let sections: Vec<_> = vectors.split("\n### ").skip(1).map(str::to_owned).collect();
    assert!(sections.len() >= 4, "there are vectors");
    sections
}

fn is_key(line: &str) -> bool {
    line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn every_table_makes_the_key_that_stands_beside_it() {
    for section in sections(&read("docs/key.md")) {
        let heading = section.lines().next().unwrap_or_default();
        let stated: Vec<_> = section.lines().filter(|line| is_key(line)).collect();
        assert_eq!(stated, [key(table(&section))], "{heading}");
    }
}

#[test]
fn the_program_prints_the_same_keys() {
    let mut session = Session::new();
    let mut compared = 0;
    for section in sections(&read("docs/key.md")) {
        let expected = key(table(&section));
        let is_session = |block: &Block| block.marks == ["console"];
        let Some(block) = blocks(&section).into_iter().find(is_session) else { continue };
        let printed: Vec<_> = steps(&block).iter().flat_map(|step| session.run(&step.command)).collect();
        assert_eq!(printed, [expected], "{}", section.lines().next().unwrap_or_default());
        compared += 1;
    }
    assert!(compared >= 3);
}

#[test]
fn the_page_has_the_numbers_of_the_program() {
    use taskcache::model::fingerprint::{IngredientKind, KEY_FORMAT};
    let page = read("docs/key.md");
    assert!(page.contains(&format!("Its format number is **{KEY_FORMAT}**")));
    for kind in IngredientKind::ALL {
        assert!(page.contains(&format!("\n| {} | `{}` |", kind as u8, kind.label())), "{kind:?}");
    }
    let value = hex(&value("present(\"echo\")"));
    assert!(page.contains(&format!("`present(\"echo\")` is `{value}`")));
}
