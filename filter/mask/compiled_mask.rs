//! A mask ready for use: what it finds in a text, and what it asks of the bodies that carry texts.

use std::rc::Rc;

use crate::policy::{Class, Coverage, Detection, Options, Passing, Treatment};

use super::detectors::DetectorError;
use super::formats::Fields;
use super::matcher::Matcher;
use super::render::Originals;
use super::secrets::Secrets;

/// A mask ready for use. It is compiled once and shared by every body that is masked with it.
#[derive(Debug)]
pub struct CompiledMask {
    matcher: Matcher,
    /// Finds the guard's own secrets in what passes otherwise.
    guard: Option<Matcher>,
    fields: Option<Fields>,
    removed_of_grpc: Vec<Vec<u32>>,
    matches_keys: bool,
    reads_base64: bool,
    coverage: Coverage,
    /// Whether it looks into what is no text, too: nothing is to be destroyed there but what it finds.
    reads_all: bool,
    /// `None` if all that can't be read may pass.
    passing: Option<Passing>,
}

impl CompiledMask {
    /// Compiles the detectors of a mask that does nothing else.
    ///
    /// # Errors
    /// As for [`Matcher::new`].
    pub fn new(detections: &[Detection]) -> Result<Self, DetectorError> {
        Ok(Self::of(Matcher::new(detections)?))
    }

    /// The same for a mask that besides finds the guard's own secrets, before anything else.
    ///
    /// # Errors
    /// As for [`Matcher::new`].
    pub fn guarding(
        detections: &[Detection],
        secrets: Option<&Rc<Secrets>>,
    ) -> Result<Self, DetectorError> {
        Ok(Self {
            guard: secrets.map(|secrets| Matcher::of_secrets_at(detections.len(), secrets)),
            ..Self::of(Matcher::guarding(detections, secrets)?)
        })
    }

    /// A mask that finds the guard's own secrets, and nothing else.
    #[must_use]
    pub fn of_secrets(secrets: &Rc<Secrets>) -> Self {
        Self {
            matches_keys: true,
            reads_all: true,
            ..Self::of(Matcher::of_secrets(secrets))
        }
    }

    /// A mask that finds a request's pseudonyms in its answer, and writes what they stand for.
    #[must_use]
    pub fn restoring(originals: &Rc<Originals>) -> Self {
        Self {
            matches_keys: true,
            passing: None,
            ..Self::of(Matcher::restoring(originals))
        }
    }

    pub(super) fn of(matcher: Matcher) -> Self {
        Self {
            matcher,
            guard: None,
            fields: None,
            removed_of_grpc: Vec::new(),
            matches_keys: false,
            reads_base64: false,
            coverage: Coverage::default(),
            reads_all: false,
            passing: Some(Passing::default()),
        }
    }

    /// The same mask with these options.
    #[must_use]
    pub fn with(mut self, options: &Options) -> Self {
        self.fields = Fields::new(&options.fields);
        self.removed_of_grpc.clone_from(&options.fields.grpc_remove);
        self.matches_keys = options.keys;
        self.reads_base64 = options.base64;
        self.coverage = options.coverage;
        self.passing = Some(options.pass.clone());
        self
    }

    /// What finds the matches in a text.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Whether the guard's own secrets are looked for in what passes otherwise, too.
    pub(super) fn guards(&self) -> bool {
        self.guard.is_some()
    }

    /// What finds the matches in a text; in one that passes, if `kept`.
    pub(super) fn matcher_of(&self, kept: bool) -> &Matcher {
        let guard = self.guard.as_ref().filter(|_| kept);
        guard.unwrap_or(&self.matcher)
    }

    /// Rules for single fields of JSON.
    pub(super) fn fields(&self) -> Option<&Fields> {
        self.fields.as_ref()
    }

    /// Fields of gRPC messages that are taken out, each a path of field numbers.
    pub(super) fn removed_of_grpc(&self) -> &[Vec<u32>] {
        &self.removed_of_grpc
    }

    /// Whether the names of JSON's members are texts.
    pub(super) fn matches_keys(&self) -> bool {
        self.matches_keys
    }

    /// Whether text is looked for in base64 too.
    pub(super) fn reads_base64(&self) -> bool {
        self.reads_base64
    }

    /// Whether what is no text is followed from event to event, too.
    pub(super) fn reads_all(&self) -> bool {
        self.reads_all
    }

    /// What becomes of a value of this class.
    pub(super) fn treats(&self, class: Class) -> Treatment {
        self.coverage.of(class)
    }

    /// What may pass unread; `None` if all may that can't be read: there is nothing to hide in it.
    pub(super) fn passing(&self) -> Option<&Passing> {
        self.passing.as_ref()
    }
}
