//! What the reader's end can show: colours, and how many columns there are.
//!
//! Colours are a help and never the only sign: whatever one says stands in words beside it. They are used on a
//! terminal, unless `NO_COLOR` (<https://no-color.org>: present and not empty) or `TERM=dumb` speak against it, and
//! anywhere where `--color always` asks for them.

use crate::world::host::Host;
use anstyle::{AnsiColor, Style};

/// What `--color` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Where somebody looks.
    #[default]
    Auto,
    /// In pipes too.
    Always,
    /// Nowhere.
    Never,
}

impl ColorChoice {
    /// The words of the option.
    pub const NAMES: [&str; 3] = ["auto", "always", "never"];

    /// Returns the choice that a word of [`Self::NAMES`] stands for; `auto` for any other.
    pub fn of(name: &str) -> Self {
        match name {
            "always" => Self::Always,
            "never" => Self::Never,
            _ => Self::Auto,
        }
    }
}

/// What a piece of text is, as far as its colour goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Like all else.
    #[default]
    Plain,
    /// The head of a column or a part.
    Head,
    /// A key.
    Key,
    /// Success.
    Good,
    /// Failure or damage.
    Bad,
    /// What matters less.
    Quiet,
}

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Whether colours are wanted.
    pub colors: bool,
    /// How many columns a line may have; `None` where lines are never shortened, as in a pipe.
    pub columns: Option<usize>,
}

impl Screen {
    /// Returns what standard output can show.
    pub fn of(host: &Host, choice: ColorChoice) -> Self {
        let is_set = |name: &str| host.variable(name).is_some_and(|value| !value.is_empty());
        let is_dumb = host.variable("TERM").is_some_and(|term| term == "dumb");
        let colors = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => host.terminals.stdout && !is_set("NO_COLOR") && !is_dumb,
        };
        Self { colors, columns: host.terminals.columns }
    }

    /// Returns text in its tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Head => Style::new().bold(),
            Tone::Key => AnsiColor::Yellow.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Quiet => Style::new().dimmed(),
        };
        if self.colors && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::host_with;
    use crate::world::host::Terminals;

    fn host(variables: &[(&str, &str)], stdout: bool) -> Host {
        Host { terminals: Terminals { stdout, ..Terminals::default() }, ..host_with(variables) }
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let colors =
            |variables: &[_], terminal, choice| Screen::of(&host(variables, terminal), choice).colors;
        assert!(colors(&[], true, ColorChoice::Auto));
        assert!(colors(&[("NO_COLOR", "")], true, ColorChoice::Auto));
        assert!(!colors(&[], false, ColorChoice::Auto));
        assert!(!colors(&[("NO_COLOR", "1")], true, ColorChoice::Auto));
        assert!(!colors(&[("TERM", "dumb")], true, ColorChoice::Auto));
        assert!(colors(&[("NO_COLOR", "1")], false, ColorChoice::Always));
        assert!(!colors(&[], true, ColorChoice::Never));
    }

    #[test]
    fn paint_ends_where_the_text_ends() {
        let painted = Screen { colors: true, columns: None }.paint(Tone::Key, "3f3f");
        assert_eq!(painted, "\u{1b}[33m3f3f\u{1b}[0m");
        assert_eq!(Screen::default().paint(Tone::Key, "3f3f"), "3f3f");
    }
}
