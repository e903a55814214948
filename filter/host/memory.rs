//! How much memory this VM has taken from Envoy.

use core::cell::Cell;

use super::calls;

/// A gauge of the largest VM's memory in bytes. Memory of a VM never shrinks, so its largest is
/// its last.
pub(super) struct Memory {
    gauge: Option<u32>,
    pages: Cell<usize>,
}

const PAGE: u64 = 65_536;

impl Memory {
    pub(super) fn watch() -> Self {
        let memory = Self {
            gauge: calls::gauge("portcullis_memory_bytes").ok(),
            pages: Cell::new(0),
        };
        memory.look();
        memory
    }

    /// Cheap where nothing has changed.
    pub(super) fn look(&self) {
        let pages = core::arch::wasm32::memory_size::<0>();
        if pages == self.pages.replace(pages) {
            return;
        }
        if let (Some(gauge), Ok(pages)) = (self.gauge, u64::try_from(pages)) {
            // Nothing depends on it.
            let _ = calls::raise(gauge, pages.saturating_mul(PAGE));
        }
    }
}
