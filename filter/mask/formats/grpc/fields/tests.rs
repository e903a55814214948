use proptest::prelude::*;

use super::super::super::tests::{mask, try_pieces};
use super::super::super::{Format, GrpcMessage, WalkError};
use super::*;
use crate::policy::{FieldRules, Options};

/// A length-delimited field.
fn counted(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    varint(bytes.len(), &mut field);
    field.extend_from_slice(bytes);
    field
}

fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

#[test]
fn fields_go_at_any_depth_and_lengths_follow() {
    let long = "x".repeat(200);
    let inner = [counted(1, b"stays"), counted(2, long.as_bytes())].concat();
    let message = [counted(5, &inner), vec![2 << 3, 7], counted(2, b"top")].concat();
    let paths = [vec![5, 2], vec![2]];
    let without_top = [counted(5, &counted(1, b"stays"))].concat();
    assert_eq!(without(&frame(&message), &paths), Ok(frame(&without_top)));
    let deep = [vec![5, 2]];
    let kept = [
        counted(5, &counted(1, b"stays")),
        vec![2 << 3, 7],
        counted(2, b"top"),
    ]
    .concat();
    assert_eq!(without(&frame(&message), &deep), Ok(frame(&kept)));
}

#[test]
fn what_is_no_message_on_the_way_is_refused() {
    let message = counted(5, b"\xFF\xFF\xFF");
    assert_eq!(without(&frame(&message), &[vec![5, 2]]), Err(WireError));
    // Where no path leads, nothing is read.
    assert_eq!(
        without(&frame(&message), &[vec![6, 2]]),
        Ok(frame(&message))
    );
}

#[test]
fn a_mask_takes_fields_out_before_it_looks_for_anything() {
    let mask = mask().with(&Options {
        fields: FieldRules {
            grpc_remove: vec![vec![3]],
            ..FieldRules::default()
        },
        ..Options::default()
    });
    let format = Format::Grpc(GrpcMessage::Any);
    let message = [counted(1, b"jane@example.com"), counted(3, b"secret")].concat();
    let body = frame(&message);
    let cuts: Vec<usize> = (1..body.len()).collect();
    let expected = frame(&counted(1, b"[EMAIL]"));
    assert_eq!(try_pieces(&mask, format, &body, &[]), Ok(expected.clone()));
    assert_eq!(try_pieces(&mask, format, &body, &cuts), Ok(expected));
    let broken = frame(b"\x1A\x7F");
    assert_eq!(
        try_pieces(&mask, format, &broken, &[]),
        Err(WalkError::Malformed)
    );
}

proptest! {
    #[test]
    fn a_path_that_leads_nowhere_changes_nothing(
        fields in prop::collection::vec((1..8_u8, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
    ) {
        let message: Vec<u8> = fields.iter().flat_map(|(number, bytes)| counted(*number, bytes)).collect();
        prop_assert_eq!(without(&frame(&message), &[vec![9, 1]]), Ok(frame(&message)));
    }
}
