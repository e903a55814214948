//! The host's shared data: the named values on which all workers look.
//!
//! Shared data can't create a value only if there is none, so all values are made before a
//! worker serves: Envoy configures a first VM of its own, alone, before those of the workers.
//! After that, they are only ever changed by compare-and-set.

use super::api::{Host, Status};
use crate::shared::{Shared, SharedError};

/// What all plugins and configurations with one `vm_id` share.
pub(super) struct SharedData<'a, H>(pub(super) &'a H);

impl<H: Host> Shared for SharedData<'_, H> {
    fn make(&self, name: &str) -> Result<(), SharedError> {
        let made = match self.0.shared(name) {
            Err(Status::NOT_FOUND) => self.0.set_shared(name, b"", 0),
            found => found.map(drop),
        };
        made.map_err(|_| SharedError)
    }

    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        // A value that is missing now was not there when it had to be made: to make it could undo
        // another worker's change.
        self.0.shared(name).map_err(|_| SharedError)
    }

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        // By the host's rules, version 0 changes whatever is there.
        if version == 0 {
            return Err(SharedError);
        }
        match self.0.set_shared(name, bytes, version) {
            Ok(()) => Ok(true),
            Err(Status::CAS_MISMATCH) => Ok(false),
            Err(_) => Err(SharedError),
        }
    }
}
