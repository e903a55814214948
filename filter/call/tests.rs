use super::{GrpcStatus, frame, unframe};

#[test]
fn a_message_comes_out_of_its_frame_as_it_went_in() {
    for message in [&b""[..], b"\x0a\x01a", &[7; 70_000]] {
        let framed = frame(message).unwrap();
        assert_eq!(unframe(Some(b"0"), &framed), Ok(message));
    }
}

#[test]
fn what_is_no_whole_answer_is_a_failure_with_the_status_that_was_sent() {
    let framed = frame(b"abc").unwrap();
    let compressed = [&[1], &framed[1..]].concat();
    let longer = [&framed[..], b"d"].concat();
    for body in [&framed[..7], &compressed, &longer, b"", b"\0\0"] {
        assert_eq!(unframe(Some(b"0"), body), Err(GrpcStatus::UNKNOWN));
    }
    for (status, found) in [
        (Some(&b"14"[..]), 14),
        (Some(b" 8 "), 8),
        (Some(b"\xff"), 2),
        (Some(b"-1"), 2),
        (Some(b""), 2),
        (None, 2),
    ] {
        assert_eq!(unframe(status, &framed), Err(GrpcStatus(found)));
    }
}
