//! The report as a summary for a CI page: short, in the Markdown that GitHub and GitLab show.
//!
//! Names come from outside. What Markdown or HTML would take for its own is escaped, so that no task's name can be a
//! link, a picture or a heading on a page that others trust.

use super::{Overview, SlowMiss, Source};
use crate::model::count::counted;
use crate::model::path::printable;
use crate::model::time::Size;
use crate::store::history::OutcomeKind;
use std::fmt::Write;

/// How many tasks are listed.
const LISTED: usize = 10;

/// Returns the summary.
pub fn report_markdown(overview: &Overview) -> String {
    let chronicle = &overview.chronicle;
    let total = &chronicle.total;
    let mut text = String::from("### taskcache\n\n");
    if total.runs() == 0 {
        text.push_str("No runs.\n");
    } else {
        text.push_str(&sentence(overview));
        text.push_str(&task_table(overview));
        text.push_str(&reason_table(overview));
        text.push_str(&slowest_table(overview));
    }
    // Writing to a String cannot fail.
    if let Some(stock) = &overview.stock {
        let entries = counted(stock.entries, "entry", "entries");
        let _ = writeln!(text, "\nThe store holds {entries}, {}.", Size::from_bytes(stock.bytes));
    }
    if chronicle.damaged > 0 {
        let _ = writeln!(text, "\n{} could not be read.", counted(chronicle.damaged, "line", "lines"));
    }
    text
}

fn sentence(overview: &Overview) -> String {
    let total = &overview.chronicle.total;
    let mut parts = vec![format!("**{}**", counted(total.runs(), "run", "runs"))];
    for kind in OutcomeKind::ALL {
        let words = match kind {
            OutcomeKind::Hit => ("hit", "hits"),
            OutcomeKind::Miss => ("miss", "misses"),
            OutcomeKind::Stale => ("stale", "stale"),
            OutcomeKind::Refresh => ("refreshed", "refreshed"),
            OutcomeKind::Bypass => ("bypassed", "bypassed"),
        };
        match total.count(kind) {
            0 => {}
            count => parts.push(counted(count, words.0, words.1)),
        }
    }
    if let Some(rate) = total.hit_rate() {
        parts.push(format!("hit rate **{rate} %**"));
    }
    parts.push(format!("saved **{}**", total.saved));
    parts.push(format!("ran {}", total.ran));
    format!("{}\n", parts.join(" · "))
}

fn task_table(overview: &Overview) -> String {
    let ran = || overview.tasks.iter().filter(|task| task.tally.runs() > 0);
    let mut text = String::from("\n| task | runs | hits | misses | hit rate | saved | ran |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    for task in ran().take(LISTED) {
        let tally = &task.tally;
        let rate = tally.hit_rate().map(|rate| format!("{rate} %")).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {rate} | {} | {} |",
            escaped(&overview.shown(&task.name)),
            tally.runs(),
            tally.hits(),
            tally.count(OutcomeKind::Miss),
            tally.saved,
            tally.ran,
        );
    }
    match ran().count().saturating_sub(LISTED) {
        0 => {}
        more => {
            let _ = writeln!(text, "\nand {}.", counted(more as u64, "more task", "more tasks"));
        }
    }
    text
}

/// Why commands ran.
fn reason_table(overview: &Overview) -> String {
    if overview.chronicle.reasons.is_empty() {
        return String::new();
    }
    let mut reasons: Vec<_> = overview.chronicle.reasons.iter().collect();
    reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let mut text = String::from("\n| why commands ran | runs | ran |\n|---|---:|---:|\n");
    for ((outcome, reason), (count, ran)) in reasons.into_iter().take(LISTED) {
        let _ = writeln!(text, "| {} ({}) | {count} | {ran} |", outcome.name(), escaped(reason));
    }
    text
}

fn slowest_table(overview: &Overview) -> String {
    if overview.slowest.is_empty() {
        return String::new();
    }
    let named = if matches!(overview.source, Source::Store(_)) { " command |" } else { "" };
    let rule = if named.is_empty() { "" } else { "---|" };
    let mut text = format!("\n| slowest misses | reason | key | ran |{named}\n|---|---|---|---:|{rule}\n");
    for SlowMiss { missed, command } in overview.slowest.iter().take(5) {
        let _ = write!(
            text,
            "| {} | {} | `{}` | {} |",
            escaped(&overview.shown(&missed.name)),
            escaped(&missed.reason),
            missed.key.short(),
            missed.elapsed
        );
        if !named.is_empty() {
            let short = crate::report::table::shortened(command.as_deref().unwrap_or_default(), 60);
            let _ = write!(text, " {} |", escaped(&short));
        }
        text.push('\n');
    }
    text
}

/// Returns text that a Markdown page shows as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text.as_bytes()).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~'
            | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // Pages make links of these without being asked.
            '@' => escaped.push_str("&#64;"),
            ':' => escaped.push_str("&#58;"),
            other => escaped.push(other),
        }
    }
    escaped.replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_markdown() {
        let name = "![x](https://e.x) | <img> `a` @me #1\n*b* C:\\x";
        let expected =
            "\\!\\[x\\]\\(https&#58;//e.x\\) \\| &lt;img&gt; \\`a\\` &#64;me \\#1\\\\n\\*b\\* C&#58;\\\\x";
        assert_eq!(escaped(name), expected);
        assert_eq!(escaped("www.e.x"), "www&#46;e.x");
    }
}
