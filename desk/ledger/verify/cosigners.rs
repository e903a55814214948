//! Cosignatures of witnesses whose keys the asker knows.

use std::path::Path;

use super::{Question, Verdict, Witnessed, Wrong};
use crate::ledger::cosigned::Cosigned;
use crate::ledger::error::LedgerError;

/// Looks for the cosignature of each witness, and adds the checkpoints with cosignatures that stand beside
/// the ledger to those that witnesses have.
pub(super) fn judge(
    folder: &Path,
    question: &Question,
    witnessed: &mut Vec<Witnessed>,
    verdict: &mut Verdict,
) -> Result<(), LedgerError> {
    for key in &question.cosigners {
        let file = Cosigned::new(folder, key);
        let place = file.path().display().to_string();
        let mut problem = format!("{place}: found none, expected a checkpoint");
        let beside = match file.read() {
            Ok(Some((checkpoint, note, _))) => Some((place.clone(), checkpoint, note)),
            Ok(None) => None,
            Err(LedgerError::Damaged(what)) => {
                problem = what;
                None
            }
            Err(error) => return Err(error),
        };
        if let Some(one) = beside {
            match key.has_seen(&one.2) {
                Some(_) => witnessed.push(one),
                None => {
                    problem = format!("{place}: found another signature, expected a cosignature")
                }
            }
        }
        let all = witnessed.iter().filter_map(|(name, checkpoint, note)| {
            let time = key.has_seen(note)?;
            Some((checkpoint.size, time, name))
        });
        match all.max() {
            Some((size, time, name)) => verdict.remarks.push(format!(
                "{name}: the witness {} has seen {size} entries, at {time} s since 1970",
                key.name()
            )),
            None => verdict.problems.add(
                Wrong::Forged,
                None,
                format!("{problem} of the witness {}+{}", key.name(), key.id()),
            ),
        }
    }
    Ok(())
}
