//! Who makes up names, and who knows or guesses where counts lie.

use sha2::{Digest as _, Sha256};

use super::{Counts, NOW, ONE_CELL, PER, SIZE, ms, of};
use crate::quota::{Charge, ChargeError};

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

fn invented<'a>(subject: &'a str, key: &'a [&'a str], limit: u64) -> Charge<'a> {
    Charge {
        inventor: Some(("corp", subject)),
        ..of(key, 1, limit)
    }
}

#[test]
fn who_makes_up_names_has_sixty_four_and_one_for_all_others() {
    let counts = Counts::of(SIZE, 5);
    let ask = |subject: &str, name: &str, now| {
        let charged = counts.charge(&invented(subject, &[subject, name], 3), now);
        charged.map(|taken| taken.left())
    };
    for number in 0..64 {
        assert_eq!(ask("mallory", &format!("name-{number}"), NOW), Ok(2));
    }
    for (number, left) in [(64, 2), (65, 1), (66, 0)] {
        assert_eq!(ask("mallory", &format!("name-{number}"), NOW), Ok(left));
    }
    let over = ask("mallory", "name-67", NOW);
    assert!(matches!(over, Err(ChargeError::Over { .. })));
    // Names that it has go on, as do others' names.
    assert_eq!(ask("mallory", "name-5", NOW), Ok(1));
    assert_eq!(ask("ana", "name-67", NOW), Ok(2));
    // Fixed windows: the next one begins at the next whole minute.
    assert_eq!(ask("mallory", "name-68", NOW + PER), Ok(2));
}

#[test]
fn who_only_looks_makes_no_counts() {
    let counts = Counts::of(ONE_CELL, 5);
    let before = counts.memory.values();
    for number in 0..100 {
        let name = number.to_string();
        let key = [name.as_str()];
        let wanted = invented("mallory", &key, 3);
        let looked = crate::quota::look(&counts.table, &counts.memory, counts.window, &wanted, NOW);
        assert_eq!(looked.map(|(left, _)| left), Ok(2));
    }
    assert_eq!(counts.memory.values().len(), before.len());
    assert_eq!(counts.memory.values().iter().map(Vec::len).max(), Some(24));
}

#[test]
fn a_hundred_thousand_names_push_nobody_out() {
    let counts = Counts::of(SIZE, 5);
    let mut passed = 0;
    for number in 0..100_000 {
        let name = format!("name-{number}");
        let now = NOW + ms(number / 100);
        passed += u32::from(
            counts
                .charge(&invented("mallory", &[&name], 3), now)
                .is_ok(),
        );
    }
    assert_eq!(passed, 64 + 3);
    for number in 0..2000 {
        let name = format!("person-{number}");
        let key = [name.as_str(), "model"];
        counts
            .charge(&invented(&name, &key, 3), NOW + ms(1000))
            .unwrap();
    }
}
