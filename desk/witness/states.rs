//! How far each witness has come, and what is wrong with one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The witnesses on other machines.
#[derive(Debug, Default)]
pub struct States(Mutex<Vec<State>>);

#[derive(Clone, Debug)]
struct State {
    name: String,
    required_within: Option<Duration>,
    /// How many entries the checkpoint has that it saw last.
    seen: u64,
    /// Since when it lacks one that is published.
    behind: Option<Instant>,
    /// Why the last try failed.
    error: Option<String>,
    /// What it says against the ledger.
    contradiction: Option<String>,
}

impl States {
    /// Adds a witness that has seen so many entries; returns its number.
    pub(super) fn add(&self, name: &str, required_within: Option<Duration>, seen: u64) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(State {
            name: name.to_owned(),
            required_within,
            seen,
            behind: None,
            error: None,
            contradiction: None,
        });
        all.len() - 1
    }

    fn change(&self, number: usize, change: impl FnOnce(&mut State)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = all.get_mut(number) {
            change(state);
        }
    }

    /// A checkpoint is published that it has not seen.
    pub(super) fn lacks(&self, number: usize, now: Instant) {
        self.change(number, |state| {
            state.behind.get_or_insert(now);
        });
    }

    /// It has seen a checkpoint of so many entries, the latest when it was sent.
    pub(super) fn has_seen(&self, number: usize, size: u64) {
        self.change(number, |state| {
            state.seen = size;
            state.behind = None;
            state.error = None;
            state.contradiction = None;
        });
    }

    /// It could not be told; returns whether that is news.
    pub(super) fn failed(&self, number: usize, error: String) -> bool {
        let mut news = false;
        self.change(number, |state| {
            news = state.error.as_ref() != Some(&error);
            state.error = Some(error);
        });
        news
    }

    /// It has seen another ledger; returns whether that is news.
    pub(super) fn contradicted(&self, number: usize, what: String) -> bool {
        let mut news = false;
        self.change(number, |state| {
            news = state.contradiction.as_ref() != Some(&what);
            state.contradiction = Some(what);
        });
        news
    }

    /// What is wrong, if something is: a witness contradicts the ledger, or one that is required has
    /// been away for too long.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble_at(Instant::now())
    }

    fn trouble_at(&self, now: Instant) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let contradicts = |state: &State| {
            let what = state.contradiction.as_ref()?;
            Some(format!("the witness {} says that {what}", state.name))
        };
        let away = |state: &State| {
            let behind = now.saturating_duration_since(state.behind?);
            let why = state.error.as_deref().unwrap_or("it has not answered yet");
            (behind > state.required_within?).then(|| {
                format!(
                    "the witness {} lacks checkpoints for {} s: {why}",
                    state.name,
                    behind.as_secs()
                )
            })
        };
        let grave = all.iter().find_map(contradicts);
        grave.or_else(|| all.iter().find_map(away))
    }

    /// The witnesses as JSON: `name`; `seen`, how many entries the latest checkpoint has that it saw;
    /// `behind`, for how many seconds it has lacked one; and `error`, why.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = all.iter().map(|state| {
            serde_json::json!({
                "name": state.name,
                "seen": state.seen,
                "behind": state.behind.map(|since| since.elapsed().as_secs()),
                "error": state.contradiction.as_ref().or(state.error.as_ref()),
            })
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_required_witness_may_be_away_for_its_time_and_none_may_contradict() {
        let states = States::default();
        let optional = states.add("a", None, 0);
        let required = states.add("b", Some(Duration::from_secs(60)), 7);
        let begin = Instant::now();
        let at = |seconds| states.trouble_at(begin + Duration::from_secs(seconds));
        states.lacks(optional, begin);
        assert!(states.failed(optional, "refused".to_owned()));
        assert_eq!(at(9999), None, "it is not required");
        states.lacks(required, begin);
        states.lacks(required, begin + Duration::from_secs(50));
        assert_eq!(at(60), None);
        let said = at(61).unwrap();
        assert!(
            said.contains("witness b") && said.contains("not answered"),
            "{said}"
        );
        assert!(states.failed(required, "refused".to_owned()));
        assert!(!states.failed(required, "refused".to_owned()), "is no news");
        assert!(at(61).unwrap().contains("refused"));
        states.has_seen(required, 9);
        assert_eq!(at(9999), None);
        assert!(states.contradicted(optional, "it is another".to_owned()));
        assert!(at(0).unwrap().contains("witness a says that it is another"));
        let shown = states.to_json();
        assert_eq!(
            (&shown[1]["seen"], &shown[1]["behind"]),
            (&9.into(), &serde_json::Value::Null)
        );
    }
}
