//! KServe V2's `ModelInferRequest` (the Open Inference Protocol over gRPC).

use std::borrow::Cow;

use crate::dialect::facts::{self, Facts, FactsError};
use base::wire::{Elements, Field, Fields, Packed, Range, Value, WireError, frame};

const MODEL_NAME: u64 = 1;
const PARAMETERS: u64 = 4;
const INPUTS: u64 = 5;
const RAW_INPUTS: u64 = 7;
const INPUT_SHAPE: u64 = 3;
const INPUT_PARAMETERS: u64 = 4;
const INPUT_CONTENTS: u64 = 5;
const CONTENTS_BYTES: u64 = 8;

/// Takes the facts from the one message of a unary call.
pub(super) fn take(body: &[u8], texts: &mut dyn FnMut(&str)) -> Result<Facts, FactsError> {
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
    let mut request = Request {
        message,
        model: None,
        items: 1,
        texts,
    };
    request.read().map_err(|_| malformed())?;
    let name = request.model.map(|range| text(message, range));
    Ok(Facts {
        model: name.map(|name| facts::model(&name)).transpose()?,
        items: request.items,
    })
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
    while let Some(Field { number, value }) = fields.read_next()? {
        if let Value::Counted { bytes, .. } = value {
            visit(number, bytes)?;
        }
    }
    Ok(())
}

/// What has been read of a message.
struct Request<'m, 't> {
    message: &'m [u8],
    model: Option<Range>,
    items: u64,
    texts: &'t mut dyn FnMut(&str),
}

impl Request<'_, '_> {
    fn read(&mut self) -> Result<(), WireError> {
        let message = self.message;
        each_counted(message, (0, message.len()), |number, range| {
            match number {
                // The last value of a field counts, as protobuf has it.
                MODEL_NAME => self.model = Some(range),
                PARAMETERS => self.read_parameter(range)?,
                INPUTS => self.read_input(range)?,
                RAW_INPUTS => self.read_raw(range),
                _ => {}
            }
            Ok(())
        })
    }

    fn read_input(&mut self, input: Range) -> Result<(), WireError> {
        let message = self.message;
        let mut rows: Option<u64> = None;
        let mut fields = Fields::new(message, input);
        while let Some(Field { number, value }) = fields.read_next()? {
            match (number, value) {
                (INPUT_SHAPE, Value::Varint(size)) => {
                    rows.get_or_insert(size);
                }
                (INPUT_SHAPE, Value::Counted { bytes, .. }) => {
                    let mut sizes = Packed::new(message, bytes);
                    while let Some(size) = sizes.read_next()? {
                        rows.get_or_insert(size);
                    }
                }
                (INPUT_PARAMETERS, Value::Counted { bytes, .. }) => {
                    self.read_parameter(bytes)?;
                }
                (INPUT_CONTENTS, Value::Counted { bytes, .. }) => {
                    each_counted(message, bytes, |number, element| {
                        if number == CONTENTS_BYTES {
                            self.see(element);
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
        }
        // A negative dimension is a huge number here, and over any limit.
        self.items = self.items.max(rows.unwrap_or(1));
        Ok(())
    }

    /// A map's entry: 1 is the name, 2 an `InferParameter`, whose field 3 is a string.
    fn read_parameter(&mut self, entry: Range) -> Result<(), WireError> {
        let message = self.message;
        each_counted(message, entry, |number, parameter| {
            if number != 2 {
                return Ok(());
            }
            each_counted(message, parameter, |number, string| {
                if number == 3 {
                    self.see(string);
                }
                Ok(())
            })
        })
    }

    /// A raw tensor may hold texts; one whose bytes are no such list is numbers, which are no
    /// prompt.
    fn read_raw(&mut self, raw: Range) {
        let mut elements = Elements::new(self.message, raw);
        let is_list = loop {
            match elements.read_next() {
                Ok(Some(_)) => {}
                Ok(None) => break true,
                Err(WireError) => break false,
            }
        };
        if !is_list {
            return;
        }
        let mut elements = Elements::new(self.message, raw);
        while let Ok(Some((_, element))) = elements.read_next() {
            self.see(element);
        }
    }

    fn see(&mut self, range: Range) {
        (self.texts)(&text(self.message, range));
    }
}

/// What is not UTF-8 is read with replacement characters: a pattern still sees the rest.
fn text(message: &[u8], (start, end): Range) -> Cow<'_, str> {
    String::from_utf8_lossy(message.get(start..end).unwrap_or_default())
}
