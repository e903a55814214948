//! What must hold of forms.

use base::multipart;

use super::catalog::{Case, Place, Role, Step};
use super::facts::Expected;
use super::samples::BOUNDARY;

/// The place's name, if it is a member of the body itself.
fn top(place: &Place) -> Option<&str> {
    match place.steps.as_slice() {
        [Step::Member(name)] => Some(name),
        _ => None,
    }
}

fn first(place: &Place) -> Option<&str> {
    match place.steps.first() {
        Some(Step::Member(name)) => Some(name),
        _ => None,
    }
}

pub fn urlencoded(case: &Case, body: &[u8], expected: &mut Expected) {
    read(case, &pairs(body), expected);
}

pub fn multipart(case: &Case, body: &[u8], expected: &mut Expected) {
    let mut parts = multipart::parts(body, BOUNDARY);
    let mut all = Vec::new();
    while let Some(part) = parts.read_next().expect("a form that was accepted") {
        let value = String::from_utf8_lossy(part.value).into_owned();
        all.push((part.name.to_owned(), value));
    }
    read(case, &all, expected);
}

fn read(case: &Case, pairs: &[(String, String)], expected: &mut Expected) {
    let name = &case.name;
    let is_known = |name: &str| case.places.iter().any(|place| first(place) == Some(name));
    // `a[0]` is one of the list `a`.
    let listed = |name: &str| match name.split_once('[') {
        Some((list, _)) if !is_known(name) => list.to_owned(),
        _ => name.to_owned(),
    };
    let any_list = |place: &Place| place.role == Role::TextLists && place.steps == [Step::Every];
    if case.places.iter().any(any_list) {
        let unknown = pairs.iter().filter(|(name, _)| !is_known(&listed(name)));
        expected.lists = expected.lists.max(unknown.count() as u64);
        for (name, _) in pairs {
            let same = pairs
                .iter()
                .filter(|(other, _)| listed(other) == listed(name));
            expected.lists = expected.lists.max(same.count() as u64);
        }
    }
    for place in &case.places {
        let Some(known) = top(place) else {
            continue;
        };
        let own = pairs.iter().filter(|(name, _)| listed(name) == known);
        let own: Vec<&(String, String)> = own.collect();
        let one = matches!(place.role, Role::Model | Role::Times);
        assert!(
            !one || own.len() < 2 && own.iter().all(|(name, _)| name == known),
            "{name}: {known} is there twice"
        );
        for (_, value) in &own {
            match place.role {
                Role::Model if !value.is_empty() => {
                    expected.models.insert(value.clone());
                }
                Role::Others if !value.is_empty() => {
                    expected.others.insert(value.clone());
                }
                Role::Times => {
                    let number = value.trim().parse::<u64>();
                    let number = number.unwrap_or_else(|_| panic!("{name}: {value:?} is a count"));
                    expected.times = expected.times.max(number);
                }
                _ => {}
            }
        }
        if place.role == Role::Lists {
            expected.lists = expected.lists.max(own.len() as u64);
        }
    }
}

/// A JSON text that a reader who believes its content-type takes for a form says nothing to them.
pub fn is_no_form(case: &Case, text: &[u8]) {
    for (name, _) in pairs(text) {
        let known = case.places.iter().filter_map(first);
        for known in known {
            assert_ne!(name.trim(), known, "{}: it is a form as well", case.name);
        }
    }
}

/// As the URL standard reads them, section 5.1.
fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let sequences = body.split(|byte| *byte == b'&');
    sequences
        .filter(|sequence| !sequence.is_empty())
        .map(|sequence| {
            let mut parts = sequence.splitn(2, |byte| *byte == b'=');
            let mut next = || percent_decode(parts.next().unwrap_or_default());
            (next(), next())
        })
        .collect()
}

fn percent_decode(text: &[u8]) -> String {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match (byte, digit(at).zip(digit(at + 1))) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some((high, low))) => {
                bytes.push(u8::try_from(high * 16 + low).expect("two digits"));
                at += 2;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
