//! What an exchange's record keeps of its bodies.
//!
//! What is kept masked goes through masks of the record's own behind everything else, so that it is hidden
//! whatever the rule says of the exchange itself: a client may see what an auditor must not. What is kept
//! raw is what went, byte for byte, and is sealed before it leaves.

use std::rc::Rc;

use super::buffers::Share;
use super::compiled_policy::CompiledPolicy;
use super::media::{Content, RequestForm, TextForm};
use crate::record::age::SEED_BYTES;
use crate::record::{Bodies, Body, BodyForm, Cut, Kept, LeftOut};
use mask::{Format, Framing, Masks, Pass};

/// What is masked at once of a request's body.
const PIECE_BYTES: usize = 16 << 10;

/// How much memory a body takes that is sealed, besides its record's text.
const SEALED_FACTOR: usize = 3;

/// How much memory a byte takes that is held: what holds it doubles as it grows.
const HELD_FACTOR: usize = 2;

/// What an exchange keeps of its bodies; nothing where the policy or the rule says so.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    compiled: Option<Rc<CompiledPolicy>>,
    seed: Option<[u8; SEED_BYTES]>,
    request: Option<Keep>,
    response: Option<Keep>,
}

/// What is known of a response's body, as it goes to the client: how it carries text, and whether something
/// may have changed it; or why it can't be kept masked.
pub(super) type Going = Result<(TextForm, bool), LeftOut>;

/// One body.
#[derive(Debug)]
struct Keep {
    body: Body,
    pass: Option<Box<Pass>>,
    /// For what is kept, and what waits in the masks.
    share: Share,
}

impl Keeping {
    /// Of an exchange under this policy.
    pub(super) fn new(compiled: &Rc<CompiledPolicy>) -> Self {
        let keeps = compiled.policy.sessions.keeps.is_some();
        Self {
            compiled: keeps.then(|| Rc::clone(compiled)),
            ..Self::default()
        }
    }

    /// What raw bodies are sealed with: random bytes that serve this exchange alone.
    pub(super) fn seed(&mut self, seed: Option<[u8; SEED_BYTES]>) {
        self.seed = seed;
    }

    /// Whether something of the exchange's bodies is kept.
    pub(super) fn is_on(&self) -> bool {
        self.compiled.is_some()
    }

    /// Nothing of the exchange's bodies is kept, whatever has come of them.
    pub(super) fn turn_off(&mut self) {
        *self = Self::default();
    }

    /// Whether a request's body has to be read for it.
    pub(super) fn wants(&self, form: &RequestForm) -> bool {
        let wanted = self.bodies().filter(|bodies| bodies.request > 0);
        wanted.is_some_and(|bodies| bodies.how != BodyForm::Masked || !form.has_no_text())
    }

    fn bodies(&self) -> Option<&Bodies> {
        self.compiled.as_ref()?.policy.sessions.keeps.as_ref()
    }

    /// What is kept, if it is more than digests.
    fn kept_bodies(&self) -> Option<(Rc<CompiledPolicy>, Bodies)> {
        let bodies = self.bodies()?;
        (bodies.how != BodyForm::Digests)
            .then(|| self.compiled.clone().zip(Some(bodies.clone())))?
    }

