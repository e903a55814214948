mod capacity;
mod held;
mod interleaved;
mod names;
mod reset;
mod section;
mod windows;

use core::time::Duration;

use super::{Charge, ChargeError, Reservation, Window, charge, look};
use crate::shared::{CELL_BYTES, HEAD_BYTES, MAX_COUNTED_BYTES, Shared, Table};
use crate::testing::Memory;

/// The size of a table by default.
const SIZE: u64 = 8 << 20;
const ONE_CELL: u64 = 2048;
const PER: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::from_millis(1_800_000_010_500);

/// A window of a minute, for limits up to 255.
fn minute() -> Window {
    Window::sliding(PER, 255)
}

/// How many counts of small limits fit into a cell.
fn counts_of_a_cell() -> usize {
    assert_eq!(u64::try_from(CELL_BYTES).unwrap(), ONE_CELL);
    MAX_COUNTED_BYTES / (HEAD_BYTES + 26)
}

/// One Envoy's counts.
struct Counts {
    memory: Memory,
    table: Table,
    window: Window,
}

impl Counts {
    fn of(size: u64, key: u8) -> Self {
        Self::with(size, key, minute())
    }

    fn with(size: u64, key: u8, window: Window) -> Self {
        let memory = Memory::default();
        let table = Table::join(&memory, size, Some([key; 16])).unwrap();
        Self {
            memory,
            table,
            window,
        }
    }

    fn charge(&self, wanted: &Charge<'_>, now: Duration) -> Result<Reservation, ChargeError> {
        self.charge_in(&self.memory, wanted, now)
    }

    fn charge_in(
        &self,
        shared: &dyn Shared,
        wanted: &Charge<'_>,
        now: Duration,
    ) -> Result<Reservation, ChargeError> {
        charge(&self.table, shared, self.window, wanted, now)
    }

    fn settle(&self, taken: &mut Reservation, amount: u64, now: Duration) {
        let settled = taken.settle(&self.table, &self.memory, amount, now);
        settled.unwrap();
    }

    fn refund(&self, taken: Reservation, now: Duration) {
        taken.refund(&self.table, &self.memory, now).unwrap();
    }

    /// What is left of a limit.
    fn left(&self, key: &str, limit: u64, now: Duration) -> u64 {
        let fits = |amount: &u64| {
            let key = [key];
            let wanted = of(&key, *amount, limit);
            look(&self.table, &self.memory, self.window, &wanted, now).is_ok()
        };
        (1..).take_while(fits).last().unwrap_or(0)
    }
}

fn of<'a>(key: &'a [&'a str], amount: u64, limit: u64) -> Charge<'a> {
    Charge {
        quota: "q",
        key,
        amount,
        room: 0,
        limit,
        inventor: None,
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
