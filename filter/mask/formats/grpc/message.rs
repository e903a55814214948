//! The messages of the Open Inference Protocol (KServe V2, Triton) that carry a question or an
//! answer.
//!
//! Text is in string parameters, in an error's message, and in the elements of `BYTES` tensors,
//! whichever of the two ways they are written. Names, shapes and numbers pass. A field that the
//! protocol does not have is matched if it is UTF-8, and passes otherwise.

use sha2::{Digest, Sha256};

use super::super::WalkError;
use super::super::entry_writer::EntryWriter;
use super::super::pending_entries::Length;
use super::super::tensors::{are_numbers, count};
use super::super::texts::{Id, Owner};
use super::super::writing::Writing;
use base::wire::{Elements, Field, Fields, Range, Value, WireError};

/// The most outputs of one message.
const MAX_OUTPUTS: usize = 1024;
/// The most elements of an output that may be pieces of texts which go on in later messages. An output
/// with more is a whole answer.
const MAX_STREAMED_ELEMENTS: usize = 64;

/// What a length-delimited field is.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// No text.
    Pass,
    /// A complete text.
    Text,
    /// A message of these fields.
    Message(Schema),
    /// The message of an output.
    Output,
    /// An element of the current output.
    Element,
    /// An output's elements in one piece.
    Raw,
}

/// The fields of a message that are length-delimited. Schemas don't contain themselves, so the depth
/// of a message is bounded.
type Schema = &'static [(u64, Shape)];

/// `InferParameter`, and the entry of a map that holds it.
const PARAMETER: Schema = &[(3, Shape::Text)];
const ENTRY: Schema = &[(1, Shape::Pass), (2, Shape::Message(PARAMETER))];
/// `InferTensorContents`.
const CONTENTS: Schema = &[
    (1, Shape::Pass),
    (2, Shape::Pass),
    (3, Shape::Pass),
    (4, Shape::Pass),
    (5, Shape::Pass),
    (6, Shape::Pass),
    (7, Shape::Pass),
    (8, Shape::Element),
];
/// `InferOutputTensor`.
const OUTPUT: Schema = &[
    (1, Shape::Pass),
    (2, Shape::Pass),
    (3, Shape::Pass),
    (4, Shape::Message(ENTRY)),
    (5, Shape::Message(CONTENTS)),
];
/// `ModelInferResponse`.
const RESPONSE: Schema = &[
    (1, Shape::Pass),
    (2, Shape::Pass),
    (3, Shape::Pass),
    (4, Shape::Message(ENTRY)),
    (5, Shape::Output),
    (6, Shape::Raw),
];
/// `InferRequestedOutputTensor`.
const REQUESTED: Schema = &[(1, Shape::Pass), (2, Shape::Message(ENTRY))];
/// `ModelInferRequest`, whose inputs are like outputs.
const REQUEST: Schema = &[
    (1, Shape::Pass),
    (2, Shape::Pass),
    (3, Shape::Pass),
    (4, Shape::Message(ENTRY)),
    (5, Shape::Output),
    (6, Shape::Message(REQUESTED)),
    (7, Shape::Raw),
];
/// `ModelStreamInferResponse`.
const STREAM: Schema = &[(1, Shape::Text), (2, Shape::Message(RESPONSE))];

/// `ModelInferResponse` where a `ModelStreamInferResponse` may come: what has a text there is one here.
const BARE: Schema = &[
    (1, Shape::Text),
    (2, Shape::Text),
    (3, Shape::Pass),
    (4, Shape::Message(ENTRY)),
    (5, Shape::Output),
    (6, Shape::Raw),
];

/// An output, as far as its texts depend on it.
#[derive(Clone, Copy, Debug, Default)]
struct Output {
    /// The digest of its name.
    name: Id,
    datatype: Range,
    /// Elements that are fields of their own.
    elements: usize,
}

/// Walks through one message.
pub(super) struct Message<'a, 'f> {
    bytes: &'a [u8],
    writer: &'f mut EntryWriter<'a>,
    outputs: Vec<Output>,
    /// Texts go on in later messages.
    streamed: bool,
    /// The digest of the id of the request that is answered.
    answer: Id,
    last: bool,
    /// The next output, raw output and element.
    output: usize,
    raw: usize,
    element: usize,
}

