use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::{
    CELL_BYTES, Cell, Digest, Entry, Full, HEAD_BYTES, Kind, MAX_COUNTED_BYTES, MAX_EXPIRY,
    NotAgreed, NotJoined, Table, Unavailable,
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

/// An entry that owns what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Own {
    kind: Kind,
    digest: Digest,
    expiry: u64,
    payload: Vec<u8>,
}

impl Own {
    fn with(&self, payload: &[u8]) -> Self {
        Self {
            payload: payload.to_vec(),
            ..self.clone()
        }
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            kind: self.kind,
            digest: &self.digest,
            expiry: self.expiry,
            payload: &self.payload,
        }
    }

    fn bytes(&self) -> usize {
        HEAD_BYTES + self.payload.len()
    }
}

fn entry(kind: Kind, digest: Digest, expiry: u64) -> Own {
    Own {
        kind,
        digest,
        expiry,
        payload: vec![1; 8],
    }
}

fn put(table: &Table, memory: &Memory, own: &Own, now: u64) -> Result<(), Refused> {
    table.update(memory, &own.digest, now, |cell| Ok(cell.put(&own.entry())?))
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

/// What is there of an entry's kind and digest: when it expires, and what it says.
fn found(table: &Table, memory: &Memory, own: &Own, now: u64) -> Option<(u64, Vec<u8>)> {
    let look = |cell: &mut Cell| {
        let found = cell.get(own.kind, &own.digest);
        Ok::<_, Unavailable>(found.map(|entry| (entry.expiry, entry.payload.to_vec())))
    };
    table.look(memory, &own.digest, now, look).unwrap()
}

fn numbered(number: u64) -> Digest {
    let mut digest = [0; 16];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    digest
}

#[test]
fn entries_of_other_kinds_and_digests_are_others() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let one = entry(Kind::Count, numbered(1), NOW + 10);
    let others = [
        entry(Kind::Names, numbered(1), NOW + 10),
        entry(Kind::Reservation, numbered(1), NOW + 11),
        entry(Kind::Grant, numbered(1), NOW + 10),
        entry(Kind::Count, numbered(2), NOW + 10),
    ];
    put(&table, &memory, &one.with(b"seven"), NOW).unwrap();
    for other in &others {
        assert_eq!(found(&table, &memory, other, NOW), None, "{other:?}");
        put(&table, &memory, other, NOW).unwrap();
    }
    let seven = (NOW + 10, b"seven".to_vec());
    assert_eq!(found(&table, &memory, &one, NOW), Some(seven));
    let longer = Own {
        expiry: NOW + 12,
        ..one.with(b"and eight")
    };
    put(&table, &memory, &longer, NOW).unwrap();
    let eight = (NOW + 12, b"and eight".to_vec());
    assert_eq!(found(&table, &memory, &one, NOW + 11), Some(eight));
    assert_eq!(found(&table, &memory, &one, NOW + 12), None, "expired");
    for other in &others {
        let expected = (other.expiry, other.payload.clone());
        assert_eq!(found(&table, &memory, other, NOW), Some(expected));
    }
}

#[test]
fn the_last_time_that_can_be_written_is_kept() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let never = entry(Kind::Grant, numbered(1), u64::MAX);
    put(&table, &memory, &never, NOW).unwrap();
    let kept = found(&table, &memory, &never, MAX_EXPIRY - 1);
    assert_eq!(kept, Some((MAX_EXPIRY, never.payload)));
}

