//! Times on the command line.

use core::time::Duration;

/// Reads seconds since 1970, or RFC 3339 with `Z` or an offset. A fraction of a second is cut
/// off. `None` for anything else, and for times before 1970.
pub(super) fn read(text: &str) -> Option<Duration> {
    let seconds = match text.parse() {
        Ok(seconds) => seconds,
        Err(_) => rfc3339(text)?,
    };
    // The year 10000 needs no more.
    (seconds < 1 << 40).then(|| Duration::from_secs(seconds))
}

fn rfc3339(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|one: char| one.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from(seconds - offset(zone)?).ok()
}

/// What the clock is ahead of UTC, in seconds.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let [hours, minutes] = numbers(rest, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts
            .next()
            .filter(|part| part.len() == digits && part.bytes().all(|one| one.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Days of the Gregorian calendar since 1970. Years are counted from March, so that the leap day
/// comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn times_are_seconds_or_rfc_3339() {
        for (text, seconds) in [
            ("0", 0),
            ("1795262400", 1_795_262_400),
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2026-11-21T12:00:00.999z", 1_795_262_400),
            ("2026-11-21T13:30:00+01:30", 1_795_262_400),
            ("2026-11-21 09:00:00-03:00", 1_795_262_400),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(
                read(text).map(|time| time.as_secs()),
                Some(seconds),
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "now",
            "-1",
            "99999999999999",
            "2026-11-21",
            "2026-11-21T12:00:00",
            "2026-11-21T12:00:00.Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:00:00+1:00",
            "2026-11-21T12:00:00Zx",
            "1969-12-31T23:59:59Z",
            "2026-11-2\u{e9}T12:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
