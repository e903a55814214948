//! Telling other desks what has changed, and hearing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator as _;

use super::CHANNEL;
use super::connect::Database;
use crate::store::StoreError;

/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(500);

/// How long it waits before it connects again.
const PAUSE: Duration = Duration::from_secs(1);

/// The most approvals that are named in one notice: PostgreSQL has 8,000 bytes for it.
const MAX_NAMED: usize = 150;

/// What stands for what is listed or blocked.
const STANDING: &str = "standing";

/// What stands for more than can be named.
const ANYTHING: &str = "*";

/// What another desk has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'h> {
    /// The approval with this id.
    Approval(&'h str),
    /// What is listed or blocked.
    Standing,
    /// Any of it: something may have been missed.
    Anything,
}

/// What a notice says, in words with spaces between; nothing if nothing has changed.
pub(super) fn said(changed: &[String], standing: bool) -> Option<String> {
    if changed.len() > MAX_NAMED {
        return Some(ANYTHING.to_owned());
    }
    let mut words: Vec<&str> = changed.iter().map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    words.extend(standing.then_some(STANDING));
    (!words.is_empty()).then(|| words.join(" "))
}

/// The words of a notice.
fn heard(said: &str) -> impl Iterator<Item = Heard<'_>> {
    said.split(' ').map(|word| match word {
        STANDING => Heard::Standing,
        ANYTHING => Heard::Anything,
        id => Heard::Approval(id),
    })
}

/// A thread that listens; it ends when this is dropped.
pub struct Listening {
    stop: Arc<AtomicBool>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Tells `wake` what other desks have changed.
///
/// # Errors
/// When no thread can be started.
pub fn listen(
    database: Database,
    wake: impl Fn(Heard<'_>) + Send + 'static,
) -> std::io::Result<Listening> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    std::thread::Builder::new()
        .name("listening".to_owned())
        .spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = hear(&database, &stopped, &wake) {
                    // What works on approvals meets the same trouble, and says so louder.
                    tracing::warn!(%error, "other desks can't be heard");
                    std::thread::sleep(PAUSE);
                }
            }
        })?;
    Ok(Listening { stop })
}

fn hear(
    database: &Database,
    stop: &AtomicBool,
    wake: &impl Fn(Heard<'_>),
) -> Result<(), StoreError> {
    let mut client: Client = database.connect()?;
    client.batch_execute(&format!("LISTEN {CHANNEL}"))?;
    // What was said before is missed.
    wake(Heard::Anything);
    while !stop.load(Ordering::Relaxed) {
        let notice = client.notifications().timeout_iter(LOOK).next()?;
        match notice {
            Some(notice) if !database.is_own(notice.process_id()) => {
                heard(notice.payload()).for_each(wake);
            }
            Some(_) => {}
            None if client.is_closed() => return Err(StoreError::Interrupted),
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Heard, MAX_NAMED, heard, said};

    #[test]
    fn what_is_said_is_heard() {
        let ids = |count: usize| {
            (0..count)
                .map(|id| format!("apr_{id:032x}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(said(&[], false), None);
        let two = [ids(2), ids(2)].concat();
        let two = said(&two, true).unwrap();
        let (one, other) = (format!("apr_{:032x}", 0), format!("apr_{:032x}", 1));
        let expected = [
            Heard::Approval(&one),
            Heard::Approval(&other),
            Heard::Standing,
        ];
        assert_eq!(heard(&two).collect::<Vec<_>>(), expected);
        let most = said(&ids(MAX_NAMED), true).unwrap();
        assert!(most.len() < 8000, "{}", most.len());
        let more = said(&ids(MAX_NAMED + 1), false).unwrap();
        assert_eq!(heard(&more).collect::<Vec<_>>(), [Heard::Anything]);
    }
}
