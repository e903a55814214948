//! Times on the command line.

use core::time::Duration;

use chrono::DateTime;

/// Reads seconds since 1970, or RFC 3339 with `Z` or an offset. A fraction of a second is cut
/// off. `None` for anything else, and for times before 1970.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let seconds = match text.parse() {
        Ok(seconds) => seconds,
        Err(_) => {
            let time = DateTime::parse_from_rfc3339(text).ok()?;
            u64::try_from(time.timestamp()).ok()?
        }
    };
    // The year 10000 needs no more.
    (seconds < 1 << 40).then(|| Duration::from_secs(seconds))
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
