//! Random streams in random pieces.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::super::super::Format;
use super::super::super::tests::{mask, mask_with, plainly, try_pieces};
use super::{chat, payloads};
use crate::policy::Style;

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z .@\"\\\\é😀\n]{0,6}",
        Just("alice@example.com".to_owned()),
        Just("4111-1111-1111-1111".to_owned()),
        Just("123-45-6789".to_owned()),
        Just("DE89370400440532013000".to_owned()),
        Just("2001:db8::8a2e:370:7334".to_owned()),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// The text in the pieces that end at the given places.
fn pieces(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.index(characters.len() + 1))
        .collect();
    cuts.push(characters.len());
    cuts.sort_unstable();
    let mut from = 0;
    cuts.into_iter()
        .map(|cut| {
            characters[std::mem::replace(&mut from, cut)..cut]
                .iter()
                .collect()
        })
        .collect()
}

proptest! {
    #[test]
    fn interleaved_texts_in_random_tokens_and_pieces_are_masked_as_wholes(
        texts in prop::collection::vec((0..2_u64, 0..4_usize, text(), prop::collection::vec(any::<prop::sample::Index>(), 0..6)), 1..5),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        style in prop::sample::select(vec![Style::Label, Style::Stars, Style::Partial, Style::Remove]),
    ) {
        let mask = mask_with(&[], style);
        let mut channels = BTreeMap::new();
        for (choice, channel, text, cuts) in &texts {
            let name = ["content", "reasoning_content", "call 0", "call 1"][*channel];
            // A call's arguments are JSON, whose escapes are read as what they stand for.
            let text = if name.starts_with("call") { text.replace('\\', "/") } else { text.clone() };
            let mut pieces = pieces(&text, cuts);
            // Where the second begins with the first, it may be the text so far.
            let mut tokens = pieces.iter().filter(|piece| !piece.is_empty());
            if let (Some(first), Some(second)) = (tokens.next(), tokens.next()) && second.starts_with(first) {
                pieces = vec![text.clone()];
            }
            channels.insert((*choice, name.to_owned()), (text, pieces));
        }
        let mut waiting: Vec<_> = channels.iter().map(|(key, (_, pieces))| (key.clone(), pieces.clone().into_iter())).collect();
        let mut stream = String::new();
        let mut order = order.iter().cycle();
        // One that goes on alone for longer says that the others are at their ends.
        let mut rows = [(String::new(), 0), (String::new(), 0)];
        while !waiting.is_empty() {
            let mut at = order.next().expect("a cycle").index(waiting.len());
            let (choice, channel) = waiting[at].0.clone();
            let row = &mut rows[usize::from(choice == 1)];
            let other = waiting.iter().position(|((of, name), _)| *of == choice && *name != channel);
            if let Some(other) = other.filter(|_| *row == (channel, 3)) {
                at = other;
            }
            let ((choice, channel), tokens) = &mut waiting[at];
            let Some(token) = tokens.next() else { waiting.remove(at); continue };
            if !token.is_empty() {
                *row = (channel.clone(), if row.0 == *channel { row.1 + 1 } else { 1 });
            }
            let delta = match channel.strip_prefix("call ") {
                Some(call) => json!({"tool_calls": [{"function": {"arguments": token}, "index": call.parse::<u64>().expect("a number")}]}),
                None => json!({channel.as_str(): token}),
            };
            let value = json!({"choices": [{"delta": delta, "index": choice}]});
            stream += &format!("data: {value}{end}{end}");
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&mask, Format::Events, stream.as_bytes(), &cuts).expect("a stream");
        let out = String::from_utf8(out).expect("UTF-8");
        prop_assert_eq!(payloads(&out).len(), payloads(&stream).len());
        let expected: BTreeMap<_, _> = channels.into_iter().map(|(key, (text, _))| (key, plainly(&mask, &text))).collect();
        prop_assert_eq!(chat(&out), expected);
    }

    #[test]
    fn random_lines_are_masked_alike_in_random_pieces(
        lines in prop::collection::vec(prop_oneof![
            Just("data: alice@"), Just("data: example.com"), Just("data:{\"delta\":\"alice\\u0040\"}"), Just("data: {\"delta\":\"example.com\"}"),
            Just("data: {"), Just("\n"), Just("\r"), Just("\r\n"), Just("\n\n"), Just(": alice@example.com"), Just("event: x"), Just("data"),
            Just("\u{feff}"), Just("data: [DONE]"), Just("data: \"a\":1}"),
        ], 0..16),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mask = mask();
        let body = lines.concat();
        let mut cuts: Vec<usize> = cuts.iter().filter(|_| !body.is_empty()).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&mask, Format::Events, body.as_bytes(), &cuts).expect("a stream");
        prop_assert_eq!(out, try_pieces(&mask, Format::Events, body.as_bytes(), &[]).expect("a stream"));
    }
}
