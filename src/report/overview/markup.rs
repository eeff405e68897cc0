//! Text that cannot be markup.

use crate::model::path::printable;

/// Returns text for HTML, as content or as an attribute in double quotes; control characters are shown escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text.as_bytes()).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_markup() {
        let text = "<b a=\"x\" b='y'>&amp;\u{1b}\u{202e}";
        let expected = "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;\\u{1b}\\u{202e}";
        assert_eq!(escaped(text), expected);
    }
}
