//! Which entries go, as a pure plan: from what there is, what is allowed, and the time. Carrying it out is another
//! step, so a dry run is the same plan without that step.
//!
//! Three reasons, in this order: the entry expired; nobody used it for the longest time allowed; the store is over
//! its size. For the last one the entry that was used least recently goes first, but what was dear to compute counts
//! as used more recently than it was: by a thousand times its running time, up to half of the longest time allowed.
//! So of two results that were last used in the same hour the one that took a minute outlives the one that took a
//! second.
//!
//! Where the clock is in doubt (see [`super::doubt`]) nothing goes by the first two reasons; after a mere silence that
//! holds only where they would take more than half of what is stored. The size is kept whatever the clock says.
//!
//! Sizes count each content once, and a content goes when the last entry that refers to it goes.

use super::doubt::Doubt;
use super::entry::Content;
use super::fingerprint::CacheKey;
use super::time::{Size, Span, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// How many bytes of content.
    pub max_size: Size,
    /// How long without use.
    pub max_age: Span,
    /// A person named that age now: their word goes through, whatever the clock says.
    pub insists: bool,
}

/// An entry, as far as its retention goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its key.
    pub key: CacheKey,
    /// When it was last used.
    pub used: Timestamp,
    /// When it ends to be valid.
    pub expires: Option<Timestamp>,
    /// How long its command ran.
    pub duration: Span,
    /// What it refers to.
    pub contents: Vec<Content>,
}

/// Why an entry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It expired.
    Expired,
    /// Nobody used it for too long.
    Unused,
    /// The store is over its size.
    OverSize,
}

impl Reason {
    /// Every reason, in the order in which they are looked for.
    pub const ALL: [Self; 3] = [Self::Expired, Self::Unused, Self::OverSize];

    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Unused => "unused",
            Self::OverSize => "over-size",
        }
    }

    /// Returns it in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Unused => "not used for too long",
            Self::OverSize => "over the size",
        }
    }
}

/// What goes and what it frees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetentionPlan {
    /// The entries to remove, each with its reason.
    pub removed: BTreeMap<CacheKey, Reason>,
    /// The bytes of content that go with them.
    pub freed: u64,
    /// The same by reason: a content counts where the last entry that refers to it goes.
    pub freed_by: BTreeMap<Reason, u64>,
    /// The bytes of content that stay.
    pub kept: u64,
    /// What stays although it is old.
    pub held: Option<Held>,
}

/// What stays because the clock that calls it old is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Why.
    pub doubt: Doubt,
    /// How many entries.
    pub entries: u64,
    /// The bytes of content that stay with them.
    pub bytes: u64,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doubt, entries, bytes } = self;
        write!(
            f,
            "{entries} too old but left, {}: {doubt} (gc --max-age takes them)",
            Size::from_bytes(*bytes)
        )
    }
}

impl RetentionPlan {
    /// Returns how many entries go for a reason.
    pub fn count(&self, reason: Reason) -> usize {
        self.removed.values().filter(|why| **why == reason).count()
    }
}

/// How many times its running time an entry counts as used later than it was.
const WORTH: u64 = 1000;

/// Plans what goes, by a clock that is in doubt or not.
pub fn plan(
    candidates: &[Candidate],
    policy: RetentionPolicy,
    now: Timestamp,
    doubt: Option<Doubt>,
) -> RetentionPlan {
    let full = plan_by(candidates, policy, Some(now));
    let Some(doubt) = doubt.filter(|_| !policy.insists) else { return full };
    let by_age = [Reason::Expired, Reason::Unused];
    let entries: usize = by_age.iter().map(|reason| full.count(*reason)).sum();
    let bytes: u64 = by_age.iter().filter_map(|reason| full.freed_by.get(reason)).sum();
    // Either half: results may have no bytes at all.
    let takes_most = entries > candidates.len() / 2 || bytes > (full.kept + full.freed) / 2;
    if matches!(doubt, Doubt::Leap(_)) && !takes_most {
        return full;
    }
    let mut plan = plan_by(candidates, policy, None);
    let left = full.removed.keys().filter(|key| !plan.removed.contains_key(key)).count();
    if left > 0 {
        let bytes = plan.kept.saturating_sub(full.kept);
        plan.held = Some(Held { doubt, entries: left as u64, bytes });
    }
    plan
}

