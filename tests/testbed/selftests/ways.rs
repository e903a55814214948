//! Every way of cutting and of spreading finds what is wrong in one of them only.

use crate::cuts::{Machine, every_way, whole};
use crate::spread::{Stream, every_spread, ways};

const TEXT: &str = "a<b> <<>> c<";

/// Takes out what stands in brackets. When the text was cut at all of `faults` and nowhere else in
/// front of the last of them, what waits then is lost, or comes twice, or its end.
#[derive(Clone, Debug, PartialEq)]
struct Brackets {
    hold: String,
    at: usize,
    cuts: Vec<usize>,
    faults: Vec<usize>,
    kind: Kind,
    wrong_at_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Loses,
    Doubles,
    EndsWrong,
}

impl Brackets {
    fn new(faults: &[usize], kind: Kind) -> Self {
        Self {
            hold: String::new(),
            at: 0,
            cuts: Vec::new(),
            faults: faults.to_vec(),
            kind,
            wrong_at_end: false,
        }
    }

    fn take(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for letter in piece.chars() {
            self.hold.push(letter);
            match letter {
                '>' => self.hold.clear(),
                _ if self.hold.starts_with('<') => {}
                _ => out.push_str(&std::mem::take(&mut self.hold)),
            }
        }
        self.at += piece.len();
        if self.faults.contains(&self.at) && !self.cuts.contains(&self.at) {
            self.cuts.push(self.at);
            if self.cuts == self.faults {
                match self.kind {
                    Kind::Loses => self.hold.clear(),
                    Kind::Doubles => out.push_str(&self.hold),
                    Kind::EndsWrong => self.wrong_at_end = true,
                }
            }
        }
        out
    }

    fn rest(&mut self) -> String {
        let end = if self.wrong_at_end { "!" } else { "" };
        std::mem::take(&mut self.hold) + end
    }
}

impl Machine for Brackets {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let piece = str::from_utf8(piece).unwrap().to_owned();
        out.extend(self.take(&piece).into_bytes());
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend(self.rest().into_bytes());
    }
}

impl Stream for Brackets {
    fn say(&mut self, said: &str, text: &mut String) -> Result<(), String> {
        text.push_str(&self.take(said));
        Ok(())
    }

    fn end(&mut self, text: &mut String) -> Result<(), String> {
        text.push_str(&self.rest());
        Ok(())
    }

    fn state(&self) -> Option<String> {
        self.hold.is_empty().then(|| format!("{self:?}"))
    }
}

fn right() -> Brackets {
    Brackets::new(&[], Kind::Loses)
}

/// Every set of so many places of the text.
fn places(count: usize, from: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let firsts = from..TEXT.len();
    firsts
        .flat_map(|first| {
            let rest = places(count - 1, first + 1).into_iter();
            rest.map(move |rest| [vec![first], rest].concat())
        })
        .collect()
}

/// The faults that show when the text is cut at their places, and whether they show.
fn faults(count: usize) -> impl Iterator<Item = (Brackets, bool)> {
    let all = places(count, 1).into_iter();
    let all = all.flat_map(|at| {
        let kinds = [Kind::Loses, Kind::Doubles, Kind::EndsWrong];
        kinds.map(|kind| Brackets::new(&at, kind))
    });
    all.map(|machine| {
        let (mut tried, mut out, mut from) = (machine.clone(), Vec::new(), 0);
        for to in machine.faults.iter().copied().chain([TEXT.len()]) {
            tried.push(&TEXT.as_bytes()[from..to], &mut out);
            from = to;
        }
        tried.finish(&mut out);
        let shows = out != whole(&right(), TEXT.as_bytes());
        (machine, shows)
    })
}

#[test]
fn a_fault_with_one_way_of_cutting_is_found() {
    let expected = whole(&right(), TEXT.as_bytes());
    let tried = every_way(&right(), TEXT.as_bytes(), &expected, usize::MAX).unwrap();
    assert_eq!(tried.states, 1);
    let mut shown = 0;
    for count in 1..=3 {
        for (machine, shows) in faults(count) {
            let found = every_way(&machine, TEXT.as_bytes(), &expected, usize::MAX);
            assert_eq!(found.is_err(), shows, "{machine:?}: {found:?}");
            if let Err(fault) = found {
                for place in &machine.faults {
                    assert!(fault.cuts.contains(place), "{machine:?}: {fault}");
                }
                shown += 1;
            }
        }
    }
    assert!(shown > 200, "{shown}");
}

#[test]
fn a_fault_with_one_way_of_spreading_is_found() {
    let units: Vec<&str> = TEXT.split("").filter(|unit| !unit.is_empty()).collect();
    let expected = String::from_utf8(whole(&right(), TEXT.as_bytes())).unwrap();
    let tried = every_spread(&right(), &units, 6, &expected).unwrap();
    assert_eq!(tried.ways, ways(TEXT.len(), 6));
    for count in 1..=5 {
        let mut shown = 0;
        for (machine, shows) in faults(count) {
            let found = every_spread(&machine, &units, 6, &expected);
            assert_eq!(found.is_err(), shows, "{machine:?}: {found:?}");
            shown += usize::from(shows);
        }
        assert!(shown > 0);
    }
}

#[test]
fn the_ways_are_counted() {
    for (units, events, count) in [(1, 6, 1), (2, 6, 2), (3, 2, 3), (9, 6, 219), (22, 6, 27896)] {
        assert_eq!(ways(units, events), count, "{units} over {events}");
    }
}
