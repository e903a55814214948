//! What is done, in random order.

use portcullis_desk::approvals::protocol::DecisionKind;
use proptest::prelude::*;
use proptest::sample::select;

use super::{A_DAY, QUESTIONS};

#[derive(Clone, Debug)]
pub(super) enum Op {
    Ask(usize),
    Decide(DecisionKind, bool, usize),
    /// A claim on an approval, for a question, with an id.
    Claim(usize, usize, u64),
    GiveBack(usize, u64),
    /// All of an approval is taken, a claim of it comes back twice, and what is left is taken again.
    BackTwice(usize),
    /// All that is left of an approval is claimed.
    UseUp(usize),
    /// The question of an approval is asked again while a claim of it is out, which then comes back.
    ComeBack(usize),
    Cancel(usize),
    Sweep,
    Restart,
    Pass(i64),
}

/// An operation, by which desk, and whether the ledger fails meanwhile.
fn op() -> impl Strategy<Value = (Op, usize, bool)> {
    let kinds = [
        DecisionKind::Approve,
        DecisionKind::Approve,
        DecisionKind::Deny,
        DecisionKind::Revoke,
    ];
    let times = [
        1, 1_000, 20_000, 49_000, 100_000, 899_000, 1_801_000, 3_600_000, A_DAY,
    ];
    let op = prop_oneof![
        6 => (0..QUESTIONS).prop_map(Op::Ask),
        6 => (select(kinds.to_vec()), any::<bool>(), 0_usize..8)
            .prop_map(|(kind, bob, which)| Op::Decide(kind, bob, which)),
        8 => (0_usize..8, 0..QUESTIONS, 0_u64..8)
            .prop_map(|(which, question, claim)| Op::Claim(which, question, claim)),
        4 => (0_usize..8, 0_u64..8).prop_map(|(which, claim)| Op::GiveBack(which, claim)),
        2 => (0_usize..8).prop_map(Op::BackTwice),
        1 => (0_usize..8).prop_map(Op::UseUp),
        2 => (0_usize..8).prop_map(Op::ComeBack),
        1 => (0_usize..8).prop_map(Op::Cancel),
        1 => Just(Op::Sweep),
        1 => Just(Op::Restart),
        2 => select(times.to_vec()).prop_map(Op::Pass),
    ];
    (op, 0_usize..2, prop::bool::weighted(0.1))
}

/// Operations, each by one of two desks, and whether the ledger fails meanwhile.
pub(super) fn ops() -> impl Strategy<Value = Vec<(Op, usize, bool)>> {
    prop::collection::vec(op(), 1..80)
}
