//! Entries in a list: which ones, in which order, and how they are shown.
//!
//! What a row of the index says decides first, and a body is only read for an entry that is shown or searched: of a
//! hundred thousand entries a page of twenty needs twenty.

use super::command_line::{command_line, words};
use super::moment::{ago, until};
use super::screen::{Screen, Tone};
use super::table::{Align, Cell, painted_table, shortened};
use crate::model::exit_codes::ExitCodes;
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Size, Span, Timestamp};
use crate::store::history::Use;
use crate::store::index::Row;
use crate::store::removal::Selection;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::HashMap;

/// What entries are sorted by. Times, sizes and numbers begin with the largest, words with the first letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// When it was recorded.
    #[default]
    Created,
    /// When a run last looked for it.
    Used,
    /// When it ends to be valid; what never does comes last.
    Expires,
    /// How many bytes of content.
    Size,
    /// How long the command ran.
    Duration,
    /// How many runs it was given to.
    Hits,
    /// How much time these saved, about.
    Saved,
    /// The task.
    Task,
    /// What the command exited with.
    Exit,
}

impl SortBy {
    /// Every way, by the word of the option.
    pub const ALL: [(&str, Self); 9] = [
        ("created", Self::Created),
        ("used", Self::Used),
        ("expires", Self::Expires),
        ("size", Self::Size),
        ("duration", Self::Duration),
        ("hits", Self::Hits),
        ("saved", Self::Saved),
        ("task", Self::Task),
        ("exit", Self::Exit),
    ];

    /// Returns the way that a word stands for.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, sort)| sort)
    }

    fn compare(self, a: &Listed, b: &Listed) -> Ordering {
        let natural = match self {
            Self::Created => b.row.created.cmp(&a.row.created),
            Self::Used => b.used.cmp(&a.used),
            Self::Expires => {
                let key = |one: &Listed| (one.row.expires.is_none(), one.row.expires);
                key(a).cmp(&key(b))
            }
            Self::Size => b.row.size.cmp(&a.row.size),
            Self::Duration => b.row.duration.cmp(&a.row.duration),
            Self::Hits => b.hits.cmp(&a.hits),
            Self::Saved => b.saved().cmp(&a.saved()),
            Self::Task => {
                let [key, other] = [a, b].map(|one| (&one.row.task, &one.row.project, &one.row.domain));
                key.cmp(&other)
            }
            Self::Exit => b.row.exit_code.cmp(&a.row.exit_code),
        };
        // Otherwise equal entries stand as without a wish: the latest first.
        natural.then_with(|| b.row.created.cmp(&a.row.created)).then_with(|| a.row.key.cmp(&b.row.key))
    }
}

/// Which entries to list, and how.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// By project, domain, task and age.
    pub selection: Selection,
    /// Only those that exited with one of these.
    pub exit_codes: Option<ExitCodes>,
    /// Only those whose command line has this text, in any case.
    pub search: Option<String>,
    /// The order.
    pub sort: SortBy,
    /// The other way round.
    pub reverse: bool,
    /// At most this many.
    pub limit: Option<usize>,
}

/// An entry in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its row.
    pub row: Row,
    /// When a run last looked for it or made it.
    pub used: Timestamp,
    /// How many runs it was given to, as far as the history goes back.
    pub hits: u64,
    /// Its command; `None` where the entry is damaged.
    pub command: Option<Vec<Vec<u8>>>,
}

impl Listed {
    /// How much time its hits saved: the hits themselves cost next to nothing.
    fn saved(&self) -> u128 {
        u128::from(self.hits) * u128::from(self.row.duration)
    }
}

/// Chooses and sorts rows, and reads the commands of those that are listed with `command_of`.
pub fn listed<E>(
    wish: &Wish,
    rows: Vec<Row>,
    uses: &HashMap<CacheKey, Use>,
    mut command_of: impl FnMut(&CacheKey) -> Result<Option<Vec<Vec<u8>>>, E>,
) -> Result<Vec<Listed>, E> {
    let fits = |row: &Row| {
        wish.selection.takes(row)
            && wish.exit_codes.as_ref().is_none_or(|codes| codes.contains(row.exit_code))
    };
    let mut candidates: Vec<_> = rows
        .into_iter()
        .filter(fits)
        .map(|row| {
            let (hits, used) =
                uses.get(&row.key).map_or((0, row.used), |one| (one.hits, one.last.max(row.used)));
            Listed { row, used, hits, command: None }
        })
        .collect();
    candidates.sort_by(|a, b| match wish.reverse {
        false => wish.sort.compare(a, b),
        true => wish.sort.compare(b, a),
    });
    let most = wish.limit.unwrap_or(usize::MAX);
    let searched = wish.search.as_ref().map(|text| text.to_lowercase());
    let mut found = Vec::new();
    for mut candidate in candidates {
        if found.len() >= most {
            break;
        }
        candidate.command = command_of(&candidate.row.key)?;
        let has = |text: &String| {
            let command = candidate.command.as_deref().map(command_line).unwrap_or_default();
            command.to_lowercase().contains(text)
        };
        if searched.as_ref().is_none_or(has) {
            found.push(candidate);
        }
    }
    Ok(found)
}

