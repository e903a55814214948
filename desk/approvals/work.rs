//! What a piece of work does in a transaction, and what has to stand in the ledger before it has an effect.

use super::entries;
use super::machine::{Approval, Step, Trouble};
use super::store::{Rows, Store, Stored};
use crate::http::Refusal;
use crate::sessions::{What, Who};
use crate::store::StoreError;

/// Enters events into the ledger; says whether the disk has all of them.
pub type Enter = Box<dyn FnMut(Vec<(Who, What)>) -> bool + Send>;

/// Why a piece of work ends early.
#[derive(Debug)]
pub enum Halt {
    /// The store failed: nothing is changed.
    Store(StoreError),
    /// It may not be done. What was done before stays, such as what has run out of time.
    Refused(Refusal),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        Self::Refused(super::refusal::of(trouble))
    }
}

/// Why a transaction came to nothing.
#[derive(Debug)]
pub enum Failed {
    /// The store failed.
    Store(StoreError),
    /// The ledger can't take what would have happened.
    NotEntered,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who has to hear of a transaction.
#[derive(Debug, Default)]
pub struct Told {
    /// The approvals that have another state.
    pub woken: Vec<String>,
    /// Whether what is listed or blocked has changed.
    pub standing: bool,
    /// What stands in the ledger.
    pub entries: Vec<(Who, What)>,
}

/// A transaction.
pub struct Work<'s> {
    /// What is stored.
    pub rows: Box<dyn Rows + 's>,
    /// Now, in milliseconds since 1970.
    pub now: i64,
    told: Told,
}

impl Work<'_> {
    /// The approval with this id.
    ///
    /// # Errors
    /// There is none.
    pub fn load(&mut self, id: &str) -> Result<Stored, Halt> {
        let found = self.rows.find(id)?;
        Ok(found.ok_or(Trouble::Unknown)?)
    }

    /// Stores what a step has made of an approval, and notes what happened.
    ///
    /// # Errors
    /// The step's command was refused. What has run out of time stays so.
    pub fn apply<R>(
        &mut self,
        who: &Who,
        before: &Stored,
        step: Step<R>,
    ) -> Result<(Approval, R), Halt> {
        let Step {
            after,
            happened,
            reply,
        } = step;
        let old = &before.approval;
        if after != *old {
            let replaced = self.rows.replace(&Stored {
                approval: after.clone(),
                version: before.version,
            })?;
            if !replaced {
                return Err(StoreError::Conflict.into());
            }
            // What is listed until another time is told anew, too: of a window that closed and opened while nobody
            // looked, filters know the end of the one before.
            let listed = |one: &Approval| {
                let told = (one.turns, one.vouched_by.len());
                one.is_listed().then_some(told)
            };
            self.told.standing |= listed(&after) != listed(old);
            if after.kept.is_some() && after.state != old.state {
                self.rows
                    .end_answer(&after.id, after.answer_ends(self.now))?;
            }
            if (after.state, after.decisions.len()) != (old.state, old.decisions.len()) {
                self.told.woken.push(after.id.clone());
            }
        }
        self.note(who, &after, &happened);
        Ok((after, reply?))
    }

    /// Stores a new approval.
    ///
    /// # Errors
    /// The store fails.
    pub fn add(&mut self, who: &Who, step: Step<()>) -> Result<Approval, Halt> {
        self.rows.insert(&step.after)?;
        self.note(who, &step.after, &step.happened);
        Ok(step.after)
    }

    fn note(&mut self, who: &Who, approval: &Approval, happened: &[super::machine::Happened]) {
        for one in happened {
            // Nobody does what time does.
            let expired = matches!(one, super::machine::Happened::Expired { .. });
            let who = if expired { Who::Desk } else { who.clone() };
            self.enter(who, entries::what(approval, one));
        }
    }

    /// Has this stand in the ledger before the transaction has an effect.
    pub fn enter(&mut self, who: Who, what: What) {
        self.told.entries.push((who, what));
    }

    /// What is listed or blocked changes.
    pub fn revise(&mut self) {
        self.told.standing = true;
    }
}

/// Tells the time of a transaction that has begun.
pub type Clock<'c> = dyn FnMut(&mut dyn Rows) -> Result<i64, StoreError> + 'c;

/// Does work in a transaction: what it does has an effect once the ledger has what it says. If the store fails
/// behind that, there are entries of what had none. The clock is asked when the store's lock is held, which may be a while behind the call.
///
/// # Errors
/// It had no effect.
pub fn transact(
    store: &mut dyn Store,
    clock: &mut Clock<'_>,
    enter: &mut Enter,
    work: &mut dyn FnMut(&mut Work<'_>) -> Result<(), StoreError>,
) -> Result<Told, Failed> {
    let mut rows = store.begin()?;
    let now = clock(&mut *rows)?;
    let mut running = Work {
        rows,
        now,
        told: Told::default(),
    };
    work(&mut running)?;
    let Work { mut rows, told, .. } = running;
    if told.standing {
        rows.revise()?;
    }
    if !told.entries.is_empty() && !enter(told.entries.clone()) {
        return Err(Failed::NotEntered);
    }
    rows.commit()?;
    Ok(told)
}
