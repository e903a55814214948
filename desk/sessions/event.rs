//! Events: what people and the desk did with records, as entries of the same ledger.
//!
//! An event is a JSON object in an entry of the kind [`Kind::EVENT`](crate::ledger::Kind::EVENT);
//! `schema/event.schema.json` says what it has. Texts that come from outside are cut to [`MAX_TEXT`] characters.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::deeds;
use crate::ledger::{Entry, KeptKey, Kind, LedgerError};
use crate::store::now;
pub use crate::store::time_text;

/// The longest text of an event that comes from outside, in characters.
pub const MAX_TEXT: usize = 1024;

/// The version of the form.
const VERSION: u64 = 1;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "lowercase")]
pub enum Who {
    /// A reviewer, by name.
    Reviewer(String),
    /// A filter, by name.
    Filter(String),
    /// Somebody without a key.
    Stranger,
    /// The desk itself.
    Desk,
}

impl Who {
    /// The filter with this name, or somebody without a key.
    #[must_use]
    pub fn peer(name: Option<&Arc<str>>) -> Self {
        name.map_or(Self::Stranger, |name| Self::Filter(name.to_string()))
    }

    /// The name of a filter.
    #[must_use]
    pub fn filter(&self) -> Option<&str> {
        match self {
            Self::Filter(name) => Some(name),
            _ => None,
        }
    }

    /// In a word or two, for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Reviewer(name) => format!("reviewer {name}"),
            Self::Filter(name) => format!("filter {name}"),
            Self::Stranger => "without a key".to_owned(),
            Self::Desk => "the desk".to_owned(),
        }
    }
}

/// How records came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// By Envoy's access log.
    Stream,
    /// One by one, before their answers went.
    Post,
}

/// What a reviewer asked the list of records for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Only this subject's.
    pub subject: Option<String>,
    /// Only those with this action.
    pub action: Option<String>,
    /// Only those of this operation.
    pub operation: Option<String>,
    /// Only those for this model.
    pub model: Option<String>,
    /// Only those that this rule decided.
    pub rule: Option<String>,
    /// Only those with this code.
    pub code: Option<String>,
    /// Only those in which this detector found something.
    pub detector: Option<String>,
    /// Only requests at this time or later.
    pub since: Option<String>,
    /// Only requests before this time.
    pub until: Option<String>,
    /// Only those before the record with this id.
    pub before: Option<String>,
}

/// A worker of which records were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWorker {
    /// The worker.
    pub worker: String,
    /// Whose it is; `None` if nobody has claimed it.
    pub owner: Option<Who>,
    /// How its records came, if somebody owns it.
    pub way: Option<Way>,
    /// The highest number of its records that were removed.
    pub removed: i64,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum What {
    /// Somebody asked for an approval.
    Question(Box<deeds::Question>),
    /// A reviewer opened an approval.
    Look(deeds::Change),
    /// A reviewer decided on an approval.
    Decision(Box<deeds::Decision>),
    /// A reviewer set the rules for reviewers aside: beside the decision.
    #[serde(rename = "break_glass")]
    BreakGlass(Box<deeds::Decision>),
    /// A reviewer took an approval back.
    Revocation(Box<deeds::Decision>),
    /// A use of an approval was taken.
    Claim(deeds::Claim),
    /// A use of an approval came back.
    #[serde(rename = "give_back")]
    GiveBack(deeds::Claim),
    /// Somebody waits no more.
    Cancel(deeds::Change),
    /// The time of an approval was over.
    Expiry(deeds::Change),
    /// A subject or a token is refused everywhere.
    Block(deeds::Block),
    /// It is no longer.
    Unblock(deeds::Block),
    /// A count of a quota is to be emptied.
    Reset(deeds::Reset),
    /// A reviewer lets another one decide.
    Delegation(deeds::Delegation),
    /// That is over.
    #[serde(rename = "delegation_end")]
    DelegationEnd(deeds::Delegation),
    /// A reviewer read records: one, by its id, or a page of the list.
    Read {
        /// The id of the one that was asked for.
        record: Option<String>,
        /// What the list was asked for.
        list: Option<Asked>,
        /// How many records were shown.
        shown: usize,
    },
    /// A node of a filter's has a policy that it didn't have before.
    Policy {
        /// The id of Envoy's node, where the record says it.
        node: Option<String>,
        /// The policy's digest.
        policy: String,
        /// The one before, if one is known.
        before: Option<String>,
        /// The worker whose record shows it.
        worker: String,
    },
    /// Somebody brought the first records of a worker, and owns it from now on.
    Worker {
        /// The worker.
        worker: String,
        /// How they came.
        way: Way,
        /// Whose it was before, if somebody's.
        before: Option<Who>,
    },
    /// Old entries are removed.
    Retention {
        /// The first of them.
        from: u64,
        /// The first that stays.
        to: u64,
        /// How many they are.
        count: u64,
        /// They are from before this time (RFC 3339).
        until: String,
        /// The keys among all that was removed so far.
        keys: Vec<KeptKey>,
        /// The workers of removed records, but for those that have had none for long.
        workers: Vec<KeptWorker>,
    },
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    version: u64,
    /// Its id: 32 hex digits.
    pub id: String,
    /// When it was (RFC 3339, with milliseconds).
    pub time: String,
    /// Who did it.
    pub who: Who,
    /// What was done.
    #[serde(flatten)]
    pub what: What,
}

