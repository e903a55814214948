//! Frames that are compressed, frames of gRPC-Web, and messages of requests.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::super::super::tests::{mask, masked, try_pieces};
use super::super::super::{Format, Framing, GrpcMessage, Octets, WalkError, Walker};
use super::{MAX_MESSAGE_BYTES, UNARY, field, frame, output, parameter, raw_bytes, varint};
use coding::Coding;

fn flagged(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = frame(message);
    bytes[0] = flag;
    bytes
}

fn framed(framing: Framing, body: &[u8], piece: usize) -> Result<Vec<u8>, WalkError> {
    let mask = mask();
    let mut walker = Walker::framed(UNARY, framing);
    let mut out = Vec::new();
    for piece in body.chunks(piece) {
        walker.push(&mask, piece, &mut out)?;
    }
    walker.finish(&mask, &mut out)?;
    Ok(out)
}

const DEFLATE: Framing = Framing {
    layout: None,
    most: crate::formats::USUAL_ENTRY_BYTES,
    most_held: crate::formats::USUAL_HELD_BYTES,
    compression: Some(Coding::Deflate),
    web: false,
    payload: None,
    opaque_parts: false,
    octets: Octets::NONE,
};
const WEB: Framing = Framing {
    layout: None,
    most: crate::formats::USUAL_ENTRY_BYTES,
    most_held: crate::formats::USUAL_HELD_BYTES,
    compression: None,
    web: true,
    payload: None,
    opaque_parts: false,
    octets: Octets::NONE,
};

#[test]
fn compressed_messages_leave_masked_and_plain() {
    let message = |text: &str| output("a", "BYTES", &[text]);
    let compressed = |text: &str| flagged(1, &compress_to_vec_zlib(&message(text), 6));
    let plain = |text: &str| frame(&message(text));
    let body = [
        compressed("to alice@example.com"),
        plain("bob@example.com"),
        compressed("nothing"),
        flagged(1, &compress_to_vec_zlib(b"", 6)),
    ];
    let expected = [
        plain("to [EMAIL]"),
        plain("[EMAIL]"),
        plain("nothing"),
        frame(b""),
    ];
    for piece in [1, 3, 10_000] {
        assert_eq!(
            framed(DEFLATE, &body.concat(), piece),
            Ok(expected.concat())
        );
    }
    let body = compressed("x");
    assert_eq!(framed(WEB, &body, 9), Err(WalkError::Compressed));
    let broken = flagged(1, &[0x78, 0x9C, 0xFF, 0xFF]);
    assert_eq!(framed(DEFLATE, &broken, 9), Err(WalkError::Malformed));
    let bomb = flagged(1, &compress_to_vec_zlib(&vec![0; MAX_MESSAGE_BYTES + 1], 6));
    assert_eq!(framed(DEFLATE, &bomb, 4096), Err(WalkError::TooLarge));
}

#[test]
fn the_trailers_of_grpc_web_are_text() {
    let trailers = |text: &str| {
        flagged(
            0x80,
            format!("grpc-status: 3\r\ngrpc-message: {text}\r\n").as_bytes(),
        )
    };
    let body = |text: &str| [frame(&output("a", "BYTES", &[text])), trailers(text)].concat();
    for piece in [1, 10_000] {
        assert_eq!(
            framed(WEB, &body("no such user: bob@example.com"), piece),
            Ok(body("no such user: [EMAIL]"))
        );
        assert_eq!(
            framed(WEB, &trailers("no bob%40example.com"), piece),
            Ok(trailers("no [EMAIL]"))
        );
    }
    let more = |message: &str, details: &str| {
        let lines = format!(
            "Grpc-Message:{message}\r\ngrpc-status-details-bin: {details}\r\nx-of: bob@example.com"
        );
        flagged(0x80, lines.as_bytes())
    };
    let masked = |text: &str| text.replace("bob@example.com", "[EMAIL]");
    // A message with `bob@example.com` in field 2, and one that ends too early.
    for (details, left) in [
        ("Eg9ib2JAZXhhbXBsZS5jb20", "EgdbRU1BSUxd"),
        ("EhBib2JAZXhhbXBsZS5jb20", ""),
    ] {
        let sent = framed(WEB, &more("bob%40example.com", details), 9).unwrap();
        let expected = masked(&String::from_utf8_lossy(&more("[EMAIL]", left)[5..]));
        assert_eq!(String::from_utf8_lossy(&sent[5..]), expected);
        let length = u32::from_be_bytes(sent[1..5].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), expected.len());
    }
    assert_eq!(
        framed(DEFLATE, &trailers("x"), 99),
        Err(WalkError::Malformed)
    );
    assert_eq!(
        framed(WEB, &flagged(0x81, b"x"), 99),
        Err(WalkError::Malformed)
    );
}

#[test]
fn a_request_is_masked_like_an_answer() {
    let format = Format::Grpc(GrpcMessage::ModelInferRequest);
    let request = |mail: &str| {
        frame(
            &[
                field(1, "alice@example.com"),
                field(3, "bob@example.com"),
                parameter("key", &field(3, mail)),
                output("text", "BYTES", &[mail, "x"]),
                output("raw", "BYTES", &[]),
                output("n", "INT64", &[]),
                field(
                    6,
                    [
                        field(1, "out"),
                        field(2, [field(1, "k"), field(2, field(3, mail))].concat()),
                    ]
                    .concat(),
                ),
                field(7, b""),
                field(7, raw_bytes(&[mail, ""])),
                field(7, varint(300)),
            ]
            .concat(),
        )
    };
    let (before, after) = (request("to alice@example.com!"), request("to [EMAIL]!"));
    assert_eq!(masked(&mask(), format, &before), after);
    assert_eq!(try_pieces(&mask(), format, &before, &[1, 7, 50]), Ok(after));
}
