//! The desk or Envoy ends without a warning, in the middle of its work.

use std::sync::Arc;

use serde_json::Value;
use testbed::body::{Gate, Step};
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::wait;

use super::{Load, PATIENCE, committed, delivered, filled, kept, missing, name, reckon};
use crate::support::{Desk, Guarded, Place, ana};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    a_killed_desk_loses_nothing_unseen,
    a_killed_envoy_loses_no_exchange_unseen_that_was_seen_to_go_on,
);

/// How often the desk is killed.
const KILLS: usize = 3;

/// How many exchanges there are before it is, and while it is away.
const SOME: usize = 100;

fn a_killed_desk_loses_nothing_unseen(version: &str) {
    let place = Arc::new(Place::new());
    let guarded = Guarded::start_with(version, &delivered("stream", "5s"), |builder| {
        builder
            .cluster_http2("desk", place.port)
            .cluster_http2("desk_log", place.log_port)
            .listener("committed", delivered("committed", "5s"))
    });
    let mut desk = Desk::start_at(&place);
    let load = Load::start(guarded.mesh.port());
    let strict = Load::start(guarded.mesh.port_of("committed").unwrap());
    for _ in 0..KILLS {
        load.until_more(SOME);
        strict.until_more(SOME);
        let stored = || desk.get("/healthz")["records"]["stored"].as_u64().unwrap();
        wait::until("records", PATIENCE, || stored() > 0).unwrap();
        desk.process.kill();
        load.until_more(SOME);
        // Envoy closes the connection of an answer that it broke off a second later.
        strict.until_more(4);
        desk = Desk::start_at(&place);
    }
    load.until_more(SOME);
    strict.until_more(SOME);
    let made = load.end();
    assert!(made.iter().all(|one| one.whole), "clients notice nothing");
    let strict = strict.end();
    // Nothing is asked of the desk first.
    desk.process.kill();
    let whole = committed(&strict, &kept(&place));
    eprintln!("{whole} of {} exchanges have whole answers", strict.len());
    assert!(whole > KILLS * SOME && whole < strict.len(), "{whole}");
    let (status, said) = place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");

    let mut desk = Desk::start_at(&place);
    let missing = reckon(&guarded, &place);
    eprintln!(
        "{} of {} records are gaps",
        missing.len(),
        made.len() + strict.len()
    );
    assert!(!missing.is_empty(), "nothing was put to the test");
    desk.process.stop();
    filled(&guarded, &place);
}

fn a_killed_envoy_loses_no_exchange_unseen_that_was_seen_to_go_on(version: &str) {
    let place = Arc::new(Place::new());
    let mut desk = Desk::start_at(&place);
    let start = || {
        Guarded::start_with(version, &delivered("stream", "5s"), |builder| {
            builder
                .log_running("0.1s")
                .cluster_http2("desk_log", place.log_port)
        })
    };
    let mut guarded = start();
    let load = Load::start(guarded.mesh.port());
    load.until_more(SOME);
    let gate = Gate::new();
    let steps = vec![Step::data("some words, "), Step::Wait(gate)];
    let text = Answer::new(200).header("content-type", "text/plain");
    let running = "/v1/models/running";
    guarded.model.answer(running, text.steps(steps));
    let mut open = Vec::new();
    for _ in 0..20 {
        let client = Client::http1(guarded.mesh.port()).unwrap();
        let mut stream = client.open(Request::get(running).bearer(&ana())).unwrap();
        assert!(stream.next_piece().unwrap().is_some());
        open.push((client, stream));
    }
    // Whoever is done for good, the desk has the record or knows the number before Envoy dies.
    let before = guarded.mesh.sessions(SOME).unwrap();
    let told = || {
        let (_, said) = place.sessions("gaps", &[]);
        let known: Vec<Value> = kept(&place);
        let known: Vec<_> = known.iter().map(name).collect();
        said.matches("went on at").count() >= 20
            && before.iter().all(|record| known.contains(&name(record)))
    };
    wait::until("the desk to know of all", PATIENCE, told).unwrap();
    guarded.mesh.kill().unwrap();
    let made = load.end().len() + open.len();

    // What Envoy had said of the running ones is now all that there is.
    let first = kept(&place);
    let lost = missing(&place);
    let (_, said) = place.sessions("gaps", &[]);
    assert_eq!(said.matches("went on at").count(), 20, "{said}");
    // Of the rest nobody knows: numbers behind the highest that arrived.
    let unseen = made - first.len() - lost.len();
    eprintln!(
        "{made} exchanges: {} records, {} gaps, {unseen} behind the last number that arrived",
        first.len(),
        lost.len()
    );
    assert!(first.len() >= before.len());

    // The next Envoy's workers count for themselves.
    let guarded = start();
    let load = Load::start(guarded.mesh.port());
    load.until_more(SOME);
    load.end();
    wait::until("the next Envoy's records", PATIENCE, || {
        kept(&place).len() >= first.len() + SOME
    })
    .unwrap();
    let (_, said) = place.sessions("gaps", &[]);
    assert_eq!(said.matches("went on at").count(), 20, "{said}");
    desk.process.stop();
    let (status, said) = place.sessions("verify", &[]);
    assert_eq!(status, 0, "{said}");
}
