//! What tells one text of a stream from another, and what ends it.

use sha2::{Digest, Sha256};

use super::super::escape::{Unescape, Unit};
use super::super::texts::{Id, Owner};
use super::super::writing::Writing;
use super::segment::End;

/// A longer name is told from others by its digest.
const MAX_SHORT_NAME_BYTES: usize = 32;

/// A member's name as it reads, in bounded space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    bytes: [u8; MAX_SHORT_NAME_BYTES],
    /// The name's length, which may be greater.
    length: usize,
}

impl Name {
    /// Reads a name as it stands between its quotes.
    pub(super) fn read(raw: &[u8]) -> Self {
        let mut name = Vec::with_capacity(raw.len());
        let mut unescape = Unescape::default();
        let mut emit = |unit: Unit<'_>| match unit {
            Unit::Plain(bytes) => name.extend_from_slice(bytes),
            Unit::Escape { decoded, .. } => name.extend_from_slice(decoded),
        };
        unescape.push(raw, &mut emit);
        unescape.finish(&mut emit);
        let mut bytes = [0; MAX_SHORT_NAME_BYTES];
        match bytes.get_mut(..name.len()) {
            Some(short) => short.copy_from_slice(&name),
            None => bytes = Sha256::digest(&name).into(),
        }
        Self {
            bytes,
            length: name.len(),
        }
    }

    /// The name, or nothing for a long one.
    pub(super) fn short(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What tells an object from its siblings.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Its member `index`.
    pub(super) index: Option<i64>,
    /// Its place in its array, where that tells it from others.
    pub(super) position: Option<usize>,
    /// Its member `thought`.
    pub(super) thought: bool,
    /// What stands for the name that it has.
    pub(super) named: Option<i64>,
}

impl Scope {
    /// Which of its siblings the object is.
    pub(super) fn step(&self) -> Option<i64> {
        self.index.or_else(|| {
            self.position
                .and_then(|position| i64::try_from(position).ok())
        })
    }
}

/// A string that goes on in other events: the names above it, and the objects around it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) names: Vec<Name>,
    /// Its place in its list, and that of the list in others.
    pub(super) places: Vec<usize>,
    pub(super) scopes: Vec<usize>,
    pub(super) writing: Writing,
}

impl Piece {
    /// Whether both are members of one object.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let holder = |piece: &Self| {
            let (_, holder) = piece.names.split_last()?;
            Some((holder.to_vec(), piece.scopes.clone()))
        };
        holder(self) == holder(other)
    }
}

/// What the members of the event itself say.
#[derive(Debug, Default)]
pub(super) struct Event<'a> {
    /// `type`
    pub(super) kind: &'a [u8],
    /// `event` or `event_type`
    pub(super) name: &'a [u8],
    /// `item_id`
    pub(super) item: &'a [u8],
    /// `id`
    pub(super) id: &'a [u8],
    /// `messageId`
    pub(super) message: &'a [u8],
    /// `toolCallId`
    pub(super) call: &'a [u8],
    /// `output_index`
    pub(super) output: Option<i64>,
    /// `content_index`
    pub(super) content: Option<i64>,
    /// `summary_index`
    pub(super) summary: Option<i64>,
    /// `contentBlockIndex`, wherever it stands
    pub(super) block: Option<i64>,
    /// `lastChunk`, wherever it stands
    pub(super) last_chunk: bool,
}

/// A number that stands for a name.
pub(super) fn number(name: &[u8]) -> i64 {
    let digest: Id = Sha256::digest(name).into();
    digest
        .first_chunk()
        .map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

impl Event<'_> {
    /// The parts of the AI SDK's messages, and AG-UI's messages, have names where others have an
    /// `output_index`. In events of other kinds, an `id` may be another each time.
    pub(super) fn name_part(&mut self) {
        let name = match self.kind {
            b"text-delta" | b"text-end" | b"reasoning-delta" | b"reasoning-end" => self.id,
            b"tool-input-delta" | b"tool-input-available" | b"tool-input-error" => self.call,
            b"TEXT_MESSAGE_CONTENT" | b"TEXT_MESSAGE_END" => self.message,
            b"TOOL_CALL_ARGS" | b"TOOL_CALL_END" => self.call,
            _ => return,
        };
        if !name.is_empty() {
            self.output = Some(number(name));
        }
    }

    /// Which texts this kind of event ends.
    pub(super) fn end(&self, block: Option<i64>) -> Option<End> {
        match self.kind {
            b"content_block_stop" | b"content-end" | b"tool-call-end" => block.map(End::Block),
            b"message_stop"
            | b"message-end"
            | b"response.completed"
            | b"response.failed"
            | b"response.incomplete"
            | b"finish" => Some(End::All),
            b"text-end"
            | b"reasoning-end"
            | b"tool-input-available"
            | b"tool-input-error"
            | b"TEXT_MESSAGE_END"
            | b"TOOL_CALL_END" => self.output.map(End::Output),
            kind if kind.ends_with(b".done") => self.output.map(End::Output),
            _ if matches!(self.name, b"end" | b"message_end") => Some(End::All),
            _ => None,
        }
    }

    /// Names each piece's text.
    pub(super) fn identify(
        &self,
        pieces: &[Piece],
        scopes: &[Scope],
        block: Option<i64>,
    ) -> Vec<(Id, Owner, Writing)> {
        let own = self.digest();
        // Responses: `response.function_call_arguments.delta` and its like.
        let arguments = self.kind.ends_with(b"_arguments.delta") || self.kind == b"TOOL_CALL_ARGS";
        let identify = |piece: &Piece| {
            let mut digest = Sha256::new();
            digest.update(own);
            for name in &piece.names {
                digest.update((name.length as u64).to_le_bytes());
                digest.update(name.bytes);
            }
            let mut owner = Owner {
                choice: None,
                block,
                output: self.output,
            };
            // Beside a token of TGI's, the event's `index` counts the tokens.
            let first = piece.names.first().map(Name::short);
            let counted = matches!(first, Some(b"token" | b"top_tokens"));
            let told = piece.scopes.iter().skip(usize::from(counted));
            for scope in told.filter_map(|scope| scopes.get(*scope)) {
                digest.update([u8::from(scope.thought)]);
                add(&mut digest, scope.step());
                add(&mut digest, scope.named);
                owner.output = owner.output.or(scope.named);
                if scope.position.is_some() {
                    owner.choice = owner.choice.or(scope.step());
                }
            }
            for place in &piece.places {
                let place = i64::try_from(*place).ok();
                add(&mut digest, place);
                owner.choice = owner.choice.or(place);
            }
            let writing = if arguments {
                Writing::JsonInJson
            } else {
                piece.writing
            };
            (digest.finalize().into(), owner, writing)
        };
        pieces.iter().map(identify).collect()
    }

    fn digest(&self) -> Id {
        let mut digest = Sha256::new();
        for index in [self.output, self.content, self.summary] {
            add(&mut digest, index);
        }
        for told in [self.kind, self.name] {
            digest.update((told.len() as u64).to_le_bytes());
            digest.update(told);
        }
        // Some gateways give an item another id in each event, but never another index.
        if self.output.is_none() {
            digest.update(self.item);
        }
        digest.finalize().into()
    }
}

fn add(digest: &mut Sha256, index: Option<i64>) {
    digest.update([u8::from(index.is_some())]);
    digest.update(index.unwrap_or(0).to_le_bytes());
}
