//! What stands on the disk before a change counts, as far as the calls tell: no power is cut here.

use crate::support::World;
use crate::tracer::{is_missing, points};

/// Who replaces a result, or takes one out, waits until the disk knows that its hot record is gone: else a power cut
/// would bring the record back, and with it the old result.
#[test]
fn a_record_that_is_taken_away_stays_away() {
    if is_missing("a record taken away, and the power cut") {
        return;
    }
    let world = World::new();
    world.script("slow", "sleep 0.1\n");
    for line in ["run --refresh -- ./slow", "local-cache clear --task slow", "local-cache clear"] {
        assert_eq!(world.run("run -- ./slow").code, 0);
        let folder = world.store().join("records");
        assert!(!points(&world, line, &["fsync"], Some(&folder)).is_empty(), "{line}");
    }
}
