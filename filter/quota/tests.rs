use core::time::Duration;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Charge, ChargeError, Reservation, charge};
use crate::shared::{MAX_COUNTS, Shared, SharedError, Table};
use crate::testing::Memory;

/// The size of a table by default.
const SIZE: u64 = 8 << 20;
/// The size of one cell.
const ONE_CELL: u64 = 2048;
const PER: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::from_millis(1_800_000_010_500);

/// One Envoy's counts.
struct Counts {
    memory: Memory,
    table: Table,
}

impl Counts {
    fn of(size: u64, key: u8) -> Self {
        let memory = Memory::default();
        let table = Table::join(&memory, size, Some([key; 16])).unwrap();
        Self { memory, table }
    }

    fn charge(&self, wanted: &Charge<'_>, now: Duration) -> Result<Reservation, ChargeError> {
        charge(&self.table, &self.memory, wanted, now)
    }

    fn settle(&self, taken: &mut Reservation, amount: u64, now: Duration) {
        taken
            .settle(&self.table, &self.memory, amount, now)
            .unwrap();
    }

    fn refund(&self, taken: Reservation, now: Duration) {
        taken.refund(&self.table, &self.memory, now).unwrap();
    }

    /// What is left of a limit.
    fn left(&self, key: &str, limit: u64, now: Duration) -> u64 {
        let mut left = 0;
        while let Ok(taken) = self.charge(&of(&[key], left + 1, limit), now) {
            self.refund(taken, now);
            left += 1;
        }
        left
    }
}

fn of<'a>(key: &'a [&'a str], amount: u64, limit: u64) -> Charge<'a> {
    Charge {
        quota: "q",
        key,
        amount,
        limit,
        per: PER,
    }
}

#[test]
fn a_window_gives_what_it_has_and_the_next_begins_anew() {
    let counts = Counts::of(SIZE, 5);
    for _ in 0..3 {
        counts.charge(&of(&["jane"], 1, 3), NOW).unwrap();
    }
    // 1,800,000,010.5 s lies 10.5 s after a whole minute, 49.5 s before the next.
    assert_eq!(
        counts.charge(&of(&["jane"], 1, 3), NOW),
        Err(ChargeError::Over { retry_after: 50 })
    );
    counts.charge(&of(&["bob"], 1, 3), NOW).unwrap();
    let next = NOW + Duration::from_secs(50);
    counts.charge(&of(&["jane"], 3, 3), next).unwrap();
}

#[test]
fn amounts_are_whole_or_not_at_all_and_can_be_given_back() {
    let counts = Counts::of(SIZE, 5);
    assert_eq!(
        counts.charge(&of(&["jane"], 11, 10), NOW),
        Err(ChargeError::Never)
    );
    let taken = counts.charge(&of(&["jane"], 8, 10), NOW).unwrap();
    assert!(matches!(
        counts.charge(&of(&["jane"], 3, 10), NOW),
        Err(ChargeError::Over { .. })
    ));
    counts.refund(taken, NOW);
    counts.charge(&of(&["jane"], 10, 10), NOW).unwrap();
}

#[test]
fn what_is_given_back_late_goes_to_the_window_it_came_from() {
    let counts = Counts::of(SIZE, 5);
    let early = counts.charge(&of(&["jane"], 8, 10), NOW).unwrap();
    let later = NOW + PER;
    counts.charge(&of(&["jane"], 10, 10), later).unwrap();
    counts.refund(early, later);
    assert!(counts.charge(&of(&["jane"], 1, 10), later).is_err());

    // Also by a clock that is a window ahead of the worker's that charges next.
    let counts = Counts::of(SIZE, 5);
    let taken = counts.charge(&of(&["jane"], 8, 10), NOW).unwrap();
    counts.charge(&of(&["jane"], 10, 10), later).unwrap();
    counts.refund(taken, NOW);
    assert_eq!(counts.left("jane", 10, NOW), 10);
    assert_eq!(counts.left("jane", 10, later), 0);
}

#[test]
fn what_was_really_used_is_settled_up_and_down() {
    let counts = Counts::of(SIZE, 5);
    let mut taken = counts.charge(&of(&["jane"], 6, 10), NOW).unwrap();
    counts.settle(&mut taken, 2, NOW);
    assert_eq!((taken.amount(), counts.left("jane", 10, NOW)), (2, 8));
    counts.settle(&mut taken, 9, NOW);
    assert_eq!(counts.left("jane", 10, NOW), 1);
    // More was used than the limit has: nobody gets anything until the window ends.
    counts.settle(&mut taken, 25, NOW);
    assert_eq!(counts.left("jane", 10, NOW), 0);
    counts.settle(&mut taken, 4, NOW);
    assert_eq!(counts.left("jane", 10, NOW), 6);
    counts.refund(taken, NOW);
    assert_eq!(counts.left("jane", 10, NOW), 10);

    let mut late = counts.charge(&of(&["jane"], 6, 10), NOW).unwrap();
    counts.settle(&mut late, 9, NOW + PER);
    assert_eq!(counts.left("jane", 10, NOW + PER), 10, "another window");
}

#[test]
fn what_can_t_be_settled_stays_taken() {
    let counts = Counts::of(SIZE, 5);
    let mut taken = counts.charge(&of(&["jane"], 6, 10), NOW).unwrap();
    let settled = taken.settle(&counts.table, &Memory::broken(), 2, NOW);
    assert!(settled.is_err());
    assert_eq!((taken.amount(), counts.left("jane", 10, NOW)), (6, 4));
}

#[test]
fn keys_that_join_to_the_same_text_are_not_the_same() {
    let counts = Counts::of(SIZE, 5);
    counts.charge(&of(&["ab", "c"], 1, 1), NOW).unwrap();
    counts.charge(&of(&["a", "bc"], 1, 1), NOW).unwrap();
    assert!(counts.charge(&of(&["a", "bc"], 1, 1), NOW).is_err());
}

#[test]
fn a_charge_takes_one_look_and_one_change() {
    /// Counts what a host is asked.
    struct Asked(Memory, Cell<(u32, u32)>);
    impl Shared for Asked {
        fn make(&self, name: &str) -> Result<(), SharedError> {
            self.0.make(name)
        }
        fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
            let (looks, changes) = self.1.get();
            self.1.set((looks + 1, changes));
            self.0.get(name)
        }
        fn compare_and_set(
            &self,
            name: &str,
            bytes: &[u8],
            version: u32,
        ) -> Result<bool, SharedError> {
            let (looks, changes) = self.1.get();
            self.1.set((looks, changes + 1));
            self.0.compare_and_set(name, bytes, version)
        }
    }
    let Counts { memory, table } = Counts::of(SIZE, 5);
    let asked = Asked(memory, Cell::default());
    for number in 1..5 {
        charge(&table, &asked, &of(&["jane"], 1, 10), NOW).unwrap();
        assert_eq!(asked.1.get(), (number, number));
    }
}

