//! A text spread over the events of each API: over as many as six, cut anywhere.

use testbed::amazon::Operation;
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

/// What a stream of these frames should say in the end.
fn expected(mask: &CompiledMask, kind: &Frames, text: &str) -> String {
    let text = [kind.front(), text].concat();
    match kind {
        Frames::Messages => plainly(mask, &text),
        _ => in_a_string(mask, &text),
    }
}

/// The same where the ways that lead to one place can't be followed as one: what was said there before
/// tells how a string goes on.
const MAX_UNDESCRIBED_WAYS: u64 = 300;

/// Spreads each text over each kind of event; of the kinds but the first, in fewer ways.
fn spread(mask: &CompiledMask, kinds: &[Frames]) -> Tried {
    let (most, most_of_others, one_of) = match env::var_os(EXHAUSTIVE) {
        Some(_) => (MAX_WAYS, 20_000, 1),
        None => (MAX_SAMPLED_WAYS, 6, 2),
    };
    let mut tried = Tried::default();
    let (mut whole, mut texts) = (0, 0);
    for (turn, text) in super::texts().iter().enumerate() {
        for (number, kind) in kinds.iter().enumerate() {
            // Of many, each has its turn.
            let is_next = kinds.len() == 1 || (turn + number).is_multiple_of(one_of);
            if !is_next || !kind.can_say(text) {
                continue;
            }
            let most = match kind {
                Frames::Events { api, .. } if api.by_place() || api.so_far() => {
                    most_of_others.min(MAX_UNDESCRIBED_WAYS)
                }
                _ if number == 0 => most,
                _ => most_of_others,
            };
            let units = units_for(text, EVENTS, most);
            texts += 1;
            whole += usize::from(units.len() == text.chars().count());
            let stream = Said::new(mask, kind.clone());
            match every_spread(&stream, &units, EVENTS, &expected(mask, kind, text)) {
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

/// The kinds of events of all APIs but the first.
fn others(escapes: Escapes) -> Vec<Frames> {
    let apis = Api::EACH.into_iter().filter(|api| *api != Api::Chat);
    let operations = Operation::EACH.map(|one| Frames::Amazon(one, escapes));
    apis.map(|api| Frames::of(api, escapes))
        .chain(operations)
        .collect()
}

#[test]
fn a_text_spread_over_the_events_of_other_apis_is_masked_as_a_whole() {
    let tried = spread(&mask(), &others(Escapes::Ascii));
    // What is not known to go on is tried too.
    assert!(tried.left_out < tried.events / 2, "{tried}");
}

#[test]
fn a_text_letter_by_letter_is_masked_as_a_whole() {
    let mask = mask();
    let mut kinds = others(Escapes::Few);
    kinds.push(Frames::of(Api::Chat, Escapes::Few));
    let mut whole = 0;
    for (index, text) in texts().iter().enumerate() {
        for kind in [kinds[index % kinds.len()].clone(), Frames::Messages] {
            if !kind.can_say(text) {
                continue;
            }
            let mut stream = Said::new(&mask, kind.clone());
            let mut came = String::new();
            let mut letters = text.chars().map(String::from);
            let said = letters.all(|letter| {
                let may = stream.may_say(&letter);
                if may {
                    stream.say(&letter, &mut came).unwrap();
                }
                may
            });
            if said {
                stream.end(&mut came).unwrap();
                assert_eq!(came, expected(&mask, &kind, text), "{kind:?} of {text:?}");
                whole += 1;
            }
        }
    }
    assert!(whole > texts().len(), "{whole}");
}
