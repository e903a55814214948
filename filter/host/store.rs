//! Envoy's shared data: the quota cells, and the board on which workers tell of keys.
//!
//! Shared data can't create a value only if there is none, so all values are made before a
//! worker serves: Envoy configures a first VM of its own, alone, before those of the workers.
//! After that, cells are only ever changed by compare-and-set.

use super::calls::{self, Status};
use crate::exchange::Board;
use crate::quota::{CELLS, Store, StoreError};

/// Where the counters are kept; all plugins and configurations with one `vm_id` share them.
pub(super) struct SharedData;

fn key(cell: u32) -> String {
    format!("portcullis.counts.{cell}")
}

impl SharedData {
    /// Makes the cells that are not there yet.
    pub(super) fn prepare() -> Result<(), Status> {
        // Cells are made from the first to the last: where the last is, all are.
        if calls::shared(&key(CELLS - 1)).is_ok() {
            return Ok(());
        }
        (0..CELLS).try_for_each(|cell| make(&key(cell)))
    }

    /// Makes the values of the board that are not there yet.
    pub(super) fn prepare_board(names: &[String]) -> Result<(), Status> {
        names.iter().try_for_each(|name| make(name))
    }
}

fn make(name: &str) -> Result<(), Status> {
    match calls::shared(name) {
        Ok(_) => Ok(()),
        Err(Status::NOT_FOUND) => calls::set_shared(name, b"", 0),
        Err(status) => Err(status),
    }
}

impl Board for SharedData {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        calls::shared(name).ok()
    }

    fn swap(&self, name: &str, value: &[u8], change: u32) -> bool {
        change != 0 && calls::set_shared(name, value, change).is_ok()
    }
}

impl Store for SharedData {
    fn get(&self, cell: u32) -> Result<(Vec<u8>, u32), StoreError> {
        // A cell that is missing now was not there when it had to be made: counting in it could
        // lose another worker's count.
        calls::shared(&key(cell)).map_err(|_| StoreError)
    }

    fn compare_and_set(&self, cell: u32, bytes: &[u8], change: u32) -> Result<bool, StoreError> {
        if change == 0 {
            return Err(StoreError);
        }
        match calls::set_shared(&key(cell), bytes, change) {
            Ok(()) => Ok(true),
            Err(Status::CAS_MISMATCH) => Ok(false),
            Err(_) => Err(StoreError),
        }
    }
}
