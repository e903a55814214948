//! A body's bytes in pieces: also between the bytes of an escape, of a character, of a length.

use super::*;

fn same(engine: &Engine, format: Format, body: &[u8], cuts: &[usize], expected: &[u8]) {
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([body.len()]) {
        pieces.push(&body[from..cut]);
        from = cut;
    }
    let came = masked(engine, format, pieces);
    assert!(
        came == expected,
        "{format:?} cut at {cuts:?}: {}\nnot {}\nof  {}",
        String::from_utf8_lossy(&came),
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(body)
    );
}

fn all_bodies() -> Vec<(Format, Vec<u8>)> {
    texts().iter().flat_map(|text| bodies(text)).collect()
}

#[test]
fn every_body_byte_by_byte_and_in_any_two_pieces_gives_the_same() {
    let engine = engine();
    let bodies = all_bodies();
    let stride = stride(bodies.iter().map(|(_, body)| body.len().pow(2)).sum());
    for (index, (format, body)) in bodies.iter().enumerate() {
        let expected = whole(&engine, *format, body);
        let bytes: Vec<usize> = (0..body.len()).collect();
        same(&engine, *format, body, &bytes, &expected);
        // Another remainder for each body, so that every place has its turn in some of them.
        for at in (index % stride..=body.len()).step_by(stride) {
            same(&engine, *format, body, &[at], &expected);
        }
    }
}

#[test]
fn every_body_in_any_three_pieces_gives_the_same() {
    let engine = engine();
    let bodies = all_bodies();
    let pairs = |body: &[u8]| (body.len() + 1) * (body.len() + 2) / 2;
    let stride = stride(
        bodies
            .iter()
            .map(|(_, body)| pairs(body) * body.len())
            .sum(),
    );
    let mut turn: usize = 0;
    for (format, body) in &bodies {
        if body.len() > 2048 {
            continue;
        }
        let mut expected = None;
        for first in 0..=body.len() {
            for second in first..=body.len() {
                turn += 1;
                if turn.is_multiple_of(stride) {
                    let expected = expected.get_or_insert_with(|| whole(&engine, *format, body));
                    same(&engine, *format, body, &[first, second], expected);
                }
            }
        }
    }
}

#[test]
fn a_string_is_masked_as_it_reads_however_it_is_escaped() {
    let engine = engine();
    for text in texts() {
        let expected = plainly(&engine, &text);
        for escapes in Escapes::EACH {
            let body = escapes.string(&text);
            let came = whole(&engine, Format::Json, body.as_bytes());
            let read: String = serde_json::from_slice(&came).unwrap();
            assert_eq!(read, expected, "{body}");
        }
    }
}
