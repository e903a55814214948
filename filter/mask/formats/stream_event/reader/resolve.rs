//! What an event comes to, now that every member of it has been read.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::layout::Met;
use super::super::super::opaque;
use super::super::super::writing::Writing;
use super::super::segment::{End, Kind, Payload, Segment};
use super::super::shapes;
use super::Reader;
use crate::policy::{Class, Treatment};

/// An event with more strings that may go on is a whole answer.
const MAX_CANDIDATES: usize = 32;

impl Reader<'_> {
    /// Names the texts and the ends, now that every member has been seen.
    pub(super) fn resolve(mut self) -> Payload {
        let first = self.scopes.first().and_then(|event| event.index);
        let block = self.event.block.or(first);
        self.take_candidates();
        self.event.name_part();
        self.payload.texts = self.event.identify(&self.pieces, &self.scopes, block);
        let choices = self
            .finished
            .iter()
            .filter_map(|scope| self.scopes.get(*scope));
        let ends = choices.map(|scope| scope.step().map_or(End::All, End::Choice));
        self.payload.ends.extend(ends.chain(self.event.end(block)));
        if self.event.last_chunk {
            let named = self.scopes.iter().filter_map(|scope| scope.named);
            self.payload.ends.extend(named.map(End::Output));
        }
        self.pass_what_is_no_text();
        // A copy is only found at its end, behind the segments in it.
        base::sort::sort_by_key(&mut self.payload.segments, |segment| segment.start);
        self.payload
    }

    /// Strings that no dialect knows go on in other events, too, as long as nothing says otherwise:
    /// beside one that does, and in events of which nothing at all is known.
    fn take_candidates(&mut self) {
        let candidates = std::mem::take(&mut self.candidates);
        let texts = self.pieces.len();
        let told = texts > self.kept.len() || shapes::is_kind_of_event(self.event.kind);
        if candidates.len() > MAX_CANDIDATES {
            return;
        }
        for (index, piece) in candidates {
            let known = self.pieces.iter().enumerate().take(texts);
            let mut known = known.filter(|(text, _)| !self.kept.contains(text));
            if told && !known.any(|(_, known)| known.is_beside(&piece)) {
                continue;
            }
            let text = self.pieces.len();
            if let Some(segment) = self.payload.segments.get_mut(index) {
                segment.kind = Kind::Perhaps(text);
                self.pieces.push(piece);
            }
        }
    }

    /// Of the strings whose place means something else in other kinds of events, or beside other members,
    /// those are treated so that are something else in this one.
    fn pass_what_is_no_text(&mut self) {
        let (Some(mask), Some(layout)) = (self.mask, self.layout) else {
            return;
        };
        let mut objects: BTreeMap<usize, Met> = BTreeMap::new();
        let mut passed = BTreeSet::new();
        for (index, at, object) in std::mem::take(&mut self.depending) {
            let json = || self.bytes.get(object..).unwrap_or_default();
            let met = objects.entry(object).or_insert_with(|| layout.met(json()));
            let class = layout.class(at, self.event.kind, *met);
            let Some(segment) = self.payload.segments.get_mut(index) else {
                continue;
            };
            let range = segment.start..segment.end;
            let kept = match segment.kind {
                Kind::Piece(text) | Kind::Perhaps(text) | Kind::Label(text) if mask.guards() => {
                    Some(Kind::Kept(text))
                }
                _ => None,
            };
            match (class, mask.treats(class)) {
                (Class::File, _) => segment.kind = Kind::File,
                (_, Treatment::Mask) => {}
                (_, Treatment::Drop) => segment.kind = Kind::Dropped,
                (Class::Data, Treatment::Pass) => {
                    let from = opaque::passing(self.bytes.get(range).unwrap_or_default());
                    if segment.start + from < segment.end {
                        segment.start += from;
                        segment.kind = Kind::Whole(Writing::Json);
                    } else if let Some(kept) = kept {
                        segment.kind = kept;
                    } else {
                        passed.insert(index);
                    }
                }
                (_, Treatment::Pass) => match kept {
                    Some(kept) => segment.kind = kept,
                    None => {
                        passed.insert(index);
                    }
                },
            }
        }
        if passed.is_empty() {
            return;
        }
        let mut index = 0..;
        let stays = |_: &Segment| index.next().is_none_or(|index| !passed.contains(&index));
        self.payload.segments.retain(stays);
    }
}
