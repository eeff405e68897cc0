//! Columns that line up, as wide as a terminal shows their text: a Chinese character takes two columns, a combining
//! accent none.
//!
//! Where the number of columns is known, the last column gives way: it is shortened so that no line wraps. Nothing
//! is shortened in a pipe.

use super::screen::{Screen, Tone};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A piece of text with its tone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How.
    pub tone: Tone,
}

impl Cell {
    /// Makes a cell in a tone.
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(Tone::Plain, text)
    }
}

/// How narrow the last column may become; below this a line wraps.
const NARROWEST: usize = 8;

/// Returns rows as text: columns as wide as their widest cell, two blanks between them, no blanks at line ends.
pub fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.iter().map(Cell::from).collect()).collect();
    painted_table(header, &rows, Screen::default())
}

/// The same for a screen.
pub fn painted_table(header: &[(&str, Align)], rows: &[Vec<Cell>], screen: Screen) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.width());
        cells.chain([header[column].0.width()]).max().unwrap_or_default()
    };
    let mut widths: Vec<_> = (0..header.len()).map(width).collect();
    if let (Some(columns), Some((last, others))) = (screen.columns, widths.split_last_mut()) {
        let taken: usize = others.iter().map(|width| width + 2).sum();
        *last = (*last).min(columns.saturating_sub(taken).max(NARROWEST));
    }
    let mut text = String::new();
    let head: Vec<_> = header.iter().map(|(name, _)| Cell::toned(Tone::Head, *name)).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut pad = 0;
        for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(header) {
            let shown = shortened(&cell.text, *width);
            let spare = width - shown.width().min(*width);
            let (before, after) = match align {
                Align::Left => (0, spare),
                Align::Right => (spare, 0),
            };
            // Blanks are written in front of the next text, so that a line never ends in one.
            if !shown.is_empty() {
                text.extend(std::iter::repeat_n(' ', pad + before));
                text.push_str(&screen.paint(cell.tone, &shown));
                pad = after + 2;
            } else {
                pad += width + 2;
            }
        }
        text.push('\n');
    }
    text
}

/// Returns text in at most `columns` columns, with `…` at its end where something is left out.
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut short = String::new();
    for character in text.chars() {
        match left.checked_sub(character.width().unwrap_or_default()) {
            Some(rest) => left = rest,
            None => break,
        }
        short.push(character);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [(&str, Align); 3] = [("NAME", Align::Left), ("N", Align::Right), ("REST", Align::Left)];

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "1".into(), "x".into()], vec!["bcd".into(), "20".into(), String::new()]];
        assert_eq!(table(&HEADER, &rows), "NAME   N  REST\na      1  x\nbcd   20\n");
    }

    #[test]
    fn width_is_what_a_terminal_shows() {
        let rows = [["漢字", "1", "x"], ["e\u{301}", "", "y"], ["plain", "20", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&HEADER, &rows), "NAME    N  REST\n漢字    1  x\ne\u{301}          y\nplain  20\n");
    }

    #[test]
    fn the_last_column_gives_way_to_the_screen() {
        let row: Vec<Cell> = vec!["name".into(), "1".into(), "sort --reverse fruit".into()];
        let narrow = |columns| {
            let screen = Screen { colors: false, columns: Some(columns) };
            painted_table(&HEADER, std::slice::from_ref(&row), screen)
        };
        assert_eq!(narrow(80), "NAME  N  REST\nname  1  sort --reverse fruit\n");
        assert_eq!(narrow(20), "NAME  N  REST\nname  1  sort --rev…\n");
        assert_eq!(narrow(3), "NAME  N  REST\nname  1  sort --…\n");
    }

    #[test]
    fn colours_take_no_room() {
        let rows = [vec![Cell::toned(Tone::Bad, "a"), "1".into(), "x".into()]];
        let screen = Screen { colors: true, columns: None };
        let expected = "\u{1b}[1mNAME\u{1b}[0m  \u{1b}[1mN\u{1b}[0m  \u{1b}[1mREST\u{1b}[0m\n\
                        \u{1b}[31ma\u{1b}[0m     1  x\n";
        assert_eq!(painted_table(&HEADER, &rows, screen), expected);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcd", 3), "ab…");
        assert_eq!(shortened("漢字漢", 4), "漢…");
        assert_eq!(shortened("ab", 0), "…");
    }
}
