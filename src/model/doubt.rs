//! Whether the clock is believed when results are to go for their age.
//!
//! A machine may boot without a clock, and a clock may be set wrong by years. What is taken out by such a clock is
//! lost, so a collection first asks what the store knows of time by itself: when it was last collected, and when its
//! results were made and used.
//!
//! A store that nobody used for two months looks like one whose clock leapt by two months. So a doubt holds a
//! collection back once. When the next one comes, some time has passed by the same clock, and it is believed; but
//! never one that says a year before this program was written.
//!
//! Deliberately absent: the time since the machine started, which tells nothing across machines and restarts; and
//! doubts about whether a result may be used, which has its own rule (an entry from the future is a miss).

use super::admission::SKEW;
use super::time::{Span, Timestamp};
use std::fmt;

/// 2020-01-01: no clock that goes right says less.
const EARLIEST: Timestamp = Timestamp::from_millis(1_577_836_800_000);

/// How long nothing may have happened before that is worth a doubt. A clock that leapt by less takes nothing out more
/// than this much too early.
const SILENCE: Span = Span::from_millis(7 * 24 * 60 * 60 * 1000);

/// Why a clock is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It says a year before 2020, as that of a machine that booted without one.
    NoClock,
    /// It stands before a time at which something was stored or used.
    Behind,
    /// Nothing happened for this long, or it leapt by as much.
    Leap(Span),
}

impl Doubt {
    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoClock => "no-clock",
            Self::Behind => "behind",
            Self::Leap(_) => "leap",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClock => f.write_str("the clock says a year before 2020"),
            Self::Behind => f.write_str("the clock is behind the latest use"),
            Self::Leap(span) => write!(f, "nothing was used for {span}, or the clock leapt"),
        }
    }
}

/// A collection that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCollection {
    /// When it began, by the clock of then.
    pub time: Timestamp,
    /// Whether it doubted that clock.
    pub doubted: bool,
}

/// Returns why `now` is not believed, by the last collection and the times at which results were made and used.
pub fn doubt(
    now: Timestamp,
    last: Option<LastCollection>,
    seen: impl IntoIterator<Item = Timestamp>,
) -> Option<Doubt> {
    if now < EARLIEST {
        return Some(Doubt::NoClock);
    }
    let last = last.filter(|last| last.time <= now);
    if last.is_some_and(|last| last.doubted && last.time >= EARLIEST) {
        return None;
    }
    let mut times: Vec<Timestamp> = seen.into_iter().chain(last.map(|last| last.time)).collect();
    if times.iter().any(|time| *time > now.after(SKEW)) {
        return Some(Doubt::Behind);
    }
    // What happened before the last collection was judged by that one.
    times.retain(|time| *time < now && last.is_none_or(|last| *time >= last.time));
    times.push(now);
    times.sort_unstable();
    let silences = times.windows(2).map(|pair| far(pair[0], pair[1]));
    silences.max().filter(|silence| *silence > SILENCE).map(Doubt::Leap)
}

/// Returns how far two times in their order are apart; a clock may have said anything.
fn far(earlier: Timestamp, later: Timestamp) -> Span {
    Span::from_millis(later.as_millis().abs_diff(earlier.as_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    /// 2026-01-01.
    const TODAY: i64 = 1_767_225_600_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn days(count: i64) -> Span {
        Span::from_millis((count * DAY).unsigned_abs())
    }

    fn judged(now: i64, last: Option<(i64, bool)>, seen: &[i64]) -> Option<Doubt> {
        let last = last.map(|(time, doubted)| LastCollection { time: at(time), doubted });
        doubt(at(now), last, seen.iter().copied().map(at))
    }

    #[test]
    fn a_clock_from_before_2020_is_never_believed() {
        for now in [i64::MIN, -DAY, 0, 1_546_300_800_000, EARLIEST.as_millis() - 1] {
            for last in [None, Some((now, true)), Some((TODAY, true))] {
                assert_eq!(judged(now, last, &[now]), Some(Doubt::NoClock), "{now}");
            }
        }
        assert_eq!(judged(EARLIEST.as_millis(), None, &[]), None);
    }

    #[test]
    fn a_clock_behind_the_latest_use_is_not_believed_the_first_time() {
        let future = TODAY + DAY;
        assert_eq!(judged(TODAY, Some((TODAY - DAY, false)), &[future]), Some(Doubt::Behind));
        assert_eq!(judged(TODAY + 1, Some((TODAY, true)), &[future]), None);
        // It went back once more.
        assert_eq!(judged(TODAY - 1, Some((TODAY, true)), &[future]), Some(Doubt::Behind));
        let skew = 5 * 60 * 1000;
        assert_eq!(judged(TODAY, None, &[TODAY + skew]), None);
        assert_eq!(judged(TODAY, None, &[TODAY + skew + 1]), Some(Doubt::Behind));
    }

    #[test]
    fn a_long_silence_is_doubted_once() {
        let last = Some((TODAY, false));
        assert_eq!(judged(TODAY + 60 * DAY, last, &[TODAY, TODAY + 60 * DAY]), Some(Doubt::Leap(days(60))));
        assert_eq!(judged(TODAY + 61 * DAY, Some((TODAY + 60 * DAY, true)), &[TODAY]), None);
        // However rarely the store is used.
        assert_eq!(judged(TODAY + 120 * DAY, Some((TODAY + 60 * DAY, true)), &[TODAY]), None);
        for year_2038_or_2100 in [2_147_483_648_000, 4_102_444_800_000, i64::MAX] {
            let silence = Span::from_millis(year_2038_or_2100.abs_diff(TODAY));
            assert_eq!(judged(year_2038_or_2100, last, &[]), Some(Doubt::Leap(silence)));
        }
    }

    #[test]
    fn steps_of_a_day_and_steady_use_raise_no_doubt() {
        assert_eq!(judged(TODAY + DAY, Some((TODAY, false)), &[]), None);
        // Hits alone start no collection; they show that time passed.
        let uses: Vec<i64> = (0..60).map(|day| TODAY + day * DAY).collect();
        assert_eq!(judged(TODAY + 60 * DAY, Some((TODAY, false)), &uses), None);
        // What lies before the last collection counts no more.
        assert_eq!(judged(TODAY + DAY, Some((TODAY, false)), &[0, TODAY - 90 * DAY]), None);
        assert_eq!(judged(TODAY, None, &[TODAY - 90 * DAY]), Some(Doubt::Leap(days(90))));
    }

    #[test]
    fn a_clock_that_comes_back_from_1970_is_doubted_once() {
        let silence = Span::from_millis(TODAY.unsigned_abs());
        assert_eq!(judged(TODAY, Some((0, true)), &[0]), Some(Doubt::Leap(silence)));
        assert_eq!(judged(TODAY + 1, Some((TODAY, true)), &[0]), None);
    }

    #[test]
    fn an_empty_store_has_nothing_to_doubt_by() {
        assert_eq!(judged(TODAY, None, &[]), None);
        assert_eq!(judged(i64::MAX, None, &[i64::MIN]), Some(Doubt::Leap(Span::from_millis(u64::MAX))));
    }

    #[test]
    fn doubts_in_words() {
        let words = [Doubt::NoClock, Doubt::Behind, Doubt::Leap(days(60))].map(|doubt| doubt.to_string());
        let expected = [
            "the clock says a year before 2020",
            "the clock is behind the latest use",
            "nothing was used for 60d, or the clock leapt",
        ];
        assert_eq!(words, expected);
    }
}
