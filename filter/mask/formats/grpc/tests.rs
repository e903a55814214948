mod any;
mod frames;
mod json;

use proptest::prelude::*;

use super::super::tests::{mask, mask_with, masked, plainly, try_pieces};
use super::super::{Format, GrpcMessage, WalkError, Walker};
use super::body::MAX_MESSAGE_BYTES;
use super::frame::HEADER_BYTES;
use crate::policy::Style;

const UNARY: Format = Format::Grpc(GrpcMessage::ModelInferResponse);
const STREAM: Format = Format::Grpc(GrpcMessage::ModelStreamInferResponse);

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let group = u8::try_from(value % 128).expect("seven bits");
        value /= 128;
        if value == 0 {
            bytes.push(group);
            return bytes;
        }
        bytes.push(group | 0x80);
    }
}

/// A length-delimited field.
fn field(number: usize, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [varint(number * 8 + 2), varint(value.len()), value.to_vec()].concat()
}

fn number(number: usize, value: usize) -> Vec<u8> {
    [varint(number * 8), varint(value)].concat()
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

fn parameter(key: &str, value: &[u8]) -> Vec<u8> {
    field(4, [field(1, key), field(2, value)].concat())
}

fn raw_bytes(elements: &[&str]) -> Vec<u8> {
    let element = |text: &&str| {
        [
            &u32::try_from(text.len()).expect("short").to_le_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    };
    elements.iter().flat_map(element).collect()
}

fn output(name: &str, datatype: &str, contents: &[&str]) -> Vec<u8> {
    let contents: Vec<u8> = contents.iter().flat_map(|text| field(8, text)).collect();
    let contents = if contents.is_empty() {
        contents
    } else {
        field(5, contents)
    };
    field(
        5,
        [
            field(1, name),
            field(2, datatype),
            field(3, varint(1)),
            contents,
        ]
        .concat(),
    )
}

/// One message of a stream: the text of one output's only element.
fn token(raw: bool, id: &str, name: &str, text: &str) -> Vec<u8> {
    let rest = if raw {
        [output(name, "BYTES", &[]), field(6, raw_bytes(&[text]))].concat()
    } else {
        output(name, "BYTES", &[text])
    };
    frame(&field(2, [field(1, "m"), field(3, id), rest].concat()))
}

#[test]
fn every_text_of_an_answer_is_masked() {
    let mail = "to alice@example.com!";
    let message = |mail: &str| {
        [
            field(1, "alice@example.com"),
            field(3, "bob@example.com"),
            parameter("key@example.com", &field(3, mail)),
            parameter("n", &number(2, 7)),
            output("text@example.com", "BYTES", &[mail, "", "x"]),
            field(
                5,
                [
                    field(1, "numbers"),
                    field(2, "FP32"),
                    parameter("p", &field(3, mail)),
                ]
                .concat(),
            ),
            output("raw", "BYTES", &[]),
            field(6, b""),
            field(6, b"4111111111111111"),
            field(6, raw_bytes(&["", mail, mail])),
            field(77, mail),
            field(78, b"\xff alice@example.com"),
            number(79, 300),
            [varint(80 * 8 + 1), vec![1; 8]].concat(),
            [varint(81 * 8 + 5), vec![1; 4]].concat(),
        ]
        .concat()
    };
    assert_eq!(
        masked(&mask(), UNARY, &frame(&message(mail))),
        frame(&message("to [EMAIL]!"))
    );
    let stream = |mail: &str| [frame(&field(1, mail)), frame(&field(2, message(mail)))].concat();
    assert_eq!(
        masked(&mask(), STREAM, &stream(mail)),
        stream("to [EMAIL]!")
    );
}

#[test]
fn fields_may_come_in_any_order() {
    let message = |mail: &str| {
        [
            field(6, raw_bytes(&[mail])),
            field(6, b"\x01\x02\x03"),
            field(
                5,
                [field(5, field(8, mail)), field(2, "BYTES"), field(1, "a")].concat(),
            ),
            field(5, field(2, "INT8")),
        ]
        .concat()
    };
    assert_eq!(
        masked(&mask(), UNARY, &frame(&message("alice@example.com"))),
        frame(&message("[EMAIL]"))
    );
}

#[test]
fn with_nothing_to_mask_even_odd_lengths_stay() {
    // Lengths of 6 and 3, written in more bytes than they need.
    let message = [&[0x2a, 0x86, 0x80, 0x00, 0x0a, 0x83, 0x00][..], b"abc"].concat();
    let body = frame(&message);
    assert_eq!(masked(&mask(), UNARY, &body), body);
    let body = [frame(b""), frame(&number(9, 1)), frame(b"")].concat();
    assert_eq!(masked(&mask(), UNARY, &body), body);
    assert_eq!(masked(&mask(), STREAM, &body), body);
    assert_eq!(masked(&mask(), STREAM, b""), b"");
}

#[test]
fn lengths_grow_and_shrink_with_the_text() {
    for (style, label) in [
        (Style::Remove, ""),
        (Style::Label, "[LONGER THAN WHAT IT STANDS FOR]"),
    ] {
        let label_text = label.trim_matches(['[', ']']);
        let mask = mask_with(&[(label_text, "Q[0-9]")], style);
        let message = |word: &str| {
            let text = format!("{word} ").repeat(40);
            frame(
                &[
                    output("a", "BYTES", &[&text]),
                    field(6, raw_bytes(&[&text])),
                ]
                .concat(),
            )
        };
        assert_eq!(
            try_pieces(&mask, UNARY, &message("Q1"), &[]),
            Ok(message(label))
        );
    }
}

#[test]
fn a_text_goes_on_from_message_to_message() {
    for raw in [false, true] {
        let stream = |pieces: &[&str]| -> Vec<u8> {
            pieces
                .iter()
                .flat_map(|piece| token(raw, "1", "text", piece))
                .collect()
        };
        assert_eq!(
            masked(
                &mask(),
                STREAM,
                &stream(&["I am al", "ice@exam", "ple.com", " x"])
            ),
            stream(&["I am [EMAIL]", "", "", " x"])
        );
    }
}

#[test]
fn texts_of_a_stream_are_told_apart() {
    let pairs = [
        [
            token(true, "1", "a", "alice@exam"),
            token(true, "1", "b", "ple.com"),
        ],
        [
            token(true, "1", "a", "alice@exam"),
            token(true, "2", "a", "ple.com"),
        ],
        [
            frame(&field(2, output("a", "BYTES", &["alice@exam", ""]))),
            frame(&field(2, output("a", "BYTES", &["", "ple.com"]))),
        ],
    ];
    for pair in pairs {
        assert_eq!(masked(&mask(), STREAM, &pair.concat()), pair.concat());
    }
    // In an answer of one message nothing goes on.
    let two = [
        frame(&output("a", "BYTES", &["alice@exam"])),
        frame(&output("a", "BYTES", &["ple.com"])),
    ]
    .concat();
    assert_eq!(masked(&mask(), UNARY, &two), two);
}

#[test]
fn a_whole_batch_in_a_stream_is_not_held() {
    let mask = mask();
    let texts: Vec<String> = (0..3000).map(|at| format!("word{at}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let body = frame(&field(
        2,
        [output("a", "BYTES", &[]), field(6, raw_bytes(&texts))].concat(),
    ));
    let mut walker = Walker::new(STREAM);
    let mut out = Vec::new();
    walker.push(&mask, &body, &mut out).expect("a stream");
    assert_eq!(out, body);
}

#[test]
fn a_message_leaves_when_its_text_is_decided_or_its_answer_over() {
    let mask = mask();
    let mut walker = Walker::new(STREAM);
    let mut step = |message: &[u8]| {
        let mut out = Vec::new();
        walker.push(&mask, message, &mut out).expect("a stream");
        out
    };
    assert_eq!(
        step(&token(false, "1", "a", "Hello ")),
        token(false, "1", "a", "Hello ")
    );
    assert!(step(&token(false, "1", "a", "alice@example.com")).is_empty());
    let last = |id: &str| {
        frame(&field(
            2,
            [
                field(3, id),
                parameter("triton_final_response", &number(1, 1)),
            ]
            .concat(),
        ))
    };
    assert!(step(&last("2")).is_empty());
    assert_eq!(
        step(&last("1")),
        [token(false, "1", "a", "[EMAIL]"), last("2"), last("1")].concat()
    );
    // The trailers end the rest.
    let mut out = step(&token(false, "1", "a", "bob@example.com"));
    assert!(out.is_empty());
    walker.finish(&mask, &mut out).expect("a stream");
    assert_eq!(out, token(false, "1", "a", "[EMAIL]"));
}

#[test]
fn what_cannot_be_masked_is_refused() {
    let mask = mask();
    let refused = |format, body: &[u8]| {
        let whole = try_pieces(&mask, format, body, &[]);
        let cuts: Vec<usize> = (0..body.len()).collect();
        assert_eq!(try_pieces(&mask, format, body, &cuts), whole);
        whole.err()
    };
    let good = frame(&output("a", "BYTES", &["x"]));
    assert_eq!(refused(UNARY, &good), None);
    assert_eq!(refused(UNARY, b""), None);
    assert_eq!(
        refused(UNARY, &[1, 0, 0, 0, 0]),
        Some(WalkError::Compressed)
    );
    assert_eq!(refused(UNARY, &[2, 0, 0, 0, 0]), Some(WalkError::Malformed));
    assert_eq!(
        refused(UNARY, &[0, 0, 0x40, 0, 1]),
        Some(WalkError::TooLarge)
    );
    assert_eq!(
        refused(UNARY, &[0, 0xFF, 0xFF, 0xFF, 0xFF]),
        Some(WalkError::TooLarge)
    );
    for cut in 1..good.len() {
        assert_eq!(refused(UNARY, &good[..cut]), Some(WalkError::Truncated));
    }
    let raw = |bytes: &[u8]| [field(5, field(2, "BYTES")), field(6, bytes)].concat();
    for message in [
        raw(&[1, 0, 0]),
        raw(&[2, 0, 0, 0, b'x']),
        raw(&[0xFF, 0xFF, 0xFF, 0xFF]),
        // More raw outputs than outputs, and a type that is not known.
        field(6, b"alice@example.com"),
        [field(5, field(2, "TEXT")), field(6, b"alice@example.com")].concat(),
        // Lengths beyond the message and beyond the parent.
        vec![0x2a, 0x05, 0x0a],
        vec![0x2a, 0x03, 0x0a, 0x05, 0x00],
        vec![
            0x2a, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
        ],
        vec![
            0x2a, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02,
        ],
        vec![0x0a, 0x80],
        // Groups, the types that are none, field 0, and one beyond the last.
        vec![0x2b, 0x2c],
        vec![0x0e],
        vec![0x0f],
        vec![0x02, 0x00],
        [varint((1 << 29) * 8), vec![0]].concat(),
        vec![0x09, 1, 2, 3],
        vec![0x0d, 1, 2, 3],
        vec![0x08],
        (0..2000).flat_map(|_| field(5, b"")).collect(),
    ] {
        let expected = if message.len() < 4000 {
            WalkError::Malformed
        } else {
            WalkError::TooManyTexts
        };
        assert_eq!(
            refused(UNARY, &frame(&message)),
            Some(expected),
            "{message:02x?}"
        );
        assert_eq!(
            refused(STREAM, &frame(&field(2, &message))),
            Some(expected),
            "{message:02x?}"
        );
    }
}

#[test]
fn the_largest_message_is_masked_and_no_more_is_held() {
    let mask = mask();
    let text = "word ".repeat(MAX_MESSAGE_BYTES / 5 - 10);
    let body = frame(&output("a", "BYTES", &[&text]));
    let mut walker = Walker::new(UNARY);
    let mut out = Vec::new();
    for piece in body.chunks(100_000) {
        walker.push(&mask, piece, &mut out).expect("a message");
        assert!(walker.held() <= MAX_MESSAGE_BYTES + HEADER_BYTES);
    }
    assert!(out == body);
}

proptest! {
    #[test]
    fn random_tokens_of_several_texts_are_masked_as_wholes(
        tokens in prop::collection::vec((0..3_usize, any::<bool>(), prop::sample::select(vec![
            "alice@", "example", ".com", " ", "4111", "1111", "-", "12", "10.1.", "2.3", "é", "x",
        ])), 0..18), // A text that waits is over once others went on in more than 16 messages.
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        style in prop::sample::select(vec![Style::Label, Style::Stars, Style::Partial, Style::Remove]),
    ) {
        let mask = mask_with(&[], style);
        let names = ["a", "b", "c"];
        let body: Vec<u8> = tokens.iter().flat_map(|(name, raw, text)| token(*raw, "1", names[*name], text)).collect();
        let mut cuts: Vec<usize> = cuts.iter().filter(|_| !body.is_empty()).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let mut out = try_pieces(&mask, STREAM, &body, &cuts).expect("a stream").into_iter().peekable();
        let mut texts = vec![String::new(); 3];
        for (name, raw, _) in &tokens {
            // Short texts only: each length is one byte.
            let header: Vec<u8> = out.by_ref().take(HEADER_BYTES).collect();
            let message: Vec<u8> = out.by_ref().take(usize::from(header[4])).collect();
            let at = message.iter().position(|byte| *byte == names[*name].as_bytes()[0]).expect("the name");
            // Behind the name: the type (7 bytes), the shape (3), the tags and lengths.
            let text = if *raw { &message[at + 1 + 7 + 3 + 6..] } else { &message[at + 1 + 7 + 3 + 4..] };
            let rebuilt = token(*raw, "1", names[*name], std::str::from_utf8(text).expect("UTF-8"));
            prop_assert_eq!(&[header, message.clone()].concat(), &rebuilt);
            texts[*name] += std::str::from_utf8(text).expect("UTF-8");
        }
        prop_assert!(out.peek().is_none());
        for (name, text) in texts.iter().enumerate() {
            let whole: String = tokens.iter().filter(|(of, ..)| *of == name).map(|(.., text)| *text).collect();
            prop_assert_eq!(text, &plainly(&mask, &whole));
        }
    }

    #[test]
    fn random_messages_never_panic_and_are_masked_alike_in_random_pieces(
        message in prop::collection::vec(prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            (1..9_usize, prop::collection::vec(0..16_u8, 0..4)).prop_map(|(of, value)| field(of, value)),
            (1..9_usize, Just(field(5, field(8, "alice@example.com")))).prop_map(|(of, value)| field(of, value)),
            Just(field(2, "BYTES")),
            Just(field(6, raw_bytes(&["alice@example.com"]))),
        ], 0..12),
        nested in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mask = mask();
        let message = message.concat();
        let body = frame(&if nested { field(2, field(5, message)) } else { message });
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        for format in [UNARY, STREAM] {
            let whole = try_pieces(&mask, format, &body, &[]);
            prop_assert_eq!(try_pieces(&mask, format, &body, &cuts), whole.clone());
            if let Ok(whole) = whole {
                let again = try_pieces(&mask, format, &whole, &[]);
                prop_assert_eq!(again, Ok(whole), "the output is a message with nothing to mask");
            }
        }
    }
}

#[test]
fn a_stream_may_have_bare_responses() {
    let message = |text: &str| {
        [
            field(1, "small-1"),
            field(2, "v1"),
            field(3, "id"),
            output("text", "BYTES", &[text]),
        ]
        .concat()
    };
    assert_eq!(
        masked(&mask(), STREAM, &frame(&message("I am alice@example.com."))),
        frame(&message("I am [EMAIL]."))
    );
    // What some would read as that, and others as Triton's, is neither.
    let both = [
        field(2, output("text", "BYTES", &["alice@example.com"])),
        output("text", "BYTES", &["a"]),
    ]
    .concat();
    assert!(try_pieces(&mask(), STREAM, &frame(&both), &[]).is_err());
}
