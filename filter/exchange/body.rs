//! A body on its way through a mask: decoded, masked, and sent on as it is then.

use super::carrier::Carrier;
use crate::encoding::{self, Decoder};
use crate::mask::{Engine, WalkError, Walker};

/// Masks one body.
#[derive(Debug)]
pub(super) struct Body {
    decoder: Option<Decoder>,
    walker: Walker,
}

impl Body {
    /// A body of which nothing has come.
    pub(super) fn new(carrier: Carrier) -> Self {
        Self {
            decoder: carrier.coding.map(Decoder::new),
            walker: Walker::framed(carrier.format, carrier.framing),
        }
    }

    /// What was replaced.
    pub(super) fn walker(&self) -> &Walker {
        &self.walker
    }

    /// Whether something that has come is still to be written. A decoder gives all that it has at
    /// once, or at the stream's own end, so it holds nothing that trailers could cut off.
    pub(super) fn holds(&self) -> bool {
        self.walker.held() > 0
    }

    /// Takes the next piece, the last one if `end`, and gives what becomes of it.
    ///
    /// # Errors
    /// The code of what is wrong with it.
    pub(super) fn push(
        &mut self,
        engine: &Engine,
        mut piece: &[u8],
        end: bool,
    ) -> Result<Vec<u8>, &'static str> {
        let mut out = Vec::with_capacity(piece.len());
        match &mut self.decoder {
            None => self.walker.push(engine, piece, &mut out).map_err(walk)?,
            Some(decoder) => {
                let mut buffer = vec![0; encoding::BUFFER];
                loop {
                    let written = decoder.read(&mut piece, &mut buffer).map_err(decode)?;
                    if written == 0 {
                        break;
                    }
                    let decoded = buffer.get(..written).unwrap_or_default();
                    self.walker.push(engine, decoded, &mut out).map_err(walk)?;
                }
                if end {
                    decoder.finish().map_err(decode)?;
                }
            }
        }
        if end {
            self.walker.finish(engine, &mut out).map_err(walk)?;
        }
        Ok(out)
    }
}

fn decode(error: encoding::Error) -> &'static str {
    match error {
        encoding::Error::Malformed => "encoding_malformed",
        encoding::Error::Truncated => "encoding_truncated",
        encoding::Error::TooLarge => "encoding_too_large",
    }
}

fn walk(error: WalkError) -> &'static str {
    match error {
        WalkError::TooLarge => "piece_too_large",
        WalkError::TooManyTexts => "too_many_texts",
        WalkError::Compressed => "message_compressed",
        WalkError::Malformed => "message_malformed",
        WalkError::Truncated => "message_truncated",
        WalkError::UnknownPart => "part_not_maskable",
    }
}
