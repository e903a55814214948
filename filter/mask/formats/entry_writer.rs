//! Gives the texts of one event or message to the matcher, in the order in which they stand.

use super::findings::Findings;
use super::opaque::{self, Url};
use super::output::{Direct, Place};
use super::pending_entries::Length;
use super::rewriter::{Rewriter, Work};
use super::stream_event::{Kind, Payload};
use super::text_id;
use super::texts::{Id, Owner, Texts};
use super::unknown_texts::Relation;
use super::writing::Writing;
use super::{base64, member, scalar};
use crate::{CompiledMask, Matcher};
use base::wire::Range;

/// An entry on its way into the queue.
pub(super) struct EntryWriter<'a> {
    texts: &'a mut Texts,
    mask: &'a CompiledMask,
    found: &'a mut Findings,
    bytes: &'a [u8],
    /// How much of the entry is in the queue.
    written: usize,
    /// Nothing matched in the texts that stand wholly in the entry.
    unchanged: bool,
}

impl<'a> EntryWriter<'a> {
    /// Begins an entry of these bytes.
    pub(super) fn new(
        texts: &'a mut Texts,
        mask: &'a CompiledMask,
        found: &'a mut Findings,
        bytes: &'a [u8],
    ) -> Self {
        texts.pending.begin(bytes.len());
        Self {
            texts,
            mask,
            found,
            bytes,
            written: 0,
            unchanged: true,
        }
    }

    /// The rest of the entry is no text. Gives back whether nothing matched in the texts that stand
    /// wholly in the entry.
    pub(super) fn end(mut self) -> bool {
        self.pass_to(self.bytes.len());
        self.unchanged
    }

    /// Bytes of the entry.
    pub(super) fn slice(&self, (start, end): Range) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Everything up to `end` that has not been written yet is not text.
    pub(super) fn pass_to(&mut self, end: usize) {
        if end > self.written {
            self.texts.pending.literal(self.slice((self.written, end)));
            self.written = end;
        }
    }

    /// The length at `prefix` counts what follows, up to the [`EntryWriter::end_counted`] for it.
    pub(super) fn begin_counted(&mut self, length: Length, prefix: Range, said: usize) {
        self.pass_to(prefix.0);
        self.texts
            .pending
            .begin_counted(length, self.slice(prefix), said);
        self.written = prefix.1;
    }

    /// The length-delimited field ends at `end`.
    pub(super) fn end_counted(&mut self, end: usize) {
        self.pass_to(end);
        self.texts.pending.end_wrapped();
    }

