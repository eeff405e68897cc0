//! `{a,b}` written out into the patterns that it stands for.

use super::PatternProblem;
use super::component::behind_class;

/// How many patterns one may stand for, and how many braces it may have. Each alternative is matched by itself, and
/// a dozen pairs of braces are thousands of them.
pub(super) const MAX_ALTERNATIVES: usize = 1024;

/// Where a pair of braces stands that is inside no other.
struct Braces {
    open: usize,
    commas: Vec<usize>,
    close: usize,
}

/// Returns every pattern that `text` stands for, in the order of a shell. None of them has braces that mean anything.
pub(super) fn written_out(text: &[u8]) -> Result<Vec<Vec<u8>>, PatternProblem> {
    if text.iter().filter(|byte| **byte == b'{').count() > MAX_ALTERNATIVES {
        return Err(PatternProblem::TooManyAlternatives);
    }
    let mut written = Vec::new();
    let mut open = vec![text.to_vec()];
    while let Some(text) = open.pop() {
        let Some(braces) = first_braces(&text)? else {
            written.push(text);
            continue;
        };
        let bounds: Vec<usize> =
            [braces.open].into_iter().chain(braces.commas).chain([braces.close]).collect();
        if written.len() + open.len() + bounds.len() > MAX_ALTERNATIVES {
            return Err(PatternProblem::TooManyAlternatives);
        }
        for pair in bounds.windows(2).rev() {
            let part = &text[pair[0] + 1..pair[1]];
            open.push([&text[..braces.open], part, &text[braces.close + 1..]].concat());
        }
    }
    Ok(written)
}

fn first_braces(text: &[u8]) -> Result<Option<Braces>, PatternProblem> {
    let (mut open, mut depth, mut commas) = (None, 0_usize, Vec::new());
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'[' => {
                at = behind_class(text, at).ok_or(PatternProblem::UnclosedClass)?;
                continue;
            }
            b'{' => {
                depth += 1;
                open.get_or_insert(at);
            }
            b',' if depth == 1 => commas.push(at),
            b'}' if depth > 0 => {
                depth -= 1;
                if let (0, Some(open)) = (depth, open) {
                    return Ok(Some(Braces { open, commas, close: at }));
                }
            }
            _ => {}
        }
        at += 1;
    }
    if open.is_some() { Err(PatternProblem::UnclosedBrace) } else { Ok(None) }
}
