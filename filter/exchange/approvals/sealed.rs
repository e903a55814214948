//! An answer that waits for a person, as it is kept at the service.

use core::time::Duration;
use std::rc::Rc;

use super::gate::Gate;
use crate::approval::{self, KeptAnswer};
use crate::call::Post;
use crate::exchange::asked::{Asked, Kept};
use crate::exchange::buffers::Share;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::world::World;

/// How much memory a byte of an answer takes while it is sealed, and put into a message.
const SEALED_FACTOR: usize = 4;

/// An answer that can be kept.
pub(in crate::exchange) struct Sealing<'a> {
    name: &'a str,
    body: &'a str,
    share: Share,
    /// For how long it will be.
    pub(in crate::exchange) keep: Duration,
}

/// An answer that is sealed, and waits for the id of its approval.
#[derive(Debug)]
pub(in crate::exchange) struct Sealed {
    name: String,
    bytes: Vec<u8>,
    _share: Share,
}

impl<'a> Sealing<'a> {
    /// The answer to a request, if it can be kept: as text, and not too long.
    pub(in crate::exchange) fn of(
        asked: &'a Asked,
        body: &'a [u8],
        context: &Context,
    ) -> Option<Self> {
        let answers = context.compiled.answers()?;
        let Kept::Named(name) = &asked.kept else {
            return None;
        };
        if body.len() > answers.max_bytes {
            return None;
        }
        let mut share = context.compiled.buffers.share();
        let memory = body.len().saturating_mul(SEALED_FACTOR);
        share.resize(memory).ok()?;
        Some(Self {
            name,
            body: core::str::from_utf8(body).ok()?,
            share,
            keep: answers.keep,
        })
    }

    /// Seals it for the approval that a gate wants.
    pub(in crate::exchange) fn seal(
        self,
        gate: &Gate,
        media: &str,
        context: &Context,
    ) -> Option<Sealed> {
        let answer = KeptAnswer {
            status: context.record.response.status?,
            media: media.to_owned(),
            exchange: context.record.id.clone(),
            body: self.body.to_owned(),
        };
        let answers = context.compiled.answers()?;
        let to = (self.name, gate.binding.as_str());
        Some(Sealed {
            bytes: answers.seal(to, &answer, context.seed.as_ref()?)?,
            name: self.name.to_owned(),
            _share: self.share,
        })
    }
}

impl Sealed {
    /// Has it kept until the approval that the service speaks of is decided. What can't be put there now is not
    /// kept: the next try is a new answer then.
    pub(in crate::exchange) fn put(
        self,
        answer: &approval::Answer,
        context: &Context,
        world: World<'_>,
    ) -> Option<Effect> {
        let compiled = Rc::clone(&context.compiled);
        let approvals = compiled.policy.approvals.as_ref()?;
        let answers = approvals.answers.as_ref()?;
        let request = answers.keep(&answer.id, &self.name, &self.bytes);
        let call = approvals.call(Post::Once, 0, request, LONGER);
        approval::note_put(world.shared, world.now);
        Some(Effect::Post(Box::new(call)))
    }
}

/// How much longer it may take than a question.
const LONGER: Duration = Duration::from_secs(5);
