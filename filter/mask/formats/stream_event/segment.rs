//! What reading an event's payload gives: its texts, and which of them it ends.

use super::super::text_id::{self, Id};
use super::super::texts::Owner;
use super::super::writing::Writing;

/// A text within the payload, by its place there, without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Segment {
    pub(in crate::formats) start: usize,
    pub(in crate::formats) end: usize,
    pub(in crate::formats) kind: Kind,
    /// Whether another value in its place says nothing about the event's texts.
    pub(in crate::formats) varies: bool,
}

/// What a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Kind {
    /// A string that is a text of its own, whose replacements are written so.
    Whole(Writing),
    /// A string that is a piece of the text at this index of [`Payload::texts`].
    Piece(usize),
    /// A string that may be a piece of the text at this index of [`Payload::texts`], or the text so far.
    Perhaps(usize),
    /// A string that passes, but for the guard's own secrets: a piece of the text at this index.
    Kept(usize),
    /// A string that is a text of its own, and in which a reader of everything may see a piece of the
    /// text at this index.
    Label(usize),
    /// A token of the text at this index of [`Payload::texts`], and the token's number.
    Token(usize, usize),
    /// A number or a literal name.
    Scalar,
    /// The same where only numbers may stand.
    Number,
    /// Base64 of a file, which may be one of text.
    File,
    /// A string that is left out.
    Dropped,
    /// Here begins what is no more than another form of this token, and is replaced if that is.
    Copy(usize, &'static [u8]),
    /// Here ends what the last [`Kind::Copy`] that has not ended began.
    CopyEnd,
}

/// Which texts an event ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum End {
    /// A choice's.
    Choice(i64),
    /// A content block's.
    Block(i64),
    /// An output item's.
    Output(i64),
    /// All.
    All,
}

impl End {
    /// Whether it ends the texts of this owner.
    pub(in crate::formats) fn ends(self, owner: &Owner) -> bool {
        match self {
            Self::All => true,
            Self::Choice(choice) => owner.choice == Some(choice),
            Self::Block(block) => owner.block == Some(block),
            Self::Output(output) => owner.output == Some(output),
        }
    }
}

/// What reading an event's payload has found.
#[derive(Debug, Default)]
pub(in crate::formats) struct Payload {
    pub(in crate::formats) segments: Vec<Segment>,
    pub(in crate::formats) texts: Vec<(Id, Owner, Writing)>,
    pub(in crate::formats) ends: Vec<End>,
    /// Where the segments begin that are base64 of a payload of their own.
    pub(in crate::formats) coded: Vec<usize>,
}

impl Payload {
    /// The same in an event or line of this kind, whose texts are others than those of other kinds.
    pub(in crate::formats) fn of_kind(mut self, kind: &[u8]) -> Self {
        for (id, ..) in &mut self.texts {
            *id = text_id::of_kind(id, kind);
        }
        self
    }

    /// The same where what may go on does so only for a reader of everything.
    pub(in crate::formats) fn of_labels(mut self) -> Self {
        for segment in &mut self.segments {
            if let Kind::Perhaps(text) = segment.kind {
                segment.kind = Kind::Label(text);
            }
        }
        self
    }

    /// The same in an event of this name. It tells texts apart of which nobody knows that they go on;
    /// the others go on whatever some event on their way is called.
    pub(in crate::formats) fn in_event(mut self, name: &[u8]) -> Self {
        let known = |index: usize| {
            let is_of = |kind: &Kind| match kind {
                Kind::Piece(text) | Kind::Kept(text) | Kind::Label(text) | Kind::Token(text, _) => {
                    *text == index
                }
                _ => false,
            };
            self.segments.iter().any(|segment| is_of(&segment.kind))
        };
        let unknown: Vec<usize> = (0..self.texts.len()).filter(|it| !known(*it)).collect();
        for index in unknown {
            if let Some((id, ..)) = self.texts.get_mut(index) {
                *id = text_id::of_kind(id, name);
            }
        }
        self
    }
}
