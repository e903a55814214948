//! Which records a command is about.

use std::time::Duration;

use super::Failed;
use crate::ledger::{Kind, Part, Place, Reader, Removal};
use crate::sessions::{Entry as Record, Outline, RECORD};
use crate::token::time;

/// Conditions that a record must meet, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// This subject.
    pub subject: Option<String>,
    /// This action.
    pub action: Option<String>,
    /// This operation.
    pub operation: Option<String>,
    /// This model.
    pub model: Option<String>,
    /// This rule.
    pub rule: Option<String>,
    /// This code.
    pub code: Option<String>,
    /// Something that this detector found.
    pub detector: Option<String>,
    /// A request at this time or later, since 1970.
    pub since: Option<Duration>,
    /// A request before this time, since 1970.
    pub until: Option<Duration>,
    /// Events instead of records; of the conditions only those of time hold for them.
    pub events: bool,
}

impl Selection {
    /// Reads a time as the options have it: RFC 3339, or seconds since 1970.
    ///
    /// # Errors
    /// It is neither.
    pub fn time(text: &str) -> Result<Duration, String> {
        time::read(text).ok_or_else(|| "expected RFC 3339, or seconds since 1970".to_owned())
    }

    /// Whether everything is selected.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a record meets the conditions. One whose time can't be read meets none of a time.
    #[must_use]
    pub fn takes(&self, record: &Record) -> bool {
        let same =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        !self.events
            && same(&self.subject, &record.subject)
            && same(&self.action, &record.action)
            && same(&self.operation, &record.operation)
            && same(&self.model, &record.model)
            && same(&self.rule, &record.rule)
            && same(&self.code, &record.code)
            && self
                .detector
                .as_ref()
                .is_none_or(|detector| record.found.contains(detector))
            && self.takes_time(&record.time)
    }

    /// Whether an event meets the conditions.
    #[must_use]
    pub fn takes_event(&self, event: &Outline) -> bool {
        self.events && self.takes_time(&event.time)
    }

    fn takes_time(&self, text: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let at = time::read(text);
        let since = self
            .since
            .is_none_or(|since| at.is_some_and(|at| at >= since));
        let until = self
            .until
            .is_none_or(|until| at.is_some_and(|at| at < until));
        since && until
    }
}

/// What is done with a record.
pub(super) type Take<'t> = dyn FnMut(u64, Place, &Record) -> Result<(), Failed> + 't;

/// Gives all records of a ledger, in its order.
pub(super) fn records(reader: &Reader, take: &mut Take<'_>) -> Result<(), Failed> {
    reader.each::<Failed>(0, &mut |number, place, part| {
        record(number, part)?.map_or(Ok(()), |record| take(number, place, &record))
    })
}

/// What is done with an event: its number, its outline, and what it says.
pub(super) type TakeEvent<'t> = dyn FnMut(u64, &Outline, &[u8]) -> Result<(), Failed> + 't;

/// Gives all events of a ledger, in its order.
pub(super) fn events(reader: &Reader, take: &mut TakeEvent<'_>) -> Result<(), Failed> {
    reader.each::<Failed>(0, &mut |number, _, part| {
        event(number, part)?.map_or(Ok(()), |event| take(number, &event, part.bytes))
    })
}

/// The latest entry before `size` that says what was removed, and its number.
pub(super) fn removal(reader: &Reader, size: u64) -> Result<Option<(u64, Removal)>, Failed> {
    let mut found = None;
    if reader.horizon()? == 0 {
        return Ok(found);
    }
    reader.each::<Failed>(0, &mut |number, _, part| {
        if number < size
            && let Some(removal) = Removal::read(part.kind, part.bytes)
        {
            found = Some((number, removal));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The event that an entry is; `None` if it is something else.
pub(super) fn event(number: u64, part: Part<'_>) -> Result<Option<Outline>, Failed> {
    if part.kind != Kind::EVENT {
        return Ok(None);
    }
    Outline::read(part.bytes)
        .map(Some)
        .ok_or_else(|| Failed::new(format!("entry {number}: expected an event")))
}

/// The record that an entry is; `None` if it is something else.
pub(super) fn record(number: u64, part: Part<'_>) -> Result<Option<Record>, Failed> {
    if part.kind != RECORD {
        return Ok(None);
    }
    Record::read(part.bytes)
        .map(Some)
        .map_err(|why| Failed::new(format!("entry {number}: expected a session record: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_must_be_met() {
        let text = r#"{"version":1,"id":"a1","worker":"b2","number":1,"time":"2026-11-21T12:00:00.123Z",
            "identity":{"subject":"carol"},"request":{"operation":"chat"},"verdict":{"action":"deny","code":"no_rule"}}"#;
        let record = Record::read(text.as_bytes()).unwrap();
        let all = Selection::default();
        assert!(all.takes(&record) && all.is_all());
        let some = |text: &str| Some(text.to_owned());
        let at = |text: &str| Selection::time(text).ok();
        for (selection, takes) in [
            (
                Selection {
                    subject: some("carol"),
                    ..all.clone()
                },
                true,
            ),
            (
                Selection {
                    subject: some("dave"),
                    ..all.clone()
                },
                false,
            ),
            (
                Selection {
                    action: some("deny"),
                    code: some("no_rule"),
                    ..all.clone()
                },
                true,
            ),
            (
                Selection {
                    action: some("deny"),
                    code: some("other"),
                    ..all.clone()
                },
                false,
            ),
            (
                Selection {
                    operation: some("chat"),
                    ..all.clone()
                },
                true,
            ),
            (
                Selection {
                    operation: some("cha"),
                    ..all.clone()
                },
                false,
            ),
            (
                Selection {
                    since: at("2026-11-21T12:00:00Z"),
                    ..all.clone()
                },
                true,
            ),
            (
                Selection {
                    since: at("2026-11-21T12:00:01Z"),
                    ..all.clone()
                },
                false,
            ),
            (
                Selection {
                    until: at("2026-11-21T12:00:01Z"),
                    ..all.clone()
                },
                true,
            ),
            (
                Selection {
                    until: at("2026-11-21T12:00:00Z"),
                    ..all.clone()
                },
                false,
            ),
        ] {
            assert_eq!(selection.takes(&record), takes, "{selection:?}");
        }
        assert!(Selection::time("yesterday").is_err());
    }
}
