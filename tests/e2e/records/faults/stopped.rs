//! The desk stands still, or is slow: Envoy keeps what it can't send, and no answer passes without its
//! record.

use std::sync::Arc;

use testbed::http::Request;
use testbed::wait;

use super::{Load, PATIENCE, committed, delivered, filled, kept, reckon};
use crate::support::{Desk, Guarded, Place, ana, code};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_desk_that_stands_still_or_is_slow_loses_nothing);

fn a_desk_that_stands_still_or_is_slow_loses_nothing(version: &str) {
    let place = Arc::new(Place::new());
    let mut desk = Desk::start_at(&place);
    let guarded = Guarded::start_with(version, &delivered("stream", "5s"), |builder| {
        builder
            .cluster_http2("desk", place.port)
            .cluster_http2("desk_log", place.log_port)
            .listener("committed", delivered("committed", "300ms"))
    });
    let port = guarded.mesh.port_of("committed").unwrap();
    let load = Load::start(guarded.mesh.port());
    let strict = Load::start(port);
    load.until_more(100);
    strict.until_more(50);

    // It stands still.
    desk.process.pause().unwrap();
    load.until_more(300);
    let request = Request::get("/v1/models").bearer(&ana());
    let answer = guarded.send_to("committed", request);
    let refused = answer.status == 503 && code(&answer) == "record_not_kept";
    assert!(refused || answer.broken.is_some(), "{answer:?}");
    desk.process.resume().unwrap();

    // It does its work, but little at a time.
    let stored = || desk.get("/healthz")["records"]["stored"].as_u64().unwrap();
    for _ in 0..10 {
        desk.process.pause().unwrap();
        load.until_more(30);
        desk.process.resume().unwrap();
        let before = stored();
        wait::until("some to be stored", PATIENCE, || stored() > before).unwrap();
    }

    let made = load.end();
    assert!(made.iter().all(|one| one.whole), "clients notice nothing");
    let strict = strict.end();
    let whole = committed(&strict, &kept(&place));
    eprintln!("{whole} of {} exchanges have whole answers", strict.len());
    assert!(whole >= 50 && whole < strict.len());
    let missing = reckon(&guarded, &place);
    assert!(missing.is_empty(), "{missing:?}");
    desk.process.stop();
    filled(&guarded, &place);
}
