//! The walker of JSON with tensors behind it.

use super::super::WalkError;
use super::super::body::Body;
use super::super::entry_writer::EntryWriter;
use super::super::format::{TensorFrame, TensorList};
use super::super::pending_entries::Length;
use super::super::texts::Texts;
use super::super::walk::{Job, Walk};
use super::super::writing::Writing;
use super::elements::count;
use super::head::{self, Described};
use base::wire::Elements;

/// The most that is held of a request: its JSON, and the tensors up to the last that is text. It is whole in any case: no policy has larger ones read.
const MAX_REQUEST_BYTES: usize = 64 << 20;
/// The most elements of tensors that are text.
const MAX_ELEMENTS: usize = 1 << 18;

/// Where in the body the next byte stands.
#[derive(Clone, Debug, PartialEq)]
enum Position {
    /// In the JSON.
    Json,
    /// In tensors, the last of which that is text ends with the `end`th byte of the body. So many
    /// bytes of numbers follow it.
    Texts {
        tensors: Vec<Described>,
        end: usize,
        numbers: u64,
    },
    /// In numbers, of which so many bytes are to come.
    Numbers(u64),
}

/// Masks such a body.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct Tensors {
    frame: TensorFrame,
    /// The most that is held of an answer.
    most: usize,
    position: Position,
    held: Vec<u8>,
    /// How long the JSON is that was written.
    written: Option<usize>,
}

impl Walk for Tensors {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut rest = piece;
        loop {
            match &mut self.position {
                Position::Json => {
                    let end = self.frame.json_bytes;
                    if !self.hold(&mut rest, end)? {
                        return Ok(());
                    }
                    self.position = self.read_json()?;
                }
                Position::Texts { end, .. } => {
                    let end = *end;
                    if !self.hold(&mut rest, end)? {
                        return Ok(());
                    }
                    self.write(job)?;
                }
                Position::Numbers(to_come) => {
                    let came = u64::try_from(rest.len()).unwrap_or(u64::MAX);
                    // There are more bytes than the JSON says.
                    *to_come = to_come.checked_sub(came).ok_or(WalkError::Malformed)?;
                    job.out.extend_from_slice(rest);
                    return Ok(());
                }
            }
        }
    }

    fn finish(&mut self, _job: &mut Job<'_>) -> Result<(), WalkError> {
        match self.position {
            Position::Numbers(0) => Ok(()),
            _ => Err(WalkError::Truncated),
        }
    }

    fn held(&self) -> usize {
        self.held.len()
    }
}

impl Tensors {
    /// For a body in this frame, of which no more than `most` bytes may be held if it is an answer's.
    pub(in crate::formats) fn new(frame: TensorFrame, most: usize) -> Self {
        Self {
            frame,
            most,
            position: Position::Json,
            held: Vec::new(),
            written: None,
        }
    }

    /// How long the JSON is that was written, once it is.
    pub(in crate::formats) fn json_bytes(&self) -> Option<usize> {
        self.written
    }

    /// Says how long the JSON is that comes, before any of it does.
    pub(in crate::formats) fn set_json_bytes(&mut self, bytes: usize) {
        self.frame.json_bytes = bytes;
    }

    /// Takes bytes until the first `end` of the body are held; whether they are.
    fn hold(&mut self, rest: &mut &[u8], end: usize) -> Result<bool, WalkError> {
        let most = match self.frame.list {
            TensorList::Outputs => self.most,
            TensorList::Inputs => MAX_REQUEST_BYTES,
        };
        if end > most {
            return Err(WalkError::TooLarge);
        }
        let wanted = end.saturating_sub(self.held.len());
        let (now, later) = rest.split_at(rest.len().min(wanted));
        self.held.extend_from_slice(now);
        *rest = later;
        Ok(self.held.len() >= end)
    }

