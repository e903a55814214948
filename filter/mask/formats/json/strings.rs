//! Strings that are values, as far as not all of what is in them is text.

use super::{Json, JsonPosition};
use crate::formats::walk::Job;
use crate::formats::writing::Writing;
use crate::formats::{base64, opaque};
use crate::policy::{Class, Treatment};
use crate::prefilter;

impl Json {
    /// The quote in front of a value has been read.
    pub(super) fn begin_string(&mut self, job: &Job<'_>) {
        let holds_json = std::mem::take(&mut self.holds_json);
        self.string.set_writing(match holds_json {
            true => Writing::JsonInJson,
            false => Writing::Json,
        });
        self.string.named(&self.name);
        let class = self.places.class(job.layout);
        self.position = match (class, job.mask.treats(class)) {
            (Class::Data, _) => JsonPosition::Data { passed: false },
            // It may say of what type it is.
            (Class::File, _) => JsonPosition::Url,
            (_, Treatment::Pass) => JsonPosition::Passed { escaped: false },
            (_, Treatment::Drop) => JsonPosition::Dropped { escaped: false },
            (_, Treatment::Mask) => JsonPosition::Url,
        };
    }

    /// Holds a string as long as it may begin as a data URL.
    pub(super) fn in_url(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        // Few strings do.
        if self.run.is_empty()
            && opaque::data_url(piece.get(..1).unwrap_or(piece)) == opaque::Url::No
        {
            self.no_url(job);
            return 0;
        }
        for (index, byte) in piece.iter().enumerate() {
            // The closing quote ends it in any case.
            self.run.push(*byte);
            let (length, position) = match opaque::data_url(&self.run) {
                opaque::Url::Open => continue,
                opaque::Url::No => {
                    self.run.pop();
                    self.no_url(job);
                    return index;
                }
                opaque::Url::Data(length) => (length, JsonPosition::Data { passed: false }),
                opaque::Url::File(length) => (length, self.file(job)),
            };
            debug_assert_eq!(length, self.run.len());
            job.out.append(&mut self.run);
            self.position = position;
            return index + 1;
        }
        piece.len()
    }

    /// How base64 of a file is read that may be one of text.
    fn file(&self, job: &Job<'_>) -> JsonPosition {
        match job.mask.reads_base64() {
            true => JsonPosition::Base64 { file: true },
            false => JsonPosition::Data { passed: false },
        }
    }

    /// What is held is no data URL's head.
    pub(super) fn no_url(&mut self, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.run);
        self.position = match self.places.class(job.layout) {
            Class::File => self.file(job),
            _ if job.mask.reads_base64() => JsonPosition::Base64 { file: false },
            _ => JsonPosition::String { escaped: false },
        };
        self.take(&held, job);
    }

    /// Holds a string as long as it may be base64 of text.
    pub(super) fn in_base64(&mut self, piece: &[u8], file: bool, job: &mut Job<'_>) -> usize {
        let end = piece.iter().position(|byte| !base64::is_base64(*byte));
        let (now, later) = piece.split_at(end.unwrap_or(piece.len()));
        self.run.extend_from_slice(now);
        let ends = later.first() == Some(&b'"');
        if self.run.len() <= base64::MAX_BASE64_BYTES && (ends || later.is_empty()) {
            if ends && let Some(masked) = base64::mask(job.mask.matcher(), &self.run, job.found) {
                self.run.clear();
                job.out.extend(masked);
                job.out.push(b'"');
                self.position = JsonPosition::Outside;
                return now.len() + 1;
            }
            if !ends {
                return now.len();
            }
        }
        self.no_base64(file, job);
        now.len()
    }

    /// What is held is no base64 of text.
    pub(super) fn no_base64(&mut self, file: bool, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.run);
        self.position = match file {
            true => JsonPosition::Data { passed: false },
            false => JsonPosition::String { escaped: false },
        };
        self.take(&held, job);
    }

    /// Passes what could be base64. What can't is text, from there on; if it comes soon, so is what
    /// stands in front of it, which is held as long as it may.
    pub(super) fn in_data(&mut self, piece: &[u8], passed: bool, job: &mut Job<'_>) -> usize {
        if self.run.last() == Some(&b'\\') {
            let escape = piece.first().filter(|byte| opaque::is_escape(**byte));
            let Some(byte) = escape else {
                self.no_data(job);
                return 0;
            };
            self.run.push(*byte);
            self.pass_data(passed, job);
            return 1;
        }
        let length = opaque::run(piece);
        let (run, rest) = piece.split_at(length.min(piece.len()));
        if passed {
            job.out.extend_from_slice(run);
        } else {
            self.run.extend_from_slice(run);
            self.pass_data(passed, job);
        }
        match rest.first() {
            None => length,
            Some(b'"') => {
                job.out.append(&mut self.run);
                job.out.push(b'"');
                self.position = JsonPosition::Outside;
                length + 1
            }
            Some(b'\\') => {
                self.run.push(b'\\');
                length + 1
            }
            Some(_) => {
                self.no_data(job);
                length
            }
        }
    }

    /// Passes what is held, if it is enough.
    fn pass_data(&mut self, passed: bool, job: &mut Job<'_>) {
        if passed || self.run.len() > opaque::MIN_DATA_BYTES {
            job.out.append(&mut self.run);
            self.position = JsonPosition::Data { passed: true };
        }
    }

    /// What comes next in the string is text.
    pub(super) fn no_data(&mut self, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.run);
        self.position = JsonPosition::String { escaped: false };
        self.take(&held, job);
    }

    /// Passes a string, or leaves out what is in it.
    pub(super) fn in_passed(
        &mut self,
        piece: &[u8],
        escaped: bool,
        kept: bool,
        job: &mut Job<'_>,
    ) -> usize {
        let (end, escaped) = prefilter::end_of_string(piece, escaped);
        let length = end.unwrap_or(piece.len());
        if kept {
            job.out
                .extend_from_slice(piece.get(..length).unwrap_or(piece));
        }
        if end.is_some() {
            job.out.push(b'"');
            self.position = JsonPosition::Outside;
            return length + 1;
        }
        self.position = match kept {
            true => JsonPosition::Passed { escaped },
            false => JsonPosition::Dropped { escaped },
        };
        length
    }
}
