//! When a calendar is open.

use chrono::{Datelike as _, NaiveDate};

use crate::approvals::protocol::{Calendar, Day, Window};

/// A minute, in milliseconds.
const A_MINUTE: i64 = 60 * 1000;

/// A day, in milliseconds.
const A_DAY: i64 = 24 * 60 * A_MINUTE;

/// How many windows that follow each other without a gap are taken for one. A calendar that is always open
/// turns that seldom.
const MAX_FOLLOWING: usize = 64;

impl Calendar {
    /// When it is over, in milliseconds since 1970: at the end of its last day.
    #[must_use]
    pub fn ends(&self) -> i64 {
        let last = self.until.0.signed_duration_since(NaiveDate::default());
        self.of_day(last.num_days().saturating_add(1))
    }

    /// Until when it is open, in milliseconds since 1970; `None` where it is closed.
    #[must_use]
    pub fn open_until(&self, now: i64) -> Option<i64> {
        let ends = self.ends();
        if now >= ends {
            return None;
        }
        let mut until = self.window_at(now)?;
        for _ in 0..MAX_FOLLOWING {
            match self.window_at(until) {
                Some(later) if until < ends => until = later,
                _ => break,
            }
        }
        Some(until.min(ends))
    }

    /// When it opens or closes next, in milliseconds since 1970; `None` where it stays closed.
    #[must_use]
    pub fn turns(&self, now: i64) -> Option<i64> {
        self.open_until(now).or_else(|| {
            let opens = self.spans(now).map(|(from, _)| from);
            let next = opens.filter(|from| *from > now).min();
            next.filter(|from| *from < self.ends())
        })
    }

    /// The latest end of the windows that a time is in.
    fn window_at(&self, time: i64) -> Option<i64> {
        let spans = self.spans(time);
        let around = spans.filter(|(from, to)| (*from..*to).contains(&time));
        around.map(|(_, to)| to).max()
    }

    /// The windows from the day before a time to a week behind it: none is longer than a day, and each comes
    /// once a week at least.
    fn spans(&self, time: i64) -> impl Iterator<Item = (i64, i64)> {
        let own = time.saturating_add(self.offset.0.saturating_mul(A_MINUTE));
        let today = own.div_euclid(A_DAY);
        let windows = self.windows.iter();
        windows.flat_map(move |window| {
            let days = (-1..=7).map(move |far| today.saturating_add(far));
            let days = days.filter(|day| window.days.contains(&weekday(*day)));
            days.map(|day| {
                let from = self.of_day(day).saturating_add(window.from.0 * A_MINUTE);
                (from, from.saturating_add(minutes(window) * A_MINUTE))
            })
        })
    }

    /// When a day since 1970 begins by its clock.
    fn of_day(&self, day: i64) -> i64 {
        let begins = day.saturating_mul(A_DAY);
        begins.saturating_sub(self.offset.0.saturating_mul(A_MINUTE))
    }
}

/// How long a window is: past midnight where its end isn't behind its beginning.
fn minutes(window: &Window) -> i64 {
    let (from, to) = (window.from.0, window.to.0);
    if to > from {
        to - from
    } else {
        to - from + 24 * 60
    }
}

/// The day of the week of a day since 1970.
fn weekday(day: i64) -> Day {
    let first = i64::from(NaiveDate::default().weekday().num_days_from_monday());
    let place = usize::try_from((first.saturating_add(day)).rem_euclid(7)).unwrap_or(0);
    Day::ALL.get(place).copied().unwrap_or(Day::Mon)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::*;

    fn calendar(windows: Value, offset: &str, until: &str) -> Calendar {
        let text = json!({ "windows": windows, "offset": offset, "until": until });
        serde_json::from_value(text).unwrap()
    }

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    #[test]
    fn a_window_is_open_from_its_first_millisecond_to_its_last() {
        // 2026-11-30 is a Monday.
        let days = json!(["mon", "tue", "wed", "thu", "fri"]);
        let office = json!([{ "days": days, "from": "09:00", "to": "17:00" }]);
        let office = calendar(office, "+01:00", "2027-01-31");
        let (opens, closes) = (
            at("2026-11-30T09:00:00+01:00"),
            at("2026-11-30T17:00:00+01:00"),
        );
        assert_eq!(office.open_until(opens - 1), None);
        assert_eq!(office.turns(opens - 1), Some(opens));
        assert_eq!(office.open_until(opens), Some(closes));
        assert_eq!(office.turns(opens), Some(closes));
        assert_eq!(office.open_until(closes - 1), Some(closes));
        assert_eq!(office.open_until(closes), None);
        assert_eq!(office.turns(closes), Some(at("2026-12-01T09:00:00+01:00")));
        // Over the weekend.
        let friday = at("2026-12-04T17:00:00+01:00");
        assert_eq!(office.open_until(friday), None);
        assert_eq!(office.turns(friday), Some(at("2026-12-07T09:00:00+01:00")));
        // The last day is a Sunday: the Friday before is the last window.
        let last = at("2027-01-29T17:00:00+01:00");
        assert_eq!(office.open_until(last - 1), Some(last));
        assert_eq!(office.turns(last), None);
        assert_eq!(office.ends(), at("2027-02-01T00:00:00+01:00"));
    }

    #[test]
    fn a_window_past_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = json!([{ "days": ["fri"], "from": "22:00", "to": "06:00" }]);
        let night = calendar(night, "-05:00", "2026-12-31");
        let (opens, closes) = (
            at("2026-12-04T22:00:00-05:00"),
            at("2026-12-05T06:00:00-05:00"),
        );
        assert_eq!(night.open_until(opens), Some(closes));
        assert_eq!(
            night.open_until(at("2026-12-05T00:00:00-05:00")),
            Some(closes)
        );
        assert_eq!(night.open_until(closes), None);
        assert_eq!(night.open_until(at("2026-12-05T22:30:00-05:00")), None);
        // Behind its last day it ends, also in the middle of a window.
        let night = Calendar {
            until: serde_json::from_value(json!("2026-12-04")).unwrap(),
            ..night
        };
        let ends = at("2026-12-05T00:00:00-05:00");
        assert_eq!(night.open_until(opens), Some(ends));
        assert_eq!((night.open_until(ends), night.turns(ends)), (None, None));
    }

    #[test]
    fn windows_that_follow_each_other_are_one() {
        let whole = json!([
            { "days": ["mon"], "from": "12:00", "to": "24:00" },
            { "days": ["tue"], "from": "00:00", "to": "08:00" },
            { "days": ["tue"], "from": "07:00", "to": "09:00" },
        ]);
        let whole = calendar(whole, "+00:00", "2026-12-31");
        assert_eq!(
            whole.open_until(at("2026-11-30T12:00:00Z")),
            Some(at("2026-12-01T09:00:00Z"))
        );
        // A window as long as a day, on each day, is open to the end.
        let always = json!([{ "days": Day::ALL, "from": "06:00", "to": "06:00" }]);
        let always = calendar(always, "+14:00", "2026-12-31");
        let now = at("2026-12-01T00:00:00Z");
        assert_eq!(always.open_until(now), Some(always.ends()));
        let always = Calendar {
            until: serde_json::from_value(json!("2027-11-30")).unwrap(),
            ..always
        };
        let turns = always.turns(now).unwrap();
        assert!(turns > now && always.open_until(turns).is_some());
    }
}
