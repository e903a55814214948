//! Against the same, byte by byte.

use proptest::prelude::*;

use super::numbers::TELLING_DIGITS;
use super::*;

/// Mostly what the scans look for, at every distance from a block's edge.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let run = prop_oneof![
        "[a-z]{0,30}".prop_map(String::into_bytes),
        "[-:]{1,3}".prop_map(String::into_bytes),
        "[0-9@]{1,3}".prop_map(String::into_bytes),
        "[\"\\\\]{1,5}".prop_map(String::into_bytes),
        " {1,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(run, 0..20).prop_map(|runs| runs.concat())
}

fn is_anchor(bytes: &[u8], from: usize, at: usize) -> bool {
    let pair = |byte| bytes[at] == byte && at > from && bytes[at - 1] == byte;
    let long = at + 1 >= from + 20 && bytes[at + 1 - 20..=at].iter().all(u8::is_ascii_graphic);
    bytes[at].is_ascii_digit() || bytes[at] == b'@' || pair(b'-') || pair(b':') || long
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn anchors_are_where_they_are(bytes in bytes(), from in 0..100_usize) {
        let from = from.min(bytes.len());
        let mut anchors = Anchors::default();
        let mut found = Vec::new();
        let mut at = from;
        while let Some((first, end)) = anchors.next(&bytes, at) {
            prop_assert!(at <= first && first < end && end <= bytes.len());
            // The same once more, as where something else began in front of it.
            prop_assert_eq!(anchors.next(&bytes, at), Some((first, end)));
            found.extend(first..end);
            at = end;
        }
        let expected: Vec<usize> = (from..bytes.len()).filter(|at| is_anchor(&bytes, from, *at)).collect();
        // Behind the twentieth byte of a run every further one may be named, or not.
        for at in &expected {
            prop_assert!(found.contains(at) || is_anchor(&bytes, from, at - 1), "{at} of {expected:?} is not in {found:?}");
        }
        prop_assert!(found.iter().all(|at| expected.contains(at)), "{found:?} {expected:?}");
    }

    #[test]
    fn places_that_are_skipped_hide_no_anchor(bytes in bytes(), steps in prop::collection::vec(1..90_usize, 0..20)) {
        let mut anchors = Anchors::default();
        let mut from = 0;
        for step in steps {
            from += step;
            if from > bytes.len() {
                break;
            }
            let expected = (from..bytes.len()).find(|at| is_anchor(&bytes, from, *at));
            let found = anchors.next(&bytes, from).map(|(first, _)| first);
            // What was seen in front may make an anchor of what would be none.
            prop_assert!(found <= expected || expected.is_none(), "{found:?} {expected:?}");
            prop_assert!(found.is_some() || expected.is_none());
            if let Some(found) = found {
                prop_assert!(found >= from && is_anchor(&bytes, 0, found));
            }
        }
    }

    #[test]
    fn a_string_ends_at_the_first_quote_that_is_not_escaped(bytes in bytes(), escaped in any::<bool>()) {
        let mut open = escaped;
        let mut end = None;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'"' && !open {
                end = Some(at);
                open = false;
                break;
            }
            open = *byte == b'\\' && !open;
        }
        prop_assert_eq!(end_of_string(&bytes, escaped), (end, open));
    }

    #[test]
    fn numbers_that_pass_have_nothing_to_match(
        numbers in prop::collection::vec("-?[0-9]{1,12}(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?|null|\"x\"|-|[0-9]-[0-9]|", 0..40),
        separator in prop::sample::select(vec![",", ", ", " ,\n"]),
    ) {
        let text = numbers.join(separator);
        let taken = plain_numbers(text.as_bytes());
        prop_assert!(taken <= text.len());
        let front = text.get(..taken).unwrap();
        prop_assert!(front.is_empty() || front.ends_with(','));
        for number in front.split(',').map(str::trim).filter(|number| !number.is_empty()) {
            prop_assert!(number.starts_with(|first: char| first.is_ascii_digit() || first == '-'), "{number}");
            let whole = number.split('.').next().unwrap_or_default();
            let longest = whole.split(|char: char| !char.is_ascii_digit()).map(str::len).max();
            prop_assert!(longest < Some(TELLING_DIGITS), "{number}");
        }
        prop_assert_eq!(front.split(',').filter(|number| number.trim().is_empty()).count(), 1);
    }
}