/// What any event has, also one of a later version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Outline {
    /// Its id.
    pub id: String,
    /// What it is, in a word.
    pub event: String,
    /// When it was.
    pub time: String,
    /// Who did it.
    pub who: Who,
}

impl Event {
    /// An event of now.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(who: Who, what: What) -> Result<Self, LedgerError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| LedgerError::Key(format!("no randomness: {error}")))?;
        Ok(Self {
            version: VERSION,
            id: format!("{:032x}", u128::from_be_bytes(random)),
            time: time_text(now()),
            who,
            what,
        })
    }

    /// Reads an entry's bytes; `None` for another form, as that of a later version may be.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let event: Self = serde_json::from_slice(bytes).ok()?;
        (event.version == VERSION).then_some(event)
    }

    /// As an entry of the ledger.
    ///
    /// # Errors
    /// It has no form as JSON, which can't be.
    pub fn to_entry(&self, time: u64) -> Result<Entry, LedgerError> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| LedgerError::Damaged(format!("an event: {error}")))?;
        Ok(Entry {
            kind: Kind::EVENT,
            time,
            bytes,
        })
    }

    /// What it is, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.what {
            What::Question(_) => "question",
            What::Look(_) => "look",
            What::Decision(_) => "decision",
            What::BreakGlass(_) => "break_glass",
            What::Revocation(_) => "revocation",
            What::Claim(_) => "claim",
            What::GiveBack(_) => "give_back",
            What::Cancel(_) => "cancel",
            What::Expiry(_) => "expiry",
            What::Block(_) => "block",
            What::Unblock(_) => "unblock",
            What::Reset(_) => "reset",
            What::Delegation(_) => "delegation",
            What::DelegationEnd(_) => "delegation_end",
            What::Read { .. } => "read",
            What::Policy { .. } => "policy",
            What::Worker { .. } => "worker",
            What::Retention { .. } => "retention",
        }
    }
}

impl Outline {
    /// Reads an entry's bytes; `None` if they are no event.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// A text from outside, cut to [`MAX_TEXT`] characters.
#[must_use]
pub fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT.saturating_sub(1)) {
        Some((end, last)) if end.saturating_add(last.len_utf8()) < text.len() => {
            let (kept, _) = text.split_at_checked(end).unwrap_or((text, ""));
            format!("{kept}\u{2026}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_the_bound_and_no_sooner() {
        for character in ["a", "\u{e9}", "\u{1f600}"] {
            let longest = character.repeat(MAX_TEXT);
            assert_eq!(cut(&longest), longest);
            let cut = cut(&format!("{longest}{character}"));
            assert_eq!(cut.chars().count(), MAX_TEXT);
            assert!(cut.ends_with('\u{2026}'));
        }
        assert_eq!(cut(""), "");
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        assert_eq!(time_text(1_795_262_400_123), "2026-11-21T12:00:00.123Z");
    }

    #[test]
    fn an_event_is_read_back_and_one_of_a_later_version_has_an_outline() {
        let what = What::Worker {
            worker: "aa".to_owned(),
            way: Way::Post,
            before: Some(Who::Stranger),
        };
        let event = Event::new(Who::Filter("edge".to_owned()), what).unwrap();
        let bytes = event.to_entry(5).unwrap().bytes;
        assert_eq!(Event::read(&bytes), Some(event.clone()));
        let outline = Outline::read(&bytes).unwrap();
        assert_eq!((outline.id, outline.event.as_str()), (event.id, "worker"));
        let later =
            br#"{"version":2,"id":"ab","event":"merge","time":"t","who":{"kind":"desk"},"x":1}"#;
        assert_eq!(Event::read(later), None);
        assert_eq!(Outline::read(later).unwrap().event, "merge");
    }
}
