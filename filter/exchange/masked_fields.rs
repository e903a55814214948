//! Fields of a response that carry text: its trailers, and in its head a gRPC status and what the
//! policy names.
//!
//! Model servers quote what they were asked when they report a failure. All trailers are masked but
//! for the number of a gRPC status; of the head, only the status is, and the headers that a mask
//! names. What can't be masked is removed. Once the head has gone, a match that would end the body
//! removes the whole value, and one that would wait for a person is masked.

use std::collections::BTreeSet;

use super::effect::Effect;
use super::event::Headers;
use super::headers::{OF_THE_BYTES, values};
use super::taps::Wanted;
use crate::record;
use mask::{Masks, Matches, Pass, Stop, Trailer};

/// A gRPC status in a head.
const STATUS: &[&str] = &["grpc-message", "grpc-status-details-bin"];

/// What has been found in fields.
#[derive(Debug, Default)]
pub(super) struct MaskedFields {
    matches: Matches,
    alerts: Matches,
    restored: u64,
    /// A value was under the mask.
    pub(super) seen: bool,
    /// A value had a match that ends the response.
    pub(super) cut: bool,
}

/// What becomes of a value.
enum Value {
    Same,
    Other(Vec<u8>),
    Gone,
}

impl MaskedFields {
    /// Masks the status in a head, and the headers that the policy names.
    pub(super) fn head(
        &mut self,
        masks: &Masks,
        wanted: &Wanted,
        headers: &Headers<'_>,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let named = masks.options().headers.iter().map(String::as_str);
        let named = named.filter(|name| !STATUS.contains(name));
        for name in STATUS.iter().copied().chain(named) {
            let value = self.value(masks, wanted, (name, headers));
            let name = name.to_owned();
            match value {
                Value::Same => {}
                Value::Other(value) => effects.push(Effect::SetResponseHeader {
                    name: (*name).to_owned(),
                    value,
                }),
                Value::Gone => effects.push(Effect::RemoveResponseHeader(name)),
            }
        }
        effects
    }

    /// Masks trailers. What some of them say of the body's bytes is wrong once those change.
    pub(super) fn trailers(
        &mut self,
        masks: &Masks,
        wanted: &Wanted,
        trailers: &Headers<'_>,
    ) -> Vec<Effect> {
        let changes = wanted.is_change(masks);
        let names: BTreeSet<&[u8]> = base::sort::inserted(trailers.iter().map(|(name, _)| *name));
        let mut effects = Vec::new();
        for name in names {
            // Envoy lets no other names in.
            let Ok(name) = core::str::from_utf8(name) else {
                continue;
            };
            let value = match name {
                "grpc-status" => Value::Same,
                name if OF_THE_BYTES.contains(&name) && changes => Value::Gone,
                name => self.value(masks, wanted, (name, trailers)),
            };
            let name = name.to_owned();
            match value {
                Value::Same => {}
                Value::Other(value) => effects.push(Effect::SetResponseTrailer { name, value }),
                Value::Gone => effects.push(Effect::RemoveResponseTrailer(name)),
            }
        }
        effects
    }

    fn value(
        &mut self,
        masks: &Masks,
        wanted: &Wanted,
        (name, headers): (&str, &Headers<'_>),
    ) -> Value {
        // Several of one name are one, with commas between them (RFC 9110, section 5.3).
        let came: Vec<&[u8]> = values(headers, name).collect();
        if came.is_empty() {
            return Value::Same;
        }
        let came = came.join(&b","[..]);
        self.seen = true;
        let mut pass = Pass::of_trailer(masks, Trailer::named(name.as_bytes()), wanted.originals());
        let mut out = Vec::new();
        let run = pass
            .push(masks, &came, &mut out)
            .and_then(|()| pass.finish(masks, &mut out));
        add(&mut self.matches, pass.matches(masks));
        add(&mut self.alerts, pass.alerts(masks));
        self.restored = self.restored.saturating_add(pass.restored());
        match run {
            Ok(()) if out == came => Value::Same,
            Ok(()) => Value::Other(out),
            Err(Stop::Cut) => {
                self.cut = true;
                Value::Gone
            }
            // Nothing of it would have been hidden.
            Err(Stop::Walk(_)) if masks.only_count() => Value::Same,
            Err(Stop::Walk(_)) => Value::Gone,
        }
    }

    /// Adds what was found to what was found in the body.
    pub(super) fn count(&self, response: &mut record::Response) {
        add(&mut response.matches, self.matches.clone());
        add(&mut response.alerts, self.alerts.clone());
        response.restored = response.restored.saturating_add(self.restored);
    }
}

fn add(total: &mut Matches, more: Matches) {
    for (name, count) in more {
        let known = total.entry(name).or_default();
        *known = known.saturating_add(count);
    }
}
