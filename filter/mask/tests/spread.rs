//! A text spread over the events of each API: as many as six tokens, cut anywhere.

use testbed::prose::Prose;
use testbed::streams::{Api, cut};

use super::*;

/// How many tokens a text has at most.
const TOKENS: usize = 6;

fn format(api: Api) -> Format {
    match api.lines() {
        true => Format::Lines,
        false => Format::Events,
    }
}

/// What a stream of these tokens reads as when it is masked, with the frames unchanged.
fn read(engine: &Engine, api: Api, tokens: &[&str], escapes: Escapes) -> String {
    let stream = api.stream(tokens, escapes);
    let (_, frames) = api.read(stream.as_bytes()).unwrap();
    let came = whole(engine, format(api), stream.as_bytes());
    let (text, left) = api.read(&came).unwrap();
    assert_eq!(left, frames, "the frames of {stream}");
    text
}

/// Calls with every way of cutting so many characters into two to six tokens; where there are
/// more than `limit`, with as many of them, picked by a fixed chance.
fn ways(characters: usize, limit: usize, each: &mut dyn FnMut(&[usize])) {
    if count(characters) <= limit {
        every_way(&mut Vec::new(), characters, each);
        return;
    }
    let mut chance = Prose::new(characters as u64);
    for _ in 0..limit {
        let tokens = 2 + chance.below(TOKENS - 1);
        let mut cuts: Vec<usize> = (1..tokens)
            .map(|_| 1 + chance.below(characters - 1))
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        each(&cuts);
    }
}

fn every_way(cuts: &mut Vec<usize>, characters: usize, each: &mut dyn FnMut(&[usize])) {
    let from = cuts.last().map_or(1, |last| last + 1);
    for cut in from..characters {
        cuts.push(cut);
        each(cuts);
        if cuts.len() + 1 < TOKENS {
            every_way(cuts, characters, each);
        }
        cuts.pop();
    }
}

/// How many ways there are.
fn count(characters: usize) -> usize {
    let mut sum: usize = 0;
    let mut choose: usize = 1;
    for cuts in 1..TOKENS {
        choose = choose.saturating_mul(characters.saturating_sub(cuts)) / cuts;
        sum = sum.saturating_add(choose);
    }
    sum
}

#[test]
fn the_ways_are_counted_as_they_are_tried() {
    for characters in [0, 1, 2, 5, 9] {
        let mut tried = 0;
        ways(characters, usize::MAX, &mut |_| tried += 1);
        assert_eq!(tried, count(characters), "{characters}");
    }
}

#[test]
fn a_text_spread_over_events_in_any_way_is_masked_as_a_whole() {
    let engine = engine();
    let texts = texts();
    // A stream is of some 500 bytes.
    let limit = match env::var_os(EXHAUSTIVE) {
        Some(_) => 20_000,
        None => EFFORT / 500 / (texts.len() * Api::EACH.len()),
    };
    for (index, text) in texts.iter().enumerate() {
        let characters = text.chars().count();
        let expected = plainly(&engine, text);
        for (turn, api) in Api::EACH.into_iter().enumerate() {
            let escapes = Escapes::EACH[(index + turn) % Escapes::EACH.len()];
            if !api.can_say(text) {
                continue;
            }
            ways(characters, limit.max(1), &mut |cuts| {
                let tokens = cut(text, cuts);
                let came = read(&engine, api, &tokens, escapes);
                assert_eq!(came, expected, "{api:?} of {tokens:?}");
            });
        }
    }
}

#[test]
fn a_text_letter_by_letter_is_masked_as_a_whole() {
    let engine = engine();
    for (index, text) in texts().iter().enumerate() {
        let expected = plainly(&engine, text);
        let characters = text.chars().count();
        let cuts: Vec<usize> = (1..characters).collect();
        let tokens = cut(text, &cuts);
        let api = Api::EACH[index % Api::EACH.len()];
        if api.can_say(text) {
            let came = read(&engine, api, &tokens, Escapes::Few);
            assert_eq!(came, expected, "{api:?} of {text:?}");
        }
    }
}
