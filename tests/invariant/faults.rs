//! That a fault which shows in one way of cutting only is found among all ways.

use portcullis::mask::Format;
use testbed::cuts::{Machine, every_way, whole};

use super::machine::Walk;
use super::mask;

/// A walker that forgets where it stands and what waits, when the body was cut at both places.
#[derive(Clone, Debug, PartialEq)]
struct Forgets<'a> {
    walk: Walk<'a>,
    format: Format,
    at: usize,
    places: (usize, usize),
    was_cut: bool,
}

impl Machine for Forgets<'_> {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.walk.push(piece, out);
        self.at += piece.len();
        if self.at == self.places.1 && self.was_cut {
            self.walk = Walk::new(self.walk.mask, self.format);
            self.was_cut = false;
        }
        self.was_cut |= self.at == self.places.0;
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.walk.finish(out);
    }
}

#[test]
fn what_a_walker_forgets_between_two_cuts_is_found() {
    let mask = mask();
    let bodies: [(Format, &[u8]); 3] = [
        (Format::Text, b"to bob@b.com, 1.1.1.1"),
        (Format::Json, b"[\"bob\\u0040b.com\",1,\"a\"]"),
        (Format::Events, b"data: bob@b\n\ndata: .com\n\n"),
    ];
    for (format, body) in bodies {
        let right = Walk::new(&mask, format);
        let expected = whole(&right, body);
        every_way(&right, body, &expected, usize::MAX).unwrap();
        let (mut shown, mut harmless) = (0, 0);
        for first in 1..body.len() {
            for second in first + 1..body.len() {
                let machine = Forgets {
                    walk: right.clone(),
                    format,
                    at: 0,
                    places: (first, second),
                    was_cut: false,
                };
                let (mut tried, mut out) = (machine.clone(), Vec::new());
                for piece in [&body[..first], &body[first..second], &body[second..]] {
                    tried.push(piece, &mut out);
                }
                tried.finish(&mut out);
                let shows = out != expected;
                let found = every_way(&machine, body, &expected, usize::MAX);
                assert_eq!(found.is_err(), shows, "{format:?} {first} {second}");
                shown += usize::from(shows);
                harmless += usize::from(!shows);
            }
        }
        assert!(shown > 100, "{format:?}: {shown} of {harmless}");
    }
}
