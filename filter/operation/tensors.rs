//! KServe V2's `ModelInferRequest` (the Open Inference Protocol over gRPC).

use super::facts::{Facts, FactsError};
use crate::wire::{Fields, Value, WireError, frame, varint};

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

fn read(message: &[u8], facts: &mut Facts) -> Result<(), WireError> {
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            // The last value of a field counts, as protobuf has it.
            (MODEL_NAME, Value::Bytes(name)) => facts.model = Some(text(name)),
            (PARAMETERS, Value::Bytes(entry)) => read_parameter(entry, facts)?,
            (INPUTS, Value::Bytes(input)) => read_input(input, facts)?,
            (RAW_INPUTS, Value::Bytes(raw)) => read_raw(raw, facts),
            _ => {}
        }
    }
    Ok(())
}

fn read_input(input: &[u8], facts: &mut Facts) -> Result<(), WireError> {
    let mut fields = Fields::new(input);
    let mut rows: Option<u64> = None;
    while let Some((number, value)) = fields.next_field()? {
        match (number, value) {
            (INPUT_SHAPE, Value::Varint(size)) => {
                rows.get_or_insert(size);
            }
            (INPUT_SHAPE, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    let size = varint(&mut packed)?;
                    rows.get_or_insert(size);
                }
            }
            (INPUT_PARAMETERS, Value::Bytes(entry)) => read_parameter(entry, facts)?,
            (INPUT_CONTENTS, Value::Bytes(contents)) => {
                let mut fields = Fields::new(contents);
                while let Some((number, value)) = fields.next_field()? {
                    if let (CONTENTS_BYTES, Value::Bytes(element)) = (number, value) {
                        facts.prompts.push(text(element));
                    }
                }
            }
            _ => {}
        }
    }
    // A negative dimension is a huge number here, and over any limit.
    facts.items = facts.items.max(rows.unwrap_or(1));
    Ok(())
}

/// A map's entry: 1 is the name, 2 an `InferParameter`, whose field 3 is a string.
fn read_parameter(entry: &[u8], facts: &mut Facts) -> Result<(), WireError> {
    let mut fields = Fields::new(entry);
    while let Some((number, value)) = fields.next_field()? {
        if let (2, Value::Bytes(parameter)) = (number, value) {
            let mut fields = Fields::new(parameter);
            while let Some((number, value)) = fields.next_field()? {
                if let (3, Value::Bytes(string)) = (number, value) {
                    facts.prompts.push(text(string));
                }
            }
        }
    }
    Ok(())
}

/// A raw tensor may hold texts, each behind its length in four little-endian bytes; one that
/// doesn't is numbers, which are no prompt.
fn read_raw(raw: &[u8], facts: &mut Facts) {
    let mut rest = raw;
    let mut found = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let Some((element, after)) = usize::try_from(u32::from_le_bytes(*length))
            .ok()
            .and_then(|length| after.split_at_checked(length))
        else {
            return;
        };
        found.push(text(element));
        rest = after;
    }
    if rest.is_empty() {
        facts.prompts.append(&mut found);
    }
}

/// What is not UTF-8 is read with replacement characters: a pattern still sees the rest.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
