//! What the members of an event say of it, of its objects, and of the texts in it.

use super::super::frame::{self, Frame};
use super::super::identity::{Name, Piece, Scope, number};
use super::super::segment::End;
use super::super::shapes;
use super::Reader;

impl Reader<'_> {
    /// Whether the object at this depth is the member of this name.
    fn is_member(&self, depth: usize, name: &[u8]) -> bool {
        let holder = depth
            .checked_sub(1)
            .and_then(|above| self.frames.get(above));
        holder.is_some_and(|holder| holder.object && holder.name.short() == name)
    }

    pub(super) fn piece(&mut self) -> Piece {
        let depths = 0..self.frames.len();
        let scopes = depths.filter_map(|depth| self.scope(depth)).collect();
        let objects = self.frames.iter().filter(|frame| frame.object);
        let lists = self.frames.iter().rev().take_while(|frame| !frame.object);
        let holder = self.frames.iter().rev().find(|frame| frame.object);
        let holder = holder.map(|holder| holder.name);
        let name = holder.as_ref().map_or(&b""[..], |name| name.short());
        let mut names: Vec<Name> = objects.map(|frame| frame.name).collect();
        let mut places: Vec<usize> = lists.map(|list| list.position).collect();
        if shapes::are_in_order(name) {
            places.clear();
        } else if shapes::lists_alternatives(name) {
            // The last one says to which token they belong.
            places.pop();
        }
        // The number of the token is its name.
        if frame::is_first_of_prompt(&self.frames)
            && let [.., number, _] = names.as_mut_slice()
        {
            *number = Name::default();
        }
        Piece {
            names,
            places,
            scopes,
            writing: self.writing(),
        }
    }

    /// The scope of the object at this depth; none for an array.
    pub(super) fn scope(&mut self, depth: usize) -> Option<usize> {
        let frame = self.frames.get(depth).filter(|frame| frame.object)?;
        if frame.scope.is_some() {
            return frame.scope;
        }
        // The parts of a candidate's content follow one another, and so do tokens in a list: their
        // place says nothing.
        let place = |array: &Frame| (!array.object).then_some(array.position);
        let array = depth
            .checked_sub(1)
            .and_then(|above| self.frames.get(above))
            .and_then(place);
        let in_order = depth
            .checked_sub(2)
            .and_then(|above| self.frames.get(above))
            .is_some_and(|holder| holder.object && shapes::are_in_order(holder.name.short()));
        self.scopes.push(Scope {
            position: array.filter(|_| !in_order),
            ..Scope::default()
        });
        let scope = self.scopes.len() - 1;
        self.frames.get_mut(depth)?.scope = Some(scope);
        Some(scope)
    }

    /// The choice ends that the object at this depth is or is in: an element of an array.
    fn choice_ends(&mut self, depth: usize) {
        let element = |depth: &usize| {
            let above = depth
                .checked_sub(1)
                .and_then(|above| self.frames.get(above));
            above.is_some_and(|above| !above.object)
        };
        let choice = (0..=depth).rev().find(element).unwrap_or(0);
        if let Some(scope) = self.scope(choice) {
            self.finished.push(scope);
        }
    }

    /// Notes what a member says about its object or its event.
    pub(super) fn member(&mut self, start: usize, end: usize, string: bool) {
        let depth = self.frames.len().saturating_sub(1);
        let Some(frame) = self.frames.last().filter(|frame| frame.object) else {
            return;
        };
        let name = frame.name;
        let value = self.slice((start, end));
        let integer = || {
            std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.parse::<i64>().ok())
        };
        match (name.short(), string) {
            (b"index", false) => {
                let index = integer();
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.index = index;
                }
            }
            (b"contentBlockIndex", false) => {
                let index = integer();
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.index = index;
                }
                self.event.block = index;
                if self.is_member(depth, b"contentBlockStop") {
                    self.payload.ends.extend(index.map(End::Block));
                }
            }
            (b"stopReason", true) if self.is_member(depth, b"messageStop") => {
                self.payload.ends.push(End::All);
            }
            (b"thought", false) => {
                let thought = value == b"true";
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.thought = thought;
                }
            }
            // A2A: the pieces of each artifact are a text of its own.
            (b"artifactId", true) => {
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.named = Some(number(value));
                }
            }
            (b"lastChunk", false) => self.event.last_chunk = value == b"true",
            (b"final", false) if value == b"true" && self.is_member(depth, b"result") => {
                self.payload.ends.push(End::All);
            }
            (b"finish_reason" | b"finishReason", true) if !matches!(value, b"" | b"null") => {
                self.choice_ends(depth);
            }
            // Mistral on Bedrock.
            (b"stop_reason", true) if self.amazon && !matches!(value, b"" | b"null") => {
                self.choice_ends(depth);
            }
            (b"output_index", false) if depth == 0 => self.event.output = integer(),
            (b"content_index", false) if depth == 0 => self.event.content = integer(),
            (b"summary_index", false) if depth == 0 => self.event.summary = integer(),
            (b"done", false) if depth == 0 && value == b"true" => self.payload.ends.push(End::All),
            // llama.cpp; elsewhere it is no literal name.
            (b"stop", false) if depth == 0 && value == b"true" => self.payload.ends.push(End::All),
            // Of TGI, which says it behind the last token; others stream so.
            (b"generated_text", true) if depth == 0 && self.has_token() => {
                self.payload.ends.push(End::All);
            }
            (b"type", true) if depth == 0 => self.event.kind = value,
            (b"item_id", true) if depth == 0 => self.event.item = value,
            (b"event" | b"event_type", true) if depth == 0 => self.event.name = value,
            (b"id", true) if depth == 0 => self.event.id = value,
            (b"messageId", true) if depth == 0 => self.event.message = value,
            (b"toolCallId", true) if depth == 0 => self.event.call = value,
            _ => {}
        }
    }

    /// Whether the event has one of TGI's tokens.
    fn has_token(&self) -> bool {
        let is_token =
            |piece: &Piece| matches!(piece.names.first(), Some(name) if name.short() == b"token");
        self.pieces.iter().any(is_token)
    }
}
