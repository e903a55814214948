//! Windows of the week, as people write them.

use serde_json::{Value, json};

use crate::approvals::protocol::Day;

/// Windows that come again each week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weekly {
    /// The days of each window, by their names.
    pub days: Vec<Vec<&'static str>>,
    /// When each begins, as `09:00`.
    pub from: Vec<String>,
    /// When each ends.
    pub to: Vec<String>,
    /// How far the clock is from UTC, as `+01:00`.
    pub offset: String,
    /// The last day, as `2027-01-31`.
    pub until: String,
}

impl Weekly {
    /// As the desk reads it, which says what is wrong with it.
    pub(super) fn body(&self) -> Value {
        let times = self.from.iter().zip(&self.to);
        let windows = self.days.iter().zip(times);
        let windows = windows
            .map(|(days, (from, to))| json!({ "days": days, "from": from, "to": to }))
            .collect::<Vec<_>>();
        json!({ "windows": windows, "offset": self.offset, "until": self.until })
    }
}

/// Reads days of the week: `mon-fri`, `sat,sun`, or `fri-mon` around the week's end.
///
/// # Errors
/// What is expected.
pub fn days(text: &str) -> Result<Vec<&'static str>, String> {
    let place = |name: &str| Day::ALL.iter().position(|day| day.name() == name);
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Some(first), Some(last)) = (place(first), place(last)) else {
            return Err("expected days of the week, as in mon-fri or sat,sun".to_owned());
        };
        let length = (last + Day::ALL.len() - first) % Day::ALL.len();
        let around = Day::ALL.iter().cycle().skip(first).take(length + 1);
        for day in around {
            if !days.contains(&day.name()) {
                days.push(day.name());
            }
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn days_are_read_one_by_one_and_from_one_to_another() {
        for (text, expected) in [
            ("mon-fri", "mon tue wed thu fri"),
            ("sat,sun", "sat sun"),
            ("sat-mon,wed", "sat sun mon wed"),
            ("tue-tue", "tue"),
            ("mon-fri,fri", "mon tue wed thu fri"),
        ] {
            assert_eq!(days(text).unwrap().join(" "), expected, "{text}");
        }
        for wrong in ["", "monday", "mon-", "mon;tue", "Mon", "mon-fri-sun"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }
}
