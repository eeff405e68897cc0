//! The known name that a mistyped one was probably meant to be.

/// Returns the candidate that is nearest to `name`, or `None` where none is near enough to be worth suggesting
/// (a Jaro-Winkler similarity of 0.8, which is what clap uses for flags, so that all suggestions feel alike). Between
/// short names that measure sees no letters that changed places, as in `rnu`; so a single slip is near enough as well.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let scored = candidates.into_iter().map(|candidate| (similarity(name, candidate), candidate));
    scored
        .filter(|(score, _)| *score > NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// What a suggestion has to be above.
const NEAR: f64 = 0.8;

fn similarity(name: &str, candidate: &str) -> f64 {
    let similarity = strsim::jaro_winkler(name, candidate);
    let is_slip = || name.len() > 2 && strsim::osa_distance(name, candidate) == 1;
    if similarity <= NEAR && is_slip() { NEAR + f64::EPSILON } else { similarity }
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
        assert_eq!(nearest("rnu", ["key", "run"]), Some("run"));
        assert_eq!(nearest("ru", ["xu"]), None);
    }
}
