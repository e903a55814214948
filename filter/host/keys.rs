//! Asks providers for their keys, on behalf of the configuration's root.

use core::cell::{Cell, RefCell};
use core::time::Duration;

use super::api::{Host, HttpCall, Level, call_answer};
use super::store::SharedData;
use crate::exchange::{CompiledPolicy, KeyRequest, Tended};

/// A longer document is no key set; Envoy itself takes up to 32 MiB.
const MOST_ANSWER: usize = 1 << 20;

/// The longest time between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Calls to providers, and when the keys are to be looked after again.
pub(super) struct Keys {
    /// Tokens of calls that are under way, with the providers' places.
    calls: RefCell<Vec<(u32, usize)>>,
    /// Since 1970; `None` if no keys are fetched.
    next: Cell<Option<Duration>>,
    renewed: Cell<bool>,
}

impl Keys {
    pub(super) fn new(compiled: &CompiledPolicy) -> Self {
        let fetched = compiled.fetches_keys();
        Self {
            calls: RefCell::new(Vec::new()),
            next: Cell::new(fetched.then_some(Duration::ZERO)),
            renewed: Cell::new(false),
        }
    }

    /// Makes the next look due.
    pub(super) fn look_soon(&self) {
        if self.next.get().is_some() {
            self.next.set(Some(Duration::ZERO));
        }
    }

    /// How long until the next look; `None` if there will be none.
    pub(super) fn pause(&self, now: Duration) -> Option<Duration> {
        self.next.get().map(|next| next.saturating_sub(now))
    }

    /// Looks after the keys if that is due; says whether there are new ones. Calls belong to the
    /// context that this runs in, which must be the root's.
    pub(super) fn tend(&self, host: &impl Host, compiled: &CompiledPolicy, now: Duration) -> bool {
        if self.next.get().is_some_and(|next| next <= now) {
            self.next.set(Some(now.saturating_add(LONGEST_PAUSE)));
            let tended = compiled.tend_keys(now, &SharedData(host));
            self.follow(host, compiled, tended, now);
        }
        self.renewed.replace(false)
    }

    /// Takes the answer to a call, if it is one of these.
    pub(super) fn answered(
        &self,
        host: &impl Host,
        compiled: &CompiledPolicy,
        (token, headers, size): (u32, usize, usize),
        now: Duration,
    ) {
        let mut calls = self.calls.borrow_mut();
        let Some(index) = calls.iter().position(|(one, _)| *one == token) else {
            return;
        };
        let (_, provider) = calls.swap_remove(index);
        drop(calls);
        let answer = call_answer(host, headers, size, MOST_ANSWER);
        let answer = answer
            .as_ref()
            .map(|(status, body)| (*status, body.as_slice()));
        let tended = compiled.keys_answered(provider, Ok(answer), now, &SharedData(host));
        self.follow(host, compiled, tended, now);
    }

    fn follow(&self, host: &impl Host, compiled: &CompiledPolicy, tended: Tended, now: Duration) {
        let mut due = vec![tended];
        // A call that can't be sent is answered at once, and leads to no other.
        while let Some(tended) = due.pop() {
            for note in &tended.notes {
                host.log(Level::Warn, &format!("portcullis: {note}"));
            }
            if tended.renewed {
                self.renewed.set(true);
            }
            if let Some(pause) = tended.pause {
                let at = now.saturating_add(pause);
                self.next.set(self.next.get().map(|next| next.min(at)));
            }
            for request in &tended.requests {
                match send(host, request) {
                    Some(token) => self.calls.borrow_mut().push((token, request.provider)),
                    None => due.push(compiled.keys_answered(
                        request.provider,
                        Err(()),
                        now,
                        &SharedData(host),
                    )),
                }
            }
        }
    }
}

fn send(host: &impl Host, request: &KeyRequest) -> Option<u32> {
    let mut headers = vec![
        (":method", "GET"),
        (":scheme", request.url.scheme),
        (":authority", request.url.authority.as_str()),
        (":path", request.url.path.as_str()),
        ("accept", "application/json"),
    ];
    if let Some(credential) = &request.credential {
        headers.push(("authorization", credential));
    }
    let call = HttpCall {
        cluster: &request.cluster,
        headers,
        body: None,
        timeout: request.timeout,
    };
    host.call(call).ok()
}