    /// A request with this body: as it goes on, and without its coding, if that could be undone. It takes the
    /// place of what is kept.
    pub(super) fn request(
        &mut self,
        form: &RequestForm,
        sent: &[u8],
        decoded: Option<&[u8]>,
        after: u64,
    ) {
        let Some((compiled, bodies)) = self.kept_bodies() else {
            return;
        };
        self.request = None;
        if sent.is_empty() || bodies.request == 0 {
            return;
        }
        let mut keep = Keep::new(&compiled, bodies.request, &bodies.how);
        match (&bodies.how, decoded, compiled.record_masks()) {
            (BodyForm::Raw(_), ..) => keep.push(&compiled, sent, after),
            (BodyForm::Masked, Some(decoded), Some(masks)) => {
                match form.look(decoded, &masks.options().pass) {
                    Ok(Content::Text(text)) => keep.mask(masks, text),
                    Ok(Content::NoText) => keep.body = Body::left_out(LeftOut::NoText),
                    Err(_) => keep.body = Body::left_out(LeftOut::Unreadable),
                }
                for piece in decoded.chunks(PIECE_BYTES) {
                    keep.push(&compiled, piece, after);
                }
            }
            (BodyForm::Masked, ..) => keep.body = Body::left_out(LeftOut::Encoded),
            (BodyForm::Digests, ..) => return,
        }
        keep.end(&compiled, after);
        self.request = Some(keep);
    }

    /// A request whose messages go on as they come.
    pub(super) fn client_stream(&mut self) {
        if let Some((compiled, _)) = self.kept_bodies() {
            self.request = Keep::nothing(Some(&compiled), LeftOut::ClientStream);
        }
    }

    /// A response's body begins.
    pub(super) fn begin_response(&mut self, going: Going) {
        let Some((compiled, bodies)) = self.kept_bodies() else {
            return;
        };
        if bodies.response == 0 {
            return;
        }
        let mut keep = Keep::new(&compiled, bodies.response, &bodies.how);
        match (bodies.how, going, compiled.record_masks()) {
            (BodyForm::Raw(_), Err(LeftOut::Session), _) => {
                keep.body = Body::left_out(LeftOut::Session);
            }
            (BodyForm::Raw(_), ..) => {}
            (BodyForm::Digests, ..) => return,
            (BodyForm::Masked, Err(why), _) => keep.body = Body::left_out(why),
            // What its head says of the JSON in front of tensors is said of what came.
            (BodyForm::Masked, Ok((form, true)), _)
                if matches!(form.format, Format::Tensors(_)) =>
            {
                keep.body = Body::left_out(LeftOut::Unreadable);
            }
            (BodyForm::Masked, Ok((form, _)), Some(masks)) => keep.mask(masks, form),
            (BodyForm::Masked, Ok(_), None) => keep.body = Body::left_out(LeftOut::Unreadable),
        }
        self.response = Some(keep);
    }

    /// These bytes of the response go.
    pub(super) fn sent(&mut self, bytes: &[u8], after: u64) {
        if let Some((compiled, keep)) = self.compiled.as_ref().zip(self.response.as_mut()) {
            keep.push(compiled, bytes, after);
        }
    }

    /// What has come of the response goes only now.
    pub(super) fn goes_at(&mut self, after: u64) {
        if let Some(keep) = &mut self.response {
            keep.body.goes_at(after);
        }
    }

    /// Nothing of the response went.
    pub(super) fn nothing_sent(&mut self) {
        if self.response.is_some() {
            self.response = Keep::nothing(self.compiled.as_ref(), LeftOut::NotSent);
        }
    }

    /// The last bytes of the response, so many, didn't go.
    pub(super) fn end_not_sent(&mut self, bytes: usize) {
        if let Some(keep) = &mut self.response {
            keep.body.end_not_sent(bytes);
        }
    }

    /// The exchange is over: what waits is written, and what has to be is sealed. Of a response that broke
    /// off what waits is no value yet: it may be the beginning of one that is to be hidden.
    pub(super) fn finish(&mut self, is_whole: bool, after: u64) {
        let Some(compiled) = &self.compiled else {
            return;
        };
        if let Some(keep) = &mut self.response {
            if is_whole {
                keep.end(compiled, after);
            } else {
                keep.break_off();
            }
            keep.seal(self.seed, "response");
        }
        if let Some(keep) = &mut self.request {
            keep.seal(self.seed, "request");
        }
    }