    /// What stands at `range` is written anew as base64 of what `feed` makes of `inside`, which it
    /// stands for. Gives back what `feed` does.
    pub(super) fn base64<T>(
        &mut self,
        range: Range,
        inside: &[u8],
        feed: impl FnOnce(&mut EntryWriter<'_>) -> T,
    ) -> T {
        self.pass_to(range.0);
        self.texts.pending.begin_base64();
        let mut writer = EntryWriter {
            texts: &mut *self.texts,
            mask: self.mask,
            found: &mut *self.found,
            bytes: inside,
            written: 0,
            unchanged: true,
        };
        let given = feed(&mut writer);
        self.unchanged &= writer.end();
        self.texts.pending.end_wrapped();
        self.written = range.1;
        given
    }

    /// The entry's bytes up to `payload` are the frame and the headers of a message of AWS's event
    /// streams, which is written with `headers` instead; its payload ends with the
    /// [`EntryWriter::end_amazon_message`] for it.
    pub(super) fn begin_amazon_message(&mut self, headers: Vec<u8>, payload: usize) {
        self.texts.pending.begin_amazon_message(headers);
        self.written = payload;
    }

    /// The payload ends at `end`; what follows in the entry is the rest of the frame.
    pub(super) fn end_amazon_message(&mut self, end: usize) {
        self.pass_to(end);
        self.texts.pending.end_wrapped();
        self.written = self.bytes.len();
    }

    /// The text `id` ends in front of what comes next.
    pub(super) fn end_text(&mut self, id: &Id) {
        self.texts.end(id, self.mask, self.found);
    }

    /// A complete text.
    pub(super) fn whole(&mut self, range: Range, writing: Writing) {
        if matches!(writing, Writing::Json | Writing::JsonInJson) {
            match opaque::data_url(self.slice(range)) {
                Url::Data(head) => return self.data((range.0 + head, range.1)),
                Url::File(head) => return self.file((range.0 + head, range.1)),
                Url::Open | Url::No => {}
            }
        }
        if writing == Writing::Json && self.text_in_base64(range) {
            return;
        }
        self.text(range, writing);
    }

    /// A string of the text `id`: a piece of it, or all that there is of it so far. If that it goes on is
    /// not `known`, it may also be a text of its own.
    pub(super) fn goes_on(
        &mut self,
        range: Range,
        (id, owner): (&Id, Owner),
        writing: Writing,
        known: bool,
    ) {
        let raw = self.slice(range);
        if raw.is_empty() {
            return;
        }
        // Where nothing but a secret changes, a text so far has it whole in some event.
        if self.mask.reads_all() {
            return self.piece(range, (id, owner), writing);
        }
        let (mask, matcher) = (self.mask, self.mask.matcher());
        let name = member::name_before(self.bytes, range.0.saturating_sub(1));
        let relation = self.texts.relation(id, raw, known, |open| {
            if !known && is_coded(mask, raw) {
                return true;
            }
            let mut named = Rewriter::new(writing);
            named.named(name);
            let alone = finds(matcher, named, raw, writing);
            // Then there is nothing to hide. What stands in front is the beginning of a known text.
            if alone == 0 && (known || open.is_none_or(|open| open.waits_in().is_none())) {
                return false;
            }
            let open = || open.cloned().unwrap_or_else(|| Rewriter::new(writing));
            finds(matcher, open(), raw, writing) < finds(matcher, open(), b"", writing) + alone
        });
        let seen = match relation {
            Relation::Pieces => return self.piece(range, (id, owner), writing),
            Relation::Whole => {
                self.end_text(id);
                return match mask.guards() {
                    true => self.kept(range, (id, owner), writing, true),
                    false => self.whole(range, writing),
                };
            }
            Relation::Piece => None,
            Relation::SoFar(seen) => Some(seen),
        };
        if seen == Some(0) {
            self.end_text(id);
        }
        self.pass_to(range.0);
        let first = seen.is_none_or(|seen| seen == 0);
        self.texts.pending.begin_so_far(*id, first);
        let new = (range.0 + seen.unwrap_or_default(), range.1);
        self.add(new, (id, owner), (writing, false), None);
        self.texts.pending.end_wrapped();
        self.written = range.1;
    }

    /// A string of the text `id` that passes but for the guard's own secrets; a `label` only as long as
    /// nothing is found in it.
    fn kept(&mut self, range: Range, (id, owner): (&Id, Owner), writing: Writing, label: bool) {
        // The same place may be masked in other events.
        let id = text_id::of_kind(id, b"kept");
        let raw = self.slice(range);
        let found = || {
            let mut named = Rewriter::new(writing);
            named.named(member::name_before(self.bytes, range.0.saturating_sub(1)));
            is_coded(self.mask, raw) || finds(self.mask.matcher(), named, raw, writing) > 0
        };
        if label && found() {
            self.end_text(&id);
            return self.whole(range, writing);
        }
        self.pass_to(range.0);
        self.add(range, (&id, owner), (writing, true), None);
    }

    /// Base64 of a file, or a data URL of one. It is one of text if it is masked as such.
    fn file(&mut self, range: Range) {
        let head = match opaque::data_url(self.slice(range)) {
            Url::Data(head) => return self.data((range.0 + head, range.1)),
            Url::File(head) => head,
            Url::Open | Url::No => 0,
        };
        let range = (range.0 + head, range.1);
        if !self.text_in_base64(range) {
            self.data(range);
        }
    }

    /// What is no text as long as it could be base64.
    fn data(&mut self, range: Range) {
        let length = opaque::passing(self.slice(range));
        if range.0 + length < range.1 {
            self.text((range.0 + length, range.1), Writing::Json);
        }
    }

    /// Masks what is base64 of text, where that is asked for; false if nothing was.
    fn text_in_base64(&mut self, range: Range) -> bool {
        let raw = self.slice(range);
        let masked =
            (self.mask.reads_base64()).then(|| base64::mask(self.mask.matcher(), raw, self.found));
        let Some(masked) = masked.flatten() else {
            return false;
        };
        self.pass_to(range.0);
        self.unchanged = false;
        self.texts.pending.literal(&masked);
        self.written = range.1;
        true
    }

    fn text(&mut self, range: Range, writing: Writing) {
        self.pass_to(range.0);
        let raw = self.slice(range);
        let matched = self.found.counts.total();
        let mut masked = Vec::with_capacity(raw.len());
        let mut rewriter = Rewriter::new(writing);
        if writing == Writing::Json {
            rewriter.named(member::name_before(self.bytes, range.0.saturating_sub(1)));
        }
        let mut out = Direct(&mut masked);
        let mut work = Work {
            matcher: self.mask.matcher(),
            out: &mut out,
            found: self.found,
        };
        push(&mut rewriter, raw, Place::default(), writing, &mut work);
        rewriter.finish(&mut work);
        self.unchanged &= self.found.counts.total() == matched;
        self.texts.pending.literal(&masked);
        self.written = range.1;
    }

    /// A text that is masked whole by `write`, which gives nothing where the text stays.
    pub(super) fn rewrite(
        &mut self,
        range: Range,
        write: impl FnOnce(&CompiledMask, &[u8], &mut Findings) -> Option<Vec<u8>>,
    ) {
        self.pass_to(range.0);
        if let Some(masked) = write(self.mask, self.slice(range), self.found) {
            self.unchanged = false;
            self.texts.pending.literal(&masked);
            self.written = range.1;
        }
    }

    /// A number or a literal name of JSON.
    pub(super) fn scalar(&mut self, range: Range, write: scalar::Write) {
        self.pass_to(range.0);
        let mut masked = Vec::new();
        let matched = self.found.counts.total();
        let named = (member::name_before(self.bytes, range.0), self.slice(range));
        write(self.mask.matcher(), named, self.found, &mut masked);
        self.unchanged &= self.found.counts.total() == matched;
        self.texts.pending.literal(&masked);
        self.written = range.1;
    }

    /// A segment of JSON that stands at `range`.
    pub(super) fn segment(&mut self, range: Range, kind: Kind, payload: &Payload) {
        match kind {
            Kind::Whole(writing) => self.whole(range, writing),
            Kind::Scalar => self.scalar(range, scalar::mask),
            Kind::Number => self.scalar(range, scalar::mask_to_number),
            Kind::File => self.file(range),
            Kind::Piece(text) | Kind::Perhaps(text) => {
                if let Some((id, owner, writing)) = payload.texts.get(text) {
                    let known = matches!(kind, Kind::Piece(_));
                    self.goes_on(range, (id, *owner), *writing, known);
                }
            }
            Kind::Kept(text) | Kind::Label(text) => {
                if let Some((id, owner, writing)) = payload.texts.get(text) {
                    self.kept(range, (id, *owner), *writing, kind == Kind::Label(text));
                }
            }
            Kind::Dropped => {
                self.pass_to(range.0);
                self.written = range.1;
            }
            Kind::Token(text, number) => {
                if let Some((id, owner, writing)) = payload.texts.get(text) {
                    self.pass_to(range.0);
                    self.texts.pending.begin_token(number, self.slice(range));
                    self.piece(range, (id, *owner), *writing);
                    self.texts.pending.end_token();
                }
            }
            Kind::Copy(token, put) => {
                self.pass_to(range.0);
                self.texts.pending.begin_copy(token, put);
            }
            Kind::CopyEnd => {
                self.pass_to(range.0);
                self.texts.pending.end_copy();
            }
        }
    }

    /// A piece of the text `id`, which goes on in other entries.
    pub(super) fn piece(&mut self, range: Range, (id, owner): (&Id, Owner), writing: Writing) {
        self.pass_to(range.0);
        self.add(range, (id, owner), (writing, false), None);
    }

    /// A piece of the text `id` on a line behind the last one. What stands in between is no
    /// text (`joint`: it separates the lines, and is removed where a match spans it).
    pub(super) fn next_line(&mut self, range: Range, (id, owner): (&Id, Owner), joint: bool) {
        let between = if joint {
            (self.written, range.0)
        } else {
            (0, 0)
        };
        if !joint {
            self.pass_to(range.0);
        }
        self.add(range, (id, owner), (Writing::Line, false), Some(between));
    }

    fn add(
        &mut self,
        range: Range,
        (id, owner): (&Id, Owner),
        (writing, kept): (Writing, bool),
        joint: Option<Range>,
    ) {
        let raw = self.slice(range);
        if raw.is_empty() && joint.is_none() {
            // The text does not go on here; what it waits for may never come.
            self.written = range.1;
            return;
        }
        let joint = joint.map(|joint| self.slice(joint));
        self.texts.feed(
            id,
            owner,
            (writing, kept),
            (self.mask, self.found),
            |rewriter, place, work| {
                if let Some(joint) = joint {
                    rewriter.whole(joint, b"\n", place, work);
                }
                push(rewriter, raw, place, writing, work);
            },
        );
        self.written = range.1;
    }
}

/// Whether a string stands for something else, as base64 does.
fn is_coded(mask: &CompiledMask, raw: &[u8]) -> bool {
    let url = matches!(opaque::data_url(raw), Url::Data(_) | Url::File(_));
    let coded = || base64::mask(mask.matcher(), raw, &mut Findings::default()).is_some();
    url || (mask.reads_base64() && coded())
}

/// How often something is found in a string that ends a text, of which the rest has been read already.
fn finds(matcher: &Matcher, mut text: Rewriter, raw: &[u8], writing: Writing) -> u64 {
    let mut found = Findings::default();
    let mut nowhere = Vec::new();
    let mut work = Work {
        matcher,
        out: &mut Direct(&mut nowhere),
        found: &mut found,
    };
    push(&mut text, raw, Place::default(), writing, &mut work);
    text.finish(&mut work);
    found.counts.total()
}

fn push(rewriter: &mut Rewriter, raw: &[u8], place: Place, writing: Writing, work: &mut Work<'_>) {
    match writing {
        Writing::Json | Writing::JsonInJson => {
            rewriter.json(raw, place, work);
            rewriter.end_string(place, work);
        }
        Writing::Raw => rewriter.raw_text(raw, place, work),
        _ => rewriter.plain(raw, place, work),
    }
}
