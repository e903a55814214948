//! Whatever a message is, what is told of it is what a reader of protobuf finds there.

use base::wire;
use portcullis::call::{frame, unframe};

use super::catalog::{self, Case, Kind, Place, Role, Step};
use super::facts::{Expected, look};
use super::samples;

/// Checks the message behind the first two bytes, which say which method it is of, also as frames.
///
/// # Panics
/// When something does not hold.
pub fn check(data: &[u8]) {
    let Some((which, message)) = data.split_first_chunk::<2>() else {
        return;
    };
    let cases = &catalog::all().messages;
    check_case(
        &cases[usize::from(u16::from_be_bytes(*which)) % cases.len()],
        message,
    );
    check_frames(message);
    let framed = frame(message).expect("it is short");
    assert_eq!(unframe(Some(b"0"), &framed), Ok(message));
}

/// Checks one message.
pub fn check_case(case: &Case, message: &[u8]) {
    let looked = look(&case.name, message.len(), |see| {
        case.body.take_message(message, see)
    });
    let Ok(facts) = &looked.facts else {
        return;
    };
    assert!(
        looked.shown.contains(message),
        "{}: the message is not shown",
        case.name
    );
    let mut expected = Expected::default();
    match case.kind {
        Kind::Infer => read_infer(case, message, &mut expected),
        Kind::Predict => read_predict(case, message, &mut expected),
        _ => {
            let places: Vec<(&Place, usize)> = case.places.iter().map(|place| (place, 0)).collect();
            read_fields(case, message, &places, &mut expected);
            expected.compare(case, facts);
            return;
        }
    }
    // The rest of a tensor's rules are in one place only: it has this many rows at least.
    let items = facts.items.expect("tensors are counted");
    assert!(items >= expected.lists, "{}: {items} are told", case.name);
    expected.lists = items;
    expected.compare(case, facts);
}

fn check_frames(bytes: &[u8]) {
    let mut rest = bytes;
    let mut read = Vec::new();
    while let Ok((compressed, message)) = wire::frame(&mut rest) {
        let length = u32::try_from(message.len()).expect("it is short");
        assert_eq!(compressed, bytes[read.len()] != 0);
        read.push(bytes[read.len()]);
        read.extend(length.to_be_bytes());
        read.extend(message);
    }
    read.extend(rest);
    assert_eq!(read, bytes, "frames and what is behind them");
}

enum Value<'m> {
    Number(u64),
    Fixed,
    Bytes(&'m [u8]),
}

/// All fields of a message.
///
/// # Panics
/// When it is none: it was accepted.
fn fields<'m>(case: &Case, message: &'m [u8]) -> Vec<(u64, Value<'m>)> {
    let name = &case.name;
    let mut rest = message;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(name, &mut rest);
        assert!((8..1 << 32).contains(&tag), "{name}: the tag {tag} is none");
        let value = match tag % 8 {
            0 => Value::Number(varint(name, &mut rest)),
            1 => {
                bytes(name, &mut rest, 8);
                Value::Fixed
            }
            2 => {
                let length = varint(name, &mut rest);
                Value::Bytes(bytes(name, &mut rest, length))
            }
            5 => {
                bytes(name, &mut rest, 4);
                Value::Fixed
            }
            other => panic!("{name}: the type {other}"),
        };
        fields.push((tag / 8, value));
    }
    fields
}

fn varint(name: &str, rest: &mut &[u8]) -> u64 {
    let length = rest.iter().position(|byte| *byte < 128);
    let length = length.unwrap_or_else(|| panic!("{name}: a number without an end"));
    let (own, behind) = rest.split_at(length + 1);
    *rest = behind;
    assert!(own.len() <= 10, "{name}: a number of {} bytes", own.len());
    let value = own
        .iter()
        .rev()
        .fold(0u128, |value, byte| value * 128 + u128::from(byte % 128));
    u64::try_from(value).unwrap_or_else(|_| panic!("{name}: a number of more than 64 bits"))
}

fn bytes<'m>(name: &str, rest: &mut &'m [u8], length: u64) -> &'m [u8] {
    let length = usize::try_from(length).ok();
    let split = length.and_then(|length| rest.split_at_checked(length));
    let (own, behind) = split.unwrap_or_else(|| panic!("{name}: more bytes than there are"));
    *rest = behind;
    own
}

fn text(case: &Case, bytes: &[u8]) -> String {
    let text = core::str::from_utf8(bytes);
    text.unwrap_or_else(|_| panic!("{}: the model is not in UTF-8", case.name))
        .to_owned()
}

/// The last value that a field has, which is the one that counts.
fn add_model(case: &Case, last: Option<&[u8]>, expected: &mut Expected) {
    let name = last.map(|bytes| text(case, bytes));
    expected.models.extend(name.filter(|name| !name.is_empty()));
}