    /// What stands in the record; `to` is whom it is sealed to.
    pub(super) fn kept<'k>(&'k self, to: &'k str) -> Option<Kept<'k>> {
        let bodies = self.bodies()?;
        if bodies.how == BodyForm::Digests {
            return None;
        }
        Some(Kept {
            how: bodies.how.name(),
            to: Some(to).filter(|to| !to.is_empty()),
            request: self.request.as_ref().map(|keep| &keep.body),
            response: self.response.as_ref().map(|keep| &keep.body),
        })
    }

    /// Whom bodies are sealed to, in writing; nothing where nobody is.
    pub(super) fn recipient(&self) -> String {
        match self.bodies().map(|bodies| &bodies.how) {
            Some(BodyForm::Raw(recipient)) => recipient.to_string(),
            _ => String::new(),
        }
    }
}

impl Keep {
    fn new(compiled: &CompiledPolicy, most: u64, how: &BodyForm) -> Self {
        let to = match how {
            BodyForm::Raw(recipient) => Some(*recipient),
            BodyForm::Masked | BodyForm::Digests => None,
        };
        Self {
            body: Body::new(usize::try_from(most).unwrap_or(usize::MAX), to),
            pass: None,
            share: compiled.buffers.share(),
        }
    }

    fn nothing(compiled: Option<&Rc<CompiledPolicy>>, why: LeftOut) -> Option<Self> {
        Some(Self {
            body: Body::left_out(why),
            pass: None,
            share: compiled?.buffers.share(),
        })
    }

    /// It is masked as it comes. What the exchange's own masks let pass unread is not let pass here.
    fn mask(&mut self, masks: &Masks, form: TextForm) {
        let framing = Framing {
            opaque_parts: false,
            ..form.framing
        };
        self.pass = Some(Box::new(Pass::new(masks, (form.format, framing), None)));
    }

    /// It is over. What is sealed takes as much again, and its writing more.
    fn seal(&mut self, seed: Option<[u8; SEED_BYTES]>, purpose: &str) {
        let memory = self.body.memory(0);
        if self.body.is_raw()
            && self
                .share
                .resize(memory.saturating_mul(SEALED_FACTOR))
                .is_err()
        {
            self.body = Body::left_out(LeftOut::Memory);
            return;
        }
        self.body.finish(seed, purpose);
    }

    fn push(&mut self, compiled: &CompiledPolicy, bytes: &[u8], after: u64) {
        self.take(compiled, bytes, false, after);
    }

    /// Nothing more comes.
    fn end(&mut self, compiled: &CompiledPolicy, after: u64) {
        self.take(compiled, b"", true, after);
        self.pass = None;
    }

    /// Nothing more comes, and more should have.
    fn break_off(&mut self) {
        if self.pass.take().is_some_and(|pass| pass.buffered() > 0) && self.body.is_open() {
            self.body.cut(Cut::Broken);
        }
    }

    fn take(&mut self, compiled: &CompiledPolicy, bytes: &[u8], end: bool, after: u64) {
        if let Some(pass) = &mut self.pass
            && let Some(masks) = compiled.record_masks()
            && self.body.is_open()
        {
            let mut out = Vec::new();
            let done = pass.push(masks, bytes, &mut out).is_ok()
                && (!end || pass.finish(masks, &mut out).is_ok());
            let held = pass.buffered().saturating_mul(HELD_FACTOR);
            if done {
                self.add(&out, held, after);
            } else {
                // What was read before is hidden where it had to be.
                self.body.cut(Cut::Unreadable);
            }
        } else if self.pass.is_none() && self.body.is_open() {
            self.add(bytes, 0, after);
        }
        if !self.body.is_open() {
            self.pass = None;
        }
    }

    fn add(&mut self, bytes: &[u8], held: usize, after: u64) {
        let memory = self.body.memory(bytes.len()).saturating_add(held);
        match self.share.resize(memory) {
            Ok(()) => self.body.push(bytes, after),
            Err(_) => self.body.cut(Cut::Memory),
        }
    }
}