impl<'a, 'f> Message<'a, 'f> {
    /// A message at `range` of the entry's bytes.
    pub(super) fn new(bytes: &'a [u8], writer: &'f mut EntryWriter<'a>) -> Self {
        Self {
            bytes,
            writer,
            outputs: Vec::new(),
            streamed: false,
            answer: Id::default(),
            last: false,
            output: 0,
            raw: 0,
            element: 0,
        }
    }

    /// Gives the texts of a `ModelInferRequest` to the matcher.
    ///
    /// # Errors
    /// As for [`Message::response`].
    pub(super) fn request(mut self, range: Range) -> Result<(), WalkError> {
        self.survey(range)?;
        self.walk(range, REQUEST)
    }

    /// Gives the texts of a `ModelInferResponse` to the matcher.
    ///
    /// # Errors
    /// The message is not one, or has more outputs than are followed.
    pub(super) fn response(mut self, range: Range) -> Result<(), WalkError> {
        self.survey(range)?;
        self.walk(range, RESPONSE)
    }

    /// Gives the texts of a `ModelStreamInferResponse` to the matcher. If it is the last message
    /// of an answer, gives back the owner of the answer's texts.
    ///
    /// # Errors
    /// As for [`Message::response`].
    pub(super) fn stream_response(mut self, range: Range) -> Result<Option<Owner>, WalkError> {
        self.streamed = true;
        if self.is_bare(range)? {
            self.survey(range)?;
            let owner = self.last.then(|| self.owner());
            self.walk(range, BARE)?;
            return Ok(owner);
        }
        let mut fields = Fields::new(self.bytes, range);
        while let Some(field) = fields.read_next()? {
            if let (2, Value::Counted { bytes, .. }) = (field.number, field.value) {
                self.survey(bytes)?;
            }
        }
        let owner = self.last.then(|| self.owner());
        self.walk(range, STREAM)?;
        Ok(owner)
    }

    /// Whether a stream's message is a `ModelInferResponse` itself, as `MLServer` sends them: it has
    /// outputs, which Triton's message has one level below.
    ///
    /// # Errors
    /// It has both: some readers would find one, and some the other.
    fn is_bare(&self, range: Range) -> Result<bool, WalkError> {
        let (mut bare, mut nested) = (false, false);
        let mut fields = Fields::new(self.bytes, range);
        while let Some(field) = fields.read_next()? {
            match (field.number, field.value) {
                (3.., _) => bare = true,
                // Of a bare one, the model's version.
                (2, Value::Counted { bytes, .. }) => {
                    let text = core::str::from_utf8(self.slice(bytes));
                    nested |= text.is_ok_and(|text| text.chars().any(char::is_control));
                    nested |= text.is_err();
                }
                _ => {}
            }
        }
        if bare && nested {
            return Err(WireError.into());
        }
        Ok(bare)
    }

    /// Notes what the texts of a `ModelInferResponse` depend on: fields may come in any order.
    fn survey(&mut self, range: Range) -> Result<(), WalkError> {
        let mut id = (0, 0);
        let mut fields = Fields::new(self.bytes, range);
        while let Some(Field { number, value }) = fields.read_next()? {
            let Value::Counted { bytes, .. } = value else {
                continue;
            };
            match number {
                3 => id = bytes,
                4 => self.last |= self.is_final(bytes)?,
                5 => {
                    if self.outputs.len() == MAX_OUTPUTS {
                        return Err(WalkError::TooManyTexts);
                    }
                    let output = self.survey_output(bytes)?;
                    self.outputs.push(output);
                }
                _ => {}
            }
        }
        self.answer = Sha256::digest(self.slice(id)).into();
        Ok(())
    }