/// Returns the list as a table. The column of time is the one that the list is sorted by.
pub fn list_text(entries: &[Listed], sort: SortBy, now: Timestamp, screen: Screen) -> String {
    let Some(first) = entries.first() else { return "no entries\n".to_owned() };
    // On a screen a long name leaves room for what follows it.
    let name = |text: String| match screen.columns {
        Some(columns) => shortened(&text, (columns / 4).max(8)),
        None => text,
    };
    let place =
        |row: &Row| format!("{}/{}", printable(row.project.as_bytes()), printable(row.domain.as_bytes()));
    let has_places = entries
        .iter()
        .any(|entry| (&entry.row.project, &entry.row.domain) != (&first.row.project, &first.row.domain));
    let when = match sort {
        SortBy::Used => "USED",
        SortBy::Expires => "EXPIRES",
        _ => "CREATED",
    };
    let mut header = vec![("KEY", Align::Left), ("TASK", Align::Left)];
    if has_places {
        header.push(("PROJECT", Align::Left));
    }
    header.extend([
        (when, Align::Right),
        ("TIME", Align::Right),
        ("SIZE", Align::Right),
        ("HITS", Align::Right),
        ("EXIT", Align::Right),
        ("COMMAND", Align::Left),
    ]);
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            let row = &entry.row;
            let mut cells = vec![Cell::toned(Tone::Key, row.key.short()), name(printable(&row.task)).into()];
            if has_places {
                cells.push(name(place(row)).into());
            }
            let exit = if row.exit_code == 0 { Tone::Plain } else { Tone::Bad };
            cells.extend([
                when_cell(entry, sort, now),
                Span::from_millis(row.duration).to_string().into(),
                Size::from_bytes(row.size).to_string().into(),
                entry.hits.to_string().into(),
                Cell::toned(exit, row.exit_code.to_string()),
                match &entry.command {
                    Some(command) => command_line(command).into(),
                    None => Cell::toned(Tone::Bad, "(damaged)"),
                },
            ]);
            cells
        })
        .collect();
    painted_table(&header, &rows, screen)
}

fn when_cell(entry: &Listed, sort: SortBy, now: Timestamp) -> Cell {
    let is_over = entry.row.expires.is_some_and(|expires| expires <= now);
    let text = match (sort, entry.row.expires) {
        (SortBy::Expires, None) => "never".to_owned(),
        (SortBy::Expires, Some(expires)) if !is_over => until(expires, now),
        (SortBy::Expires, Some(_)) => "expired".to_owned(),
        (SortBy::Used, _) => ago(entry.used, now),
        _ if is_over => format!("{}, expired", ago(entry.row.created, now)),
        _ => ago(entry.row.created, now),
    };
    Cell::toned(if is_over { Tone::Quiet } else { Tone::Plain }, text)
}

