//! A text that is JSON itself, on its way through the matcher: it stands in a string of other JSON, or
//! as it is, where the bytes around it say how long it is.

use super::super::escape::{self, Unescape, Unit};
use super::super::output::Place;
use super::super::scalar;
use super::super::writing::Writing;
use super::inner::{Item, Step};
use super::{MAX_CHUNK_BYTES, Rewriter, Work};

impl Rewriter {
    /// Takes what a string begins with, which says whether it is JSON, and gives the rest.
    pub(super) fn json_begins<'r>(
        &mut self,
        raw: &'r [u8],
        place: Place,
        work: &mut Work<'_>,
    ) -> &'r [u8] {
        let mut rest = raw;
        while self.inner.is_unknown()
            && let Some((byte, later)) = rest.split_first()
        {
            self.units_inside(|unescape, emit| unescape.push(&[*byte], emit), place, work);
            rest = later;
        }
        rest
    }

    /// Takes a piece of a string that may be JSON as far as it has come.
    pub(super) fn json_inside(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        let waits = self.unescape.held() + self.nested.held() > 0;
        if !waits && memchr::memchr(b'\\', raw).is_none() && self.inner.passes(raw) {
            if !raw.is_empty() {
                self.plain(raw, place, work);
            }
            return;
        }
        for chunk in raw.chunks(MAX_CHUNK_BYTES) {
            self.units_inside(|unescape, emit| unescape.push(chunk, emit), place, work);
        }
    }

    /// Takes what `read` makes of bytes of such a string.
    pub(super) fn units_inside(
        &mut self,
        read: impl FnOnce(&mut Unescape, &mut dyn FnMut(Unit<'_>)),
        place: Place,
        work: &mut Work<'_>,
    ) {
        let mut unescape = std::mem::take(&mut self.unescape);
        read(&mut unescape, &mut |unit| match unit {
            Unit::Plain(bytes) => self.plain_inside(bytes, place, work),
            Unit::Escape { raw, decoded } => self.unit_inside((decoded, raw), place, work),
        });
        self.unescape = unescape;
        self.match_decoded(work);
    }

    /// Takes a piece of a text that stands as it is.
    pub(in crate::formats) fn raw_text(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        let mut rest = raw;
        // What it begins with says whether it is JSON.
        while self.inner.is_unknown()
            && let Some((byte, later)) = rest.split_first()
        {
            self.unit_inside((&[*byte], &[*byte]), place, work);
            rest = later;
        }
        self.match_decoded(work);
        if self.inner.may_be_json() || self.is_inside() {
            for chunk in rest.chunks(MAX_CHUNK_BYTES) {
                self.raw_inside(chunk, place, work);
            }
        } else if !rest.is_empty() {
            self.plain(rest, place, work);
        }
    }

    /// Takes a piece of such a text that may be JSON, or was until it broke.
    fn raw_inside(&mut self, raw: &[u8], place: Place, work: &mut Work<'_>) {
        let mut rest = raw;
        while let Some((byte, later)) = rest.split_first() {
            let text = if !self.inner.may_be_json() {
                rest.len()
            } else if self.inner.is_in_string() {
                memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
            } else {
                0
            };
            if text == 0 {
                self.unit_inside((&[*byte], &[*byte]), place, work);
                rest = later;
                continue;
            }
            let (now, later) = rest.split_at(text);
            self.inner.passes(now);
            self.text_inside(&Unit::Plain(now), place, work);
            rest = later;
        }
        self.match_decoded(work);
    }

    /// Whether what is read now is JSON in the text, so that its escapes are read as well.
    fn is_inside(&self) -> bool {
        self.writing == self.usual.inside()
    }

    fn plain_inside(&mut self, bytes: &[u8], place: Place, work: &mut Work<'_>) {
        let mut rest = bytes;
        while let Some((byte, later)) = rest.split_first() {
            // Within a string, and where nothing is to be told any more, all of it is text.
            let told = !self.inner.may_be_json() && !self.inner.is_unknown();
            if told || self.inner.passes(rest) {
                self.text_inside(&Unit::Plain(rest), place, work);
                return;
            }
            self.unit_inside((&[*byte], &[*byte]), place, work);
            rest = later;
        }
    }

    fn unit_inside(&mut self, (decoded, raw): (&[u8], &[u8]), place: Place, work: &mut Work<'_>) {
        let numbers = self.usual == Writing::JsonInJson;
        let unit = (decoded, raw);
        let step = self.inner.unit(unit, numbers, place, work.out);
        if self.inner.is_json() {
            self.writing = self.usual.inside();
        }
        match step {
            Step::Held => return,
            Step::Text => {}
            Step::Release => {
                let items = self.inner.take();
                self.text_of(&items, work);
            }
            Step::Scalar(front) => {
                let items = self.inner.take();
                let (front, number) = items.split_at(front.min(items.len()));
                self.text_of(front, work);
                self.write_scalar(number, work);
            }
            Step::Over => {
                self.match_decoded(work);
                self.finish_text(work);
                self.writing = self.usual;
            }
        }
        let unit = match raw == decoded {
            true => Unit::Plain(raw),
            false => Unit::Escape { raw, decoded },
        };
        self.text_inside(&unit, place, work);
    }

    /// Adds to the text what is given to the matcher with [`Self::match_decoded`].
    fn text_inside(&mut self, unit: &Unit<'_>, place: Place, work: &mut Work<'_>) {
        let is_inside = self.is_inside();
        let target = (&mut self.undecided, &mut self.decoded);
        if is_inside {
            self.nested.unit(unit, place, target, work.out);
            return;
        }
        let (raw, decoded, whole) = match unit {
            Unit::Plain(bytes) => (*bytes, *bytes, false),
            Unit::Escape { raw, decoded } => (*raw, *decoded, true),
        };
        target.0.add(place, raw, decoded.len(), whole, work.out);
        target.1.extend_from_slice(decoded);
    }

    fn match_decoded(&mut self, work: &mut Work<'_>) {
        let mut decoded = std::mem::take(&mut self.decoded);
        self.match_waiting(&decoded, work);
        decoded.clear();
        self.decoded = decoded;
    }

    /// What was held is text.
    fn text_of(&mut self, items: &[Item], work: &mut Work<'_>) {
        for item in items {
            let (raw, decoded) = (item.raw.as_slice(), item.decoded.as_slice());
            let unit = match raw == decoded {
                true => Unit::Plain(raw),
                false => Unit::Escape { raw, decoded },
            };
            self.text_inside(&unit, item.place, work);
            work.out.settle(item.place);
        }
    }

    /// Writes a number that was held, masked by itself; the text around it ends in front of it.
    fn write_scalar(&mut self, items: &[Item], work: &mut Work<'_>) {
        self.match_decoded(work);
        self.finish_text(work);
        let bytes = items.iter().flat_map(|item| item.decoded.iter().copied());
        let bytes: Vec<u8> = bytes.collect();
        let bare = bytes.trim_ascii_end();
        let mut masked = Vec::new();
        let named = (self.inner.name_of_held(), bare);
        scalar::mask(work.matcher, named, work.found, &mut masked);
        let changed = masked != bare;
        let mut written = Vec::new();
        match self.usual {
            _ if !changed => {}
            Writing::Raw => written = masked,
            _ => escape::write(&String::from_utf8_lossy(&masked), &mut written),
        }
        let mut rest = bare.len();
        for item in items {
            work.out.write(item.place, &std::mem::take(&mut written));
            if rest == 0 || !changed {
                work.out.write(item.place, &item.raw);
            }
            rest = rest.saturating_sub(item.decoded.len());
            work.out.settle(item.place);
        }
    }

    /// Nothing more comes of what is held.
    pub(super) fn end_inner(&mut self, work: &mut Work<'_>) {
        if self.inner.place().is_none() {
            return;
        }
        let is_number = self.inner.is_number();
        if is_number || (self.inner.is_json() && self.inner.ends()) {
            let items = self.inner.take();
            self.write_scalar(&items, work);
        } else {
            self.release_inner(work);
        }
    }

    /// What is held is text, whatever comes of it.
    pub(super) fn release_inner(&mut self, work: &mut Work<'_>) {
        self.inner.give_up();
        let items = self.inner.take();
        self.text_of(&items, work);
        self.match_decoded(work);
    }
}
