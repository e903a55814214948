//! Durations and sizes as people write them.

use core::time::Duration;

/// Longer durations are of no use to anyone: more than 290,000 years.
pub(super) const MAX_MILLISECONDS: u64 = i64::MAX.unsigned_abs();

const DURATIONS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

const SIZES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// `500ms`, `30s`, `5m`, `24h` or `7d`, in milliseconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<u64> {
    parse(text, &DURATIONS)
}

/// `512B`, `64KiB`, `8MiB` or `1GiB`, in bytes.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    parse(text, &SIZES)
}

/// A duration as people write it.
pub(super) fn show_milliseconds(milliseconds: u64) -> String {
    show(milliseconds, &DURATIONS)
}

/// A size as people write it.
#[must_use]
pub fn show_size(bytes: u64) -> String {
    show(bytes, &SIZES)
}

/// Whole milliseconds; as many as fit.
pub(super) const fn milliseconds(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1000);
    let whole = whole.saturating_add(duration.subsec_millis() as u64);
    if whole < MAX_MILLISECONDS {
        whole
    } else {
        MAX_MILLISECONDS
    }
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// In the largest unit of which there is a whole number.
fn show(amount: u64, units: &[(&str, u64)]) -> String {
    let whole = units
        .iter()
        .find(|(_, factor)| amount > 0 && amount.is_multiple_of(*factor))
        .or(units.last());
    whole.map_or_else(String::new, |(unit, factor)| {
        format!("{}{unit}", amount / factor)
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_duration, parse_size, show_milliseconds, show_size};

    #[test]
    fn what_is_written_is_read() {
        for (text, milliseconds) in [
            ("0ms", 0),
            ("1500ms", 1500),
            ("90s", 90_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(parse_duration(text), Some(milliseconds), "{text}");
        }
        for (text, bytes) in [("0B", 0), ("64KiB", 1 << 16), ("3GiB", 3 << 30)] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "30S",
            "99999999999999999999d",
        ] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
        assert_eq!(parse_size("18446744073709551615KiB"), None);
    }

    #[test]
    fn amounts_are_shown_in_the_largest_whole_unit() {
        assert_eq!(show_milliseconds(0), "0ms");
        assert_eq!(show_milliseconds(90_000), "90s");
        assert_eq!(show_milliseconds(86_400_000), "1d");
        assert_eq!(show_size(0), "0B");
        assert_eq!(show_size(1 << 20), "1MiB");
        assert_eq!(show_size((1 << 20) + 1), "1048577B");
    }
}