/// Returns an entry of the list as one object.
pub fn listed_json(entry: &Listed) -> Value {
    let row = &entry.row;
    json!({
        "key": row.key.to_string(),
        "project": row.project,
        "domain": row.domain,
        "task": printable(&row.task),
        "command": entry.command.as_deref().map(words),
        "created": row.created.to_string(),
        "expires": row.expires.map(|time| time.to_string()),
        "used": entry.used.to_string(),
        "hits": entry.hits,
        "duration_ms": row.duration,
        "size": row.size,
        "exit_code": row.exit_code,
        "damaged": entry.command.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::Digest;
    use std::convert::Infallible;

    const NOW: Timestamp = Timestamp::from_millis(100_000_000);

    fn row(task: &str, created: i64, size: u64) -> Row {
        Row {
            key: CacheKey::from_digest(Digest::of(task.as_bytes())),
            project: "p".into(),
            domain: "d".into(),
            task: task.into(),
            created: Timestamp::from_millis(created),
            expires: (task == "beta").then(|| Timestamp::from_millis(99_000_000)),
            duration: size * 10,
            exit_code: u8::from(task == "gamma"),
            size,
            used: Timestamp::from_millis(created),
        }
    }

    fn rows() -> Vec<Row> {
        vec![row("gamma", 99_999_000, 30), row("beta", 99_000_000, 20), row("alpha", 10_000_000, 2048)]
    }

    fn uses() -> HashMap<CacheKey, Use> {
        HashMap::from([(row("beta", 0, 0).key, Use { hits: 7, last: Timestamp::from_millis(99_999_500) })])
    }

    /// Lists with every command being the task's name; returns the list and how many bodies were read.
    fn list(wish: &Wish) -> (Vec<Listed>, usize) {
        let (names, mut reads) = (rows(), 0);
        let listed = listed(wish, rows(), &uses(), |key| {
            reads += 1;
            let row = names.iter().find(|row| row.key == *key).unwrap();
            Ok::<_, Infallible>(Some(vec![b"Run".to_vec(), row.task.clone()]))
        });
        (listed.unwrap(), reads)
    }

    fn tasks(wish: &Wish) -> Vec<String> {
        list(wish).0.iter().map(|entry| printable(&entry.row.task)).collect()
    }

    #[test]
    fn every_order() {
        for (sort, expected) in [
            ("created", ["gamma", "beta", "alpha"]),
            ("used", ["beta", "gamma", "alpha"]),
            ("expires", ["beta", "gamma", "alpha"]),
            ("size", ["alpha", "gamma", "beta"]),
            ("duration", ["alpha", "gamma", "beta"]),
            ("hits", ["beta", "gamma", "alpha"]),
            ("saved", ["beta", "gamma", "alpha"]),
            ("task", ["alpha", "beta", "gamma"]),
            ("exit", ["gamma", "beta", "alpha"]),
        ] {
            let sort = SortBy::of(sort).unwrap();
            assert_eq!(tasks(&Wish { sort, ..Wish::default() }), expected, "{sort:?}");
            let mut backwards = tasks(&Wish { sort, reverse: true, ..Wish::default() });
            backwards.reverse();
            assert_eq!(backwards, expected, "{sort:?}");
        }
        assert_eq!(SortBy::ALL.len(), 9);
    }

    #[test]
    fn only_what_is_shown_or_searched_is_read() {
        assert_eq!(list(&Wish { limit: Some(1), ..Wish::default() }).1, 1);
        let failed = Wish { exit_codes: Some("1-255".parse().unwrap()), ..Wish::default() };
        assert_eq!((tasks(&failed), list(&failed).1), (vec!["gamma".to_owned()], 1));
        let search = Wish { search: Some("RUN B".into()), ..Wish::default() };
        assert_eq!((tasks(&search), list(&search).1), (vec!["beta".to_owned()], 3));
        let first = Wish { search: Some("run".into()), limit: Some(2), ..Wish::default() };
        assert_eq!((tasks(&first), list(&first).1), (vec!["gamma".to_owned(), "beta".to_owned()], 2));
    }

    #[test]
    fn a_list_as_people_see_it() {
        let mut entries = list(&Wish::default()).0;
        entries[2].command = None;
        let [gamma, beta, alpha] = ["gamma", "beta", "alpha"].map(|task| row(task, 0, 0).key.short());
        let expected = format!(
            "KEY       TASK            CREATED    TIME     SIZE  HITS  EXIT  COMMAND
{gamma}  gamma          just now   300ms     30 B     0     1  Run gamma
{beta}  beta   16m ago, expired   200ms     20 B     7     0  Run beta
{alpha}  alpha            1d ago  20.48s  2.0 KiB     0     0  (damaged)
"
        );
        assert_eq!(list_text(&entries, SortBy::Created, NOW, Screen::default()), expected);
        let narrow = Screen { colors: false, columns: Some(16) };
        let long = Listed { row: row("a-very-long-task", 0, 0), ..entries[0].clone() };
        let text = list_text(&[long], SortBy::Created, NOW, narrow);
        assert_eq!(text.lines().nth(1).unwrap().split_whitespace().nth(1), Some("a-very-…"));
        entries[1].row.project = "other".into();
        let text = list_text(&entries, SortBy::Expires, NOW, Screen::default());
        assert_eq!(text.lines().nth(2).unwrap().split_whitespace().nth(2), Some("other/d"));
        assert_eq!(list_text(&[], SortBy::Created, NOW, Screen::default()), "no entries\n");
    }

    #[test]
    fn an_entry_as_programs_see_it() {
        let entry = &list(&Wish { sort: SortBy::Hits, limit: Some(1), ..Wish::default() }).0[0];
        let expected = json!({
            "key": entry.row.key.to_string(), "project": "p", "domain": "d", "task": "beta",
            "command": ["Run", "beta"], "created": "1970-01-02T03:30:00.000Z",
            "expires": "1970-01-02T03:30:00.000Z", "used": "1970-01-02T03:46:39.500Z", "hits": 7,
            "duration_ms": 200, "size": 20, "exit_code": 0, "damaged": false,
        });
        assert_eq!(listed_json(entry), expected);
    }
}
