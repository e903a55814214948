//! How many exchanges wait for a person at once, in all and for one caller.
//!
//! Each of them holds memory of its worker and a connection to the desk. The bounds are those of
//! one worker and one configuration: they guard its memory, and are no quota.

use core::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::identity::Identity;
use crate::limits::Waiting as Limits;

/// A caller: the issuer and the subject.
type Caller = (String, String);

/// The places that there are.
#[derive(Debug)]
pub(super) struct WaitingRoom {
    limits: Limits,
    taken: Cell<u64>,
    by_caller: RefCell<BTreeMap<Caller, u64>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The caller has as many exchanges waiting as one may have.
    OfCaller,
    /// As many wait as may in all.
    OfAll,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct WaitingPlace {
    room: Rc<WaitingRoom>,
    caller: Caller,
}

impl WaitingRoom {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            taken: Cell::new(0),
            by_caller: RefCell::default(),
        })
    }

    /// Takes a place for a caller.
    pub(super) fn enter(self: &Rc<Self>, identity: &Identity) -> Result<WaitingPlace, Full> {
        let taken = self.taken.get();
        if taken >= self.limits.total {
            return Err(Full::OfAll);
        }
        let caller = (identity.issuer.clone(), identity.subject.clone());
        let mut by_caller = self.by_caller.borrow_mut();
        let of_caller = by_caller.get(&caller).copied().unwrap_or(0);
        if of_caller >= self.limits.per_subject {
            return Err(Full::OfCaller);
        }
        by_caller.insert(caller.clone(), of_caller.saturating_add(1));
        self.taken.set(taken.saturating_add(1));
        drop(by_caller);
        Ok(WaitingPlace {
            room: Rc::clone(self),
            caller,
        })
    }
}

impl Drop for WaitingPlace {
    fn drop(&mut self) {
        let room = &self.room;
        room.taken.set(room.taken.get().saturating_sub(1));
        let mut by_caller = room.by_caller.borrow_mut();
        if let Some(count) = by_caller.get_mut(&self.caller) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_caller.remove(&self.caller);
            }
        }
    }
}
