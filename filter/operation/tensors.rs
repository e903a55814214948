//! KServe V2's `ModelInferRequest` (the Open Inference Protocol over gRPC).

use super::facts::{Facts, FactsError};
use crate::wire::{Elements, Field, Fields, Packed, Range, Value, WireError, frame};

const MODEL_NAME: u64 = 1;
const PARAMETERS: u64 = 4;
const INPUTS: u64 = 5;
const RAW_INPUTS: u64 = 7;
const INPUT_SHAPE: u64 = 3;
const INPUT_PARAMETERS: u64 = 4;
const INPUT_CONTENTS: u64 = 5;
const CONTENTS_BYTES: u64 = 8;

/// Takes the facts from the one message of a unary call.
pub(super) fn take(body: &[u8]) -> Result<Facts, FactsError> {
    let mut rest = body;
    let (compressed, message) = frame(&mut rest).map_err(|_| malformed())?;
    if compressed {
        return Err(FactsError::NotReadable(
            "A compressed gRPC message can't be judged by its body.",
        ));
    }
    if !rest.is_empty() {
        return Err(malformed());
    }
    let mut facts = Facts {
        items: 1,
        ..Facts::default()
    };
    read(message, &mut facts).map_err(|_| malformed())?;
    Ok(facts)
}

fn malformed() -> FactsError {
    FactsError::Malformed("The body is not one ModelInferRequest.".to_owned())
}

/// Gives each field whose value has a length to `visit`: its number, and where its value is.
fn each_counted(
    message: &[u8],
    range: Range,
    mut visit: impl FnMut(u64, Range) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut fields = Fields::new(message, range);
    while let Some(Field { number, value }) = fields.next()? {
        if let Value::Counted { bytes, .. } = value {
            visit(number, bytes)?;
        }
    }
    Ok(())
}

fn read(message: &[u8], facts: &mut Facts) -> Result<(), WireError> {
    each_counted(message, (0, message.len()), |number, range| {
        match number {
            // The last value of a field counts, as protobuf has it.
            MODEL_NAME => facts.model = Some(text(message, range)),
            PARAMETERS => read_parameter(message, range, facts)?,
            INPUTS => read_input(message, range, facts)?,
            RAW_INPUTS => read_raw(message, range, facts),
            _ => {}
        }
        Ok(())
    })
}

fn read_input(message: &[u8], input: Range, facts: &mut Facts) -> Result<(), WireError> {
    let mut rows: Option<u64> = None;
    let mut fields = Fields::new(message, input);
    while let Some(Field { number, value }) = fields.next()? {
        match (number, value) {
            (INPUT_SHAPE, Value::Varint(size)) => {
                rows.get_or_insert(size);
            }
            (INPUT_SHAPE, Value::Counted { bytes, .. }) => {
                let mut sizes = Packed::new(message, bytes);
                while let Some(size) = sizes.next()? {
                    rows.get_or_insert(size);
                }
            }
            (INPUT_PARAMETERS, Value::Counted { bytes, .. }) => {
                read_parameter(message, bytes, facts)?;
            }
            (INPUT_CONTENTS, Value::Counted { bytes, .. }) => {
                each_counted(message, bytes, |number, element| {
                    if number == CONTENTS_BYTES {
                        facts.prompts.push(text(message, element));
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
    }
    // A negative dimension is a huge number here, and over any limit.
    facts.items = facts.items.max(rows.unwrap_or(1));
    Ok(())
}

/// A map's entry: 1 is the name, 2 an `InferParameter`, whose field 3 is a string.
fn read_parameter(message: &[u8], entry: Range, facts: &mut Facts) -> Result<(), WireError> {
    each_counted(message, entry, |number, parameter| {
        if number != 2 {
            return Ok(());
        }
        each_counted(message, parameter, |number, string| {
            if number == 3 {
                facts.prompts.push(text(message, string));
            }
            Ok(())
        })
    })
}

/// A raw tensor may hold texts; one whose bytes are no such list is numbers, which are no prompt.
fn read_raw(message: &[u8], raw: Range, facts: &mut Facts) {
    let mut elements = Elements::new(message, raw);
    let mut found = Vec::new();
    loop {
        match elements.next() {
            Ok(Some((_, element))) => found.push(text(message, element)),
            Ok(None) => break facts.prompts.append(&mut found),
            Err(WireError) => break,
        }
    }
}

/// What is not UTF-8 is read with replacement characters: a pattern still sees the rest.
fn text(message: &[u8], (start, end): Range) -> String {
    String::from_utf8_lossy(message.get(start..end).unwrap_or_default()).into_owned()
}
