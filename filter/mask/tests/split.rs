//! A body's bytes in pieces: also between the bytes of an escape, of a character, of a length.

use testbed::cuts::{self, Tried, every_way};

use super::machine::Walk;
use super::*;

/// The bodies of all texts, each once.
fn all_bodies() -> Vec<(Format, Vec<u8>)> {
    let mut all: Vec<(Format, Vec<u8>)> = Vec::new();
    for text in texts() {
        for body in bodies(&text) {
            // Those of one text stand side by side.
            if !all.iter().rev().take(20).any(|known| *known == body) {
                all.push(body);
            }
        }
    }
    all
}

/// How long the pieces are where not everything is tried: as two escapes that stand for one
/// character.
const MAX_PIECE_BYTES: usize = 12;

/// In a body that is one text, and in one of gRPC, all of it is cheap.
#[test]
fn every_body_in_every_way_of_cutting_it_gives_the_same() {
    let mask = mask();
    let (cheap, others): (Vec<_>, Vec<_>) = all_bodies()
        .into_iter()
        .partition(|(format, _)| matches!(format, Format::Text | Format::Grpc(_)));
    every_way_of(&mask, &cheap, usize::MAX, 1);
    match env::var_os(EXHAUSTIVE) {
        Some(_) => every_way_of(&mask, &others, usize::MAX, 1),
        None => every_way_of(&mask, &others, MAX_PIECE_BYTES, 149),
    }
}

fn every_way_of(mask: &CompiledMask, bodies: &[(Format, Vec<u8>)], longest: usize, one_of: usize) {
    let mut tried = Tried::default();
    for (format, body) in bodies.iter().step_by(one_of) {
        let machine = Walk::new(mask, *format);
        match every_way(&machine, body, &cuts::whole(&machine, body), longest) {
            Ok(done) => tried.add(done),
            Err(fault) => panic!("{format:?} {fault}\nof  {}", String::from_utf8_lossy(body)),
        }
    }
    println!("one of {one_of} bodies, pieces of at most {longest} bytes: {tried}");
}

/// Without what makes trying every way cheap.
#[test]
fn every_body_byte_by_byte_and_in_any_two_pieces_gives_the_same() {
    let mask = mask();
    let bodies = all_bodies();
    let stride = stride(bodies.iter().map(|(_, body)| 3 * body.len().pow(2)).sum());
    println!(
        "two pieces: one place of {stride} in {} bodies",
        bodies.len()
    );
    for (index, (format, body)) in bodies.iter().enumerate() {
        let expected = whole(&mask, *format, body);
        let check = |how: &str, came: &[u8]| {
            assert!(
                came == expected,
                "{format:?} {how}: {}\nnot {}\nof  {}",
                String::from_utf8_lossy(came),
                String::from_utf8_lossy(&expected),
                String::from_utf8_lossy(body)
            );
        };
        check("byte by byte", &masked(&mask, *format, body.chunks(1)));
        // Another remainder for each body, so that every place has its turn in some of them.
        for at in (index % stride..=body.len()).step_by(stride) {
            let (head, tail) = body.split_at(at);
            let came = masked(&mask, *format, [head, tail]);
            check(&format!("cut at {at}"), &came);
        }
    }
}

/// Every stretch of a text in escapes, the rest of it as it is; every second character; all.
#[test]
fn a_string_is_masked_as_it_reads_however_it_is_escaped() {
    let mask = mask();
    let texts = texts();
    let stretches: usize = texts.iter().map(|text| 6 * text.len().pow(3)).sum();
    let stride = stride(stretches);
    println!("one stretch of {stride} in escapes");
    let (mut turn, mut tried) = (0_usize, 0_u64);
    for text in texts {
        let expected = in_a_string(&mask, &text);
        let mut check = |body: &str| {
            let came = whole(&mask, Format::Json, body.as_bytes());
            let bytes = masked(&mask, Format::Json, body.as_bytes().chunks(1));
            assert!(came == bytes, "byte by byte: {body}");
            let read: String = serde_json::from_slice(&came).unwrap();
            assert_eq!(read, expected, "{body}");
            tried += 1;
        };
        for escapes in Escapes::EACH {
            check(&escapes.string(&text));
        }
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let inside = |escapes: Escapes, letter: &str| {
            let string = escapes.string(letter);
            let inside = string
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            inside.unwrap().to_owned()
        };
        let few: Vec<String> = letters
            .iter()
            .map(|one| inside(Escapes::Few, one))
            .collect();
        let all: Vec<String> = letters
            .iter()
            .map(|one| inside(Escapes::All, one))
            .collect();
        let body = |escaped: &dyn Fn(usize) -> bool| {
            let one = |at: usize| if escaped(at) { &all[at] } else { &few[at] };
            let inside: String = (0..letters.len()).map(|at| one(at).as_str()).collect();
            format!("\"{inside}\"")
        };
        check(&body(&|at| at % 2 == 0));
        check(&body(&|at| at % 2 == 1));
        for from in 0..letters.len() {
            for to in from + 1..=letters.len() {
                turn += 1;
                if turn.is_multiple_of(stride) {
                    check(&body(&|at| (from..to).contains(&at)));
                }
            }
        }
    }
    println!("{tried} bodies");
}
