use std::rc::Rc;

use proptest::prelude::*;

use super::normal::normal;
use super::{Originals, Pseudonyms, Replacement};
use crate::policy::Style;

const KEY: &[u8] = b"a key of tests, long enough to be one";

fn keyed(key: &[u8]) -> Rc<Pseudonyms> {
    let pseudonyms = Rc::new(Pseudonyms::default());
    pseudonyms.set_key(key);
    pseudonyms
}

fn name(key: &[u8], detector: &str, value: &str) -> String {
    let label = detector.to_uppercase();
    let replacement = Replacement::new(Style::Pseudonym, detector, &label, &keyed(key));
    replacement.first(value.as_bytes(), false).text
}

#[test]
fn a_name_is_the_label_and_a_code_that_is_neither_word_nor_number() {
    let name = name(KEY, "email", "ana@example.com");
    let code = name.strip_prefix("[EMAIL_").unwrap();
    let code = code.strip_suffix(']').unwrap();
    assert_eq!(code.len(), super::pseudonym::CODE_CHARACTERS);
    let (digit, letters) = code.split_at(1);
    assert!(digit.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(letters.bytes().all(|byte| byte.is_ascii_lowercase()));
    assert!(!letters.bytes().any(|byte| b"aeiouy".contains(&byte)));
}

#[test]
fn the_code_is_the_mac_s() {
    // From the MAC 7d6ac69ad2..., as openssl makes it of the detector, a zero byte and the value.
    assert_eq!(name(KEY, "email", "ana@example.com"), "[EMAIL_9sjprjnpsd]");
}

#[test]
fn spellings_of_one_value_have_one_name_and_values_have_their_own() {
    for (detector, one, other) in [
        ("email", "Ana.Silva@Example.com", "ana.silva@example.com"),
        ("credit_card", "4111 1111 1111 1111", "4111-1111-1111-1111"),
        (
            "credit_card",
            "4111111111111111",
            "4111\u{2011}1111\u{a0}1111 1111",
        ),
        (
            "iban",
            "DE89 3704 0044 0532 0130 00",
            "de89370400440532013000",
        ),
        ("phone", "+1 (212) 555-0100", "0012125550100"),
        ("ip", "2001:DB8::1", "2001:db8:0:0:0:0:0:1"),
        ("us_ssn", "219-09-9999", "219 09 9999"),
        ("mac", "00:1B:44:11:3a:b7", "001b.4411.3ab7"),
        ("national_id.uk_nino", "QQ 12 34 56 C", "qq123456c"),
    ] {
        assert_eq!(
            name(KEY, detector, one),
            name(KEY, detector, other),
            "{one}"
        );
    }
    for (detector, one, other) in [
        ("email", "ana@example.com", "anna@example.com"),
        ("phone", "+1 212 555 0100", "1 212 555 0100"),
        ("secret.github_token", "aBc", "abc"),
        ("ticket", "T-1", "T1"),
        ("national_id.fi_hetu", "131052-308T", "131052+308T"),
    ] {
        assert_ne!(
            name(KEY, detector, one),
            name(KEY, detector, other),
            "{one}"
        );
    }
    assert_ne!(name(KEY, "a", "x"), name(b"another", "a", "x"));
}

#[test]
fn nothing_but_the_label_is_written_of_what_is_not_whole_or_has_no_key() {
    let without = Replacement::new(Style::Pseudonym, "email", "EMAIL", &Rc::default());
    assert_eq!(without.first(b"ana@example.com", false).text, "[EMAIL]");
    let with = Replacement::new(Style::Pseudonym, "secret.jwt", "JWT", &keyed(KEY));
    assert_eq!(with.first(b"eyJhbGciOi", true).text, "[JWT]");
    assert_eq!(with.further(b"J9"), "");
}

#[test]
fn only_a_name_stands_for_what_was_found() {
    let pseudonyms = keyed(KEY);
    let email = Replacement::new(Style::Pseudonym, "email", "EMAIL", &pseudonyms);
    let whole = email.first(b"ana@example.com", false);
    assert_eq!(whole.pseudonym_of, Some("email"));
    assert_eq!(email.first(b"ana@example", true).pseudonym_of, None);
    let keyless = Replacement::new(Style::Pseudonym, "email", "EMAIL", &Rc::default());
    assert_eq!(keyless.first(b"ana@example.com", false).pseudonym_of, None);
    let label = Replacement::new(Style::Label, "email", "EMAIL", &pseudonyms);
    assert_eq!(label.first(b"ana@example.com", false).pseudonym_of, None);
}

#[test]
fn of_spellings_of_one_value_the_first_is_kept_and_none_is_printed() {
    let mut originals = Originals::default();
    originals.note("[EMAIL_2bcdf]", "email", b"Ana@example.com");
    originals.note("[EMAIL_2bcdf]", "email", b"ana@EXAMPLE.com");
    assert_eq!(originals.names().collect::<Vec<_>>(), ["email_2bcdf"]);
    assert_eq!(originals.get("email_2bcdf"), Some("Ana@example.com"));
    assert!(!format!("{originals:?}").contains("Ana"));
}

#[test]
fn a_name_that_two_values_share_stands_for_none() {
    let mut originals = Originals::default();
    originals.note("EMAIL_2bcdf", "email", b"ana@example.com");
    assert!(!originals.is_empty());
    originals.note("email_2BCDF", "email", b"bob@example.com");
    assert_eq!(originals.get("email_2bcdf"), None);
    originals.note("EMAIL_2bcdf", "email", b"ana@example.com");
    assert_eq!(originals.get("email_2bcdf"), None);
    assert!(originals.is_empty());
}

#[test]
fn what_is_kept_is_bounded() {
    let mut originals = Originals::default();
    for number in 0..5000 {
        originals.note(&format!("a_{number}"), "a", b"value");
    }
    assert_eq!(originals.names().count(), 4096);
    assert_eq!(originals.left_out(), 904);
    let mut originals = Originals::default();
    for number in 0..3 {
        originals.note(&format!("a_{number}"), "a", &[b'x'; 200 * 1024]);
    }
    assert_eq!((originals.names().count(), originals.left_out()), (2, 1));
}

proptest! {
    /// A value's name depends on nothing but the key, the detector and the value.
    #[test]
    fn a_name_does_not_depend_on_what_came_before(
        values in prop::collection::vec("[ -~]{1,40}", 1..20),
        detector in prop::sample::select(vec!["email", "ip", "phone", "credit_card", "own"]),
    ) {
        let pseudonyms = keyed(KEY);
        let replacement = Replacement::new(Style::Pseudonym, detector, "L", &pseudonyms);
        for value in &values {
            let again = Replacement::new(Style::Pseudonym, detector, "L", &keyed(KEY));
            prop_assert_eq!(
                replacement.first(value.as_bytes(), false).text,
                again.first(value.as_bytes(), false).text
            );
        }
    }

    /// The normal form is its own normal form.
    #[test]
    fn a_normal_form_stays(
        value in prop::collection::vec(any::<u8>(), 0..40),
        detector in prop::sample::select(vec!["email", "ip", "mac", "credit_card", "own"]),
    ) {
        let once = normal(detector, &value).into_owned();
        let twice = normal(detector, &once).into_owned();
        prop_assert_eq!(once, twice);
    }
}
