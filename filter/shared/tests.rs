use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::cell::CELL_BYTES;
use super::{
    Cell, Digest, Entry, Full, Kind, MAX_COUNTS, MAX_ENTRIES, NotAgreed, NotJoined, Table,
    Unavailable,
};
use crate::testing::Memory;

const NOW: u64 = 1_800_000_010_500;

/// The bytes of so many cells.
fn size(cells: usize) -> u64 {
    u64::try_from(cells * CELL_BYTES).unwrap()
}

fn join(memory: &Memory, cells: usize) -> Table {
    Table::join(memory, size(cells), Some([5; 16])).unwrap()
}

fn entry(kind: Kind, digest: Digest, expiry: u64) -> Entry {
    Entry {
        kind,
        digest,
        expiry,
        value: 1,
    }
}

fn put(table: &Table, memory: &Memory, entry: Entry, now: u64) -> Result<(), Refused> {
    table.update(memory, &entry.digest, now, |cell| Ok(cell.put(entry)?))
}

#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Unavailable,
    Full,
}

impl From<Unavailable> for Refused {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<Full> for Refused {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

fn value(table: &Table, memory: &Memory, entry: &Entry, now: u64) -> Option<u64> {
    let look = |cell: &mut Cell| {
        let value = cell.value(entry.kind, &entry.digest, entry.expiry);
        Ok::<_, Unavailable>(value)
    };
    table.update(memory, &entry.digest, now, look).unwrap()
}

fn numbered(number: u64) -> Digest {
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    digest
}

#[test]
fn entries_of_other_kinds_digests_and_expiries_are_others() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let one = entry(Kind::Count, numbered(1), NOW + 10);
    let others = [
        entry(Kind::Reservation, numbered(1), NOW + 10),
        entry(Kind::Grant, numbered(1), NOW + 10),
        entry(Kind::Count, numbered(2), NOW + 10),
        entry(Kind::Count, numbered(1), NOW + 11),
    ];
    put(&table, &memory, Entry { value: 7, ..one }, NOW).unwrap();
    for other in others {
        assert_eq!(value(&table, &memory, &other, NOW), None, "{other:?}");
        put(&table, &memory, other, NOW).unwrap();
    }
    assert_eq!(value(&table, &memory, &one, NOW), Some(7));
    assert_eq!(value(&table, &memory, &one, NOW + 10), None, "expired");
    assert_eq!(value(&table, &memory, &others[3], NOW + 10), Some(1));
}

#[test]
fn the_last_time_that_can_be_written_is_kept() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let never = entry(Kind::Grant, numbered(1), u64::MAX);
    put(&table, &memory, never, NOW).unwrap();
    put(&table, &memory, Entry { value: 9, ..never }, NOW).unwrap();
    assert_eq!(value(&table, &memory, &never, NOW), Some(9));
}

#[test]
fn counts_leave_room_that_reservations_and_grants_find() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let mut numbers = 0..;
    let mut fill = |kind: Kind, now: u64, end: u64| {
        let mut placed = 0;
        loop {
            let entry = entry(kind, numbered(numbers.next().unwrap()), end);
            match put(&table, &memory, entry, now) {
                Ok(()) => placed += 1,
                Err(refused) => {
                    assert_eq!(refused, Refused::Full);
                    return placed;
                }
            }
        }
    };
    assert_eq!(fill(Kind::Count, NOW, NOW + 5), MAX_COUNTS);
    assert_eq!(fill(Kind::Grant, NOW, NOW + 50), MAX_ENTRIES - MAX_COUNTS);
    assert_eq!(
        fill(Kind::Reservation, NOW, NOW + 50),
        0,
        "nothing gives way"
    );
    // When the counts have expired, reservations take their room, and no count drives them out.
    assert_eq!(fill(Kind::Reservation, NOW + 5, NOW + 50), MAX_COUNTS);
    assert_eq!(fill(Kind::Count, NOW + 5, NOW + 90), 0);
    assert_eq!(fill(Kind::Count, NOW + 50, NOW + 90), MAX_COUNTS);
}