/// Made-up names, as many as fill a cell, all of which `cell_of` puts where it puts the victim.
fn names_beside_the_victim(cell_of: impl Fn(&str) -> u32) -> Vec<String> {
    let cell = cell_of("victim");
    (0..)
        .map(|number: u64| format!("mallory-{number}"))
        .filter(|name| cell_of(name) == cell)
        .take(64)
        .collect()
}

/// The cell of a count by a digest that has no key, as anybody can compute it.
fn keyless_cell(name: &str) -> u32 {
    let mut hash = Sha256::new();
    for part in ["q", name] {
        hash.update(u64::try_from(part.len()).unwrap().to_le_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    u32::from_le_bytes(*digest.first_chunk().unwrap()) % 4096
}

fn cell_in(counts: &Counts, name: &str) -> u32 {
    counts.table.cell(&counts.table.digest(["q", name]))
}

#[test]
fn nobody_can_choose_to_fall_into_another_s_cell() {
    let other_envoy = Counts::of(SIZE, 6);
    let other_key = |name: &str| cell_in(&other_envoy, name);
    for cell_of in [&keyless_cell as &dyn Fn(&str) -> u32, &other_key] {
        let counts = Counts::of(SIZE, 5);
        for name in names_beside_the_victim(cell_of) {
            counts.charge(&of(&[&name], 1, 5), NOW).unwrap();
        }
        counts.charge(&of(&["victim"], 1, 5), NOW).unwrap();
    }
}

#[test]
fn who_knows_the_key_can_fill_another_s_cell() {
    let counts = Counts::of(SIZE, 5);
    for name in names_beside_the_victim(|name| cell_in(&counts, name)) {
        let _ = counts.charge(&of(&[&name], 1, 5), NOW);
    }
    assert_eq!(
        counts.charge(&of(&["victim"], 1, 5), NOW),
        Err(ChargeError::Unavailable)
    );
}

#[test]
fn a_full_cell_refuses_until_windows_end() {
    let counts = Counts::of(ONE_CELL, 5);
    for number in 0..MAX_COUNTS {
        let name = number.to_string();
        counts.charge(&of(&[&name], 1, 5), NOW).unwrap();
    }
    assert_eq!(
        counts.charge(&of(&["late"], 1, 5), NOW),
        Err(ChargeError::Unavailable)
    );
    let seventh = counts.charge(&of(&["7"], 1, 5), NOW).unwrap();
    counts.refund(seventh, NOW);
    counts.charge(&of(&["late"], 1, 5), NOW + PER).unwrap();
}

#[test]
fn a_host_that_fails_refuses() {
    let counts = Counts::of(SIZE, 5);
    for memory in [Memory::broken(), Memory::contended()] {
        assert_eq!(
            charge(&counts.table, &memory, &of(&["jane"], 1, 5), NOW),
            Err(ChargeError::Unavailable)
        );
    }
}

/// What a worker does with one key.
#[derive(Clone, Copy, Debug)]
enum Step {
    Charge(u64),
    SettleDown(u64),
    Refund,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        4 => (0_u64..5).prop_map(Step::Charge),
        1 => (0_u64..5).prop_map(Step::SettleDown),
        1 => Just(Step::Refund),
    ];
    prop::collection::vec((0..NAMES.len(), step), 50..200)
}

/// Too many for a cell that others nearly fill.
const NAMES: [&str; 6] = ["ana", "bob", "cat", "dan", "eve", "fay"];
const LIMIT: u64 = 40;

/// One worker of several; `held` says at least how much all of them together have taken now.
fn work(counts: &Counts, held: &[AtomicU64; 6], steps: &[(usize, Step)]) {
    let mut all: [Vec<Reservation>; 6] = Default::default();
    for (name, step) in steps {
        let (own, held) = (&mut all[*name], &held[*name]);
        match step {
            Step::Charge(amount) => {
                match counts.charge(&of(&[NAMES[*name]], *amount, LIMIT), NOW) {
                    Ok(taken) => {
                        let before = held.fetch_add(*amount, Ordering::SeqCst);
                        assert!(before + amount <= LIMIT, "{before} and {amount}");
                        own.push(taken);
                    }
                    Err(error) => assert_ne!(error, ChargeError::Never),
                }
            }
            Step::SettleDown(amount) => {
                if let Some(taken) = own.last_mut() {
                    let amount = taken.amount().min(*amount);
                    held.fetch_sub(taken.amount() - amount, Ordering::SeqCst);
                    counts.settle(taken, amount, NOW);
                }
            }
            Step::Refund => {
                if let Some(taken) = own.pop() {
                    held.fetch_sub(taken.amount(), Ordering::SeqCst);
                    counts.refund(taken, NOW);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_more_than_the_limit_passes_and_nothing_is_lost(
        workers in prop::collection::vec(steps(), 4),
        crowd in 0..=MAX_COUNTS,
    ) {
        // All in one cell, of which others have some.
        let counts = Counts::of(ONE_CELL, 5);
        for number in 0..crowd {
            let name = number.to_string();
            counts.charge(&of(&[&name], 1, LIMIT), NOW).unwrap();
        }
        let held: [AtomicU64; 6] = Default::default();
        std::thread::scope(|scope| {
            for steps in &workers {
                scope.spawn(|| work(&counts, &held, steps));
            }
        });
        for (name, held) in NAMES.iter().zip(held) {
            let held = held.into_inner();
            let left = counts.left(name, LIMIT, NOW);
            prop_assert!(left == LIMIT - held || left == 0 && held == 0 && crowd + 6 > MAX_COUNTS);
        }
        for number in 0..crowd {
            prop_assert_eq!(counts.left(&number.to_string(), LIMIT, NOW), LIMIT - 1);
        }
    }
}
