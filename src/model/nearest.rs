//! The known name that a mistyped one was probably meant to be.

/// Returns the candidate that is nearest to `name`, or `None` where none is near enough to be worth suggesting
/// (a Jaro-Winkler similarity of 0.8, which is what clap uses for flags, so that all suggestions feel alike).
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let scored = candidates.into_iter().map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    scored
        .filter(|(score, _)| *score > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["ignores", "inputs", "outputs", "ttl"];
        assert_eq!(nearest("ignore", known), Some("ignores"));
        assert_eq!(nearest("outpust", known), Some("outputs"));
        assert_eq!(nearest("colour", known), None);
    }
}