    fn list(&self) -> &'static [u8] {
        match self.frame.list {
            TensorList::Inputs => b"inputs",
            TensorList::Outputs => b"outputs",
        }
    }

    /// The JSON is there: what stands behind it.
    fn read_json(&self) -> Result<Position, WalkError> {
        let mut tensors = head::read(&self.held, self.list())?;
        let mut all = 0_u64;
        // Up to which tensor there may be texts, and where that one ends.
        let (mut texts, mut end) = (0, 0);
        for (at, tensor) in tensors.iter().enumerate() {
            let size = tensor.bytes(&self.held)?;
            all = all.checked_add(size).ok_or(WalkError::Malformed)?;
            if !tensor.numbers && size > 0 {
                (texts, end) = (at + 1, all);
            }
        }
        tensors.truncate(texts);
        let end = usize::try_from(end).map_err(|_| WalkError::TooLarge)?;
        Ok(Position::Texts {
            tensors,
            end: end.saturating_add(self.held.len()),
            numbers: all.saturating_sub(u64::try_from(end).unwrap_or(all)),
        })
    }

    /// The texts are there: writes them, and the JSON in front.
    fn write(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let held = std::mem::take(&mut self.held);
        let came = std::mem::replace(&mut self.position, Position::Json);
        let Position::Texts {
            tensors, numbers, ..
        } = came
        else {
            return Err(WalkError::Malformed);
        };
        let (json, mut behind) = held
            .split_at_checked(self.frame.json_bytes)
            .ok_or(WalkError::Truncated)?;
        let mut masked = Vec::with_capacity(behind.len());
        let mut sizes = Vec::with_capacity(tensors.len());
        let mut elements = 0;
        for tensor in &tensors {
            let size = usize::try_from(tensor.bytes(json)?).map_err(|_| WalkError::TooLarge)?;
            let (own, rest) = behind.split_at_checked(size).ok_or(WalkError::Truncated)?;
            behind = rest;
            let before = masked.len();
            if tensor.numbers {
                masked.extend_from_slice(own);
            } else {
                elements += count(own, (0, own.len()))?;
                if elements > MAX_ELEMENTS {
                    return Err(WalkError::TooManyTexts);
                }
                mask(own, job, &mut masked)?;
            }
            sizes.push(masked.len() - before);
        }
        let json = self.masked_json(json, &sizes, job)?;
        self.written = Some(json.len());
        job.out.extend(json);
        job.out.extend(masked);
        self.position = Position::Numbers(numbers);
        Ok(())
    }

    /// The JSON under the mask, with the sizes that the first of its tensors have now. Whatever the mask
    /// does to a size, it stays one: without it nobody could tell where a tensor ends.
    fn masked_json(
        &self,
        json: &[u8],
        sizes: &[usize],
        job: &mut Job<'_>,
    ) -> Result<Vec<u8>, WalkError> {
        let mut masked = Vec::with_capacity(json.len());
        let mut inner = Job {
            mask: job.mask,
            out: &mut masked,
            found: &mut *job.found,
            layout: job.layout,
            most: job.most,
        };
        let mut walker = Body::default();
        walker.push(json, &mut inner)?;
        walker.finish(&mut inner)?;
        let came = head::read(json, self.list())?;
        let tensors = head::read(&masked, self.list())?;
        // A rule has taken out what says that there is a tensor, or the name of a member is masked.
        if tensors.len() != came.len() {
            return Err(WalkError::Malformed);
        }
        let mut written = Vec::with_capacity(masked.len());
        let mut at = 0;
        for (index, (tensor, came)) in tensors.iter().zip(&came).enumerate() {
            let part = masked.get(at..tensor.size.0);
            written.extend_from_slice(part.unwrap_or_default());
            let said = json.get(came.size.0..came.size.1).unwrap_or_default();
            match sizes.get(index).map(usize::to_string) {
                Some(size) => written.extend(size.into_bytes()),
                None => written.extend_from_slice(said),
            }
            at = tensor.size.1;
        }
        written.extend_from_slice(masked.get(at..).unwrap_or_default());
        Ok(written)
    }
}

/// Masks the elements of a tensor, each a text of its own.
fn mask(own: &[u8], job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), WalkError> {
    let mut texts = Texts::default();
    let mut writer = EntryWriter::new(&mut texts, job.mask, job.found, own);
    let mut elements = Elements::new(own, (0, own.len()));
    while let Some((prefix, (start, end))) = elements.read_next()? {
        writer.begin_counted(Length::Little32, prefix, end - start);
        writer.whole((start, end), Writing::Raw);
        writer.end_counted(end);
    }
    writer.end();
    texts.release(job.mask, job.found, out);
    Ok(())
}
