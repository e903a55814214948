//! The way to the desk is cut for a while.

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use testbed::cable::Cable;

use super::{Load, committed, delivered, filled, kept, reckon};
use crate::support::{Desk, Guarded, Place};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(what_is_lost_while_the_way_is_cut_is_named);

/// For how long the way is cut: for some hundreds of exchanges; with `PORTCULLIS_EXHAUSTIVE` in the environment, for
/// a minute.
fn length() -> Duration {
    match env::var_os("PORTCULLIS_EXHAUSTIVE") {
        Some(_) => Duration::from_secs(60),
        None => Duration::ZERO,
    }
}

fn what_is_lost_while_the_way_is_cut_is_named(version: &str) {
    let place = Arc::new(Place::new());
    let mut desk = Desk::start_at(&place);
    let cables = [place.port, place.log_port].map(|port| Cable::to(port).unwrap());
    let [calls, log] = &cables;
    let guarded = Guarded::start_with(version, &delivered("stream", "5s"), |builder| {
        builder
            .cluster_http2("desk", calls.port())
            .cluster_http2("desk_log", log.port())
            .listener("committed", delivered("committed", "5s"))
    });
    let load = Load::start(guarded.mesh.port());
    let strict = Load::start(guarded.mesh.port_of("committed").unwrap());
    for _ in 0..2 {
        load.until_more(100);
        strict.until_more(50);
        cables.iter().for_each(Cable::cut);
        let began = Instant::now();
        load.until_more(300);
        while began.elapsed() < length() {
            load.until_more(300);
        }
        // Envoy closes the connection of an answer that it broke off a second later.
        strict.until_more(4);
        cables.iter().for_each(Cable::mend);
    }
    load.until_more(100);
    strict.until_more(50);
    let made = load.end();
    assert!(made.iter().all(|one| one.whole), "clients notice nothing");
    let strict = strict.end();
    let whole = committed(&strict, &kept(&place));
    eprintln!("{whole} of {} exchanges have whole answers", strict.len());
    assert!(whole >= 100 && whole < strict.len());
    let missing = reckon(&guarded, &place);
    eprintln!("{} of {} records are gaps", missing.len(), made.len());
    assert!(!missing.is_empty(), "nothing was put to the test");
    desk.process.stop();
    filled(&guarded, &place);
}
