use core::cell::RefCell;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

use super::{CELLS, Charge, ChargeError, Places, Store, StoreError, charge, refund};

#[derive(Default)]
struct Memory {
    cells: Mutex<HashMap<u32, (Vec<u8>, u32)>>,
}

impl Store for Memory {
    fn get(&self, cell: u32) -> Result<(Vec<u8>, u32), StoreError> {
        assert!(cell < CELLS);
        let cells = self.cells.lock().unwrap();
        Ok(cells.get(&cell).cloned().unwrap_or_default())
    }

    fn compare_and_set(&self, cell: u32, bytes: &[u8], change: u32) -> Result<bool, StoreError> {
        let mut cells = self.cells.lock().unwrap();
        let entry = cells.entry(cell).or_default();
        if entry.1 != change {
            return Ok(false);
        }
        *entry = (bytes.to_vec(), change + 1);
        Ok(true)
    }
}

const PLACES: Places = Places { key: [5; 16] };
const PER: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::from_millis(1_800_000_010_500);

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
    let store = Memory::default();
    for _ in 0..3 {
        charge(&PLACES, &store, &of(&["jane"], 1, 3), NOW).unwrap();
    }
    // 1,800,000,010.5 s lies 10.5 s after a whole minute, 49.5 s before the next.
    assert_eq!(
        charge(&PLACES, &store, &of(&["jane"], 1, 3), NOW),
        Err(ChargeError::Over { retry_after: 50 })
    );
    charge(&PLACES, &store, &of(&["bob"], 1, 3), NOW).unwrap();
    charge(
        &PLACES,
        &store,
        &of(&["jane"], 3, 3),
        NOW + Duration::from_secs(50),
    )
    .unwrap();
}

#[test]
fn amounts_are_whole_or_not_at_all_and_can_be_given_back() {
    let store = Memory::default();
    assert_eq!(
        charge(&PLACES, &store, &of(&["jane"], 11, 10), NOW),
        Err(ChargeError::Never)
    );
    charge(&PLACES, &store, &of(&["jane"], 8, 10), NOW).unwrap();
    assert!(matches!(
        charge(&PLACES, &store, &of(&["jane"], 3, 10), NOW),
        Err(ChargeError::Over { .. })
    ));
    refund(&PLACES, &store, &of(&["jane"], 8, 10), NOW).unwrap();
    charge(&PLACES, &store, &of(&["jane"], 10, 10), NOW).unwrap();
}

#[test]
fn keys_that_join_to_the_same_text_are_not_the_same() {
    let store = Memory::default();
    charge(&PLACES, &store, &of(&["ab", "c"], 1, 1), NOW).unwrap();
    charge(&PLACES, &store, &of(&["a", "bc"], 1, 1), NOW).unwrap();
    assert!(charge(&PLACES, &store, &of(&["a", "bc"], 1, 1), NOW).is_err());
}

#[test]
fn nothing_is_lost_between_threads() {
    let store = Memory::default();
    let passed: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..500)
                        .filter(|_| charge(&PLACES, &store, &of(&["jane"], 1, 700), NOW).is_ok())
                        .count()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    assert_eq!(passed, 700);
}

/// One cell for all keys, so that it fills.
#[derive(Default)]
struct OneCell(RefCell<(Vec<u8>, u32)>);

impl Store for OneCell {
    fn get(&self, _cell: u32) -> Result<(Vec<u8>, u32), StoreError> {
        Ok(self.0.borrow().clone())
    }

    fn compare_and_set(&self, _cell: u32, bytes: &[u8], change: u32) -> Result<bool, StoreError> {
        *self.0.borrow_mut() = (bytes.to_vec(), change + 1);
        Ok(true)
    }
}

#[test]
fn a_full_cell_refuses_until_windows_end() {
    let store = OneCell::default();
    let names: Vec<String> = (0..super::cell::MOST_COUNTS)
        .map(|n| n.to_string())
        .collect();
    for name in &names {
        charge(&PLACES, &store, &of(&[name], 1, 5), NOW).unwrap();
    }
    assert_eq!(
        charge(&PLACES, &store, &of(&["late"], 1, 5), NOW),
        Err(ChargeError::Unavailable)
    );
    charge(&PLACES, &store, &of(&["7"], 1, 5), NOW).unwrap();
    charge(&PLACES, &store, &of(&["late"], 1, 5), NOW + PER).unwrap();
    assert_eq!(store.0.borrow().0.len(), 1 + 32, "ended windows are gone");
}

/// The cell of a count by a digest that has no key, as anybody can compute it.
fn keyless_cell(name: &str) -> u32 {
    let mut hash = Sha256::new();
    for part in ["q", name] {
        hash.update(u64::try_from(part.len()).unwrap().to_le_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    u32::from_le_bytes(*digest.first_chunk().unwrap()) % CELLS
}

/// As many names as fill a cell, all of which `cell_of` puts where it puts "victim".
fn names_beside_the_victim(cell_of: impl Fn(&str) -> u32) -> Vec<String> {
    let cell = cell_of("victim");
    (0..)
        .map(|number: u64| format!("mallory-{number}"))
        .filter(|name| cell_of(name) == cell)
        .take(super::cell::MOST_COUNTS)
        .collect()
}

#[test]
fn nobody_can_choose_to_fall_into_another_s_cell() {
    let other_key = |name: &str| Places::new([6; 16]).of(&of(&[name], 1, 5)).0;
    for cell_of in [&keyless_cell as &dyn Fn(&str) -> u32, &other_key] {
        let store = Memory::default();
        for name in names_beside_the_victim(cell_of) {
            charge(&PLACES, &store, &of(&[&name], 1, 5), NOW).unwrap();
        }
        charge(&PLACES, &store, &of(&["victim"], 1, 5), NOW).unwrap();
    }
}

#[test]
fn who_knows_the_key_can_fill_another_s_cell() {
    let store = Memory::default();
    for name in names_beside_the_victim(|name| PLACES.of(&of(&[name], 1, 5)).0) {
        charge(&PLACES, &store, &of(&[&name], 1, 5), NOW).unwrap();
    }
    assert_eq!(
        charge(&PLACES, &store, &of(&["victim"], 1, 5), NOW),
        Err(ChargeError::Unavailable)
    );
}

#[test]
fn bytes_that_are_no_cell_and_a_store_that_fails_refuse() {
    let store = OneCell::default();
    for bytes in [&b"\x01"[..], b"\x02abc", &[2; 1 + 32 * 65]] {
        *store.0.borrow_mut() = (bytes.to_vec(), 1);
        assert_eq!(
            charge(&PLACES, &store, &of(&["jane"], 1, 5), NOW),
            Err(ChargeError::Unavailable)
        );
    }
    struct Broken;
    impl Store for Broken {
        fn get(&self, _cell: u32) -> Result<(Vec<u8>, u32), StoreError> {
            Ok((Vec::new(), 1))
        }
        fn compare_and_set(&self, _: u32, _: &[u8], _: u32) -> Result<bool, StoreError> {
            Ok(false)
        }
    }
    assert_eq!(
        charge(&PLACES, &Broken, &of(&["jane"], 1, 5), NOW),
        Err(ChargeError::Unavailable)
    );
}
