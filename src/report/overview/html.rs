//! The report as one page that needs nothing but itself: no network, no script, no font, no picture.
//!
//! It is read on phones, on paper, in the dark and aloud: tables become lists where the screen is narrow and keep
//! their roles, colours stand beside words, and paper is always white. A policy in the head forbids the browser to
//! load anything, should a name ever get past `escaped`, through which all of them go.

use super::chart::{Bar, Chart};
use super::markup::escaped;
use super::stats::lines;
use super::{DAYS, Overview, Source, Stock, TaskLine};
use crate::model::time::{Size, Timestamp};
use crate::report::table::shortened;
use crate::store::history::OutcomeKind;
use std::cmp::Reverse;
use std::fmt::Write;

/// How many tasks a table lists.
const LISTED: usize = 30;

/// How many columns of a name or a command line are shown.
const LONGEST: usize = 300;

const STYLE: &str = include_str!("style.css");

/// Returns a name or a command line. It may break anywhere, so that it cannot push the page out of its window, and
/// what is longer than anybody reads is cut.
fn long(text: &str) -> String {
    format!("<span class=\"long\">{}</span>", escaped(&shortened(text, LONGEST)))
}

/// Returns the page.
pub fn report_html(overview: &Overview) -> String {
    let title = escaped(&title(overview));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n{}</header>\n<main>\n",
        origin(overview)
    );
    page.push_str(&tiles(overview));
    if overview.chronicle.total.runs() == 0 {
        page.push_str("<section>\n<h2>Runs</h2>\n<p>There were no runs.</p>\n</section>\n");
    } else {
        page.push_str(&by_day(overview));
    }
    page.push_str(&by_task(overview));
    page.push_str(&reasons(overview));
    page.push_str(&slowest(overview));
    if let Some(stock) = &overview.stock {
        page.push_str(&volatile(overview, stock));
        page.push_str(&sizes(overview, stock));
        page.push_str(&eviction(overview, stock));
    }
    page.push_str("</main>\n<footer>\n<p>Days are those of UTC. A hit rate is the share of hits among the runs that \
         asked the cache. Time saved is how much shorter hits were than the commands that made their results.</p>\n");
    if overview.chronicle.damaged > 0 {
        let _ = writeln!(page, "<p>{} could not be read.</p>", lines(overview.chronicle.damaged));
    }
    page.push_str("</footer>\n</body>\n</html>\n");
    page
}

fn title(overview: &Overview) -> String {
    match overview.chronicle.total.hit_rate() {
        Some(rate) => format!("taskcache: {rate} % hits, {} saved", overview.chronicle.total.saved),
        None => "taskcache report".to_owned(),
    }
}

fn time(time: Timestamp) -> String {
    let full = time.to_string();
    let short = full.get(..16).map(|short| short.replace('T', " "));
    format!("<time datetime=\"{full}\">{} UTC</time>", short.as_deref().unwrap_or(&full))
}

/// Where the runs come from, and from when to when.
fn origin(overview: &Overview) -> String {
    let from = match &overview.source {
        Source::Store(path) => format!("The history of the store <code>{}</code>", long(path)),
        Source::Events(path) => format!("The events in <code>{}</code>", long(path)),
    };
    let span = match overview.chronicle.span {
        Some((first, last)) => format!(", from {} to {}", time(first), time(last)),
        None => String::new(),
    };
    let since = match overview.chronicle.since {
        Some(since) => format!(" Earlier runs than {} are left out.", time(since)),
        None => String::new(),
    };
    format!("<p>{from}{span}.{since} Made {}.</p>\n", time(overview.made))
}

/// Returns a number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

fn rate(percent: Option<u64>) -> String {
    percent.map_or_else(|| "–".to_owned(), |rate| format!("{rate} %"))
}