    fn survey_output(&self, range: Range) -> Result<Output, WalkError> {
        let mut output = Output::default();
        let mut name = (0, 0);
        let mut fields = Fields::new(self.bytes, range);
        while let Some(Field { number, value }) = fields.read_next()? {
            match (number, value) {
                (1, Value::Counted { bytes, .. }) => name = bytes,
                (2, Value::Counted { bytes, .. }) => output.datatype = bytes,
                (5, Value::Counted { bytes, .. }) => {
                    let mut contents = Fields::new(self.bytes, bytes);
                    while let Some(field) = contents.read_next()? {
                        output.elements += usize::from(field.number == 8);
                    }
                }
                _ => {}
            }
        }
        output.name = Sha256::digest(self.slice(name)).into();
        Ok(output)
    }

    /// Whether a parameter says that no more of this answer follows, as Triton's do.
    fn is_final(&self, entry: Range) -> Result<bool, WalkError> {
        let (mut named, mut says) = (false, false);
        let mut fields = Fields::new(self.bytes, entry);
        while let Some(field) = fields.read_next()? {
            match (field.number, field.value) {
                (1, Value::Counted { bytes, .. }) => {
                    named = self.slice(bytes) == b"triton_final_response"
                }
                (2, Value::Counted { bytes, .. }) => {
                    let mut parameter = Fields::new(self.bytes, bytes);
                    while let Some(field) = parameter.read_next()? {
                        if let (1, Value::Varint(value)) = (field.number, field.value) {
                            says = value != 0;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(named && says)
    }

    fn walk(&mut self, range: Range, schema: Schema) -> Result<(), WalkError> {
        let mut fields = Fields::new(self.bytes, range);
        while let Some(Field { number, value }) = fields.read_next()? {
            let Value::Counted { prefix, bytes } = value else {
                continue;
            };
            let shape = schema
                .iter()
                .find(|(known, _)| *known == number)
                .map(|(_, shape)| *shape);
            let text = match shape {
                Some(Shape::Pass) => continue,
                Some(_) => true,
                None => std::str::from_utf8(self.slice(bytes)).is_ok(),
            };
            if !text {
                continue;
            }
            self.writer
                .begin_counted(Length::Varint, prefix, bytes.1 - bytes.0);
            match shape {
                Some(Shape::Message(schema)) => self.walk(bytes, schema)?,
                Some(Shape::Output) => {
                    self.element = 0;
                    self.walk(bytes, OUTPUT)?;
                    self.output += 1;
                }
                Some(Shape::Element) => {
                    let output = self.outputs.get(self.output).copied().unwrap_or_default();
                    self.element(bytes, output, output.elements);
                }
                Some(Shape::Raw) => {
                    self.raw_output(bytes)?;
                    self.raw += 1;
                }
                Some(Shape::Pass | Shape::Text) | None => self.writer.whole(bytes, Writing::Raw),
            }
            self.writer.end_counted(bytes.1);
        }
        Ok(())
    }

    /// An output's elements in one piece.
    fn raw_output(&mut self, range: Range) -> Result<(), WalkError> {
        let output = self.outputs.get(self.raw).copied().unwrap_or_default();
        if are_numbers(self.slice(output.datatype)) {
            return Ok(());
        }
        let count = count(self.bytes, range)?;
        self.element = 0;
        let mut elements = Elements::new(self.bytes, range);
        while let Some((prefix, bytes)) = elements.read_next()? {
            self.writer
                .begin_counted(Length::Little32, prefix, bytes.1 - bytes.0);
            self.element(bytes, output, count);
            self.writer.end_counted(bytes.1);
        }
        Ok(())
    }

    /// The next element of an output of `count`.
    fn element(&mut self, range: Range, output: Output, count: usize) {
        if self.streamed && count <= MAX_STREAMED_ELEMENTS {
            let mut digest = Sha256::new();
            digest.update(self.answer);
            digest.update(output.name);
            digest.update((self.element as u64).to_le_bytes());
            let id: Id = digest.finalize().into();
            let owner = self.owner();
            self.writer.piece(range, (&id, owner), Writing::Raw);
        } else {
            self.writer.whole(range, Writing::Raw);
        }
        self.element += 1;
    }

    /// What the texts of this answer belong to: the request that it answers.
    fn owner(&self) -> Owner {
        let answer = self
            .answer
            .first_chunk()
            .map(|bytes| i64::from_le_bytes(*bytes));
        Owner {
            output: answer,
            ..Owner::default()
        }
    }

    fn slice(&self, (start, end): Range) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }
}