#[test]
fn counts_leave_room_that_reservations_and_grants_find() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let mut numbers = 0..;
    let mut fill = |kind: Kind, now: u64, end: u64| {
        let mut placed = 0;
        loop {
            let own = entry(kind, numbered(numbers.next().unwrap()), end);
            match put(&table, &memory, &own, now) {
                Ok(()) => placed += own.bytes(),
                Err(refused) => {
                    assert_eq!(refused, Refused::Full);
                    return placed;
                }
            }
        }
    };
    assert_eq!(fill(Kind::Count, NOW, NOW + 5), MAX_COUNTED_BYTES);
    assert_eq!(fill(Kind::Names, NOW, NOW + 5), 0, "callers make those too");
    let rest = CELL_BYTES - MAX_COUNTED_BYTES;
    assert_eq!(fill(Kind::Grant, NOW, NOW + 50), rest);
    let reserved = fill(Kind::Reservation, NOW, NOW + 50);
    assert_eq!(reserved, 0, "nothing gives way");
    // When the counts have expired, reservations take their room, and no count drives them out.
    let reserved = fill(Kind::Reservation, NOW + 5, NOW + 50);
    assert_eq!(reserved, MAX_COUNTED_BYTES);
    assert_eq!(fill(Kind::Count, NOW + 5, NOW + 90), 0);
    assert_eq!(fill(Kind::Count, NOW + 50, NOW + 90), MAX_COUNTED_BYTES);
}

#[test]
fn who_is_there_is_counted_on_in_a_full_cell() {
    let memory = Memory::default();
    let table = join(&memory, 1);
    let owns: Vec<Own> = (0..)
        .map(|number| entry(Kind::Count, numbered(number), NOW + 5))
        .take_while(|own| put(&table, &memory, own, NOW).is_ok())
        .collect();
    for own in &owns {
        put(&table, &memory, &own.with(&[2; 8]), NOW).unwrap();
        let longer = put(&table, &memory, &own.with(&[3; 9]), NOW);
        assert_eq!(longer, Err(Refused::Full));
        let kept = found(&table, &memory, own, NOW);
        assert_eq!(kept, Some((NOW + 5, vec![2; 8])));
    }
}

#[test]
fn a_full_cell_is_no_bigger_than_its_share_of_the_size() {
    let memory = Memory::default();
    let table = join(&memory, 3);
    for number in 0..10_000 {
        let own = entry(Kind::Grant, numbered(number), NOW + 5);
        let _ = put(&table, &memory, &own, NOW);
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
    put(&table, &memory, &one, NOW).unwrap();

    let other = Table::join(&memory, size(32), Some([6; 16])).unwrap();
    assert_eq!(other.digest(["a"]), one.digest);
    assert!(found(&other, &memory, &one, NOW).is_some(), "made once");
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
    foreign.put("portcullis.table.v3", b"another's");
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
    let whole = [&[1; 16][..], &[8, 0x10], &[0xff; 6], &[0; 8]].concat();
    let short = &whole[..whole.len() - 1];
    for bytes in [&b"x"[..], &[0; 32], &[0xf9; 32], short, &whole.repeat(65)] {
        memory.put("portcullis.table.v3.0", bytes);
        assert_eq!(put(&table, &memory, &one, NOW), Err(Refused::Unavailable));
    }
    memory.put("portcullis.table.v3.0", &whole);
    put(&table, &memory, &one, NOW).unwrap();
    assert_eq!(
        put(&table, &Memory::broken(), &one, NOW),
        Err(Refused::Unavailable)
    );
    assert_eq!(
        put(&table, &Memory::contended(), &one, NOW),
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
        cell.put(&one.entry()).unwrap();
        Err::<(), _>(Refused::Full)
    });
    assert_eq!(refused, Err(Refused::Full));
    assert_eq!(found(&table, &memory, &one, NOW), None);
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Count),
        1 => Just(Kind::Names),
        1 => Just(Kind::Reservation),
        1 => Just(Kind::Grant)
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Put(Own),
    Remove(Own),
    Wait(u64),
}