/// The four numbers that most readers want.
fn tiles(overview: &Overview) -> String {
    let total = &overview.chronicle.total;
    let asked = total.hits() + total.count(OutcomeKind::Miss);
    let mut tiles = vec![
        (
            "Hit rate",
            rate(total.hit_rate()),
            format!("{} of {} that asked", grouped(total.hits()), grouped(asked)),
        ),
        ("Time saved", total.saved.to_string(), format!("commands ran for {}", total.ran)),
        ("Runs", grouped(total.runs()), {
            let others = total.count(OutcomeKind::Refresh) + total.count(OutcomeKind::Bypass);
            let misses = counted(total.count(OutcomeKind::Miss), "miss", "misses");
            if others == 0 { misses } else { format!("{misses}, {} past the cache", grouped(others)) }
        }),
    ];
    if let Some(stock) = &overview.stock {
        let size = Size::from_bytes(stock.bytes).to_string();
        tiles.push(("Stored", size, counted(stock.entries, "entry", "entries")));
    }
    let mut html = String::from("<section>\n<h2>At a glance</h2>\n<dl class=\"tiles\">\n");
    for (name, value, note) in tiles {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd><dd class=\"note\">{note}</dd></div>");
    }
    html.push_str("</dl>\n</section>\n");
    html
}

fn by_day(overview: &Overview) -> String {
    let days = overview.chronicle.recent_days(DAYS);
    let bar = |parts: &dyn Fn(&super::Tally) -> (Vec<u64>, String)| -> Vec<Bar> {
        let bars = days.iter().map(|(day, tally)| {
            let (parts, title) = parts(tally);
            Bar { day: day.to_string(), title, parts }
        });
        bars.collect()
    };
    let most = days.iter().map(|(_, tally)| tally.runs()).max().unwrap_or_default();
    let runs = Chart {
        caption: "Runs",
        highest: counted(most, "run", "runs"),
        full: None,
        legend: &["hits", "commands ran"],
        bars: bar(&|tally| {
            let ran = tally.runs() - tally.hits();
            let title = format!("{}, {} ran", counted(tally.hits(), "hit", "hits"), grouped(ran));
            (vec![tally.hits(), ran], title)
        }),
    };
    let rates = Chart {
        caption: "Hit rate",
        highest: "100 %".into(),
        full: Some(100),
        legend: &[],
        bars: bar(&|tally| (vec![tally.hit_rate().unwrap_or_default()], rate(tally.hit_rate()))),
    };
    let saved = Chart {
        caption: "Time saved",
        highest: days.iter().map(|(_, tally)| tally.saved).max().unwrap_or_default().to_string(),
        full: None,
        legend: &[],
        bars: bar(&|tally| (vec![tally.saved.as_millis()], tally.saved.to_string())),
    };
    let mut html = String::from("<section>\n<h2>By day</h2>\n<div class=\"charts\">\n");
    for chart in [runs, rates, saved] {
        html.push_str(&chart.to_html());
    }
    html.push_str("</div>\n");
    let rows = days.iter().rev().filter(|(_, tally)| tally.runs() > 0).map(|(day, tally)| {
        vec![
            day.to_string(),
            grouped(tally.runs()),
            grouped(tally.hits()),
            rate(tally.hit_rate()),
            tally.saved.to_string(),
            tally.ran.to_string(),
        ]
    });
    let shown = overview
        .chronicle
        .days
        .range(days.first().map_or(super::chronicle::Day::of(overview.made), |d| d.0)..);
    let caption = match overview.chronicle.days.len() - shown.count() {
        0 => "Days with runs".to_owned(),
        earlier => format!(
            "Days with runs, the last {DAYS} days alone; {} with runs before",
            counted(earlier as u64, "day", "days")
        ),
    };
    let header = ["Day", "Runs", "Hits", "Rate", "Saved", "Ran"];
    let table = table(&caption, &header, 1, &rows.collect::<Vec<_>>());
    let _ = write!(html, "<details>\n<summary>The numbers of each day</summary>\n{table}</details>\n");
    html.push_str("</section>\n");
    html
}

