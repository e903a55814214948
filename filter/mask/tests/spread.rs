//! A text spread over the events of each API: over as many as six, cut anywhere.

use testbed::spread::{Stream, Tried, every_spread, units_for};
use testbed::streams::Api;

use super::machine::{Frames, Said};
use super::*;

/// Over how many events a text is spread at most.
const EVENTS: usize = 6;

/// In so many ways a text is spread at most: up to 40 characters between any two of them, a longer
/// one between units of two or more.
const MAX_WAYS: u64 = 700_000;
/// The same where not everything is tried.
const MAX_SAMPLED_WAYS: u64 = 24;

fn can_say(kind: &Frames, text: &str) -> bool {
    match kind {
        Frames::Events { api, .. } => api.can_say(text),
        Frames::Messages => true,
    }
}

/// Spreads each text over each kind of event; of the kinds but the first, in fewer ways.
fn spread(mask: &CompiledMask, kinds: &[Frames]) -> Tried {
    let (most, most_of_others) = match env::var_os(EXHAUSTIVE) {
        Some(_) => (MAX_WAYS, 20_000),
        None => (MAX_SAMPLED_WAYS, 6),
    };
    let mut tried = Tried::default();
    let (mut whole, mut texts) = (0, 0);
    for text in super::texts() {
        let [message, string] = [plainly(mask, &text), in_a_string(mask, &text)];
        for (number, kind) in kinds.iter().enumerate() {
            if !can_say(kind, &text) {
                continue;
            }
            let most = if number == 0 { most } else { most_of_others };
            let units = units_for(&text, EVENTS, most);
            texts += 1;
            whole += usize::from(units.len() == text.chars().count());
            let stream = Said::new(mask, kind.clone());
            let expected = match kind {
                Frames::Messages => &message,
                _ => &string,
            };
            match every_spread(&stream, &units, EVENTS, expected) {
                Ok(more) => tried.add(more),
                Err(fault) => panic!("{kind:?} of {text:?}: {fault}"),
            }
        }
    }
    println!("{tried}; cut between any two characters: {whole} of {texts}");
    tried
}

#[test]
fn a_text_spread_over_the_events_of_a_chat_is_masked_as_a_whole() {
    spread(&mask(), &[Frames::of(Api::Chat, Escapes::Few)]);
}

#[test]
fn a_text_spread_over_escapes_in_the_events_of_a_chat_is_masked_as_a_whole() {
    spread(&mask(), &[Frames::of(Api::Chat, Escapes::All)]);
}

#[test]
fn a_text_spread_over_messages_is_masked_as_a_whole() {
    spread(&mask(), &[Frames::Messages]);
}

#[test]
fn a_text_spread_over_the_events_of_other_apis_is_masked_as_a_whole() {
    let others = Api::EACH.into_iter().filter(|api| *api != Api::Chat);
    let kinds: Vec<_> = others.map(|api| Frames::of(api, Escapes::Ascii)).collect();
    spread(&mask(), &kinds);
}

#[test]
fn a_text_letter_by_letter_is_masked_as_a_whole() {
    let mask = mask();
    for (index, text) in texts().iter().enumerate() {
        let [message, string] = [plainly(&mask, text), in_a_string(&mask, text)];
        let api = Api::EACH[index % Api::EACH.len()];
        for kind in [Frames::of(api, Escapes::Few), Frames::Messages] {
            if !can_say(&kind, text) {
                continue;
            }
            let mut stream = Said::new(&mask, kind.clone());
            let mut came = String::new();
            for letter in text.chars() {
                stream.say(&letter.to_string(), &mut came).unwrap();
            }
            stream.end(&mut came).unwrap();
            let expected = match kind {
                Frames::Messages => &message,
                _ => &string,
            };
            assert_eq!(&came, expected, "{kind:?} of {text:?}");
        }
    }
}
