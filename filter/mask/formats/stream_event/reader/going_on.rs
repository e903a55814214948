//! Whether the string that is read goes on in other events.

use super::super::amazon;
use super::super::frame;
use super::super::segment::{Kind, Segment};
use super::super::shapes::{self, Goes};
use super::{MAX_LISTED_TOKENS, Reader};
use crate::CompiledMask;

/// The most texts of an event in which only the guard's own secrets are looked for.
const MAX_KEPT_TEXTS: usize = 1024;

impl Reader<'_> {
    /// A string here passes, but for the guard's own secrets.
    pub(super) fn keep(&mut self, (start, end): (usize, usize), kind: Kind) {
        let text = match kind {
            Kind::Piece(text) | Kind::Perhaps(text) => Some(text),
            _ => self.kept(),
        };
        if let Some(text) = text.filter(|_| start < end && self.guards()) {
            self.payload.segments.push(Segment {
                start,
                end,
                kind: Kind::Kept(text),
                varies: false,
            });
        }
    }

    /// The number of the text of which the string here is a piece where only the guard's own secrets
    /// are looked for.
    pub(super) fn kept(&mut self) -> Option<usize> {
        if !self.guards() || self.deeper > 0 || self.pieces.len() >= MAX_KEPT_TEXTS {
            return None;
        }
        let goes_on = self.goes_on(true).is_some() || self.is_free(true);
        goes_on.then(|| {
            let piece = self.piece();
            let text = self.pieces.len();
            self.pieces.push(piece);
            self.kept.push(text);
            text
        })
    }

    fn guards(&self) -> bool {
        self.mask.is_some_and(CompiledMask::guards)
    }

    /// Whether the string here, which no dialect knows, could be a piece of a text all the same.
    pub(super) fn may_go_on(&self) -> bool {
        self.joins && self.is_free(self.reads_all())
    }

    /// Whether it could be so if nothing but its place told; to a reader of `all`, also what is no text.
    fn is_free(&self, all: bool) -> bool {
        if self.mask.is_none() || self.deeper > 0 {
            return false;
        }
        let path = self.path();
        let is_label = |name: &[u8]| {
            shapes::is_label(name)
                && !(path.len() == 1 && name == b"data")
                && !(all && shapes::is_no_text(name))
        };
        path.last().is_some_and(|name| !is_label(name)) && !shapes::comes_whole(&path)
    }

    pub(super) fn reads_all(&self) -> bool {
        self.mask.is_some_and(CompiledMask::reads_all)
    }

    /// How the string here goes on, if it does. Beyond the limit of such strings, the answer is not used.
    pub(super) fn goes(&self) -> Option<Goes> {
        let goes = self.goes_on(self.reads_all());
        goes.filter(|_| self.pieces.len() <= MAX_LISTED_TOKENS)
    }

    /// The same; to a reader of `all`, also where it is no text.
    fn goes_on(&self, all: bool) -> Option<Goes> {
        let path = self.path();
        shapes::goes(&path)
            .or_else(|| self.token(&path))
            .or_else(|| {
                let goes_on = self.amazon && amazon::goes_on(&path);
                let goes_on = goes_on || (all && shapes::is_piece_of_no_text(&path));
                goes_on.then_some(Goes::Text)
            })
    }

    /// Whether the string here is a token that its place among others tells.
    fn token(&self, path: &[&[u8]]) -> Option<Goes> {
        let is_token = match path {
            [.., b"decoded_token"] => frame::is_first_of_prompt(&self.frames),
            [.., name] => self.mask.is_none() && shapes::lists_lists_of_tokens(name),
            [] => false,
        };
        is_token.then_some(Goes::Token)
    }

    /// The names that lead to the current place.
    pub(super) fn path(&self) -> Vec<&[u8]> {
        let objects = self.frames.iter().filter(|frame| frame.object);
        objects.map(|frame| frame.name.short()).collect()
    }
}