fn by_task(overview: &Overview) -> String {
    let ran: Vec<&TaskLine> = overview.tasks.iter().filter(|task| task.tally.runs() > 0).collect();
    if ran.is_empty() {
        return String::new();
    }
    let rows = ran.iter().take(LISTED).map(|task| {
        let tally = &task.tally;
        vec![
            long(&overview.shown(&task.name)),
            grouped(tally.runs()),
            grouped(tally.hits()),
            gauge(tally.hit_rate().unwrap_or_default(), 100, &rate(tally.hit_rate())),
            tally.saved.to_string(),
            tally.ran.to_string(),
        ]
    });
    let caption = listed("Tasks, the one that saved most time first", ran.len());
    let header = ["Task", "Runs", "Hits", "Hit rate", "Time saved", "Commands ran for"];
    let table = table(&caption, &header, 1, &rows.collect::<Vec<_>>());
    format!("<section>\n<h2>By task</h2>\n{table}</section>\n")
}

/// Returns a caption that says how much is left out.
fn listed(caption: &str, count: usize) -> String {
    match count.saturating_sub(LISTED) {
        0 => caption.to_owned(),
        more => format!("{caption}; {} are not listed", counted(more as u64, "more", "more")),
    }
}

/// Returns a number in words behind a small bar that says the same.
fn gauge(value: u64, full: u64, words: &str) -> String {
    let width = u64::try_from(u128::from(value) * 100 / u128::from(full.max(1))).unwrap_or(100).min(100);
    format!(
        "<span class=\"reading\"><svg class=\"gauge\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <path class=\"track\" d=\"M0 0h100v10h-100z\"/><path class=\"part0\" d=\"M0 0h{width}v10h-{width}z\"/></svg><span class=\"measure\">{words}</span></span>"
    )
}

fn reasons(overview: &Overview) -> String {
    if overview.chronicle.reasons.is_empty() {
        return String::new();
    }
    let mut reasons: Vec<_> = overview.chronicle.reasons.iter().collect();
    reasons.sort_by_key(|(_, (count, ran))| Reverse((*count, *ran)));
    let rows = reasons.into_iter().take(LISTED).map(|((outcome, reason), (count, ran))| {
        vec![format!("{} ({})", outcome.name(), escaped(reason)), grouped(*count), ran.to_string()]
    });
    let header = ["Outcome and reason", "Runs", "Ran for"];
    let table = table("By outcome and reason", &header, 1, &rows.collect::<Vec<_>>());
    format!("<section>\n<h2>Why commands ran</h2>\n{table}</section>\n")
}

fn slowest(overview: &Overview) -> String {
    if overview.slowest.is_empty() {
        return String::new();
    }
    let rows = overview.slowest.iter().map(|slow| {
        let missed = &slow.missed;
        let command = match &slow.command {
            Some(command) => format!("<code>{}</code>", long(command)),
            None => "not stored".to_owned(),
        };
        vec![
            long(&overview.shown(&missed.name)),
            escaped(&shortened(&missed.reason, 20)),
            format!("<code>{}</code>", missed.key.short()),
            command,
            time(missed.time),
            grouped(missed.misses),
            missed.elapsed.to_string(),
        ]
    });
    let header = ["Task", "Reason", "Key", "Command", "When", "Misses", "Ran for"];
    let table = table("The slowest miss of each key", &header, 4, &rows.collect::<Vec<_>>());
    format!("<section>\n<h2>Slowest misses</h2>\n{table}</section>\n")
}

fn volatile(overview: &Overview, stock: &Stock) -> String {
    let head = "<section>\n<h2>Most volatile ingredients</h2>\n<p>What makes a task miss: the parts of its key that \
                differ from one stored result to the next.</p>\n";
    if stock.volatile.is_empty() {
        return format!("{head}<p>No task has two results to compare.</p>\n</section>\n");
    }
    let rows = stock.volatile.iter().map(|(name, volatility)| {
        vec![
            format!("<code>{}</code>", long(&volatility.label)),
            long(&overview.shown(name)),
            gauge(
                volatility.changed,
                volatility.compared,
                &format!("{} of {}", grouped(volatility.changed), grouped(volatility.compared)),
            ),
        ]
    });
    let header = ["Ingredient", "Task", "Changed"];
    let table = table("Changes between neighbouring results", &header, 2, &rows.collect::<Vec<_>>());
    format!("{head}{table}</section>\n")
}

