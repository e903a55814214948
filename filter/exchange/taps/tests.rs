//! What the taps of a response do where no mask is planned.

use serde_json::json;

use super::{ResponseTaps, Wanted};
use crate::dialect::Body;
use crate::exchange::media::TextForm;
use crate::exchange::tests::compiled;
use crate::record::Record;
use coding::Coding;
use mask::{Format, Framing};

/// The taps of a response of which nothing but its bytes is wanted.
fn unmasked(coding: Option<Coding>) -> ResponseTaps {
    let form = TextForm {
        coding,
        format: Format::Json,
        framing: Framing::default(),
    };
    let wanted = (&Wanted::default(), &Body::Nothing);
    ResponseTaps::new(form, false, wanted, &compiled(&json!({}))).unwrap()
}

fn record() -> Record {
    let mut record = Record::begin("e".to_owned(), "w".into());
    record.begin_body();
    record
}

#[test]
fn without_a_mask_a_body_is_counted_and_goes_as_it_comes() {
    let mut taps = unmasked(None);
    let mut record = record();
    for (piece, end) in [(&b"{\"mail\":\"ana@exa"[..], false), (b"mple.com\"}", true)] {
        assert_eq!(taps.push(piece, end, &mut record).unwrap(), piece);
        // Nothing waits for trailers either.
        assert!(!taps.holds());
    }
    assert_eq!(record.response.bytes_received, Some(26));
    taps.note(&mut record.response);
    assert!(record.response.matches.is_empty());
    assert_eq!(taps.found_for_a_person(), Vec::<String>::new());
}

#[test]
fn without_a_mask_a_coding_is_undone_to_be_looked_at_alone() {
    let mut taps = unmasked(Some(Coding::Gzip));
    let mut record = record();
    // What can't be decoded is not refused either: nothing would have been hidden.
    assert_eq!(
        taps.push(b"no gzip", true, &mut record).unwrap(),
        b"no gzip"
    );
    assert_eq!(record.response.bytes_received, Some(7));
}
