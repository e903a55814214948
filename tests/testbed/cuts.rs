//! Every way of cutting a body into pieces, of any number, at the price of every pair of places.
//!
//! What a machine does from some place on follows from its state there. So the ways that lead to
//! one place in one state, with the same written, need not be followed one by one: from each place
//! and each state that occurs there, every next piece is tried once. Where the state behind a place
//! does not depend on the pieces, as it should, that is a push for each pair of places, and with
//! them all of the `2^(n-1)` ways are tried, those of one cut, of two, and of single bytes too.
//!
//! It rests on how machines are compared: what is left out must have no effect.

use std::fmt;

/// What takes a body in pieces. Two are equal if they go on alike; what they hold and compare
/// nevertheless must be in what they say to who debugs them, which some of the states are compared
/// by as well.
pub trait Machine: Clone + PartialEq + fmt::Debug {
    /// Takes the next piece, and adds to `out` what is written then.
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>);

    /// The body ends here. What is told of it besides what is written is added too.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// What a machine makes of a body in one piece.
#[must_use]
pub fn whole<M: Machine>(machine: &M, body: &[u8]) -> Vec<u8> {
    let mut machine = machine.clone();
    let mut out = Vec::new();
    machine.push(body, &mut out);
    machine.finish(&mut out);
    out
}

/// How much was done to try every way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Bodies.
    pub bodies: u64,
    /// Pieces given to the machine.
    pub pushes: u64,
    /// The most states at one place.
    pub states: usize,
}

impl Tried {
    /// Adds what was done for others.
    pub fn add(&mut self, other: Self) {
        self.bodies = self.bodies.saturating_add(other.bodies);
        self.pushes = self.pushes.saturating_add(other.pushes);
        self.states = self.states.max(other.states);
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bodies,
            pushes,
            states,
        } = self;
        write!(
            f,
            "{bodies} bodies in every way of cutting them: {pushes} pushes, at most {states} states at a place"
        )
    }
}

/// A way of cutting with which something else comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where the body was cut.
    pub cuts: Vec<usize>,
    /// What has come then, up to where it differs.
    pub came: String,
    /// What should have.
    pub expected: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cuts,
            came,
            expected,
        } = self;
        write!(f, "cut at {cuts:?}: {came}\nnot {expected}")
    }
}

/// The states at one place are too many to be followed.
const MAX_STATES: usize = 256;

/// Of so many states, one is compared by what it says too.
const DEBUGGED: u64 = 61;

/// A state at a place, and how it was reached.
struct Node<M> {
    machine: M,
    written: usize,
    /// The place and the number of the state before it.
    before: Option<(usize, usize)>,
}

/// Tries every way of cutting a body into pieces of which all but the first and the last have at
/// most `longest` bytes; `expected` is what should come.
///
/// # Errors
/// A way with which something else comes, or along which the states are too many.
pub fn every_way<M: Machine>(
    machine: &M,
    body: &[u8],
    expected: &[u8],
    longest: usize,
) -> Result<Tried, Fault> {
    let mut places: Vec<Vec<Node<M>>> = Vec::new();
    places.resize_with(body.len().saturating_add(1), Vec::new);
    if let Some(first) = places.first_mut() {
        first.push(Node {
            machine: machine.clone(),
            written: 0,
            before: None,
        });
    }
    let mut tried = Tried {
        bodies: 1,
        ..Tried::default()
    };
    let mut out = Vec::new();
    for from in 0..places.len() {
        let mut number = 0;
        // An empty piece may lead to another state at the same place.
        while let Some(node) = places.get(from).and_then(|nodes| nodes.get(number)) {
            let (machine, written) = (node.machine.clone(), node.written);
            for to in from..=body.len() {
                if from > 0 && to < body.len() && to - from > longest {
                    continue;
                }
                let mut machine = machine.clone();
                out.clear();
                machine.push(body.get(from..to).unwrap_or_default(), &mut out);
                tried.pushes = tried.pushes.saturating_add(1);
                let rest = expected.get(written..).unwrap_or_default();
                let many = |nodes: &Vec<Node<M>>| nodes.len() >= MAX_STATES;
                if !rest.starts_with(&out) || places.get(to).is_some_and(many) {
                    let cuts = cuts(&places, (from, number), to);
                    return Err(fault(cuts, (expected, written), &out));
                }
                let Some(nodes) = places.get_mut(to) else {
                    continue;
                };
                let written = written.saturating_add(out.len());
                let same = |node: &&Node<M>| node.written == written && node.machine == machine;
                let known = nodes.iter().find(same);
                if let Some(known) = known {
                    if tried.pushes.is_multiple_of(DEBUGGED) {
                        assert_eq!(format!("{machine:?}"), format!("{:?}", known.machine));
                    }
                } else {
                    nodes.push(Node {
                        machine,
                        written,
                        before: Some((from, number)),
                    });
                }
            }
            number = number.saturating_add(1);
        }
    }
    tried.states = places.iter().map(Vec::len).max().unwrap_or(0);
    let ends = places.pop().unwrap_or_default();
    for node in ends {
        let mut machine = node.machine;
        out.clear();
        machine.finish(&mut out);
        if expected.get(node.written..) != Some(out.as_slice()) {
            let cuts = node
                .before
                .map_or_else(Vec::new, |before| cuts(&places, before, body.len()));
            return Err(fault(cuts, (expected, node.written), &out));
        }
    }
    Ok(tried)
}

fn fault(cuts: Vec<usize>, (expected, written): (&[u8], usize), out: &[u8]) -> Fault {
    let before = expected.get(..written).unwrap_or(expected);
    Fault {
        cuts,
        came: String::from_utf8_lossy(&[before, out].concat()).into_owned(),
        expected: String::from_utf8_lossy(expected).into_owned(),
    }
}

/// The places on the way to a state, and the one behind it.
fn cuts<M>(places: &[Vec<Node<M>>], last: (usize, usize), to: usize) -> Vec<usize> {
    let mut cuts = vec![to];
    let mut at = Some(last);
    while let Some((place, number)) = at {
        cuts.push(place);
        at = places
            .get(place)
            .and_then(|nodes| nodes.get(number))
            .and_then(|node| node.before);
    }
    cuts.reverse();
    cuts
}
