//! A count is emptied once, whoever hears of it how often, while others charge it.

use core::time::Duration;

use super::{Counts, NOW, ONE_CELL, SIZE, minute, ms, of};
use crate::quota::{Charge, ChargeError, NotReset, OTHERS, Period, Reset, Window, charge, reset};
use crate::shared::{Cell, Digest, Entry, Kind, MAX_COUNTED_BYTES, Table, Unavailable};
use crate::testing::Memory;

const LIMIT: u64 = 9;

/// For how long other workers may hear of a reset.
const LEFT: Duration = Duration::from_secs(900);

fn empty(counts: &Counts, id: &str, key: &[&str], now: Duration) -> Result<(), NotReset> {
    empty_in(&counts.table, &counts.memory, (id, key), (now, LEFT))
}

fn empty_in(
    table: &Table,
    memory: &Memory,
    (id, key): (&str, &[&str]),
    (now, left): (Duration, Duration),
) -> Result<(), NotReset> {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap();
    let wanted = Reset {
        id,
        quota: "q",
        key,
        until: milliseconds(now + left),
    };
    reset(table, memory, &wanted, milliseconds(now))
}

#[test]
fn a_count_of_any_window_is_emptied_and_no_other_one() {
    let windows = [
        minute(),
        Window::Calendar(Period::Day),
        Window::Bucket {
            per: 60_000,
            burst: LIMIT,
        },
    ];
    for window in windows {
        let counts = Counts::with(SIZE, 7, window);
        for key in ["jane", "joe"] {
            counts.charge(&of(&[key], LIMIT, LIMIT), NOW).unwrap();
        }
        assert_eq!(counts.left("jane", LIMIT, NOW), 0);
        assert_eq!(empty(&counts, "rst_1", &["jane"], NOW), Ok(()));
        assert_eq!(counts.left("jane", LIMIT, NOW), LIMIT, "{window:?}");
        assert_eq!(counts.left("joe", LIMIT, NOW), 0);
        // Of another quota, or a key that reads the same, there is nothing.
        assert_eq!(empty(&counts, "rst_2", &["jo", "e"], NOW), Ok(()));
        assert_eq!(counts.left("joe", LIMIT, NOW), 0);
    }
}

#[test]
fn what_is_charged_behind_a_reset_stays_charged_however_often_it_is_heard() {
    let counts = Counts::of(SIZE, 7);
    let wanted = of(&["jane"], 4, LIMIT);
    counts.charge(&wanted, NOW).unwrap();
    assert_eq!(empty(&counts, "rst_1", &["jane"], NOW), Ok(()));
    counts.charge(&wanted, NOW).unwrap();
    for later in [0, 1, 899_999] {
        let now = NOW + ms(later);
        let again = empty(&counts, "rst_1", &["jane"], now);
        assert_eq!(again, Err(NotReset::Known), "{later}");
    }
    assert_eq!(counts.left("jane", LIMIT, NOW), 5);
    // The next one empties it again, and the first is known all the same.
    assert_eq!(empty(&counts, "rst_2", &["jane"], NOW), Ok(()));
    counts.charge(&wanted, NOW).unwrap();
    for id in ["rst_1", "rst_2"] {
        assert_eq!(empty(&counts, id, &["jane"], NOW), Err(NotReset::Known));
    }
    assert_eq!(counts.left("jane", LIMIT, NOW), 5);
}

#[test]
fn a_reset_before_the_first_charge_is_done_too() {
    let counts = Counts::of(SIZE, 7);
    assert_eq!(empty(&counts, "rst_1", &["jane"], NOW), Ok(()));
    counts.charge(&of(&["jane"], 4, LIMIT), NOW).unwrap();
    let again = empty(&counts, "rst_1", &["jane"], NOW);
    assert_eq!(again, Err(NotReset::Known));
    assert_eq!(counts.left("jane", LIMIT, NOW), 5);
}

