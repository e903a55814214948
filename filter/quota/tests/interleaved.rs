//! Several workers at once, whose every look and change comes in an order that a test chooses.

use core::time::Duration;
use std::sync::{Condvar, Mutex};

use proptest::prelude::*;

use super::{NOW, ONE_CELL, counts_of_a_cell, minute, ms, of};
use crate::quota::{ChargeError, Window, charge};
use crate::shared::{Shared, SharedError, Table};
use crate::testing::Memory;

const WORKERS: usize = 4;
const LIMIT: u64 = 9;
const RESIDENTS: [&str; 3] = ["ana", "bob", "cat"];

/// Lets one worker at a time look or change something, and chooses which.
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waits: [bool; WORKERS],
    works: [bool; WORKERS],
    turn: Option<usize>,
    order: Vec<usize>,
}

impl State {
    /// Once all who work wait, it is somebody's turn.
    fn choose(&mut self) {
        if self.turn.is_none() && self.waits == self.works {
            let waiting: Vec<usize> = (0..WORKERS).filter(|one| self.waits[*one]).collect();
            let place = self.order.pop().unwrap_or(0);
            self.turn = waiting.get(place % waiting.len().max(1)).copied();
        }
    }
}

impl Turns {
    fn new(order: Vec<usize>) -> Self {
        let state = State {
            waits: [false; WORKERS],
            works: [true; WORKERS],
            turn: None,
            order,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn wait_for(&self, worker: usize) {
        let mut state = self.state.lock().unwrap();
        state.waits[worker] = true;
        state.choose();
        self.changed.notify_all();
        let mut state = self
            .changed
            .wait_while(state, |state| state.turn != Some(worker))
            .unwrap();
        state.waits[worker] = false;
        state.turn = None;
    }

    fn end(&self, worker: usize) {
        let mut state = self.state.lock().unwrap();
        state.works[worker] = false;
        state.choose();
        self.changed.notify_all();
    }
}

/// What one worker sees of the memory.
struct Seen<'a> {
    memory: &'a Memory,
    turns: &'a Turns,
    worker: usize,
}

impl Shared for Seen<'_> {
    fn make(&self, name: &str) -> Result<(), SharedError> {
        self.memory.make(name)
    }

    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        self.turns.wait_for(self.worker);
        self.memory.get(name)
    }

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        self.turns.wait_for(self.worker);
        self.memory.compare_and_set(name, bytes, version)
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody who is there asks for so much.
    Charge(usize, u64),
    /// Somebody new asks.
    Newcomer(u64),
    /// The last that passed is given back.
    Refund,
}

/// What all workers do at one time, after a wait of so many milliseconds.
type Round = (u64, Vec<Vec<Step>>);

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let step = prop_oneof![
        6 => (0..RESIDENTS.len(), 1_u64..4).prop_map(|(name, amount)| Step::Charge(name, amount)),
        2 => (0_u64..200).prop_map(Step::Newcomer),
        1 => Just(Step::Refund),
    ];
    let worker = prop::collection::vec(step, 0..8);
    let workers = prop::collection::vec(worker, WORKERS);
    prop::collection::vec((0_u64..40_000, workers), 1..6)
}

/// What has passed: who, when, and how much.
type Passed = (usize, u64, u64);

/// One worker; gives what has passed of residents and was not given back.
fn work(
    shared: &Seen<'_>,
    (table, window): (&Table, Window),
    now: Duration,
    steps: &[Step],
) -> Vec<Passed> {
    let mut passed = Vec::new();
    for step in steps {
        match *step {
            Step::Newcomer(number) => {
                let name = format!("new-{number}");
                let _ = charge(table, shared, window, &of(&[&name], 1, LIMIT), now);
            }
            Step::Charge(name, amount) => {
                let wanted = of(&RESIDENTS[name..=name], amount, LIMIT);
                match charge(table, shared, window, &wanted, now) {
                    Ok(taken) => passed.push((name, taken)),
                    // Of a bucket that is empty nothing is there.
                    Err(ChargeError::Unavailable) if window != minute() => {}
                    Err(error) => assert!(matches!(error, ChargeError::Over { .. }), "{error:?}"),
                }
            }
            Step::Refund => {
                if let Some((_, taken)) = passed.pop() {
                    taken.refund(table, shared, now).unwrap();
                }
            }
        }
    }
    let now = u64::try_from(now.as_millis()).unwrap();
    let written = passed
        .into_iter()
        .map(|(name, taken)| (name, now, taken.amount()));
    written.collect()
}

/// All workers at once, whose looks and changes come in this order.
fn work_at_once(
    memory: &Memory,
    (table, window): (&Table, Window),
    now: Duration,
    (workers, order): (&[Vec<Step>], Vec<usize>),
) -> Vec<Passed> {
    let turns = &Turns::new(order);
    std::thread::scope(|scope| {
        let threads: Vec<_> = workers
            .iter()
            .enumerate()
            .map(|(worker, steps)| {
                scope.spawn(move || {
                    let seen = Seen {
                        memory,
                        turns,
                        worker,
                    };
                    let work = || work(&seen, (table, window), now, steps);
                    let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                    turns.end(worker);
                    passed.unwrap()
                })
            })
            .collect();
        let passed = threads.into_iter().map(|thread| thread.join().unwrap());
        passed.flatten().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_more_than_the_limit_passes_and_who_is_there_is_not_refused(
        rounds in rounds(),
        order in prop::collection::vec(0..WORKERS, 200),
        crowd in 0..=counts_of_a_cell(),
        slides in any::<bool>(),
    ) {
        let window = match slides {
            true => minute(),
            false => Window::Bucket { per: 60_000, burst: LIMIT },
        };
        let memory = Memory::default();
        let table = Table::join(&memory, ONE_CELL, Some([5; 16])).unwrap();
        let mut now = NOW;
        let mut passed: Vec<Passed> = Vec::new();
        for (number, (wait, workers)) in rounds.iter().enumerate() {
            now += ms(*wait);
            // Residents are there first, and stay.
            for name in &RESIDENTS {
                let taken = charge(&table, &memory, window, &of(&[name], 0, LIMIT), now);
                prop_assert!(taken.is_ok() || !slides);
            }
            for one in 0..crowd {
                let name = format!("{number}-{one}");
                let _ = charge(&table, &memory, window, &of(&[&name], 1, LIMIT), now);
            }
            let mut order = order.clone();
            order.rotate_left(number);
            passed.extend(work_at_once(&memory, (&table, window), now, (workers, order)));
        }
        let most = match slides {
            true => LIMIT,
            false => 2 * LIMIT,
        };
        for (name, start, _) in &passed {
            let span = *start..*start + 60_000;
            let inside = passed.iter().filter(|(one, at, _)| one == name && span.contains(at));
            let sum: u64 = inside.map(|(_, _, amount)| amount).sum();
            prop_assert!(sum <= most, "{sum} in {span:?} of {passed:?}");
        }
    }
}