#[test]
fn a_full_cell_is_no_bigger_than_its_share_of_the_size() {
    let memory = Memory::default();
    let table = join(&memory, 3);
    for number in 0..10_000 {
        let _ = put(
            &table,
            &memory,
            entry(Kind::Grant, numbered(number), NOW + 5),
            NOW,
        );
    }
    let bytes: usize = memory.values().iter().map(Vec::len).sum();
    assert_eq!(
        u64::try_from(bytes).unwrap(),
        size(3) + 24,
        "and the header"
    );
}

#[test]
fn who_joins_finds_the_first_size_and_the_first_key() {
    let memory = Memory::default();
    let table = join(&memory, 32);
    let one = entry(Kind::Count, table.digest(["a"]), NOW + 5);
    put(&table, &memory, one, NOW).unwrap();

    let other = Table::join(&memory, size(32), Some([6; 16])).unwrap();
    assert_eq!(other.digest(["a"]), one.digest);
    assert_eq!(value(&other, &memory, &one, NOW), Some(1), "made once");
    let without_randomness = Table::join(&memory, size(32), None).unwrap();
    assert_eq!(without_randomness.digest(["a"]), one.digest);

    let larger = Table::join(&memory, size(64), Some([6; 16]));
    assert_eq!(larger.unwrap_err(), NotJoined::OtherSize(size(32)));
}

#[test]
fn there_is_no_table_without_randomness_or_a_host_that_shares() {
    let memory = Memory::default();
    let undrawn = Table::join(&memory, size(1), None).unwrap_err();
    assert_eq!(undrawn, NotJoined::NotAgreed(NotAgreed::NotDrawn));
    let unshared = Table::join(&Memory::broken(), size(1), Some([5; 16])).unwrap_err();
    assert_eq!(unshared, NotJoined::NotAgreed(NotAgreed::Unavailable));
    let foreign = Memory::default();
    foreign.put("portcullis.table.v1", b"another's");
    let foreign = Table::join(&foreign, size(1), Some([5; 16])).unwrap_err();
    assert_eq!(foreign, NotJoined::NotAgreed(NotAgreed::Foreign));
}

#[test]
fn lists_that_join_to_the_same_text_have_other_digests() {
    let table = join(&Memory::default(), 1);
    let digests = [
        table.digest(["ab", "c"]),
        table.digest(["a", "bc"]),
        table.digest(["abc"]),
        table.digest(["abc", ""]),
    ];
    for (index, digest) in digests.iter().enumerate() {
        assert!(!digests[..index].contains(digest));
    }
}

#[test]
fn bytes_that_are_no_cell_and_a_host_that_fails_refuse() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let one = entry(Kind::Count, numbered(1), NOW + 5);
    let whole = [&[1; 16][..], &[0xff; 7], &[3], &[0; 8]].concat();
    for bytes in [
        &b"x"[..],
        &[0; 32],
        &[9; 32],
        &whole.repeat(MAX_ENTRIES + 1),
    ] {
        memory.put("portcullis.table.v1.0", bytes);
        assert_eq!(put(&table, &memory, one, NOW), Err(Refused::Unavailable));
    }
    memory.put("portcullis.table.v1.0", &whole);
    put(&table, &memory, one, NOW).unwrap();
    assert_eq!(
        put(&table, &Memory::broken(), one, NOW),
        Err(Refused::Unavailable)
    );
    assert_eq!(
        put(&table, &Memory::contended(), one, NOW),
        Err(Refused::Unavailable),
        "a host that never lets one be alone"
    );
}

#[test]
fn what_is_refused_changes_nothing() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let one = entry(Kind::Count, numbered(1), NOW + 5);
    let refused = table.update(&memory, &one.digest, NOW, |cell| {
        cell.put(one).unwrap();
        Err::<(), _>(Refused::Full)
    });
    assert_eq!(refused, Err(Refused::Full));
    assert_eq!(value(&table, &memory, &one, NOW), None);
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Count),
        Just(Kind::Reservation),
        Just(Kind::Grant)
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Put(Entry),
    Remove(Entry),
    Wait(u64),
}

