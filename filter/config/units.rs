//! Durations and sizes as people write them.

use core::time::Duration;

use super::reader::Node;

/// Reads `500ms`, `30s`, `5m`, `24h` or `7d` within `[least, most]`.
pub(super) fn duration(node: &Node<'_>, least: Duration, most: Duration) -> Option<Duration> {
    let expected = || {
        format!(
            "a duration such as \"30s\" (units ms, s, m, h, d), from {} to {}",
            show(least),
            show(most)
        )
    };
    let parsed = node.value().as_str().and_then(|text| {
        let (number, unit) = split(text)?;
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        Some(Duration::from_millis(number.checked_mul(milliseconds)?))
    });
    match parsed {
        Some(value) if value >= least && value <= most => Some(value),
        _ => {
            node.expected(expected());
            None
        }
    }
}

/// Reads `512B`, `64KiB`, `8MiB` or `1GiB` within `[least, most]` bytes.
pub(super) fn size(node: &Node<'_>, least: u64, most: u64) -> Option<u64> {
    let parsed = node.value().as_str().and_then(|text| {
        let (number, unit) = split(text)?;
        let bytes: u64 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.checked_mul(bytes)
    });
    match parsed {
        Some(value) if value >= least && value <= most => Some(value),
        _ => {
            node.expected(format!(
                "a size such as \"8MiB\" (units B, KiB, MiB, GiB), from {} to {}",
                show_size(least),
                show_size(most)
            ));
            None
        }
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit))
}

fn show(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    for (unit, length) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if milliseconds > 0 && milliseconds.is_multiple_of(length) {
            return format!("{}{unit}", milliseconds / length);
        }
    }
    format!("{milliseconds}ms")
}

/// A size as people write it.
#[must_use]
pub fn show_size(bytes: u64) -> String {
    for (unit, length) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes > 0 && bytes.is_multiple_of(length) {
            return format!("{}{unit}", bytes / length);
        }
    }
    format!("{bytes}B")
}
