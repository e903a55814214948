//! A table that is filled, and one count more: counted at the model server.

use std::env;
use std::ops::Range;
use std::thread;

use serde_json::json;
use testbed::http::raw::Connection;
use testbed::model::Answer;

use super::{LONG, token};
use crate::support::{Guarded, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_full_table_refuses_newcomers_only);

const CONNECTIONS: usize = 16;
const THREADS: usize = 4;

/// Names that one subject may begin counts with.
const NAMES: usize = 64;

/// What each count allows.
const LIMIT: usize = 2;

/// Requests that are counted each for itself, by its number.
struct Requests(Vec<String>);

impl Requests {
    /// For as many counts.
    fn new(counts: usize) -> Self {
        let subjects = 0..counts.div_ceil(NAMES);
        Self(
            subjects
                .map(|number| token(&format!("subject-{number}")))
                .collect(),
        )
    }

    fn one(&self, number: usize) -> Vec<u8> {
        let body =
            json!({"model": format!("m-{}", number % NAMES), "query": "a", "documents": ["b"]});
        let body = body.to_string();
        format!(
            "POST /v1/rerank HTTP/1.1\r\nhost: models\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.0[number / NAMES],
            body.len()
        )
        .into_bytes()
    }

    /// Sends one for each count; gives how many were answered with each of these statuses, and that
    /// there was no other.
    fn send(&self, port: u16, counts: Range<usize>, expected: [u16; 2]) -> [usize; 2] {
        let each = counts.len().div_ceil(THREADS);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let start = counts.start + thread * each;
                    let own = start..(start + each).min(counts.end);
                    scope.spawn(move || self.send_some(port, own, expected))
                })
                .collect();
            let found = threads.into_iter().map(|thread| thread.join().unwrap());
            found.fold([0, 0], |[a, b], [c, d]| [a + c, b + d])
        })
    }

    fn send_some(&self, port: u16, counts: Range<usize>, expected: [u16; 2]) -> [usize; 2] {
        let mut open: Vec<Connection> = (0..CONNECTIONS / THREADS)
            .map(|_| Connection::open(port).unwrap())
            .collect();
        let mut found = [0, 0];
        let numbers: Vec<usize> = counts.collect();
        for some in numbers.chunks(open.len()) {
            for (connection, number) in open.iter_mut().zip(some) {
                connection.send(&self.one(*number)).unwrap();
            }
            for (connection, number) in open.iter_mut().zip(some) {
                let answer = connection.response().unwrap();
                let place = expected.iter().position(|status| *status == answer.status);
                let place = place.unwrap_or_else(|| panic!("{number}: {}", answer.text()));
                found[place] += 1;
            }
        }
        found
    }
}

fn a_full_table_refuses_newcomers_only(version: &str) {
    // As many counts as the documentation promises room for, less the room of what is noted of 64 names
    // of a subject. All of the default's take a minute or two.
    let mut cases = vec![("64KiB", 64), ("1MiB", 4096)];
    if env::var_os("PORTCULLIS_EXHAUSTIVE").is_some() {
        cases.push(("8MiB", 31_872));
    }
    for (size, counts) in cases {
        full(version, size, counts);
    }
}

fn full(version: &str, size: &str, counts: usize) {
    let guarded = Guarded::start_with(
        version,
        &policy(&json!({
            "store": {"size": size},
            "quotas": {"model": {"by": ["subject", "model"], "count": "requests", "limit": LIMIT, "per": LONG}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["model"]}],
        })),
        |builder| builder.concurrency(4).without_access_logs(),
    );
    guarded.model.answer("/v1/rerank", Answer::new(200));
    let port = guarded.mesh.port();
    let most = counts * 6 + 2048;
    let requests = Requests::new(most);

    assert_eq!(
        requests.send(port, 0..counts, [200, 503]),
        [counts, 0],
        "{size}"
    );
    assert_eq!(guarded.model.begun(), counts);

    // Newcomers, until some find no room.
    let mut newcomers = counts..counts;
    let mut refused = 0;
    while refused == 0 {
        let from = newcomers.end;
        newcomers.end += counts.div_ceil(4).max(NAMES);
        assert!(newcomers.end <= most, "{size} is never full");
        let [_, more] = requests.send(port, from..newcomers.end, [200, 503]);
        refused += more;
    }
    let passed = newcomers.len() - refused;
    assert_eq!(guarded.model.begun(), counts + passed);

    // Who was there has all that is left, and no more.
    guarded.model.forget();
    assert_eq!(requests.send(port, 0..counts, [200, 429]), [counts, 0]);
    assert_eq!(requests.send(port, 0..counts, [200, 429]), [0, counts]);
    assert_eq!(guarded.model.begun(), counts);
}
