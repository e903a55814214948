//! What windows let pass, and when again.

use core::cell::Cell;
use core::time::Duration;

use proptest::prelude::*;

use super::{Counts, NOW, ONE_CELL, PER, SIZE, counts_of_a_cell, ms, of};
use crate::quota::{ChargeError, Period, Window};
use crate::shared::{Shared, SharedError};
use crate::testing::Memory;

#[test]
fn a_window_gives_what_it_has_and_gets_it_back_when_it_has_slid_on() {
    let counts = Counts::of(SIZE, 5);
    // Sub-windows of 5 s; this one began half a second ago.
    for after in [0, 20_000, 40_000] {
        counts
            .charge(&of(&["jane"], 1, 3), NOW + ms(after))
            .unwrap();
    }
    let refused = |now| counts.charge(&of(&["jane"], 1, 3), now).unwrap_err();
    let over = |retry_after, left| ChargeError::Over { retry_after, left };
    assert_eq!(
        refused(NOW + ms(40_000)),
        over(21, 0),
        "to a 256th of a sub-window"
    );
    assert_eq!(refused(NOW + ms(60_006)), over(1, 0));
    counts.charge(&of(&["bob"], 1, 3), NOW).unwrap();
    let slid = NOW + ms(60_007);
    counts.charge(&of(&["jane"], 1, 3), slid).unwrap();
    assert_eq!(refused(slid), over(20, 0));
    let two = counts.charge(&of(&["jane"], 2, 3), slid).unwrap_err();
    assert_eq!(two, over(40, 0));
    let all = counts.charge(&of(&["jane"], 3, 3), slid).unwrap_err();
    assert_eq!(all, over(60, 0));
}

#[test]
fn a_sub_window_counts_whole_until_the_last_of_it_has_fallen_out() {
    let counts = Counts::of(SIZE, 5);
    for after in [0, 4_000] {
        counts
            .charge(&of(&["jane"], 1, 2), NOW + ms(after))
            .unwrap();
    }
    let refused = counts.charge(&of(&["jane"], 1, 2), NOW + ms(63_999));
    assert!(refused.is_err());
    assert_eq!(counts.left("jane", 2, NOW + ms(64_020)), 2);
}

#[test]
fn nobody_waits_for_longer_than_a_short_window() {
    let counts = Counts::with(SIZE, 5, Window::sliding(ms(3000), 255));
    for start in (0..3000).step_by(7) {
        let now = NOW + ms(100_000 + start * 10);
        let name = start.to_string();
        counts.charge(&of(&[&name], 1, 1), now).unwrap();
        let refused = counts.charge(&of(&[&name], 1, 1), now + ms(1));
        let over = ChargeError::Over {
            retry_after: 3,
            left: 0,
        };
        assert_eq!(refused.unwrap_err(), over);
        counts.charge(&of(&[&name], 1, 1), now + ms(3000)).unwrap();
    }
}

#[test]
fn amounts_are_whole_or_not_at_all_and_can_be_given_back() {
    let counts = Counts::of(SIZE, 5);
    let eleven = counts.charge(&of(&["jane"], 11, 10), NOW);
    assert_eq!(eleven, Err(ChargeError::Never));
    let taken = counts.charge(&of(&["jane"], 8, 10), NOW).unwrap();
    assert_eq!((taken.amount(), taken.left(), taken.limit()), (8, 2, 10));
    let three = counts.charge(&of(&["jane"], 3, 10), NOW);
    assert!(matches!(three, Err(ChargeError::Over { .. })));
    counts.refund(taken, NOW + ms(30_000));
    counts.charge(&of(&["jane"], 10, 10), NOW).unwrap();
}

#[test]
fn something_may_have_to_be_left_of_which_nothing_is_taken() {
    let counts = Counts::of(SIZE, 5);
    let look = |limit| crate::quota::Charge {
        room: 1,
        ..of(&["jane"], 0, limit)
    };
    let mut taken = counts.charge(&look(10), NOW).unwrap();
    for more in [9, 5] {
        counts.charge(&look(10), NOW).unwrap();
        taken.add(&counts.table, &counts.memory, more, NOW).unwrap();
    }
    assert_eq!((taken.amount(), taken.left()), (14, 0));
    let none = counts.charge(&look(10), NOW);
    assert!(matches!(none, Err(ChargeError::Over { .. })));
    assert_eq!(counts.charge(&look(0), NOW), Err(ChargeError::Never));
}

#[test]
fn what_is_given_back_late_goes_to_the_time_it_was_taken_for() {
    for window in [Window::sliding(PER, 255), Window::Calendar(Period::Hour)] {
        let counts = Counts::with(SIZE, 5, window);
        let early = counts.charge(&of(&["jane"], 8, 10), NOW).unwrap();
        let later = NOW + ms(3_700_000);
        counts.charge(&of(&["jane"], 10, 10), later).unwrap();
        counts.refund(early, later);
        assert_eq!(counts.left("jane", 10, later), 0, "{window:?}");
    }
}

