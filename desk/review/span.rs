//! Lengths of time, as people write and read them.

use chrono::DateTime;

/// The longest time that is taken, in seconds: ten years of 366 days. The desk has bounds of its own.
const MAX_SECONDS: u64 = 10 * 366 * 24 * 60 * 60;

/// The units, by their letters, in seconds.
const UNITS: [(&str, u64); 4] = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];

/// Reads a whole number with s, m, h or d: `30m` is 1,800 seconds.
///
/// # Errors
/// What is expected.
pub fn seconds(text: &str) -> Result<u64, String> {
    let read = UNITS.into_iter().find_map(|(unit, seconds)| {
        let digits = text.strip_suffix(unit)?;
        let plain = digits.len() <= 9 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| plain)?;
        number.checked_mul(seconds)
    });
    read.filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
        .ok_or_else(|| {
            "expected a number and s, m, h or d, as in 30m, of 1 second to 10 years".to_owned()
        })
}

/// A length of time in its two greatest units: `3h 20m`.
pub(super) fn span(seconds: i64) -> String {
    let mut rest = u64::try_from(seconds).unwrap_or(0);
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        let count = rest.checked_div(length).unwrap_or(0);
        rest = rest.checked_rem(length).unwrap_or(0);
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    match parts.is_empty() {
        true => "0s".to_owned(),
        false => parts.join(" "),
    }
}

/// Seconds since 1970 of a time in RFC 3339.
pub(super) fn moment(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{moment, seconds, span};

    #[test]
    fn times_are_read_with_their_unit() {
        for (text, expected) in [("1s", 1), ("30m", 1_800), ("2h", 7_200), ("90d", 7_776_000)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for wrong in [
            "", "m", "30", "0m", "-1h", "+1h", "1.5h", "1w", "1 h", "3661d",
        ] {
            assert!(seconds(wrong).unwrap_err().contains("30m"), "{wrong}");
        }
    }

    #[test]
    fn times_are_shown_in_two_units_at_most() {
        for (seconds, shown) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (3_600, "1h"),
            (3_659, "1h"),
            (12_345, "3h 25m"),
            (200_000, "2d 7h"),
        ] {
            assert_eq!(span(seconds), shown, "{seconds}");
        }
    }

    #[test]
    fn a_moment_is_rfc_3339() {
        assert_eq!(moment("1970-01-01T00:01:00.500Z"), Some(60));
        assert_eq!(moment("yesterday"), None);
    }
}
