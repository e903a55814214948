//! KServe V2's `ModelInferRequest` (the Open Inference Protocol over gRPC).

use base::wire::{Field, Fields, Packed, Range, Value, WireError};

use crate::dialect::body::{FactsError, Found, Tensor, Texts, malformed};

const MODEL_NAME: u64 = 1;
const PARAMETERS: u64 = 4;
const INPUTS: u64 = 5;
const RAW_INPUTS: u64 = 7;
const INPUT_NAME: u64 = 1;
const INPUT_DATATYPE: u64 = 2;
const INPUT_SHAPE: u64 = 3;
const INPUT_PARAMETERS: u64 = 4;
const INPUT_CONTENTS: u64 = 5;

/// A request has a handful; each is kept until the message's end.
const MAX_TENSORS: usize = 1 << 12;

/// Takes what is asked for from one message.
pub(super) fn take(message: &[u8], texts: &mut Texts<'_>) -> Result<Found, FactsError> {
    // Every text in it stands there as it is, whatever field holds it.
    texts.bytes(message);
    let mut request = Request {
        message,
        texts,
        found: Found::default(),
        tensors: Vec::new(),
        raw: Vec::new(),
        contents: false,
    };
    match request.read() {
        Ok(()) => Ok(request.found),
        Err(WireError) => Err(malformed("The body is not one ModelInferRequest.")),
    }
}

/// What has been read of a message.
struct Request<'m, 't, 's> {
    message: &'m [u8],
    texts: &'s mut Texts<'t>,
    found: Found,
    /// Inputs whose bytes stand elsewhere, in their order.
    tensors: Vec<Tensor>,
    raw: Vec<Range>,
    /// Whether some input has its own.
    contents: bool,
}

impl Request<'_, '_, '_> {
    fn read(&mut self) -> Result<(), WireError> {
        let mut model = None;
        let mut fields = Fields::new(self.message, (0, self.message.len()));
        while let Some(Field { number, value }) = fields.read_next()? {
            let Value::Counted { bytes, .. } = value else {
                continue;
            };
            match number {
                // The last value of a field counts, as protobuf has it.
                MODEL_NAME => model = Some(bytes),
                PARAMETERS => self.read_parameter(bytes)?,
                INPUTS => self.read_input(bytes)?,
                RAW_INPUTS => {
                    if self.raw.len() >= MAX_TENSORS {
                        return Err(WireError);
                    }
                    self.raw.push(bytes);
                }
                _ => {}
            }
        }
        if let Some(range) = model {
            let name = self.message.get(range.0..range.1).unwrap_or_default();
            let name = core::str::from_utf8(name).map_err(|_| WireError)?;
            self.found.model(name);
        }
        self.read_raw()
    }

    fn bytes(&self, (start, end): Range) -> &[u8] {
        self.message.get(start..end).unwrap_or_default()
    }

    fn show(&mut self, range: Range) {
        let text = String::from_utf8_lossy(self.message.get(range.0..range.1).unwrap_or_default());
        self.texts.text(&text);
    }

    fn read_input(&mut self, input: Range) -> Result<(), WireError> {
        let mut tensor = Tensor::default();
        let mut here = false;
        let mut contents = Vec::new();
        let mut fields = Fields::new(self.message, input);
        while let Some(Field { number, value }) = fields.read_next()? {
            match (number, value) {
                (INPUT_DATATYPE, Value::Counted { bytes, .. }) => {
                    tensor.set_type(core::str::from_utf8(self.bytes(bytes)).unwrap_or_default());
                }
                (INPUT_NAME, Value::Counted { bytes, .. }) => {
                    tensor.set_name(core::str::from_utf8(self.bytes(bytes)).unwrap_or_default());
                }
                // A negative dimension is a huge number here, and over any limit.
                (INPUT_SHAPE, Value::Varint(size)) => tensor.dimension(Some(size)),
                (INPUT_SHAPE, Value::Counted { bytes, .. }) => {
                    let mut sizes = Packed::new(self.message, bytes);
                    while let Some(size) = sizes.read_next()? {
                        tensor.dimension(Some(size));
                    }
                }
                (INPUT_PARAMETERS, Value::Counted { bytes, .. }) => self.read_parameter(bytes)?,
                (INPUT_CONTENTS, Value::Counted { bytes, .. }) => contents.push(bytes),
                _ => {}
            }
            if contents.len() > MAX_TENSORS {
                return Err(WireError);
            }
        }
        for range in contents {
            here |= self.read_contents(range, &mut tensor)?;
        }
        tensor.show(self.texts);
        self.found.list(tensor.rows().unwrap_or(1));
        self.contents |= here;
        if !here {
            if self.tensors.len() >= MAX_TENSORS {
                return Err(WireError);
            }
            self.tensors.push(tensor);
        }
        Ok(())
    }

    /// `InferTensorContents`: a list for each type. Whether anything is there.
    fn read_contents(&mut self, contents: Range, tensor: &mut Tensor) -> Result<bool, WireError> {
        let mut any = false;
        let keep = self.texts.wanted();
        let mut fields = Fields::new(self.message, contents);
        while let Some(Field { number, value }) = fields.read_next()? {
            any |= (1..=8).contains(&number);
            match (number, value) {
                (1..=5, Value::Varint(value)) => tensor.number(Some(value), keep),
                (1..=5, Value::Counted { bytes, .. }) => {
                    let mut numbers = Packed::new(self.message, bytes);
                    while let Some(value) = numbers.read_next()? {
                        tensor.number(Some(value), keep);
                    }
                }
                (6 | 7, Value::Fixed) => tensor.element(),
                (
                    6 | 7,
                    Value::Counted {
                        bytes: (start, end),
                        ..
                    },
                ) => {
                    let size = if number == 6 { 4 } else { 8 };
                    tensor.elements(end.saturating_sub(start) / size);
                }
                (8, Value::Counted { bytes, .. }) => {
                    tensor.text();
                    self.show(bytes);
                }
                _ => {}
            }
        }
        Ok(any)
    }

    /// A map's entry: 1 is the name, 2 an `InferParameter`, whose field 3 is a string.
    fn read_parameter(&mut self, entry: Range) -> Result<(), WireError> {
        let mut fields = Fields::new(self.message, entry);
        while let Some(Field { number, value }) = fields.read_next()? {
            let Value::Counted { bytes, .. } = value else {
                continue;
            };
            if number == 1 {
                self.show(bytes);
                continue;
            }
            let mut parameter = Fields::new(self.message, bytes);
            while let Some(Field { number, value }) = parameter.read_next()? {
                if let (3, Value::Counted { bytes, .. }) = (number, value) {
                    self.show(bytes);
                }
            }
        }
        Ok(())
    }

    /// Bytes of tensors, in the order of the inputs that have none themselves.
    fn read_raw(&mut self) -> Result<(), WireError> {
        let tensors = core::mem::take(&mut self.tensors);
        let raw = core::mem::take(&mut self.raw);
        // Which bytes are whose, servers would tell in different ways.
        let mixed = self.contents || raw.len() != tensors.len();
        if !raw.is_empty() && mixed {
            return Err(WireError);
        }
        for (tensor, range) in tensors.into_iter().zip(raw) {
            let own = self.message.get(range.0..range.1).unwrap_or_default();
            let read = tensor.read_bytes(own, self.texts).map_err(|_| WireError)?;
            self.found.list(read);
        }
        Ok(())
    }
}
