use super::chronicle::tests::run;
use super::html::report_html;
use super::json::report_json;
use super::markdown::report_markdown;
use super::stats::{stats_json, stats_text};
use super::*;
use crate::model::digest::Digest;
use crate::model::doubt::Doubt;
use crate::model::fingerprint::{Ingredient, IngredientKind};
use crate::model::retention::Held;
use crate::report::screen::Screen;
use crate::store::history::OutcomeKind;
use serde_json::json;

const DAY: i64 = 86_400_000;

/// 2026-11-21T08:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_248_000_000);

fn key(text: &str) -> CacheKey {
    CacheKey::from_digest(Digest::of(text.as_bytes()))
}

fn chronicle() -> Chronicle {
    let mut chronicle = Chronicle::new(Some(Timestamp::from_millis(NOW.as_millis() - 40 * DAY)));
    let mut take = |task: &str, outcome, days: i64, elapsed, saved| {
        chronicle.take(run(task, outcome, NOW.as_millis() - days * DAY, elapsed, saved));
    };
    take("too old", OutcomeKind::Hit, 50, 1, 1);
    take("train", OutcomeKind::Miss, 35, 61_000, 0);
    for _ in 0..1200 {
        take("train", OutcomeKind::Hit, 3, 4, 60_996);
    }
    take("train", OutcomeKind::Stale, 3, 4, 60_996);
    take("<b>lint", OutcomeKind::Miss, 1, 1500, 0);
    take("<b>lint", OutcomeKind::Refresh, 0, 1400, 0);
    take("<b>lint", OutcomeKind::Bypass, 0, 1300, 0);
    chronicle.damaged = 1;
    chronicle
}

fn facts() -> Facts {
    let holding = |task: &str, entries, bytes| Holding {
        project: "default".into(),
        domain: "development".into(),
        task: task.into(),
        entries,
        bytes,
    };
    let row = |name: &str, task: &str, size| Row {
        key: key(name),
        project: "default".into(),
        domain: "development".into(),
        task: task.into(),
        created: NOW,
        expires: None,
        duration: 1,
        exit_code: 0,
        size,
        used: NOW,
    };
    let fingerprint = |build: &str, file: &str| {
        let ingredients = vec![
            Ingredient::of(IngredientKind::Environment, "BUILD_ID", build.as_bytes()),
            Ingredient::of(IngredientKind::Input, "src/<a>.c", file.as_bytes()),
        ];
        Fingerprint::new(ingredients).unwrap()
    };
    let name = task_name("default", "development", b"train");
    Facts {
        total: (3, 5_000_000),
        holdings: vec![holding("train", 2, 4_999_000), holding("old", 1, 1000)],
        fingerprints: vec![(name, vec![fingerprint("1", "x"), fingerprint("2", "x"), fingerprint("3", "y")])],
        plan: RetentionPlan {
            removed: BTreeMap::from([(key("a"), Reason::Expired), (key("b"), Reason::OverSize)]),
            freed: 1500,
            freed_by: BTreeMap::from([(Reason::Expired, 1000), (Reason::OverSize, 500)]),
            kept: 4_998_500,
            held: None,
        },
        rows: vec![row("a", "old", 1000), row("b", "train", 700), row("c", "train", 9)],
        commands: HashMap::from([(key("train"), "train --fast 'a & b'".to_owned())]),
    }
}

fn over_store() -> Overview {
    Overview::of(NOW, Source::Store("/home/ada/\\u{1b}store".into()), chronicle(), Some(&facts()))
}

fn over_events() -> Overview {
    Overview::of(NOW, Source::Events("events.jsonl".into()), chronicle(), None)
}

fn over_nothing() -> Overview {
    Overview::of(NOW, Source::Store("/s".into()), Chronicle::default(), Some(&Facts::default()))
}

/// Proves that `text` is what stands in a file beside the renderers; under `TASKCACHE_BLESS=1` it is written anew.
fn assert_stands(name: &str, text: &str) {
    let path = format!("{}/src/report/overview/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests asks for new samples")]
    if std::env::var_os("TASKCACHE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(stands == text, "{name} differs: run again with TASKCACHE_BLESS=1 and look at what changed");
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

#[test]
fn what_a_doubted_clock_leaves_is_told() {
    let mut facts = facts();
    facts.plan = RetentionPlan {
        kept: 5_000_000,
        held: Some(Held { doubt: Doubt::NoClock, entries: 2, bytes: 1500 }),
        ..RetentionPlan::default()
    };
    let overview = Overview::of(NOW, Source::Store("/s".into()), chronicle(), Some(&facts));
    let held = "2 too old but left, 1.5 KiB: the clock says a year before 2020 (gc --max-age takes them)";
    let text = format!("gc would remove nothing; 4.8 MiB stay\n  {held}\n");
    let eviction = &overview.stock.as_ref().unwrap().eviction;
    assert_eq!(stats::eviction_text(eviction), text);
    let held_object = json!({ "reason": "no-clock", "entries": 2, "bytes": 1500 });
    assert_eq!(json::eviction_json(eviction)["held"], held_object);
    let html = format!("<p>{held}.</p>\n<p>Nothing: 4.8 MiB stay.</p>\n</section>");
    assert!(report_html(&overview).contains(&html));
}

#[test]
fn the_whole_page() {
    assert_stands("store.html", &report_html(&over_store()));
    assert_stands("events.html", &report_html(&over_events()));
    assert_stands("nothing.html", &report_html(&over_nothing()));
}

#[test]
fn the_whole_summary() {
    assert_stands("store.md", &report_markdown(&over_store()));
    assert_stands("events.md", &report_markdown(&over_events()));
    assert_stands("nothing.md", &report_markdown(&over_nothing()));
}

#[test]
fn the_whole_object() {
    assert_stands("store.json", &pretty(&report_json(&over_store())));
    assert_stands("events.json", &pretty(&report_json(&over_events())));
}

#[test]
fn the_whole_stats() {
    assert_stands("stats.txt", &stats_text(&over_store(), Screen::default()));
    assert_stands("stats-of-nothing.txt", &stats_text(&over_nothing(), Screen::default()));
    assert_stands("stats.json", &pretty(&stats_json(&over_store())));
}

#[test]
fn a_page_refers_to_nothing_outside_and_has_no_script() {
    let page = report_html(&over_store()).to_lowercase();
    for word in ["http:", "https:", "//", "<script", "url(", "@import", " src=", "<b>"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn places_are_named_where_there_is_more_than_one() {
    let mut facts = facts();
    assert_eq!(over_store().shown(&over_store().tasks[0].name), "train");
    facts.holdings[1].project = "other".into();
    let overview = Overview::of(NOW, Source::Events("e".into()), chronicle(), Some(&facts));
    assert_eq!(overview.shown(&overview.tasks[0].name), "train (default/development)");
}
