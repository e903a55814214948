//! Orders that chance seldom finds.

use portcullis_desk::approvals::acts;
use portcullis_desk::approvals::machine::DENIED_FOR;
use portcullis_desk::approvals::protocol::{Claim, ClaimState, DecisionKind};

use super::{Desks, Op, act, binding};
use crate::cluster::{Cluster, Place};

/// An approval that came back is found, also behind a question that was asked meanwhile; what was denied or taken
/// back meanwhile isn't.
fn comes_back(place: Place) {
    let mut desks = Desks::new(place);
    let taken = |desks: &mut Desks, claim| {
        let last = desks.known.len() - 1;
        desks.decide(DecisionKind::Approve, false, last, 0, false);
        desks.claim(last, 0, claim, 0, false);
        last
    };
    desks.run(&Op::Ask(0), 0, false);
    let first = taken(&mut desks, 1);
    desks.run(&Op::ComeBack(first), 0, false);
    assert_eq!(desks.known.len(), 2, "what came back was found");
    desks.claim(first, 0, 2, 0, false);
    let second = taken(&mut desks, 3);
    desks.run(&Op::Ask(0), 0, false);
    desks.decide(DecisionKind::Deny, false, 2, 0, false);
    desks.run(&Op::ComeBack(second), 0, false);
    desks.now += DENIED_FOR;
    desks.run(&Op::Ask(0), 0, false);
    assert_eq!(desks.known.len(), 4, "what came back was denied meanwhile");
}

#[test]
fn what_came_back_is_found_behind_a_later_question() {
    comes_back(Place::file());
}

#[test]
fn so_it_is_in_a_database() {
    if let Some(cluster) = Cluster::start() {
        comes_back(Place::of(&cluster));
    }
}

#[test]
fn what_comes_back_twice_comes_back_once() {
    let mut desks = Desks::new(Place::file());
    desks.run(&Op::Ask(1), 0, false);
    desks.decide(DecisionKind::Approve, false, 0, 0, false);
    desks.run(&Op::BackTwice(0), 0, false);
    assert_eq!(desks.known[0].1.live.len(), 2, "what was granted");
}

#[test]
fn two_desks_that_claim_at_once_take_no_more_than_was_granted() {
    claim_at_once(Place::file());
}

#[test]
fn nor_do_they_from_a_database() {
    if let Some(cluster) = Cluster::start() {
        claim_at_once(Place::of(&cluster));
    }
}

fn claim_at_once(place: Place) {
    let mut desks = Desks::new(place);
    desks.ask(1, 0, false);
    desks.decide(DecisionKind::Approve, false, 0, 0, false);
    let (id, now) = (desks.known[0].0.clone(), desks.now);
    let place = &desks.place;
    let claimed: usize = std::thread::scope(|scope| {
        let claiming: Vec<_> = (0..8_u64)
            .map(|number| {
                let id = &id;
                scope.spawn(move || {
                    let mut store = place.open();
                    let claim = Claim {
                        claim: format!("{number:032x}"),
                        binding: binding(1),
                        exchange: format!("{number:032x}"),
                    };
                    let claimed = act(&mut *store, now, false, |work| {
                        acts::claim(work, id, &claim, "edge")
                    });
                    usize::from(claimed.unwrap().state == ClaimState::Claimed)
                })
            })
            .collect();
        claiming.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(claimed, 2);
}