#[test]
fn what_is_taken_back_of_an_emptied_count_leaves_it_empty() {
    let counts = Counts::of(SIZE, 7);
    let taken = counts.charge(&of(&["jane"], 4, LIMIT), NOW).unwrap();
    empty(&counts, "rst_1", &["jane"], NOW).unwrap();
    counts.refund(taken, NOW);
    assert_eq!(counts.left("jane", LIMIT, NOW), LIMIT);
}

#[test]
fn a_full_cell_has_room_for_the_marks_of_its_counts() {
    let counts = Counts::of(ONE_CELL, 7);
    let mut keys = (0..).map(|number| number.to_string());
    let mut full = Vec::new();
    let refused = loop {
        let key = keys.next().unwrap();
        match counts.charge(&of(&[&key], LIMIT, LIMIT), NOW) {
            Ok(_) => full.push(key),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, ChargeError::Unavailable);
    let bytes: usize = counts.memory.values().iter().map(Vec::len).max().unwrap();
    assert!(bytes > MAX_COUNTED_BYTES - 50);
    for key in &full {
        assert_eq!(empty(&counts, "rst_1", &[key], NOW), Ok(()));
        assert_eq!(empty(&counts, "rst_1", &[key], NOW), Err(NotReset::Known));
        assert_eq!(counts.left(key, 1, NOW), 1);
    }
}

#[test]
fn where_nothing_else_fits_a_count_that_is_not_there_is_left_alone() {
    let counts = Counts::of(ONE_CELL, 7);
    let fill = |number: u64| {
        let mut digest: Digest = [0; 16];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        let put = |cell: &mut Cell| {
            let entry = Entry {
                kind: Kind::Grant,
                digest: &digest,
                expiry: u64::MAX,
                payload: &[],
            };
            Ok::<_, Unavailable>(cell.put(&entry).is_ok())
        };
        counts
            .table
            .update(&counts.memory, &digest, 0, put)
            .unwrap()
    };
    assert!((0..).map(fill).take_while(|fits| *fits).count() > 80);
    let known = empty(&counts, "rst_1", &["jane"], NOW);
    assert_eq!(known, Err(NotReset::Known));
}

#[test]
fn further_names_are_emptied_by_the_key_that_a_charge_tells() {
    let counts = Counts::of(SIZE, 7);
    let ask = |model: &str| {
        let key = ["model", model];
        let wanted = Charge {
            inventor: Some(("corp", "jane")),
            ..of(&key, 1, 2)
        };
        let taken = counts.charge(&wanted, NOW)?;
        Ok::<_, ChargeError>(taken.is_of_others(&counts.table, &wanted))
    };
    for number in 0..64 {
        assert_eq!(ask(&format!("m{number}")), Ok(false));
    }
    assert_eq!((ask("x"), ask("y")), (Ok(true), Ok(true)));
    assert!(ask("z").is_err());
    empty(&counts, "rst_1", &[OTHERS, "corp", "jane"], NOW).unwrap();
    assert_eq!(ask("z"), Ok(true));
}

#[test]
fn of_workers_that_hear_of_a_reset_while_others_charge_one_empties_it() {
    for round in 0..20 {
        let memory = &Memory::default();
        let join = || Table::join(memory, ONE_CELL, Some([5; 16])).unwrap();
        let first = of(&["jane"], LIMIT, LIMIT);
        charge(&join(), memory, minute(), &first, NOW).unwrap();
        let (emptied, passed) = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let table = join();
                        let mut passed = 0;
                        let mut emptied = 0;
                        for step in 0..40 {
                            if step % 10 == 5 {
                                let reset = ("rst_1", &["jane"][..]);
                                let done = empty_in(&table, memory, reset, (NOW, LEFT));
                                emptied += u64::from(done.is_ok());
                            }
                            let wanted = of(&["jane"], 1, LIMIT);
                            let taken = charge(&table, memory, minute(), &wanted, NOW);
                            passed += u64::from(taken.is_ok());
                        }
                        (emptied, passed)
                    })
                })
                .collect();
            let all = workers.into_iter().map(|worker| worker.join().unwrap());
            all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        });
        assert_eq!((emptied, passed), (1, LIMIT), "round {round}");
    }
}