fn owns() -> impl Strategy<Value = Own> {
    let payload = prop::collection::vec(any::<u8>(), 0..60);
    let parts = (kinds(), 0_u64..100, 1_u64..40, payload);
    parts.prop_map(|(kind, number, expiry, payload)| Own {
        kind,
        digest: numbered(number),
        expiry: NOW + expiry,
        payload,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => owns().prop_map(Step::Put),
        1 => owns().prop_map(Step::Remove),
        1 => (0_u64..3).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..300)
}

fn name(own: &Own) -> (String, Digest) {
    (format!("{:?}", own.kind), own.digest)
}

fn is_of_callers(own: &Own) -> bool {
    matches!(own.kind, Kind::Count | Kind::Names)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_entry_that_was_put_in_is_there_until_it_is_taken_out_or_expires(steps in steps()) {
        let memory = Memory::default();
        let table = join(&memory, 2);
        let mut now = NOW;
        let mut expected: HashMap<_, Own> = HashMap::new();
        // The last wait is for a look at what is there then.
        for step in steps.into_iter().chain([Step::Wait(0)]) {
            match step {
                Step::Wait(time) => {
                    now += time;
                    expected.retain(|_, one| one.expiry > now);
                    for own in expected.values() {
                        let kept = found(&table, &memory, own, now);
                        prop_assert_eq!(kept, Some((own.expiry, own.payload.clone())));
                    }
                }
                Step::Remove(own) => {
                    let take = |cell: &mut Cell| {
                        cell.remove(own.kind, &own.digest);
                        Ok::<_, Unavailable>(())
                    };
                    table.update(&memory, &own.digest, now, take).unwrap();
                    expected.remove(&name(&own));
                }
                Step::Put(own) => {
                    expected.retain(|_, one| one.expiry > now);
                    let known = expected.get(&name(&own)).map(Own::bytes);
                    let others = expected.values().filter(|one| {
                        name(one) != name(&own) && table.cell(&one.digest) == table.cell(&own.digest)
                    });
                    let taken = |one: &Own| one.bytes();
                    let all = others.clone().map(taken).sum::<usize>() + own.bytes();
                    let counted = others.filter(|one| is_of_callers(one)).map(taken);
                    let counted = counted.sum::<usize>() + own.bytes();
                    let grows = known.is_none_or(|before| before < own.bytes());
                    let crowded = grows && is_of_callers(&own) && counted > MAX_COUNTED_BYTES;
                    let result = put(&table, &memory, &own, now);
                    prop_assert_eq!(result.is_ok(), all <= CELL_BYTES && !crowded);
                    if result.is_ok() {
                        expected.insert(name(&own), own);
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
    let retried = AtomicU64::new(0);
    let number = |cell: &Cell, own: &Own| {
        let found = cell.get(own.kind, &own.digest);
        found.map_or(0, |entry| {
            u64::from_le_bytes(entry.payload.try_into().unwrap())
        })
    };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (memory, tried, retried) = (&memory, &tried, &retried);
            scope.spawn(move || {
                // Each worker joins by itself, as on a real host; the first has made the cells.
                let table = join(memory, 8);
                let common = entry(Kind::Count, table.digest(["all"]), NOW + 5);
                for one in 0..EACH {
                    let own = entry(Kind::Grant, numbered(worker * EACH + one), NOW + 5);
                    let _ = put(&table, memory, &own, NOW);
                    let add = |cell: &mut Cell| {
                        tried.fetch_add(1, Ordering::Relaxed);
                        let next = number(cell, &common) + 1;
                        cell.put(&common.with(&next.to_le_bytes()).entry())?;
                        Ok::<_, Refused>(())
                    };
                    table.update(memory, &common.digest, NOW, add).unwrap();
                }
                retried.fetch_add(table.take_retries(), Ordering::Relaxed);
            });
        }
    });
    let table = join(&memory, 8);
    let common = entry(Kind::Count, table.digest(["all"]), NOW + 5);
    let (_, all) = found(&table, &memory, &common, NOW).unwrap();
    assert_eq!(all, (WORKERS * EACH).to_le_bytes());
    let again = tried.load(Ordering::Relaxed) - WORKERS * EACH;
    assert!(retried.load(Ordering::Relaxed) >= again);
}
