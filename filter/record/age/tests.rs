use proptest::prelude::*;

use super::{Identity, Recipient, Unopened, open, seal};

/// Of c2sp.org/age, "X25519 recipient".
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

fn identity() -> Identity {
    Identity::read(IDENTITY).unwrap()
}

/// The length of the header, which is the same for one recipient of this kind.
fn header(sealed: &[u8]) -> usize {
    let mark = b"\n--- ";
    let end = sealed.windows(mark.len()).position(|some| some == mark);
    let rest = &sealed[end.unwrap() + 1..];
    sealed.len() - rest.len() + rest.iter().position(|byte| *byte == b'\n').unwrap() + 1
}

#[test]
fn keys_are_written_as_age_writes_them() {
    let recipient = identity().recipient();
    assert_eq!(recipient.to_string(), RECIPIENT);
    assert_eq!(Recipient::read(RECIPIENT), Some(recipient));
    for wrong in [
        "",
        "age1",
        IDENTITY,
        // The last character, and a length of its own.
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw",
        "ssh-ed25519 AAAA",
    ] {
        assert_eq!(Recipient::read(wrong), None, "{wrong}");
    }
    assert!(Identity::read(RECIPIENT).is_none());
    assert!(!format!("{:?}", identity()).contains("GFPYY"));
}

#[test]
fn a_file_of_identities_may_have_comments() {
    let text = format!("# created: 2026-01-01\n# public key: {RECIPIENT}\n\n{IDENTITY}\r\n");
    let read = Identity::read_file(&text).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].recipient().to_string(), RECIPIENT);
    for wrong in ["", "# nothing", "secret", &format!("{IDENTITY}\nsecret")] {
        assert!(Identity::read_file(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn what_was_sealed_is_opened_whatever_its_length() {
    let chunk: usize = 64 << 10;
    for length in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 7] {
        let plain: Vec<u8> = (0..=250).cycle().take(length).collect();
        let sealed = seal(identity().recipient(), &plain, [7; 32], "test").unwrap();
        assert_eq!(open(&[identity()], &sealed).unwrap(), plain, "{length}");
        // A chunk has at most 64 KiB, and a tag of 16 bytes; a nonce of 16 comes first.
        let chunks = length.div_ceil(chunk).max(1);
        assert_eq!(sealed.len() - header(&sealed), 16 + length + 16 * chunks);
    }
}

#[test]
fn nobody_else_opens_it() {
    let other = Identity([9; 32]);
    let sealed = seal(identity().recipient(), b"hello", [7; 32], "test").unwrap();
    assert_eq!(
        open(core::slice::from_ref(&other), &sealed),
        Err(Unopened::Identity)
    );
    assert_eq!(open(&[other, identity()], &sealed).unwrap(), b"hello");
}

#[test]
fn each_seed_and_each_purpose_has_keys_of_its_own() {
    let to = identity().recipient();
    let one = seal(to, b"hello", [7; 32], "request").unwrap();
    assert_eq!(seal(to, b"hello", [7; 32], "request").unwrap(), one);
    for other in [
        seal(to, b"hello", [7; 32], "response").unwrap(),
        seal(to, b"hello", [8; 32], "request").unwrap(),
    ] {
        // Neither the share nor the wrapped key nor the nonce.
        let begin = header(&one);
        assert_ne!(one[30..70], other[30..70]);
        assert_ne!(one[begin..begin + 16], other[begin..begin + 16]);
    }
}

#[test]
fn a_key_of_low_order_is_none() {
    let mut one = [0; 32];
    one[0] = 1;
    for low in [[0; 32], one] {
        assert_eq!(seal(Recipient(low), b"hello", [7; 32], "test"), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_byte_is_seen(place in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let mut sealed = seal(identity().recipient(), b"what was said", [7; 32], "test").unwrap();
        let place = place.index(sealed.len());
        sealed[place] ^= flip;
        prop_assert!(open(&[identity()], &sealed).is_err());
    }

    #[test]
    fn what_was_cut_off_is_seen(length in any::<prop::sample::Index>()) {
        let plain = vec![7; (64 << 10) + 20];
        let sealed = seal(identity().recipient(), &plain, [7; 32], "test").unwrap();
        let length = length.index(sealed.len());
        prop_assert!(open(&[identity()], &sealed[..length]).is_err());
    }

    #[test]
    fn anything_else_is_no_file(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&[identity()], &bytes).is_err());
    }
}

#[test]
fn a_chunk_that_is_the_last_by_its_place_alone_is_seen() {
    let plain = vec![7; 128 << 10];
    let sealed = seal(identity().recipient(), &plain, [7; 32], "test").unwrap();
    let first = header(&sealed) + 16 + (64 << 10) + 16;
    assert_eq!(
        open(&[identity()], &sealed[..first]),
        Err(Unopened::Changed)
    );
}
