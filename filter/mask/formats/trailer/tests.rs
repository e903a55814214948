//! Statuses of gRPC, and other trailers.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use proptest::prelude::*;

use super::super::tests::{mask, masked, masked_text, plainly, try_pieces};
use super::super::{Format, Trailer, WalkError};
use super::{MAX_TRAILER_BYTES, decoded, encoded};

const MESSAGE: Format = Format::Trailer(Trailer::Message);
const DETAILS: Format = Format::Trailer(Trailer::Details);
const BINARY: Format = Format::Trailer(Trailer::Binary);
const TEXT: Format = Format::Trailer(Trailer::Text);

/// A length-delimited field, of fewer than 128.
fn field(number: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let length = u8::try_from(value.len())
        .ok()
        .filter(|length| *length < 128);
    [&[number * 8 + 2, length.expect("short")], value].concat()
}

/// A `google.rpc.Status` with a detail of `google.rpc.BadRequest`.
fn status(message: &str, description: &str) -> Vec<u8> {
    let violation = [field(1, "input"), field(2, description)].concat();
    let any = [
        field(1, "type.googleapis.com/google.rpc.BadRequest"),
        field(2, field(1, violation)),
    ];
    [vec![8, 3], field(2, message), field(3, any.concat())].concat()
}

#[test]
fn a_message_is_read_without_its_percent_encoding() {
    for (came, sent) in [
        ("no input jane@example.com here", "no input [EMAIL] here"),
        ("no input jane%40example.com%21", "no input [EMAIL]!"),
        ("%6A%61%6e%65%40example%2Ecom", "[EMAIL]"),
        (
            "caf%C3%A9: jane@example.com 5%25",
            "caf%C3%A9: [EMAIL] 5%25",
        ),
        ("a%0Ajane@example.com%0D%0A", "a%0A[EMAIL]%0D%0A"),
        (" to jane@example.com ", "%20to [EMAIL]%20"),
        // No percent-encoding: such bytes mean themselves.
        (
            "100% jane@example.com %4 %zz %",
            "100%25 [EMAIL] %254 %25zz %25",
        ),
    ] {
        assert_eq!(masked_text(&mask(), MESSAGE, came), sent, "{came}");
    }
}

#[test]
fn what_has_nothing_to_mask_stays_as_it_came() {
    for value in ["", "not now", "caf%c3%a9 %2525 100% %zz \u{e9}", "a%20b%41"] {
        for format in [MESSAGE, BINARY, TEXT] {
            assert_eq!(masked_text(&mask(), format, value), value);
        }
    }
    let details = BASE64_STANDARD.encode(status("not now", "no such model"));
    assert_eq!(masked_text(&mask(), DETAILS, &details), details);
    assert_eq!(masked_text(&mask(), DETAILS, ""), "");
}

#[test]
fn details_are_read_as_a_status() {
    let before = status("not jane@example.com", "a 4111 1111 1111 1111");
    let after = status("not [EMAIL]", "a [CREDIT_CARD]");
    let padded = BASE64_STANDARD.encode(&before);
    let bare = BASE64_STANDARD_NO_PAD.encode(&before);
    assert!(padded.ends_with('=') && !bare.ends_with('='));
    for (came, sent) in [
        (padded, BASE64_STANDARD.encode(&after)),
        (bare, BASE64_STANDARD_NO_PAD.encode(&after)),
    ] {
        assert_eq!(masked_text(&mask(), DETAILS, &came), sent);
    }
}

#[test]
fn details_that_cannot_be_read_are_an_error() {
    let cut = status("bad jane@example.com", "x");
    let cut = BASE64_STANDARD.encode(&cut[..cut.len() - 1]);
    for value in ["*", "jane@example.com", "amFuZQ==", cut.as_str()] {
        let read = try_pieces(&mask(), DETAILS, value.as_bytes(), &[]);
        assert_eq!(read, Err(WalkError::Malformed), "{value}");
    }
}

#[test]
fn other_values_in_base64_are_messages_or_text() {
    let mask = mask();
    let text = BASE64_STANDARD_NO_PAD.encode("I am jane@example.com");
    let message = BASE64_STANDARD_NO_PAD.encode(status("jane@example.com", "x"));
    let data = BASE64_STANDARD_NO_PAD.encode([0, 200, 1, 255, 254, 7, 0, 9]);
    let several = format!("{text}, {message},{data},*jane@example.com");
    let masked = masked_text(&mask, BINARY, &several);
    let expected = [
        BASE64_STANDARD_NO_PAD.encode("I am [EMAIL]"),
        BASE64_STANDARD_NO_PAD.encode(status("[EMAIL]", "x")),
        data,
        "*[EMAIL]".to_owned(),
    ];
    assert_eq!(masked, expected.join(","));
}

#[test]
fn other_values_are_texts() {
    assert_eq!(
        masked_text(&mask(), TEXT, "for jane@example.com, 203.0.113.7"),
        "for [EMAIL], [IP]"
    );
    let bytes = b"\xFF jane@example.com \xFE";
    assert_eq!(masked(&mask(), TEXT, bytes), b"\xFF [EMAIL] \xFE");
}

#[test]
fn names_tell_how_a_value_is_read() {
    for (name, trailer) in [
        ("grpc-message", Trailer::Message),
        ("grpc-status-details-bin", Trailer::Details),
        ("x-tags-bin", Trailer::Binary),
        ("x-detail", Trailer::Text),
        ("grpc-messages", Trailer::Text),
    ] {
        assert_eq!(Trailer::named(name.as_bytes()), trailer, "{name}");
    }
}

#[test]
fn a_value_that_is_too_long_is_refused() {
    let value = vec![b'a'; MAX_TRAILER_BYTES + 1];
    let read = try_pieces(&mask(), TEXT, &value, &[MAX_TRAILER_BYTES]);
    assert_eq!(read, Err(WalkError::TooLarge));
}

proptest! {
    #[test]
    fn percent_encoding_comes_back(text in proptest::collection::vec(any::<u8>(), 0..64)) {
        let value = encoded(&text);
        prop_assert!(value.iter().all(|byte| (b' '..=b'~').contains(byte)));
        prop_assert!(!value.starts_with(b" ") && !value.ends_with(b" "));
        prop_assert_eq!(decoded(&value), text);
    }

    #[test]
    fn a_message_is_masked_as_its_text_is(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("jane@example.com"), Just("203.0.113.7"), Just(" "), Just("%"), Just("é"),
                Just("41"), Just("\n"), Just("to"),
            ],
            0..8,
        ),
    ) {
        let mask = mask();
        let text = parts.concat();
        let value = encoded(text.as_bytes());
        let masked = try_pieces(&mask, MESSAGE, &value, &[]).unwrap();
        prop_assert_eq!(decoded(&masked), plainly(&mask, &text).into_bytes());
    }
}
