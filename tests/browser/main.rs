//! The page of `taskcache report`, read in a real browser: it is whole without network and script, fits a phone, and
//! is readable on paper and in the dark.
//!
//! Where there is no Chromium the tests say so and pass. With `TASKCACHE_PICTURES=DIR` they leave pictures in DIR, for
//! those who change the page.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, one that is skipped by a line; nobody links against tests"
)]

#[expect(dead_code, reason = "shared with the tests of the program, which need more of it")]
#[path = "../cli/support.rs"]
mod support;

mod chromium;

use chromium::Browser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use support::TestEnv;
use taskcache::model::fingerprint::CacheKey;
use taskcache::model::time::{Span, Timestamp};
use taskcache::store::Layout;
use taskcache::store::history::{Happening, History, OutcomeKind};

/// Runs that the history gets besides the real ones.
const WRITTEN: u32 = 2000;

/// Names that a page may stumble over.
const TASKS: [&str; 6] = [
    "train",
    "lint",
    "<script>alert(1)</script>",
    "a-very-long-task-name-without-any-blank-in-it-as-generated-by-some-build-system-or-other",
    "übersetzen & prüfen",
    "resize",
];

/// Fills a store with real results and its history with many runs, and writes the page.
fn page(env: &mut TestEnv) -> PathBuf {
    for round in ["1", "2", "3", "4"] {
        env.set("BUILD", round);
        for (at, task) in TASKS.iter().enumerate() {
            let script = format!("yes {task} | head -c {}", 3000 * (at + 1));
            env.run_words(["run", "--task", task, "-e", "BUILD", "--", "sh", "-c", &script]);
        }
    }
    env.run("run --task brief --ttl 1ms -- echo brief");
    let list: Value = serde_json::from_str(&env.run("local-cache list --format json").stdout).unwrap();
    let entries = list.as_array().unwrap();
    let now: i64 = entries.iter().map(|entry| millis(&entry["created"])).max().unwrap();
    let history = History::of(&Layout { root: env.store() });
    // A generator of the simplest kind, so that every run of the test makes the same page but for the times.
    let mut state = 42_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 16) % below
    };
    for _ in 0..WRITTEN {
        let entry = &entries[usize::try_from(random(entries.len() as u64)).unwrap()];
        let outcome = match random(100) {
            0..80 => OutcomeKind::Hit,
            80..95 => OutcomeKind::Miss,
            95..98 => OutcomeKind::Stale,
            _ => OutcomeKind::Refresh,
        };
        let took = 500 + random(90_000);
        let is_replay = outcome.is_replay();
        let reason = if is_replay {
            "found"
        } else {
            ["absent", "expired", "edited"][usize::try_from(random(3)).unwrap()]
        };
        let age = i64::try_from(random(40 * 86_400_000)).unwrap();
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        let key: CacheKey = text("key").parse().unwrap();
        history
            .append(&Happening {
                time: Timestamp::from_millis(now - age),
                outcome,
                reason: reason.into(),
                project: text("project"),
                domain: text("domain"),
                task: text("task"),
                key: Some(key),
                elapsed: Span::from_millis(if is_replay { 4 } else { took }),
                saved: Span::from_millis(if is_replay { took } else { 0 }),
                stored: !is_replay,
            })
            .unwrap();
    }
    let page = env.work().join("report.html");
    let made = env.run("report --html report.html");
    assert_eq!((made.code, made.stdout.as_str(), made.stderr.as_str()), (0, "", ""));
    page
}

fn millis(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_millisecond()
}

/// Leaves a picture where pictures are wanted.
fn keep(name: &str, picture: &str) {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests asks for pictures")]
    let Some(folder) = std::env::var_os("TASKCACHE_PICTURES") else { return };
    std::fs::write(Path::new(&folder).join(format!("{name}.png.base64")), picture).unwrap();
}

/// What is wrong with how the page stands in its window: elements that reach out of it at the right.
const OVERFLOW: &str = "[...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .filter(one => getComputedStyle(one.closest('thead') || one).position !== 'absolute')
    .map(one => one.tagName + ': ' + one.textContent.slice(0, 60))";

#[test]
fn the_page_in_a_real_browser() {
    let Some(program) = chromium::installed() else {
        eprintln!("skipped: there is no chromium on this machine");
        return;
    };
    let mut env = TestEnv::new();
    let page = page(&mut env);
    let mut browser = Browser::start(&program);
    browser.emulate(1280, false, false, false);
    browser.open(&page);

    // Whole, and without help from outside.
    let sections = browser.evaluate("[...document.querySelectorAll('h2')].map(one => one.textContent)");
    let expected = [
        "At a glance",
        "By day",
        "By task",
        "Why commands ran",
        "Slowest misses",
        "Most volatile ingredients",
        "Size by task",
        "What gc would evict",
    ];
    assert_eq!(sections, json!(expected));
    assert_eq!(browser.evaluate("document.querySelectorAll('script, img, iframe, object').length"), 0);
    assert_eq!(browser.evaluate("document.querySelectorAll('figure svg g').length"), 93);
    assert_eq!(browser.evaluate("document.querySelectorAll('table:not(:has(caption))').length"), 0);
    let names = browser.evaluate("document.body.textContent.includes('<script>alert(1)</script>')");
    assert_eq!(names, true, "a hostile name is shown as what it is");
    let runs = browser.evaluate("document.querySelectorAll('.tiles dd')[4].textContent");
    let shown: u32 = runs.as_str().unwrap().replace(',', "").parse().unwrap();
    assert!(shown > WRITTEN, "{shown} runs");
    let volatile = browser
        .evaluate("[...document.querySelectorAll('code')].some(one => one.textContent === 'env:BUILD')");
    assert_eq!(volatile, true);

    // Wherever it is read.
    let paper = |browser: &mut Browser| {
        browser.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()")
    };
    for (name, width, is_phone, is_paper, is_dark, color) in [
        ("wide", 1280, false, false, false, "#fbfbf9"),
        ("phone", 390, true, false, false, "#fbfbf9"),
        ("narrow-phone", 320, true, false, false, "#fbfbf9"),
        ("dark", 390, true, false, true, "#14181c"),
        ("wide-dark", 1280, false, false, true, "#14181c"),
        ("paper", 720, false, true, true, "#ffffff"),
    ] {
        browser.emulate(width, is_phone, is_paper, is_dark);
        // Folded up it could hide what reaches out; on paper it is open by itself.
        browser.evaluate(&format!("document.querySelector('details').open = {}", !is_paper));
        assert_eq!(browser.evaluate(OVERFLOW), json!([]), "{name}: nothing reaches out of the window");
        let beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.evaluate(beyond), 0, "{name}: nothing to scroll sideways");
        assert_eq!(paper(&mut browser), color, "{name}");
        let numbers = "document.querySelector('details table').checkVisibility()";
        assert_eq!(browser.evaluate(numbers), true, "{name}: the numbers behind the charts can be read");
        let picture = browser.picture();
        assert!(picture.starts_with("iVBORw0KGgo"), "{name}: it is a PNG");
        keep(name, &picture);
    }
    // The measure itself measures.
    browser.evaluate("document.querySelector('section > table').style.minWidth = '3000px'");
    assert_ne!(browser.evaluate(OVERFLOW), json!([]));
    let address = format!("file://{}", page.display());
    assert_eq!(browser.requests, [address], "nothing but the page itself was asked for");
}
