//! A body on its way through a mask: decoded, masked, and sent on as it is then.

use std::rc::Rc;

use super::media::TextForm;
use super::reply::WITHHELD;
use crate::coding::{self, Decoder};
use crate::mask::{Masks, Originals, Pass, Stop, WalkError};

/// The way of one body.
#[derive(Debug)]
pub(super) struct Pipeline {
    decoder: Option<Decoder>,
    pass: Pass,
    /// Whether its last piece has come.
    ended: bool,
    /// Whether it goes as it comes, and is only looked at.
    unchanged: bool,
}

/// Room in what a piece becomes, for replacements that are longer than what they replace.
const ROOM: usize = 512;

impl Pipeline {
    /// A body of which nothing has come, and in which these are put back.
    pub(super) fn new(form: TextForm, masks: &Masks, originals: Option<&Rc<Originals>>) -> Self {
        Self {
            decoder: form.coding.map(Decoder::new),
            ended: false,
            unchanged: masks.only_count() && originals.is_none(),
            pass: Pass::new(masks, (form.format, form.framing), originals),
        }
    }

    /// What was found.
    pub(super) fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Whether something that has come is still to be written. A decoder gives all that it has at
    /// once, or at the stream's own end, so it holds nothing that trailers could cut off.
    pub(super) fn holds(&self) -> bool {
        !self.unchanged && self.pass.held() > 0
    }

    /// Takes the next piece, the last one if `end`, and gives what becomes of it.
    ///
    /// # Errors
    /// The code of what is wrong with it.
    pub(super) fn push(
        &mut self,
        masks: &Masks,
        piece: &[u8],
        end: bool,
    ) -> Result<Vec<u8>, &'static str> {
        if self.ended {
            // Its head said how long it is.
            return match piece {
                [] => Ok(Vec::new()),
                _ => Err("body_too_long"),
            };
        }
        self.ended = end;
        // What waited of earlier pieces comes on top.
        let mut out = Vec::with_capacity(piece.len() + self.pass.held() + ROOM);
        let result = self.decode(masks, piece, end, &mut out);
        if self.unchanged {
            // Nothing is refused for what could only have been counted.
            return Ok(piece.to_vec());
        }
        result.map(|()| out)
    }

    fn decode(
        &mut self,
        masks: &Masks,
        mut piece: &[u8],
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        match &mut self.decoder {
            None => self.pass.push(masks, piece, out).map_err(stopped)?,
            Some(decoder) => {
                let mut buffer = vec![0; coding::BUFFER_BYTES];
                loop {
                    let written = decoder.read(&mut piece, &mut buffer).map_err(decode)?;
                    if written == 0 {
                        break;
                    }
                    let decoded = buffer.get(..written).unwrap_or_default();
                    self.pass.push(masks, decoded, out).map_err(stopped)?;
                }
                if end {
                    decoder.finish().map_err(decode)?;
                }
            }
        }
        if end {
            self.pass.finish(masks, out).map_err(stopped)?;
        }
        Ok(())
    }
}

fn decode(error: coding::Error) -> &'static str {
    match error {
        coding::Error::Malformed => "encoding_malformed",
        coding::Error::Truncated => "encoding_truncated",
        coding::Error::TooLarge => "encoding_too_large",
    }
}

fn stopped(stop: Stop) -> &'static str {
    match stop {
        Stop::Cut => WITHHELD,
        Stop::Walk(error) => match error {
            WalkError::TooLarge => "piece_too_large",
            WalkError::TooManyTexts => "too_many_texts",
            WalkError::Compressed => "message_compressed",
            WalkError::Malformed => "message_malformed",
            WalkError::Truncated => "message_truncated",
            WalkError::UnknownPart => "part_not_maskable",
        },
    }
}
