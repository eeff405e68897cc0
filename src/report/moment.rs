//! Times as people say them: how long ago, how far off.

use crate::model::time::Timestamp;

/// Returns how long ago a time was.
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    now.since(time).map_or_else(
        || "in the future".to_owned(),
        |span| match span.as_millis() / 1000 {
            0..2 => "just now".to_owned(),
            seconds @ 2..60 => format!("{seconds}s ago"),
            seconds @ 60..3600 => format!("{}m ago", seconds / 60),
            seconds @ 3600..86_400 => format!("{}h ago", seconds / 3600),
            seconds => format!("{}d ago", seconds / 86_400),
        },
    )
}

/// Returns how far off a time is.
pub fn until(time: Timestamp, now: Timestamp) -> String {
    let span = time.since(now).unwrap_or_default();
    match span.as_millis() / 1000 {
        seconds @ 0..60 => format!("in {seconds}s"),
        seconds @ 60..3600 => format!("in {}m", seconds / 60),
        seconds @ 3600..86_400 => format!("in {}h", seconds / 3600),
        seconds => format!("in {}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_come() {
        let shown = [5, 65, 7200, 200_000]
            .map(|seconds| until(Timestamp::from_millis(seconds * 1000), Timestamp::from_millis(0)));
        assert_eq!(shown, ["in 5s", "in 1m", "in 2h", "in 2d"]);
    }
}
