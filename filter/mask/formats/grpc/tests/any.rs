//! Messages whose schema nobody knows.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::super::tests::{mask, masked, plainly, try_pieces};
use super::super::super::{Format, GrpcMessage, WalkError};
use super::{field, frame, number, varint};
use crate::CompiledMask;
use crate::policy::{Detection, Detector, Style};
use base::wire::Fields;

const ANY: Format = Format::Grpc(GrpcMessage::Any);

/// A field as its schema has it.
#[derive(Clone, Debug)]
enum Leaf {
    Text(String),
    Varint(usize),
    Long([u8; 8]),
    Short([u8; 4]),
    Data(Vec<u8>),
    Message(Vec<(usize, Leaf)>),
}

fn encode(fields: &[(usize, Leaf)], text: &dyn Fn(&str) -> Vec<u8>) -> Vec<u8> {
    let one = |(at, leaf): &(usize, Leaf)| match leaf {
        Leaf::Text(string) => field(*at, text(string)),
        Leaf::Varint(value) => number(*at, *value),
        Leaf::Long(bytes) => [varint(at * 8 + 1), bytes.to_vec()].concat(),
        Leaf::Short(bytes) => [varint(at * 8 + 5), bytes.to_vec()].concat(),
        Leaf::Data(bytes) => field(*at, bytes),
        Leaf::Message(fields) => field(*at, encode(fields, text)),
    };
    fields.iter().flat_map(one).collect()
}

fn as_is(fields: &[(usize, Leaf)]) -> Vec<u8> {
    encode(fields, &|text| text.as_bytes().to_vec())
}

fn masked_texts(mask: &CompiledMask, fields: &[(usize, Leaf)]) -> Vec<u8> {
    encode(fields, &|text| plainly(mask, text).into_bytes())
}

/// `PredictResponse` of TensorFlow Serving, as far as it matters here.
fn predict(texts: &[&str]) -> Vec<u8> {
    let mut tensor = vec![number(1, 7), field(2, field(2, number(1, texts.len())))];
    tensor.extend(texts.iter().map(|text| field(8, text)));
    let entry = [field(1, "answers"), field(2, tensor.concat())].concat();
    let floats = (0..40_u16).flat_map(|at| f32::from(at).to_le_bytes());
    let scores = [
        number(1, 1),
        field(5, floats.collect::<Vec<_>>()),
        field(7, [1, 2, 3, 200, 1]),
    ];
    let other = [field(1, "scores"), field(2, scores.concat())].concat();
    let spec = [
        field(1, "small"),
        field(2, number(1, 3)),
        field(3, "serving_default"),
    ];
    [field(1, entry), field(1, other), field(2, spec.concat())].concat()
}

#[test]
fn an_answer_of_tensorflow_serving_is_masked() {
    let body = |texts: &[&str]| frame(&predict(texts));
    let before = body(&[
        "write to alice@example.com",
        "4111 1111 1111 1111",
        "",
        "nothing",
    ]);
    let after = body(&["write to [EMAIL]", "[CREDIT_CARD]", "", "nothing"]);
    assert_eq!(masked(&mask(), ANY, &before), after);
    for at in 0..before.len() {
        assert_eq!(
            try_pieces(&mask(), ANY, &before, &[at]).as_ref(),
            Ok(&after)
        );
    }
}

#[test]
fn texts_go_on_from_message_to_message() {
    let token = |text: &str| {
        frame(
            &[
                number(1, 4),
                field(2, field(3, [field(1, text), number(2, 1)].concat())),
            ]
            .concat(),
        )
    };
    let stream: Vec<u8> = ["Mail al", "ice@exam", "ple.com", " now"]
        .iter()
        .flat_map(|text| token(text))
        .collect();
    let expected = [token("Mail [EMAIL]"), token(""), token(""), token(" now")].concat();
    assert_eq!(try_pieces(&mask(), ANY, &stream, &[5, 20]), Ok(expected));
}

#[test]
fn strings_of_their_own_do_not_hide_one_another() {
    let record = |card: &str| frame(&[field(1, "x"), field(2, card)].concat());
    let stream = [
        record("4111111111111111"),
        record("4111111111111111"),
        record("x"),
    ]
    .concat();
    let masked_card = record("[CREDIT_CARD]");
    let expected = [masked_card.clone(), masked_card, record("x")].concat();
    assert_eq!(masked(&mask(), ANY, &stream), expected);
}

/// Two-letter tokens are messages of one number each; as pieces of a text they are what they are.
#[test]
fn short_tokens_that_could_be_numbers_are_text() {
    let token = |text: &str| frame(&field(1, text));
    let stream: Vec<u8> = ["41", "11", " 11", "11", "01", "85 ", "8 ", "P1", "85", "85"]
        .iter()
        .flat_map(|text| token(text))
        .collect();
    assert_eq!(masked(&mask(), ANY, &stream), stream);
    let card: Vec<u8> = ["5555 5555", " 5555", " 4", "44", "4"]
        .iter()
        .flat_map(|text| token(text))
        .collect();
    let expected = [
        token("[CREDIT_CARD]"),
        token(""),
        token(""),
        token(""),
        token(""),
    ]
    .concat();
    assert_eq!(masked(&mask(), ANY, &card), expected);
}