fn entries() -> impl Strategy<Value = Entry> {
    let parts = (kinds(), 0_u64..100, 1_u64..40, any::<u64>());
    parts.prop_map(|(kind, number, expiry, value)| Entry {
        kind,
        digest: numbered(number),
        expiry: NOW + expiry,
        value,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => entries().prop_map(Step::Put),
        1 => entries().prop_map(Step::Remove),
        1 => (0_u64..3).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..300)
}

type Name = (u64, Digest, u64);

fn name(entry: &Entry) -> Name {
    let kind = match entry.kind {
        Kind::Count => 0,
        Kind::Reservation => 1,
        Kind::Grant => 2,
    };
    (kind, entry.digest, entry.expiry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_entry_that_was_put_in_is_there_until_it_is_taken_out_or_expires(steps in steps()) {
        let memory = Memory::default();
        let table = join(&memory, 2);
        let mut now = NOW;
        let mut expected: HashMap<Name, Entry> = HashMap::new();
        // The last wait is for a look at what is there then.
        for step in steps.into_iter().chain([Step::Wait(0)]) {
            match step {
                Step::Wait(time) => {
                    now += time;
                    expected.retain(|_, one| one.expiry > now);
                    for entry in expected.values() {
                        prop_assert_eq!(value(&table, &memory, entry, now), Some(entry.value));
                    }
                }
                Step::Remove(entry) => {
                    let take = |cell: &mut Cell| {
                        cell.remove(entry.kind, &entry.digest, entry.expiry);
                        Ok::<_, Unavailable>(())
                    };
                    table.update(&memory, &entry.digest, now, take).unwrap();
                    expected.remove(&name(&entry));
                }
                Step::Put(entry) => {
                    let in_cell = |one: &&Entry| table.cell(&one.digest) == table.cell(&entry.digest);
                    let counts = |one: &&Entry| one.kind == Kind::Count;
                    expected.retain(|_, one| one.expiry > now);
                    let all = expected.values().filter(in_cell).count();
                    let counts = expected.values().filter(in_cell).filter(counts).count();
                    let room = all < MAX_ENTRIES && (entry.kind != Kind::Count || counts < MAX_COUNTS);
                    let known = expected.contains_key(&name(&entry));
                    let result = put(&table, &memory, entry, now);
                    prop_assert_eq!(result.is_ok(), room || known);
                    if result.is_ok() {
                        expected.insert(name(&entry), entry);
                    }
                }
            }
        }
    }
}

#[test]
fn no_worker_undoes_what_another_did() {
    const WORKERS: u64 = 4;
    const EACH: u64 = 300;
    let memory = Memory::default();
    let tried = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (memory, tried) = (&memory, &tried);
            scope.spawn(move || {
                // Each worker joins by itself, as on a real host; the first has made the cells.
                let table = join(memory, 8);
                for number in 0..EACH {
                    let common = table.digest(["all"]);
                    let own = entry(Kind::Grant, numbered(worker * EACH + number), NOW + 5);
                    let _ = put(&table, memory, own, NOW);
                    let add = |cell: &mut Cell| {
                        tried.fetch_add(1, Ordering::Relaxed);
                        let value = cell.value(Kind::Count, &common, NOW + 5).unwrap_or(0);
                        let value = value + 1;
                        cell.put(Entry {
                            value,
                            ..entry(Kind::Count, common, NOW + 5)
                        })?;
                        Ok::<_, Refused>(())
                    };
                    table.update(memory, &common, NOW, add).unwrap();
                }
            });
        }
    });
    let table = join(&memory, 8);
    let common = entry(Kind::Count, table.digest(["all"]), NOW + 5);
    assert_eq!(value(&table, &memory, &common, NOW), Some(WORKERS * EACH));
    assert!(tried.load(Ordering::Relaxed) >= WORKERS * EACH);
}
