//! How one list of words becomes another, in as few steps as possible.

/// A step from one list to the other. Positions are those in the later list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A word stands in the place of another.
    Replace {
        /// Where.
        at: usize,
        /// The word that stood there.
        old: &'a [u8],
        /// The word that stands there.
        new: &'a [u8],
    },
    /// A word is there that was not.
    Insert {
        /// Where.
        at: usize,
        /// The word.
        new: &'a [u8],
    },
    /// A word is not there any more.
    Delete {
        /// Where it would be.
        at: usize,
        /// The word.
        old: &'a [u8],
    },
}

/// How many words may differ in the middle of both lists, multiplied; beyond that the middles replace each other.
const LARGEST: usize = 250_000;

/// Returns the steps from `old` to `new`. Words that are deleted and inserted at one place count as replaced, pair by
/// pair.
pub fn steps_between<'a>(old: &[&'a [u8]], new: &[&'a [u8]]) -> Vec<Step<'a>> {
    let prefix = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[prefix..], &new[prefix..]);
    let suffix = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - suffix], &new[..new.len() - suffix]);
    let kept = if old.len().saturating_mul(new.len()) <= LARGEST { common(old, new) } else { Vec::new() };
    let mut steps = Vec::new();
    let (mut olds, mut news) = (0, 0);
    for (old_at, new_at) in kept.into_iter().chain([(old.len(), new.len())]) {
        let (gone, come) = (&old[olds..old_at], &new[news..new_at]);
        for number in 0..gone.len().max(come.len()) {
            let at = prefix + news + number.min(come.len());
            steps.push(match (gone.get(number), come.get(number)) {
                (Some(old), Some(new)) => Step::Replace { at, old, new },
                (None, Some(new)) => Step::Insert { at, new },
                (Some(old), None) => Step::Delete { at, old },
                (None, None) => continue,
            });
        }
        (olds, news) = (old_at + 1, new_at + 1);
    }
    steps
}

/// Returns the positions of a longest common subsequence.
fn common(old: &[&[u8]], new: &[&[u8]]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut lengths = vec![0_usize; (old.len() + 1) * width];
    for at in (0..old.len()).rev() {
        for other in (0..new.len()).rev() {
            lengths[at * width + other] = if old[at] == new[other] {
                lengths[(at + 1) * width + other + 1] + 1
            } else {
                lengths[(at + 1) * width + other].max(lengths[at * width + other + 1])
            };
        }
    }
    let (mut at, mut other, mut kept) = (0, 0, Vec::new());
    while at < old.len() && other < new.len() {
        if old[at] == new[other] {
            kept.push((at, other));
            (at, other) = (at + 1, other + 1);
        } else if lengths[(at + 1) * width + other] >= lengths[at * width + other + 1] {
            at += 1;
        } else {
            other += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(old: &str, new: &str) -> String {
        let words = |text: &'static str| text.split_whitespace().map(str::as_bytes).collect::<Vec<_>>();
        let (old, new) = (words(Box::leak(old.to_owned().into())), words(Box::leak(new.to_owned().into())));
        let shown = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        let steps = steps_between(&old, &new).into_iter().map(|step| match step {
            Step::Replace { at, old, new } => format!("{at}:{}>{}", shown(old), shown(new)),
            Step::Insert { at, new } => format!("{at}:+{}", shown(new)),
            Step::Delete { at, old } => format!("{at}:-{}", shown(old)),
        });
        steps.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_are_replaced_inserted_and_deleted() {
        for (old, new, steps) in [
            ("cc -c a", "cc -c a", ""),
            ("cc -O2 -g a", "cc -O3 -g a", "1:-O2>-O3"),
            ("cc -O2 -g a", "cc -O3 -Wall -g a", "1:-O2>-O3 2:+-Wall"),
            ("cc -O2 -g -c a", "cc -g -c b", "1:--O2 3:a>b"),
            ("sort a b", "sort b a", "1:-a 2:+a"),
            ("sort", "sort -r", "1:+-r"),
            ("sort -r", "sort", "1:--r"),
            ("", "x", "0:+x"),
        ] {
            assert_eq!(told(old, new), steps, "{old} / {new}");
        }
    }

    proptest! {
        #[test]
        fn the_steps_lead_from_one_to_the_other(
            old in prop::collection::vec("[ab]", 0..9),
            new in prop::collection::vec("[ab]", 0..9),
        ) {
            let old: Vec<&[u8]> = old.iter().map(String::as_bytes).collect();
            let new: Vec<&[u8]> = new.iter().map(String::as_bytes).collect();
            let mut words = old.clone();
            for step in steps_between(&old, &new) {
                match step {
                    Step::Replace { at, old, new } => {
                        prop_assert_eq!(words[at], old);
                        words[at] = new;
                    }
                    Step::Insert { at, new } => words.insert(at, new),
                    Step::Delete { at, old } => prop_assert_eq!(words.remove(at), old),
                }
            }
            prop_assert_eq!(words, new);
        }
    }
}