#[test]
fn what_reads_as_text_and_as_a_message_is_masked_either_way() {
    let mask = mask();
    // A message of one string, whose length is a printable character: its length follows.
    let inner = |text: &str| field(2, field(1, text));
    let long = "the address is alice@example.com, she says";
    assert!((32..127).contains(&long.len()));
    assert_eq!(
        masked(&mask, ANY, &frame(&inner(long))),
        frame(&inner("the address is [EMAIL], she says"))
    );
    // A string that is a message of one fixed number, and a card's digits at the same time.
    let text = "=ip: 1.2.3.4, =4.5";
    let unlikely = [b"\x71".as_slice(), b"10.0.0.1"].concat();
    for text in [text.as_bytes(), &unlikely] {
        let plain = plainly(&mask, std::str::from_utf8(text).unwrap());
        assert_eq!(
            masked(&mask, ANY, &frame(&field(4, text))),
            frame(&field(4, plain))
        );
    }
}

#[test]
fn bytes_of_other_charsets_are_text_and_data_is_not() {
    let mask = mask();
    let latin = b"Andr\xE9 Lef\xE8vre's address is alice@example.com, since June";
    let expected = b"Andr\xE9 Lef\xE8vre's address is [EMAIL], since June";
    assert_eq!(
        masked(&mask, ANY, &frame(&field(1, latin))),
        frame(&field(1, expected))
    );
    let data: Vec<u8> = [
        &[0xFF, 0xD8, 0, 0x80, 0x90][..],
        b"alice@example.com",
        &[0; 40],
    ]
    .concat();
    assert_eq!(
        masked(&mask, ANY, &frame(&field(1, &data))),
        frame(&field(1, data))
    );
}

#[test]
fn what_is_no_message_or_has_too_much_is_refused() {
    let mask = mask();
    let refused = |message: &[u8]| try_pieces(&mask, ANY, &frame(message), &[1, 6]).err();
    // Groups, a length that lies, a tag that is none, a number that is cut off.
    for message in [
        &[0x0B, 0x0C][..],
        &[0x0A, 5, b'a'],
        &[0],
        &[0x08],
        &[0x09, 1],
        &[0x0D, 1],
    ] {
        assert_eq!(refused(message), Some(WalkError::Malformed), "{message:?}");
    }
    let many: Vec<u8> = (0..140_000).flat_map(|_| field(1, "a")).collect();
    assert_eq!(refused(&many), Some(WalkError::TooManyTexts));
    let empty: Vec<u8> = (0..140_000).flat_map(|_| field(1, "")).collect();
    assert_eq!(refused(&empty), None);
    let mut deep = b"alice@example.com".to_vec();
    for _ in 0..300 {
        deep = field(1, deep);
    }
    assert_eq!(refused(&deep), Some(WalkError::Malformed));
}

/// Whether a string in it is a message by chance.
fn is_doubtful(leaf: &Leaf) -> bool {
    match leaf {
        Leaf::Text(text) => {
            let mut fields = Fields::new(text.as_bytes(), (0, text.len()));
            while let Ok(field) = fields.read_next() {
                if field.is_none() {
                    return !text.is_empty();
                }
            }
            false
        }
        Leaf::Message(fields) => fields.iter().any(|(_, leaf)| is_doubtful(leaf)),
        _ => false,
    }
}

fn within(body: &[u8], cuts: Vec<usize>) -> Vec<usize> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.sort_unstable();
    cuts
}

fn leaf() -> impl Strategy<Value = Leaf> {
    let text = prop_oneof![
        "[a-zA-Z0-9 .,:;_-]{0,40}",
        "[ -~\n\t]{0,12}",
        "\\PC{0,30}",
        "[a-z ]{0,50}alice@example\\.com[ ,.!?]{0,3}[a-z ]{0,60}",
        "(ip |at )?10\\.20\\.30\\.40",
        Just("5555 5555 5555 4444".to_owned()),
    ];
    let leaf = prop_oneof![
        6 => text.prop_map(Leaf::Text),
        2 => any::<usize>().prop_map(Leaf::Varint),
        1 => any::<[u8; 8]>().prop_map(Leaf::Long),
        1 => any::<[u8; 4]>().prop_map(Leaf::Short),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        vec((1_usize..40, inner), 0..6).prop_map(Leaf::Message)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_string_of_any_message_is_masked_and_nothing_else(
        fields in vec((1_usize..40, leaf()), 0..8),
        cuts in vec(any::<usize>(), 0..4),
    ) {
        let mask = mask();
        let body = frame(&as_is(&fields));
        let cuts = within(&body, cuts);
        let out = try_pieces(&mask, ANY, &body, &cuts).expect("a message");
        for secret in ["alice", "10.20.30.40", "5555 5555"] {
            prop_assert!(!String::from_utf8_lossy(&out).contains(secret));
        }
        if !fields.iter().any(|(_, leaf)| is_doubtful(leaf)) {
            prop_assert_eq!(out, frame(&masked_texts(&mask, &fields)));
        }
    }

    #[test]
    fn a_message_with_nothing_to_mask_is_unchanged(
        fields in vec((1_usize..3000, prop_oneof![
            leaf(),
            vec(any::<u8>(), 0..200).prop_map(Leaf::Data),
        ]), 0..8),
    ) {
        // Something is looked for, and never there.
        let mask = CompiledMask::new(&[Detection {
            detector: Detector::Words {
                name: "never".to_owned(),
                words: vec!["never0123456789".to_owned()],
                label: "NEVER".to_owned(),
            },
            style: Style::Label,
        }])
        .expect("the pattern compiles");
        let body = frame(&as_is(&fields));
        prop_assert_eq!(try_pieces(&mask, ANY, &body, &[]), Ok(body));
    }

    #[test]
    fn anything_is_read_alike_for_every_split(
        bytes in vec(any::<u8>(), 0..200),
        cuts in vec(any::<usize>(), 0..4),
    ) {
        let mask = mask();
        let body = frame(&bytes);
        let cuts = within(&body, cuts);
        prop_assert_eq!(
            try_pieces(&mask, ANY, &body, &cuts),
            try_pieces(&mask, ANY, &body, &[])
        );
    }
}