fn read_fields(case: &Case, message: &[u8], places: &[(&Place, usize)], expected: &mut Expected) {
    let mut numbers: Vec<u64> = Vec::new();
    let all = fields(case, message);
    for (number, _) in &all {
        if !numbers.contains(number) {
            numbers.push(*number);
        }
    }
    for number in numbers {
        let name = Step::Member(number.to_string());
        let next: Vec<(&Place, usize)> = places
            .iter()
            .filter(|(place, taken)| place.steps.get(*taken) == Some(&name))
            .map(|(place, taken)| (*place, taken + 1))
            .collect();
        let has = |role: Role| {
            let mut here = next.iter();
            here.any(|(place, taken)| place.role == role && *taken == place.steps.len())
        };
        let own = || all.iter().filter(|(own, _)| *own == number);
        if has(Role::Lists) {
            expected.lists = expected.lists.max(own().count() as u64);
        }
        let mut model = None;
        for (_, value) in own() {
            match value {
                Value::Number(times) if has(Role::Times) => {
                    expected.times = expected.times.max(*times);
                }
                Value::Bytes(bytes) if has(Role::Model) => model = Some(*bytes),
                Value::Bytes(bytes)
                    if next.iter().any(|(place, taken)| *taken < place.steps.len()) =>
                {
                    read_fields(case, bytes, &next, expected);
                }
                Value::Bytes(_) | Value::Number(_) | Value::Fixed => {}
            }
        }
        add_model(case, model, expected);
    }
}

/// `model_name = 1`, `inputs = 5`: `shape = 3`, `contents = 5`: `bytes_contents = 8`.
fn read_infer(case: &Case, message: &[u8], expected: &mut Expected) {
    let mut model = None;
    for (number, value) in fields(case, message) {
        let Value::Bytes(bytes) = value else {
            continue;
        };
        match number {
            1 => model = Some(bytes),
            5 => {
                let rows = rows_of_input(case, bytes);
                expected.lists = expected.lists.max(rows);
            }
            _ => {}
        }
    }
    add_model(case, model, expected);
}

fn rows_of_input(case: &Case, input: &[u8]) -> u64 {
    let (mut first, mut texts) = (None, 0);
    for (number, value) in fields(case, input) {
        match (number, value) {
            (3, Value::Number(size)) => first = first.or(Some(size)),
            (3, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    let size = varint(&case.name, &mut packed);
                    first = first.or(Some(size));
                }
            }
            (5, Value::Bytes(contents)) => {
                let all = fields(case, contents);
                texts += all
                    .iter()
                    .filter(|(number, value)| *number == 8 && matches!(value, Value::Bytes(_)))
                    .count() as u64;
            }
            _ => {}
        }
    }
    first.unwrap_or(1).max(texts)
}

/// `model_spec = 1`: `name = 1`; `inputs = 2`: `value = 2`: `tensor_shape = 2`: `dim = 2`: `size = 1`,
/// and `string_val = 8`.
fn read_predict(case: &Case, message: &[u8], expected: &mut Expected) {
    fn inside<'m>(case: &Case, message: &'m [u8], wanted: u64) -> Vec<&'m [u8]> {
        let all = fields(case, message).into_iter();
        all.filter_map(|(number, value)| match value {
            Value::Bytes(bytes) if number == wanted => Some(bytes),
            _ => None,
        })
        .collect()
    }
    let mut model = None;
    for spec in inside(case, message, 1) {
        model = inside(case, spec, 1).last().copied().or(model);
    }
    add_model(case, model, expected);
    for entry in inside(case, message, 2) {
        for tensor in inside(case, entry, 2) {
            let shapes = inside(case, tensor, 2).into_iter();
            let mut dimensions = shapes.flat_map(|shape| inside(case, shape, 2));
            let first = dimensions.next().map(|dimension| {
                let sizes = fields(case, dimension).into_iter();
                let mut sizes = sizes.filter_map(|(number, value)| match value {
                    Value::Number(size) if number == 1 => Some(size),
                    _ => None,
                });
                sizes.next_back().unwrap_or_default()
            });
            let texts = inside(case, tensor, 8).len() as u64;
            let rows = first.unwrap_or(1).max(texts);
            expected.lists = expected.lists.max(rows);
        }
    }
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let cases = &catalog::all().messages;
    let samples = samples::all().into_iter();
    let seeds = samples.filter_map(|sample| {
        let case = u16::try_from(sample.case(cases)?).ok()?;
        Some([&case.to_be_bytes(), sample.bytes.as_slice()].concat())
    });
    seeds.collect()
}
