//! A stored stream on a terminal, made harmless: what would move the cursor, retitle the window or paste text is
//! shown as an escape, and only lines, tabs and colours get through.
//!
//! A run writes to the terminal what it likes, and so does a hit, because a hit is a run. To look at a result is
//! something else: nobody ran that command here, and the result may have come from elsewhere.

use crate::model::path::printable;

/// The longest colour sequence that is taken for one.
const LONGEST: usize = 64;

/// Takes a stream piece by piece; what a piece cuts in two waits for the next one.
#[derive(Debug, Default)]
pub struct Visible {
    pending: Vec<u8>,
    colored: bool,
}

/// What stands at the beginning of some bytes.
enum Head {
    /// A colour sequence of this length.
    Color(usize),
    /// The beginning of one, or of a character: more bytes would tell.
    Unfinished,
    /// Neither.
    Other,
}

impl Visible {
    /// Returns what the next piece shows.
    pub fn take(&mut self, piece: &[u8]) -> String {
        self.pending.extend_from_slice(piece);
        let bytes = std::mem::take(&mut self.pending);
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some(first) = rest.first() {
            match (first, head(rest)) {
                (_, Head::Unfinished) => {
                    self.pending = rest.to_vec();
                    break;
                }
                (_, Head::Color(length)) => {
                    self.colored = true;
                    text.push_str(&String::from_utf8_lossy(&rest[..length]));
                    rest = &rest[length..];
                }
                (b'\n' | b'\t', Head::Other) => {
                    text.push(char::from(*first));
                    rest = &rest[1..];
                }
                (_, Head::Other) => {
                    let special = |byte: &u8| matches!(byte, b'\n' | b'\t' | 0x1b);
                    let end = 1 + rest[1..].iter().position(special).unwrap_or(rest.len() - 1);
                    // A character that the piece cuts in two stays behind.
                    let end = if end == rest.len() { whole(rest) } else { end };
                    text.push_str(&printable(&rest[..end]));
                    rest = &rest[end..];
                }
            }
        }
        text
    }

    /// Returns what is left at the end, and the end of all colours.
    pub fn finish(self) -> String {
        let mut text = printable(&self.pending);
        if self.colored {
            text.push_str("\u{1b}[0m");
        }
        text
    }
}

/// Says what bytes begin with.
fn head(bytes: &[u8]) -> Head {
    if bytes[0] != 0x1b {
        return if whole(bytes) == 0 { Head::Unfinished } else { Head::Other };
    }
    match bytes.get(1) {
        None => Head::Unfinished,
        Some(b'[') => {
            let parameters =
                bytes[2..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
            match bytes.get(2 + parameters) {
                _ if parameters > LONGEST => Head::Other,
                None => Head::Unfinished,
                Some(b'm') => Head::Color(parameters + 3),
                Some(_) => Head::Other,
            }
        }
        Some(_) => Head::Other,
    }
}

/// Returns how many bytes there are before a character that the end cuts in two.
fn whole(bytes: &[u8]) -> usize {
    // A character has four bytes at most.
    for cut in 1..=bytes.len().min(3) {
        let tail = &bytes[bytes.len() - cut..];
        match std::str::from_utf8(tail) {
            Ok(_) => break,
            Err(error) if error.valid_up_to() == 0 && error.error_len().is_none() => {
                return bytes.len() - cut;
            }
            Err(_) => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut visible = Visible::default();
        let mut text: String = pieces.iter().map(|piece| visible.take(piece)).collect();
        text.push_str(&visible.finish());
        text
    }

    #[test]
    fn lines_tabs_and_colours_get_through_and_nothing_else() {
        assert_eq!(shown(&[b"a\tb\nc\rd\x07"]), "a\tb\nc\\rd\\u{7}");
        assert_eq!(shown(&[b"\x1b[1;31mred\x1b[m"]), "\u{1b}[1;31mred\u{1b}[m\u{1b}[0m");
        assert_eq!(
            shown(&[b"\x1b[2J\x1b]0;title\x07\x1b[?25l"]),
            "\\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{1b}[?25l"
        );
        assert_eq!(shown(&["é漢\u{202e}".as_bytes(), b"\xff\xe6\xbc"]), "é漢\\u{202e}\\xff\\xe6\\xbc");
        assert_eq!(shown(&[b"end\x1b[3"]), "end\\u{1b}[3");
        let long = format!("\u{1b}[{}m", "1;".repeat(40));
        assert!(shown(&[long.as_bytes()]).starts_with("\\u{1b}[1;1;"));
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            Just(b"\x1b[31m".to_vec()),
            Just(b"\x1b[2J".to_vec()),
            Just("é漢".as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn where_a_stream_is_cut_never_shows(bytes in piece(), cuts in prop::collection::vec(0usize..60, 0..4)) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for cut in cuts {
                pieces.push(&bytes[start..cut]);
                start = cut;
            }
            pieces.push(&bytes[start..]);
            prop_assert_eq!(shown(&pieces), shown(&[&bytes]));
        }

        #[test]
        fn no_control_character_gets_through(bytes in piece()) {
            let text = shown(&[&bytes]);
            let mut rest = text.as_str();
            while let Some(at) = rest.find(char::is_control) {
                rest = &rest[at..];
                let is_line = rest.starts_with(['\n', '\t']);
                let color = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.find(|c: char| !c.is_ascii_digit() && !";:".contains(c)).map(|end| &rest[end..]));
                prop_assert!(is_line || color.is_some_and(|end| end.starts_with('m')), "{:?}", rest);
                rest = &rest[1..];
            }
        }
    }
}