#[test]
fn what_was_really_used_is_settled_up_and_down() {
    let bucket = Window::Bucket {
        per: 60_000,
        burst: 10,
    };
    for window in [super::minute(), Window::Calendar(Period::Day), bucket] {
        let counts = Counts::with(SIZE, 5, window);
        let mut taken = counts.charge(&of(&["jane"], 6, 10), NOW).unwrap();
        counts.settle(&mut taken, 2, NOW);
        assert_eq!((taken.amount(), counts.left("jane", 10, NOW)), (2, 8));
        counts.settle(&mut taken, 9, NOW);
        assert_eq!(counts.left("jane", 10, NOW), 1);
        // More was used than there is: nobody gets anything for a while.
        counts.settle(&mut taken, 25, NOW);
        assert_eq!(counts.left("jane", 10, NOW), 0);
        counts.settle(&mut taken, 4, NOW);
        assert_eq!(counts.left("jane", 10, NOW), 6);
        counts.refund(taken, NOW);
        assert_eq!(counts.left("jane", 10, NOW), 10);
    }
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
fn more_than_can_be_written_stays_too_much() {
    let counts = Counts::of(SIZE, 5);
    let mut taken = counts.charge(&of(&["jane"], 200, 255), NOW).unwrap();
    counts.settle(&mut taken, 1000, NOW);
    counts.settle(&mut taken, 100, NOW);
    assert_eq!(counts.left("jane", 255, NOW), 0);
}

#[test]
fn numbers_are_as_wide_as_the_limit_needs() {
    for (most, bytes) in [(255, 26), (256, 39), (65_536, 65), (1 << 32, 117)] {
        let counts = Counts::with(ONE_CELL, 5, Window::sliding(PER, most));
        let mut taken = counts.charge(&of(&["jane"], most - 1, most), NOW).unwrap();
        let written = counts.memory.values().iter().map(Vec::len).max();
        assert_eq!(written, Some(24 + bytes));
        assert_eq!(taken.left(), 1);
        counts.settle(&mut taken, 1, NOW);
        assert_eq!(
            counts
                .charge(&of(&["jane"], most - 1, most), NOW)
                .unwrap()
                .left(),
            0
        );
    }
}

#[test]
fn windows_of_the_calendar_end_with_it() {
    // 2027-01-15T08:00:10.500Z, a Friday.
    for (period, seconds) in [
        (Period::Hour, 3600 - 10),
        (Period::Day, 16 * 3600 - 10),
        (Period::Week, 2 * 86_400 + 16 * 3600 - 10),
        (Period::Month, 16 * 86_400 + 16 * 3600 - 10),
    ] {
        let counts = Counts::with(SIZE, 5, Window::Calendar(period));
        counts.charge(&of(&["jane"], 3, 3), NOW).unwrap();
        let over = ChargeError::Over {
            retry_after: seconds,
            left: 0,
        };
        let refused = counts.charge(&of(&["jane"], 1, 3), NOW);
        assert_eq!(refused.unwrap_err(), over, "{period:?}");
        let end = NOW + Duration::from_secs(seconds) - ms(500);
        assert!(counts.charge(&of(&["jane"], 1, 3), end - ms(1)).is_err());
        counts.charge(&of(&["jane"], 3, 3), end).unwrap();
    }
}

#[test]
fn a_bucket_gives_its_burst_at_once_and_the_limit_evenly() {
    // Six a minute: one each ten seconds.
    let window = Window::Bucket {
        per: 60_000,
        burst: 3,
    };
    let counts = Counts::with(SIZE, 5, window);
    assert_eq!(
        counts.charge(&of(&["jane"], 4, 6), NOW),
        Err(ChargeError::Never)
    );
    for left in [2, 1, 0] {
        let taken = counts.charge(&of(&["jane"], 1, 6), NOW).unwrap();
        assert_eq!(taken.left(), left);
    }
    let refused = |amount, now| counts.charge(&of(&["jane"], amount, 6), now).unwrap_err();
    let over = |retry_after, left| ChargeError::Over { retry_after, left };
    assert_eq!(refused(1, NOW), over(10, 0));
    assert_eq!(refused(3, NOW), over(30, 0));
    assert_eq!(refused(1, NOW + ms(9_999)), over(1, 0));
    counts
        .charge(&of(&["jane"], 1, 6), NOW + ms(10_000))
        .unwrap();
    let full = NOW + ms(40_000);
    let taken = counts.charge(&of(&["jane"], 3, 6), full).unwrap();
    // Of three that are given back after ten seconds, one would be back by now anyway.
    counts.refund(taken, full + ms(10_000));
    assert_eq!(counts.left("jane", 6, full + ms(10_000)), 3);
}

#[test]
fn a_clock_that_is_put_back_gives_nothing_back() {
    let bucket = Window::Bucket {
        per: 60_000,
        burst: 3,
    };
    for window in [super::minute(), Window::Calendar(Period::Hour), bucket] {
        let counts = Counts::with(SIZE, 5, window);
        counts.charge(&of(&["jane"], 2, 3), NOW).unwrap();
        let back = NOW - Duration::from_secs(7200);
        counts.charge(&of(&["jane"], 1, 3), back).unwrap();
        for now in [back, NOW] {
            let refused = counts.charge(&of(&["jane"], 1, 3), now);
            assert!(refused.is_err(), "{window:?}");
        }
        counts
            .charge(&of(&["jane"], 3, 3), NOW + ms(3_700_000))
            .unwrap();
    }
}

#[test]
fn keys_that_join_to_the_same_text_are_not_the_same() {
    let counts = Counts::of(SIZE, 5);
    counts.charge(&of(&["ab", "c"], 1, 1), NOW).unwrap();
    counts.charge(&of(&["a", "bc"], 1, 1), NOW).unwrap();
    assert!(counts.charge(&of(&["a", "bc"], 1, 1), NOW).is_err());
}

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

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        let (looks, changes) = self.1.get();
        self.1.set((looks, changes + 1));
        self.0.compare_and_set(name, bytes, version)
    }
}

