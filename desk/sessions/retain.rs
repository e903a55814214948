//! Looks for what is old enough to be removed.

use std::time::Duration;

use super::writer::Writer;
use crate::ledger::{LedgerError, Reader, SEGMENT_MILLIS, expired};
use crate::stop::Stop;
use crate::store::now;

/// The longest pause between two looks.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The shortest pause.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// How long a segment is written to, in milliseconds, where entries are kept for so long. Only whole segments
/// are removed, so an entry stays for that much longer at most.
#[must_use]
pub fn segment_millis(keep: Option<Duration>) -> u64 {
    keep.map_or(SEGMENT_MILLIS, |keep| millis(keep).min(SEGMENT_MILLIS))
}

/// Removes segments all of whose entries are older than `keep`, one after the other, until `stop` is requested.
pub async fn retain(writer: Writer, ledger: Reader, keep: Duration, mut stop: Stop) {
    let pause = keep
        .checked_div(10)
        .unwrap_or(MAX_PAUSE)
        .clamp(MIN_PAUSE, MAX_PAUSE);
    while !stop.is_requested() {
        let time = u64::try_from(now()).unwrap_or(0);
        let before = time.saturating_sub(millis(keep));
        match look(ledger.clone(), before).await {
            Ok(Some(found)) => {
                if matches!(writer.remove(found, before).await, Ok(true)) {
                    continue;
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "old entries can't be removed"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.requested() => {}
        }
    }
}

async fn look(ledger: Reader, before: u64) -> Result<Option<crate::ledger::Expired>, LedgerError> {
    let look = tokio::task::spawn_blocking(move || expired(&ledger, before));
    // It is cut off when the desk stops.
    look.await.unwrap_or(Ok(None))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
