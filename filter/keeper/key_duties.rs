//! Asks providers for their keys.

use core::time::Duration;
use std::rc::Rc;

use super::event::{Call, Purpose, World};
use crate::call::{Answer, Message};
use crate::exchange::CompiledPolicy;
use crate::identity::{KeyAnswer, KeyRequest, MAX_DOCUMENT_BYTES, Tended};

/// The longest time between two looks.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// When the keys are to be looked after again.
#[derive(Debug)]
pub(super) struct KeyDuties {
    compiled: Rc<CompiledPolicy>,
    /// Since 1970; `None` if no keys are fetched.
    next: Option<Duration>,
}

/// What looking after keys leads to.
pub(super) struct Followed {
    pub(super) calls: Vec<Call>,
    /// Whether there are new keys.
    pub(super) renewed: bool,
    /// How fetches ended: the provider's name, and whether there was a key set.
    pub(super) fetched: Vec<(String, bool)>,
    pub(super) notes: Vec<String>,
}

impl KeyDuties {
    pub(super) fn new(compiled: Rc<CompiledPolicy>) -> Self {
        let fetched = compiled.fetches_keys();
        Self {
            compiled,
            next: fetched.then_some(Duration::ZERO),
        }
    }

    /// Makes the next look due.
    pub(super) fn look_soon(&mut self) {
        if let Some(next) = &mut self.next {
            *next = Duration::ZERO;
        }
    }

    /// How long until the next look; `None` if there will be none.
    pub(super) fn pause(&self, now: Duration) -> Option<Duration> {
        self.next.map(|next| next.saturating_sub(now))
    }

    /// Looks after the keys if that is due.
    pub(super) fn tend(&mut self, world: World<'_>) -> Option<Followed> {
        if self.next.is_none_or(|next| next > world.now) {
            return None;
        }
        self.next = Some(world.now.saturating_add(MAX_PAUSE));
        let tended = self.compiled.tend_keys(world.now, world.shared);
        Some(self.follow(tended, world))
    }

    /// Takes what came of a call.
    pub(super) fn answered(
        &mut self,
        provider: usize,
        answer: Answer<'_>,
        world: World<'_>,
    ) -> Followed {
        let answer = match answer {
            Answer::NotSent => Err(()),
            Answer::Failed | Answer::Grpc(_) => Ok(None),
            Answer::Http {
                status,
                coding,
                body,
            } => Ok(Some(KeyAnswer {
                status,
                coding,
                body,
            })),
        };
        let tended = self
            .compiled
            .keys_answered(provider, answer, world.now, world.shared);
        self.follow(tended, world)
    }

    fn follow(&mut self, tended: Tended, world: World<'_>) -> Followed {
        if let Some(pause) = tended.pause {
            let at = world.now.saturating_add(pause);
            self.next = self.next.map(|next| next.min(at));
        }
        Followed {
            calls: tended.requests.into_iter().map(call).collect(),
            renewed: tended.renewed,
            fetched: tended.fetched,
            notes: tended.notes,
        }
    }
}

fn call(request: KeyRequest) -> Call {
    let mut headers = vec![("accept", "application/json".to_owned())];
    if let Some(credential) = request.credential {
        headers.push(("authorization", credential));
    }
    Call {
        purpose: Purpose::Keys {
            provider: request.provider,
        },
        number: 0,
        cluster: request.cluster,
        authority: Some(request.url.authority),
        message: Message::Http {
            method: "GET",
            scheme: Some(request.url.scheme),
            path: request.url.path,
            headers,
            body: Vec::new(),
        },
        timeout: request.timeout,
        max_answer_bytes: MAX_DOCUMENT_BYTES,
    }
}
