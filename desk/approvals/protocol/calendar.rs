//! Windows of the week in which a grant holds, by a clock that is always as far from UTC.

use std::fmt;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most windows of a calendar.
const MAX_WINDOWS: usize = 16;

/// The farthest that a clock is from UTC, in minutes: 14 hours.
const MAX_OFFSET_MINUTES: i64 = 14 * 60;

/// When a day is over, in minutes.
const DAY_MINUTES: i64 = 24 * 60;

/// A day of the week.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// A time of the day, in minutes from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock(pub i64);

/// How far a clock is ahead of UTC, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Offset(pub i64);

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(pub NaiveDate);

/// From when to when, on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The days on which it begins.
    #[schemars(length(min = 1, max = 7))]
    pub days: Vec<Day>,
    /// When it begins.
    #[schemars(with = "String", regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: Clock,
    /// When it ends; on the next day, if that isn't later. `24:00` is the end of the day.
    #[schemars(
        with = "String",
        regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")
    )]
    pub to: Clock,
}

/// When a grant holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// It holds in each of these.
    #[schemars(length(min = 1, max = MAX_WINDOWS))]
    pub windows: Vec<Window>,
    /// How far the calendar's clock is from UTC, in summer and in winter.
    #[schemars(with = "String", regex(pattern = r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"))]
    pub offset: Offset,
    /// The last day, by that clock.
    #[schemars(with = "String", regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Date,
}

impl Calendar {
    /// Checks what is beyond the types of its members.
    ///
    /// # Errors
    /// Says which member is wrong.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MAX_WINDOWS).contains(&self.windows.len()) {
            return Err(format!("\"windows\" has 1 to {MAX_WINDOWS} windows"));
        }
        for window in &self.windows {
            if !(1..=Day::ALL.len()).contains(&window.days.len()) {
                return Err("\"days\" has 1 to 7 days".to_owned());
            }
            if window.from.0 >= DAY_MINUTES {
                return Err("\"from\" is a time of the day, 00:00 to 23:59".to_owned());
            }
        }
        Ok(())
    }
}

/// As `mon-fri 09:00-17:00, sat 10:00-12:00 +01:00 until 2027-01-31`.
impl fmt::Display for Calendar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, window) in self.windows.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let (days, from, to) = (days(&window.days), window.from, window.to);
            write!(formatter, "{comma}{days} {from}-{to}")?;
        }
        write!(formatter, " {} until {}", self.offset, self.until)
    }
}

/// Days in few words: those in a row by the first and the last.
fn days(days: &[Day]) -> String {
    let mut days = days.to_vec();
    days.sort_unstable();
    days.dedup();
    let mut rows: Vec<(Day, Day, usize)> = Vec::new();
    for day in days {
        let place = |day: Day| Day::ALL.iter().position(|one| *one == day);
        match rows.last_mut() {
            Some((_, last, length)) if place(*last).map(|last| last + 1) == place(day) => {
                (*last, *length) = (day, *length + 1);
            }
            _ => rows.push((day, day, 1)),
        }
    }
    let rows = rows.into_iter().map(|(first, last, length)| match length {
        1 => first.name().to_owned(),
        2 => format!("{},{}", first.name(), last.name()),
        _ => format!("{}-{}", first.name(), last.name()),
    });
    rows.collect::<Vec<_>>().join(",")
}

/// Hours and minutes, `09:30`, in minutes.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str, most: i64| {
        let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number = plain.then(|| digits.parse::<i64>().ok()).flatten();
        number.filter(|number| *number <= most)
    };
    let all = number(hours, 24)? * 60 + number(minutes, 59)?;
    (all <= DAY_MINUTES).then_some(all)
}

impl TryFrom<String> for Clock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = minutes(&text).map(Self);
        read.ok_or_else(|| "expected a time of the day, as in 09:00".to_owned())
    }
}

impl TryFrom<String> for Offset {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            (None, None) => (0, ""),
        };
        let far = minutes(rest).filter(|far| *far <= MAX_OFFSET_MINUTES);
        far.map(|far| Self(sign * far)).ok_or_else(|| {
            "expected how far a clock is from UTC, -14:00 to +14:00, as in +01:00".to_owned()
        })
    }
}

impl TryFrom<String> for Date {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // What is read leniently is not what is meant.
        let read = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().map(Self);
        read.filter(|date| date.to_string() == text)
            .ok_or_else(|| "expected a day, as in 2027-01-31".to_owned())
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(formatter, "{sign}{}", Clock(self.0.abs()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.to_string()
    }
}

impl From<Offset> for String {
    fn from(offset: Offset) -> Self {
        offset.to_string()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn calendar(changes: Value) -> Result<Calendar, String> {
        let mut calendar = json!({
            "windows": [{ "days": ["fri", "mon", "tue", "wed", "thu"], "from": "09:00", "to": "17:30" }],
            "offset": "+01:00",
            "until": "2027-01-31",
        });
        let members = changes.as_object().unwrap().clone();
        calendar.as_object_mut().unwrap().extend(members);
        let calendar: Calendar =
            serde_json::from_value(calendar).map_err(|error| error.to_string())?;
        calendar.check().map(|()| calendar)
    }

    #[test]
    fn a_calendar_is_read_and_written_as_it_was_meant() {
        let one = calendar(json!({})).unwrap();
        assert_eq!(
            one.to_string(),
            "mon-fri 09:00-17:30 +01:00 until 2027-01-31"
        );
        let again: Calendar = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        assert_eq!(again, one);
        let two = json!({ "offset": "-03:30", "windows": [
            { "days": ["sat", "sun"], "from": "22:00", "to": "06:00" },
            { "days": ["mon", "wed"], "from": "00:00", "to": "24:00" },
        ]});
        assert_eq!(
            calendar(two).unwrap().to_string(),
            "sat,sun 22:00-06:00, mon,wed 00:00-24:00 -03:30 until 2027-01-31"
        );
    }

    #[test]
    fn what_is_no_calendar_is_refused() {
        let window = |from: &str, to: &str| json!({ "windows": [{ "days": ["mon"], "from": from, "to": to }] });
        for wrong in [
            json!({ "windows": [] }),
            json!({ "windows": vec![json!({ "days": ["mon"], "from": "09:00", "to": "10:00" }); 17] }),
            json!({ "windows": [{ "days": [], "from": "09:00", "to": "10:00" }] }),
            json!({ "windows": [{ "days": ["monday"], "from": "09:00", "to": "10:00" }] }),
            window("24:00", "10:00"),
            window("9:00", "10:00"),
            window("09:60", "10:00"),
            window("09:00", "24:01"),
            window("+9:00", "10:00"),
            json!({ "offset": "01:00" }),
            json!({ "offset": "Europe/Berlin" }),
            json!({ "offset": "+14:01" }),
            json!({ "until": "2027-02-29" }),
            json!({ "until": "2027-1-31" }),
            json!({ "until": "tomorrow" }),
        ] {
            assert!(calendar(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