/// Plans what goes; by its age only where the time is known.
fn plan_by(candidates: &[Candidate], policy: RetentionPolicy, now: Option<Timestamp>) -> RetentionPlan {
    let mut references: HashMap<Content, u64> = HashMap::new();
    for content in candidates.iter().flat_map(|candidate| &candidate.contents) {
        *references.entry(*content).or_default() += 1;
    }
    let mut plan =
        RetentionPlan { kept: references.keys().map(|content| content.size).sum(), ..Default::default() };
    let mut remove = |plan: &mut RetentionPlan, candidate: &Candidate, reason| {
        plan.removed.insert(candidate.key, reason);
        for content in &candidate.contents {
            if let Some(left) = references.get_mut(content) {
                *left -= 1;
                if *left == 0 {
                    plan.freed += content.size;
                    *plan.freed_by.entry(reason).or_default() += content.size;
                    plan.kept -= content.size;
                }
            }
        }
    };
    let mut staying: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        let is_expired = |now| candidate.expires.is_some_and(|expires| expires <= now);
        let is_unused =
            |now: Timestamp| now.since(candidate.used).is_some_and(|unused| unused > policy.max_age);
        if now.is_some_and(is_expired) {
            remove(&mut plan, candidate, Reason::Expired);
        } else if now.is_some_and(is_unused) {
            remove(&mut plan, candidate, Reason::Unused);
        } else {
            staying.push(candidate);
        }
    }
    let worth = |candidate: &Candidate| {
        let bonus = candidate.duration.as_millis().saturating_mul(WORTH).min(policy.max_age.as_millis() / 2);
        (candidate.used.after(Span::from_millis(bonus)), candidate.key)
    };
    staying.sort_by_key(|candidate| worth(candidate));
    for candidate in staying {
        if plan.kept <= policy.max_size.as_bytes() {
            break;
        }
        remove(&mut plan, candidate, Reason::OverSize);
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(digit: char, used: i64, duration: u64, contents: &[&str]) -> Candidate {
        Candidate {
            key: digit.to_string().repeat(64).parse().unwrap(),
            used: Timestamp::from_millis(used),
            expires: None,
            duration: Span::from_millis(duration),
            contents: contents.iter().map(|text| Content::of(text.as_bytes())).collect(),
        }
    }

    fn policy(max_size: u64, max_age: u64) -> RetentionPolicy {
        RetentionPolicy {
            max_size: Size::from_bytes(max_size),
            max_age: Span::from_millis(max_age),
            insists: false,
        }
    }

    fn went(plan: &RetentionPlan) -> Vec<(String, Reason)> {
        plan.removed.iter().map(|(key, reason)| (key.to_string()[..1].to_owned(), *reason)).collect()
    }

    #[test]
    fn expired_and_unused_entries_go_whatever_room_there_is() {
        let mut expired = candidate('a', 100, 0, &["aa"]);
        expired.expires = Some(Timestamp::from_millis(100));
        let candidates = [expired, candidate('b', 89, 0, &["b"]), candidate('c', 90, 0, &["c"])];
        let plan = plan(&candidates, policy(1000, 10), Timestamp::from_millis(100), None);
        assert_eq!(went(&plan), [("a".into(), Reason::Expired), ("b".into(), Reason::Unused)]);
        assert_eq!((plan.freed, plan.kept), (3, 1));
        assert_eq!(plan.freed_by, BTreeMap::from([(Reason::Expired, 2), (Reason::Unused, 1)]));
    }

    #[test]
    fn the_least_recently_used_goes_first_but_what_was_dear_stays_longer() {
        let candidates = [
            candidate('a', 10, 0, &["1234"]),
            candidate('b', 20, 0, &["5678"]),
            candidate('c', 5, 1, &["abcd"]),
        ];
        let plan = plan(&candidates, policy(8, 10_000), Timestamp::from_millis(30), None);
        assert_eq!(went(&plan), [("a".into(), Reason::OverSize)]);
    }

    #[test]
    fn shared_content_counts_once_and_goes_with_its_last_entry() {
        let candidates = [candidate('a', 1, 0, &["shared"]), candidate('b', 2, 0, &["shared", "x"])];
        let now = Timestamp::from_millis(3);
        let fits = RetentionPlan { kept: 7, ..Default::default() };
        assert_eq!(plan(&candidates, policy(7, 1000), now, None), fits);
        let tight = plan(&candidates, policy(6, 1000), now, None);
        assert_eq!((tight.removed.len(), tight.freed, tight.kept), (2, 7, 0));
    }

    const LEAP: Doubt = Doubt::Leap(Span::from_millis(60 * 24 * 60 * 60 * 1000));

    #[test]
    fn by_a_clock_in_doubt_nothing_goes_for_its_age() {
        let mut expired = candidate('a', 100, 0, &["aa"]);
        expired.expires = Some(Timestamp::from_millis(100));
        let fresh = ["c", "d", "e"].map(|name| candidate(name.chars().next().unwrap(), 95, 0, &[name]));
        let mut candidates = vec![expired, candidate('b', 89, 0, &["b"])];
        candidates.extend(fresh);
        let now = Timestamp::from_millis(100);
        for doubt in [Doubt::NoClock, Doubt::Behind] {
            let held = Some(Held { doubt, entries: 2, bytes: 3 });
            let kept = RetentionPlan { kept: 6, held, ..Default::default() };
            assert_eq!(plan(&candidates, policy(1000, 10), now, Some(doubt)), kept);
        }
        // A silence alone holds back only what is more than half.
        let most = plan(&candidates, policy(1000, 10), now, None);
        assert_eq!(went(&most), [("a".into(), Reason::Expired), ("b".into(), Reason::Unused)]);
        assert_eq!(plan(&candidates, policy(1000, 10), now, Some(LEAP)), most);
        let held = Some(Held { doubt: LEAP, entries: 2, bytes: 3 });
        let three = &candidates[..3];
        let kept = RetentionPlan { kept: 4, held, ..Default::default() };
        assert_eq!(plan(three, policy(1000, 10), now, Some(LEAP)), kept);
        let insisting = RetentionPolicy { insists: true, ..policy(1000, 10) };
        assert_eq!(plan(three, insisting, now, Some(LEAP)), plan(three, policy(1000, 10), now, None));
    }

    #[test]
    fn half_counts_in_entries_and_in_bytes() {
        let now = Timestamp::from_millis(100);
        let candidates = [candidate('a', 1, 0, &["large"]), candidate('b', 99, 0, &["s"])];
        let held = plan(&candidates, policy(1000, 10), now, Some(LEAP)).held;
        assert_eq!(held, Some(Held { doubt: LEAP, entries: 1, bytes: 5 }));
        let candidates =
            [candidate('a', 1, 0, &[]), candidate('b', 2, 0, &[]), candidate('c', 99, 0, &["x"])];
        let held = plan(&candidates, policy(1000, 10), now, Some(LEAP)).held;
        assert_eq!(held, Some(Held { doubt: LEAP, entries: 2, bytes: 0 }));
        let candidates = [candidate('a', 1, 0, &["x"]), candidate('b', 99, 0, &["y"])];
        assert_eq!(plan(&candidates, policy(1000, 10), now, Some(LEAP)).held, None);
    }

    #[test]
    fn the_size_is_kept_whatever_the_clock_says() {
        let candidates = [candidate('a', 1, 0, &["1234"]), candidate('b', 2, 0, &["5678"])];
        let now = Timestamp::from_millis(100);
        let plan = plan(&candidates, policy(4, 10), now, Some(LEAP));
        assert_eq!(went(&plan), [("a".into(), Reason::OverSize)]);
        assert_eq!(plan.held, Some(Held { doubt: LEAP, entries: 1, bytes: 4 }));
        let shown = plan.held.unwrap().to_string();
        let words = "nothing was used for 60d, or the clock leapt (gc --max-age takes them)";
        assert_eq!(shown, format!("1 too old but left, 4 B: {words}"));
    }

    proptest! {
        #[test]
        fn a_plan_never_keeps_more_than_is_allowed_and_adds_up(
            entries in prop::collection::vec((0i64..100, 0u64..5, prop::collection::vec("[a-c]{1,3}", 0..3)), 0..10),
            max_size in 0u64..12,
            doubt in prop::sample::select(vec![None, Some(Doubt::NoClock), Some(LEAP)]),
        ) {
            let digits = "0123456789".chars();
            let candidates: Vec<_> = digits.zip(&entries).map(|(digit, (used, duration, texts))| {
                let mut texts: Vec<_> = texts.iter().map(String::as_str).collect();
                texts.sort_unstable();
                texts.dedup();
                candidate(digit, *used, *duration, &texts)
            }).collect();
            let plan = plan(&candidates, policy(max_size, 50), Timestamp::from_millis(100), doubt);
            prop_assert!(plan.kept <= max_size);
            prop_assert_eq!(plan.freed_by.values().sum::<u64>(), plan.freed);
            let left = candidates.iter().filter(|candidate| !plan.removed.contains_key(&candidate.key));
            let mut contents: Vec<_> = left.flat_map(|candidate| candidate.contents.clone()).collect();
            contents.sort_unstable();
            contents.dedup();
            prop_assert_eq!(contents.iter().map(|content| content.size).sum::<u64>(), plan.kept);
        }
    }
}