#[test]
fn a_charge_takes_one_look_and_one_change_and_a_refusal_none() {
    let mut counts = Counts::of(SIZE, 5);
    let asked = Asked(core::mem::take(&mut counts.memory), Cell::default());
    for number in 1..5 {
        counts.charge_in(&asked, &of(&["jane"], 1, 4), NOW).unwrap();
        assert_eq!(asked.1.get(), (number, number));
    }
    counts
        .charge_in(&asked, &of(&["jane"], 1, 4), NOW)
        .unwrap_err();
    assert_eq!(asked.1.get(), (5, 4));
}

#[test]
fn a_full_cell_refuses_newcomers_until_counts_expire() {
    let counts = Counts::of(ONE_CELL, 5);
    for number in 0..counts_of_a_cell() {
        counts
            .charge(&of(&[&number.to_string()], 1, 5), NOW)
            .unwrap();
    }
    let late = counts.charge(&of(&["late"], 1, 5), NOW);
    assert_eq!(late, Err(ChargeError::Unavailable));
    for number in 0..counts_of_a_cell() {
        let key = number.to_string();
        assert_eq!(counts.charge(&of(&[&key], 1, 5), NOW).unwrap().left(), 3);
    }
    let seventh = counts.charge(&of(&["7"], 1, 5), NOW).unwrap();
    counts.refund(seventh, NOW);
    counts
        .charge(&of(&["late"], 1, 5), NOW + ms(65_000))
        .unwrap();
}

#[test]
fn a_host_that_fails_refuses() {
    let counts = Counts::of(SIZE, 5);
    for memory in [Memory::broken(), Memory::contended()] {
        assert_eq!(
            counts.charge_in(&memory, &of(&["jane"], 1, 5), NOW),
            Err(ChargeError::Unavailable)
        );
    }
}

/// What passes of requests that come after these times, each of so much: when, and how much.
fn passed(window: Window, limit: u64, requests: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let counts = Counts::with(ONE_CELL, 5, window);
    let mut now = NOW;
    let mut passed = Vec::new();
    for (after, amount) in requests {
        now += ms(*after);
        if counts.charge(&of(&["jane"], *amount, limit), now).is_ok() {
            passed.push((u64::try_from(now.as_millis()).unwrap(), *amount));
        }
    }
    passed
}

/// The most that passes in any span of so many milliseconds.
fn most_in(passed: &[(u64, u64)], span: u64) -> u64 {
    let from = |start: &(u64, u64)| {
        let inside = passed
            .iter()
            .filter(|(at, _)| (start.0..start.0 + span).contains(at));
        inside.map(|(_, amount)| amount).sum()
    };
    passed.iter().map(from).max().unwrap_or(0)
}

fn requests() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let after = prop_oneof![
        4 => 0_u64..100,
        1 => 100_u64..2_000,
    ];
    prop::collection::vec((after, 0_u64..6), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_span_as_long_as_a_window_has_more_than_the_limit(
        requests in requests(),
        per in 1000_u64..4000,
        limit in 0_u64..30,
    ) {
        let passed = passed(Window::sliding(ms(per), limit), limit, &requests);
        prop_assert!(most_in(&passed, per) <= limit);
    }

    #[test]
    fn no_span_has_more_than_the_limit_and_the_burst(
        requests in requests(),
        per in 1000_u64..4000,
        limit in 0_u64..30,
        burst in 1_u64..20,
    ) {
        let passed = passed(Window::Bucket { per, burst }, limit, &requests);
        prop_assert!(most_in(&passed, per) <= limit + burst);
        prop_assert!(most_in(&passed, 1) <= burst);
    }
}

#[test]
fn a_steady_pace_gets_twelve_thirteenths_of_a_window_and_all_of_a_bucket() {
    let requests: Vec<(u64, u64)> = (0..120_000).map(|_| (1, 1)).collect();
    let slid = passed(Window::sliding(ms(1200), 130), 130, &requests);
    let rate = u64::try_from(slid.len()).unwrap() / 100;
    assert!((118..=122).contains(&rate), "{rate} a window");
    let bucket = Window::Bucket {
        per: 1200,
        burst: 10,
    };
    let leaked = passed(bucket, 130, &requests);
    let rate = u64::try_from(leaked.len()).unwrap() / 100;
    assert!((129..=131).contains(&rate), "{rate} a window");
}
