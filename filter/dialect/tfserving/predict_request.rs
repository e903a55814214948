//! TensorFlow Serving's `PredictRequest`: tensors by their names.

use base::wire::{Field, Fields, Range, Value, WireError};

use crate::dialect::body::{FactsError, Found, Tensor, Texts, malformed};

const MODEL_SPEC: u64 = 1;
const INPUTS: u64 = 2;
const SPEC_NAME: u64 = 1;
const ENTRY_VALUE: u64 = 2;
const TENSOR_TYPE: u64 = 1;
const TENSOR_SHAPE: u64 = 2;
const TENSOR_CONTENT: u64 = 4;
const TENSOR_STRINGS: u64 = 8;
const SHAPE_DIMENSION: u64 = 2;
const DIMENSION_SIZE: u64 = 1;

/// `DataType`: those of one byte, and texts.
const UINT8: u64 = 4;
const INT8: u64 = 6;
const STRING: u64 = 7;

/// Takes what is asked for from one message.
pub(super) fn take(message: &[u8], texts: &mut Texts<'_>) -> Result<Found, FactsError> {
    texts.bytes(message);
    let mut request = Request {
        message,
        texts,
        found: Found::default(),
    };
    match request.read() {
        Ok(()) => Ok(request.found),
        Err(WireError) => Err(malformed("The body is not one PredictRequest.")),
    }
}

struct Request<'m, 't, 's> {
    message: &'m [u8],
    texts: &'s mut Texts<'t>,
    found: Found,
}

/// Each field with a length: its number and where it is.
fn each(
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

impl Request<'_, '_, '_> {
    fn read(&mut self) -> Result<(), WireError> {
        let message = self.message;
        let mut model = None;
        each(message, (0, message.len()), |number, range| {
            match number {
                // Messages that come twice are one to protobuf, and the last name counts.
                MODEL_SPEC => each(message, range, |number, range| {
                    if number == SPEC_NAME {
                        model = Some(range);
                    }
                    Ok(())
                }),
                INPUTS => each(message, range, |number, range| match number {
                    ENTRY_VALUE => self.read_tensor(range),
                    _ => Ok(()),
                }),
                _ => Ok(()),
            }
        })?;
        if let Some((start, end)) = model {
            let name = message.get(start..end).unwrap_or_default();
            let name = core::str::from_utf8(name).map_err(|_| WireError)?;
            self.found.model(name);
        }
        Ok(())
    }

    fn read_tensor(&mut self, range: Range) -> Result<(), WireError> {
        let message = self.message;
        let mut tensor = Tensor::default();
        let mut content = None;
        let mut fields = Fields::new(message, range);
        while let Some(Field { number, value }) = fields.read_next()? {
            match (number, value) {
                (TENSOR_TYPE, Value::Varint(UINT8 | INT8)) => tensor.set_type("UINT8"),
                (TENSOR_TYPE, Value::Varint(STRING)) => tensor.set_type("BYTES"),
                (TENSOR_SHAPE, Value::Counted { bytes, .. }) => {
                    read_shape(message, bytes, &mut tensor)?;
                }
                (TENSOR_CONTENT, Value::Counted { bytes, .. }) => content = Some(bytes),
                (
                    TENSOR_STRINGS,
                    Value::Counted {
                        bytes: (start, end),
                        ..
                    },
                ) => {
                    tensor.text();
                    let text = message.get(start..end).unwrap_or_default();
                    self.texts.text(&String::from_utf8_lossy(text));
                }
                _ => {}
            }
        }
        self.found.list(tensor.rows().unwrap_or(1));
        if let Some((start, end)) = content
            && let Ok(text) = core::str::from_utf8(message.get(start..end).unwrap_or_default())
        {
            self.texts.text(text);
        }
        Ok(())
    }
}

fn read_shape(message: &[u8], range: Range, tensor: &mut Tensor) -> Result<(), WireError> {
    each(message, range, |number, range| {
        if number != SHAPE_DIMENSION {
            return Ok(());
        }
        let mut size = 0;
        let mut fields = Fields::new(message, range);
        while let Some(field) = fields.read_next()? {
            if let (DIMENSION_SIZE, Value::Varint(value)) = (field.number, field.value) {
                size = value;
            }
        }
        tensor.dimension(Some(size));
        Ok(())
    })
}
