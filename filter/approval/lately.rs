//! Whether an answer was put at the service lately, by whichever worker of this Envoy.
//!
//! What the service lists as kept is as old as the last answer to a poll. So for a while behind a put, an answer that
//! is not listed may be there all the same, and the service is asked for it.

use core::time::Duration;

use crate::shared::Shared;

/// The value that all workers share: the time of the last put, in milliseconds since 1970.
pub const LAST_PUT: &str = "portcullis.answers.put";

/// Behind this, whoever polls has been told of a put, or its list is too old to go by.
const LATELY: Duration = Duration::from_secs(2);

/// An answer is being put.
pub fn note_put(shared: &dyn Shared, now: Duration) {
    let Ok((_, version)) = shared.get(LAST_PUT) else {
        return;
    };
    let time = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    // Where another worker was faster, its time serves as well.
    let _ = shared.compare_and_set(LAST_PUT, &time.to_le_bytes(), version);
}

/// Whether one was put lately, or that can't be told.
#[must_use]
pub fn put_lately(shared: &dyn Shared, now: Duration) -> bool {
    let Ok((bytes, _)) = shared.get(LAST_PUT) else {
        return true;
    };
    let Some(time) = bytes.first_chunk() else {
        return false;
    };
    let put = Duration::from_millis(u64::from_le_bytes(*time));
    // A clock that was put back makes a put look later than now.
    put.abs_diff(now) < LATELY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Memory;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_put_is_late_for_two_seconds_in_all_workers() {
        let memory = Memory::with([LAST_PUT]);
        assert!(!put_lately(&memory, NOW));
        note_put(&memory, NOW);
        assert!(put_lately(&memory, NOW));
        assert!(put_lately(&memory, NOW + Duration::from_millis(1999)));
        assert!(put_lately(
            &memory,
            NOW.saturating_sub(Duration::from_secs(1))
        ));
        assert!(!put_lately(&memory, NOW + LATELY));
        note_put(&memory, NOW + LATELY);
        assert!(put_lately(&memory, NOW + LATELY));
    }

    #[test]
    fn what_can_not_be_told_is_not_no() {
        let memory = Memory::default();
        note_put(&memory, NOW);
        assert!(put_lately(&memory, NOW));
        memory.make(LAST_PUT).unwrap();
        memory.put(LAST_PUT, b"?");
        assert!(!put_lately(&memory, NOW), "nobody has put anything");
    }
}