fn sizes(overview: &Overview, stock: &Stock) -> String {
    let mut tasks: Vec<&TaskLine> = overview.tasks.iter().filter(|task| task.entries > 0).collect();
    if tasks.is_empty() {
        return "<section>\n<h2>Size by task</h2>\n<p>The store is empty.</p>\n</section>\n".to_owned();
    }
    tasks.sort_by_key(|task| Reverse((task.bytes, task.entries)));
    let rows = tasks.iter().take(LISTED).map(|task| {
        vec![
            long(&overview.shown(&task.name)),
            grouped(task.entries),
            gauge(task.bytes, stock.bytes, &Size::from_bytes(task.bytes).to_string()),
        ]
    });
    let caption =
        listed("What tasks share counts for each of them; bars are shares of the store", tasks.len());
    let header = ["Task", "Entries", "Size"];
    let table = table(&caption, &header, 1, &rows.collect::<Vec<_>>());
    format!("<section>\n<h2>Size by task</h2>\n{table}</section>\n")
}

fn eviction(overview: &Overview, stock: &Stock) -> String {
    let eviction = &stock.eviction;
    let mut html = String::from("<section>\n<h2>What gc would evict</h2>\n");
    let [freed, kept] = [eviction.bytes, eviction.kept].map(Size::from_bytes);
    if let Some(held) = eviction.held {
        let _ = writeln!(html, "<p>{}.</p>", escaped(&held.to_string()));
    }
    if eviction.entries == 0 {
        let within = if eviction.held.is_none() { ", within the limits" } else { "" };
        let _ = write!(html, "<p>Nothing: {kept} stay{within}.</p>\n</section>\n");
        return html;
    }
    let entries = counted(eviction.entries, "entry", "entries");
    let _ = writeln!(html, "<p>{entries} and {freed}; {kept} stay.</p>");
    let rows = eviction.reasons.iter().map(|(reason, entries, bytes)| {
        vec![reason.words().to_owned(), grouped(*entries), Size::from_bytes(*bytes).to_string()]
    });
    html.push_str(&table("By reason", &["Reason", "Entries", "Freed"], 1, &rows.collect::<Vec<_>>()));
    let rows = eviction.largest.iter().map(|leaving| {
        vec![
            format!("<code>{}</code>", leaving.key.short()),
            long(&overview.shown(&leaving.name)),
            leaving.reason.words().to_owned(),
            Size::from_bytes(leaving.bytes).to_string(),
        ]
    });
    html.push_str(&table(
        "The largest of them",
        &["Key", "Task", "Reason", "Size"],
        3,
        &rows.collect::<Vec<_>>(),
    ));
    html.push_str("</section>\n");
    html
}

/// Returns a table of cells that are HTML already; the first `words` columns hold words, the others numbers. Roles
/// are written out, because a table that is laid out as a list on a narrow screen would lose them.
fn table(caption: &str, header: &[&str], words: usize, rows: &[Vec<String>]) -> String {
    let mut html = format!(
        "<table role=\"table\">\n<caption>{}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">",
        escaped(caption)
    );
    for (column, name) in header.iter().enumerate() {
        let class = if column < words { "" } else { " class=\"number\"" };
        let _ = write!(html, "<th role=\"columnheader\" scope=\"col\"{class}>{name}</th>");
    }
    html.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in rows {
        html.push_str("<tr role=\"row\">");
        for (column, (cell, name)) in row.iter().zip(header).enumerate() {
            let _ = match column {
                0 => write!(html, "<th role=\"rowheader\" scope=\"row\">{cell}</th>"),
                _ if column < words => write!(html, "<td role=\"cell\" data-name=\"{name}\">{cell}</td>"),
                _ => write!(html, "<td role=\"cell\" data-name=\"{name}\" class=\"number\">{cell}</td>"),
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
