use base::operation::Model;

use super::{BodyHead, DIALECTS, Facts, FactsError, catalog, unknown_body};

/// What is told of a body that nobody knows, under a content-type.
fn told(media: &str, body: &[u8]) -> Result<Facts, FactsError> {
    let head = BodyHead {
        media: Some(media.to_owned()),
        ..BodyHead::default()
    };
    unknown_body().take(&head, body, Some(&mut |_: &[u8]| {}))
}

#[test]
fn json_in_another_encoding_is_no_text() {
    let text = "{\"model\":\"m\"}";
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let (low, high) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    let wider = text
        .chars()
        .flat_map(|letter| u32::from(letter).to_be_bytes());
    for body in [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [b"\xff\xfe".as_slice(), &low].concat(),
        [b"\xfe\xff".as_slice(), &high].concat(),
        [b"\0 \0\n".as_slice(), &high].concat(),
        low,
        high,
        wider.collect(),
    ] {
        for media in ["text/plain", "application/octet-stream", "application/json"] {
            let told = told(media, &body);
            assert!(told.is_err(), "{media} {body:?}: {told:?}");
        }
    }
    let told = told("text/plain", text.as_bytes()).unwrap();
    assert_eq!(told.model, Model::Named("m".to_owned()));
}

#[test]
fn a_document_in_another_encoding_is_not_read() {
    let wide = "Hello".encode_utf16().flat_map(u16::to_le_bytes);
    assert!(
        told("text/plain", &wide.collect::<Vec<u8>>())
            .unwrap()
            .unread
    );
    assert!(!told("text/plain", b"Hello").unwrap().unread);
}

#[test]
fn every_line_of_every_dialect_can_be_read() {
    for dialect in DIALECTS {
        for route in catalog::read(dialect, dialect.routes) {
            if let Err((line, why)) = route {
                panic!("{}, line {line}: {why}", dialect.name);
            }
        }
    }
}
