//! Commands as people read them: safe on a terminal, and as a shell reads them.

use crate::model::path::printable;

/// Returns argv as a line that a shell would read the same way.
pub fn command_line(words: &[Vec<u8>]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%^".contains(byte);
        if !word.is_empty() && word.iter().all(plain) {
            printable(word)
        } else {
            format!("'{}'", printable(word).replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Returns a word as a shell reads it.
pub fn quoted(word: &[u8]) -> String {
    command_line(&[word.to_vec()])
}

/// Returns the words of a command, each safe on a terminal.
pub fn words(command: &[Vec<u8>]) -> Vec<String> {
    command.iter().map(|word| printable(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_can_be_typed_again() {
        let words = ["sort", "-k", "a b", "", "it's", "x=1"].map(|word| word.as_bytes().to_vec());
        assert_eq!(command_line(&words), r"sort -k 'a b' '' 'it'\''s' x=1");
    }
}
