//! What becomes of records when a part fails, under load: with `committed`, no client has a whole
//! answer whose record is missing; with `stream`, what is missing is a gap that is named.

mod cut;
mod disk;
mod killed;
mod stopped;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use regex_lite::Regex;
use serde_json::{Value, json};
use testbed::http::{self, Client, Request};
use testbed::wait;

use crate::support::{Guarded, Place, ana, policy, sessions};

/// How long something may take that needs a moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything is allowed, and waits for its record if so.
fn delivered(delivery: &str, timeout: &str) -> Value {
    policy(&json!({"sessions": {
        "delivery": delivery,
        "desk": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}", "timeout": timeout},
    }}))
}

/// One exchange: its trace, and whether its client has the whole answer.
struct Made {
    trace: String,
    whole: bool,
}

/// How many exchanges follow those that are waited for: what fails then does so in their midst.
const AHEAD: usize = 50;

/// Clients that ask for the list of models, each as fast as it can, and rest once there were enough.
struct Load {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicUsize>,
    allowed: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<Made>>>,
}

impl Load {
    /// Begins; ends when told to, or when nobody listens any more.
    fn start(port: u16) -> Self {
        const CLIENTS: usize = 4;
        let stop = Arc::new(AtomicBool::new(false));
        let made = Arc::new(AtomicUsize::new(0));
        let allowed = Arc::new(AtomicUsize::new(0));
        let token = ana();
        let clients = (0..CLIENTS).map(|client| {
            let (stop, made, token) = (Arc::clone(&stop), Arc::clone(&made), token.clone());
            let allowed = Arc::clone(&allowed);
            std::thread::spawn(move || {
                let mut all = Vec::new();
                let mut connection = None;
                while !stop.load(Ordering::Relaxed) {
                    if made.load(Ordering::Relaxed) >= allowed.load(Ordering::Relaxed) {
                        std::thread::park_timeout(Duration::from_millis(1));
                        continue;
                    }
                    let Ok(client_now) = connection.take().map_or_else(|| Client::http1(port), Ok)
                    else {
                        break;
                    };
                    let trace = format!("{:016x}{port:08x}{client:08x}", all.len() + 1);
                    let parent = format!("00-{trace}-00000000000000aa-01");
                    let request = Request::get("/v1/models").bearer(&token);
                    let answer = client_now.send(request.header("traceparent", parent));
                    let whole = answer
                        .as_ref()
                        .is_ok_and(|answer| answer.status == 200 && answer.broken.is_none());
                    if whole {
                        connection = Some(client_now);
                    }
                    all.push(Made { trace, whole });
                    made.fetch_add(1, Ordering::Relaxed);
                }
                all
            })
        });
        Self {
            clients: clients.collect(),
            stop,
            made,
            allowed,
        }
    }

    /// Waits until so many more exchanges are over.
    fn until_more(&self, more: usize) {
        let made = || self.made.load(Ordering::Relaxed);
        let enough = made() + more;
        self.allowed.store(enough + AHEAD, Ordering::Relaxed);
        wait::until("exchanges", PATIENCE, || made() >= enough).unwrap();
    }

    /// Ends; gives all that was done.
    fn end(self) -> Vec<Made> {
        self.stop.store(true, Ordering::Relaxed);
        let all = self.clients.into_iter().map(|one| one.join().unwrap());
        all.flatten().collect()
    }
}

/// A worker and a number.
type Name = (String, u64);

fn name(record: &Value) -> Name {
    let worker = record["worker"].as_str().unwrap().to_owned();
    (worker, record["number"].as_u64().unwrap())
}

/// The records of the ledger.
fn kept(place: &Place) -> Vec<Value> {
    exported(&place.ledger())
}

fn exported(ledger: &Path) -> Vec<Value> {
    let (status, text) = sessions(ledger, "export", &[]);
    assert_eq!(status, 0, "{text}");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What `gaps` names.
fn missing(place: &Place) -> BTreeSet<Name> {
    let line = Regex::new(
        r"^worker ([0-9a-f]+): records? (\d+)(?: to (\d+))? (?:is|are) missing(?: \(\d+\)|: .*)?$",
    )
    .unwrap();
    let (_, text) = place.sessions("gaps", &[]);
    let mut all = BTreeSet::new();
    for one in text.lines() {
        let parts = line.captures(one).unwrap_or_else(|| panic!("{one}"));
        let number = |at: usize| parts.get(at).map(|part| part.as_str().parse().unwrap());
        let first: u64 = number(2).unwrap();
        for number in first..=number(3).unwrap_or(first) {
            assert!(all.insert((parts[1].to_owned(), number)), "{one}");
        }
    }
    all
}

/// Waits until the desk has heard of each worker what came last; then each number that Envoy's own
/// file has a record of is either in the ledger or named as missing, and no other one is. Returns what
/// is missing.
fn reckon(guarded: &Guarded, place: &Place) -> BTreeSet<Name> {
    let before = highest(&guarded.mesh.sessions(0).unwrap().iter().map(name).collect());
    let token = ana();
    wait::until("the desk to hear of all", PATIENCE, || {
        // What is lost shows once something behind it comes.
        let request = Request::get("/v1/models").bearer(&token);
        http::send(guarded.mesh.port(), request).unwrap();
        // Of a worker that gets nothing more, the desk knows what was given.
        let mut known = missing(place);
        known.extend(kept(place).iter().map(name));
        let heard = highest(&known);
        before
            .iter()
            .all(|(worker, number)| heard.get(worker) >= Some(number))
    })
    .unwrap();
    let kept: Vec<Name> = kept(place).iter().map(name).collect();
    let missing = missing(place);
    let there: BTreeSet<Name> = kept.iter().cloned().collect();
    assert_eq!(there.len(), kept.len(), "none is there twice");
    let told: BTreeSet<Name> = there.union(&missing).cloned().collect();
    let heard = highest(&told);
    let logged = guarded.mesh.sessions(told.len()).unwrap();
    let expected: BTreeSet<Name> = logged
        .iter()
        .map(name)
        .filter(|(worker, number)| heard.get(worker) >= Some(number))
        .collect();
    assert!(there.is_disjoint(&missing));
    assert_eq!(told, expected);
    missing
}

fn highest(names: &BTreeSet<Name>) -> BTreeMap<String, u64> {
    // In their order, the last of a worker is its highest.
    names.iter().cloned().collect()
}

/// The ledger, which no desk has open, is right, and takes what it lacks from Envoy's file.
fn filled(guarded: &Guarded, place: &Place) {
    let (status, said) = place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");
    let file = guarded.mesh.file("access.log");
    let (status, said) = place.sessions("import", &[file.to_str().unwrap()]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(missing(place), BTreeSet::new());
    assert_eq!(kept(place).len(), guarded.mesh.sessions(0).unwrap().len());
    let (status, said) = place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");
}

/// Each whole answer has its record among those that were exported; returns how many there were.
fn committed(made: &[Made], exported: &[Value]) -> usize {
    let traces: BTreeSet<&str> = exported
        .iter()
        .filter_map(|record| record["mesh"]["trace_id"].as_str())
        .collect();
    let whole = made.iter().filter(|one| one.whole);
    let lost: Vec<_> = whole
        .clone()
        .filter(|one| !traces.contains(one.trace.as_str()))
        .map(|one| &one.trace)
        .collect();
    assert!(lost.is_empty(), "answers without records: {lost:?}");
    whole.count()
}
