//! What an answer says of the quotas that its request was counted in: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers), and `x-ratelimit-*-requests`, which clients of OpenAI's API
//! read.
//!
//! All of it is known from the charge itself, and nothing is asked for again.

use core::time::Duration;

use super::compiled_policy::CompiledPolicy;
use crate::quota::{Measure, Period, Quota, Span, Window};

/// How many quotas an answer tells of; of more, those of which the least is left.
const MAX_TOLD: usize = 8;

/// How many characters of a quota's name are told.
const MAX_NAME: usize = 64;

/// The highest number in a structured field (RFC 9651, section 3.3.1).
const MAX_NUMBER: u64 = 999_999_999_999_999;

/// How much of a quota a caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Its place in the policy.
    pub(super) quota: usize,
    pub(super) limit: u64,
    /// What is left; not known where more was asked for than there ever is.
    pub(super) left: Option<u64>,
    /// When it has all of it again, or as much as was asked for in vain, in milliseconds since 1970. What
    /// is in flight comes back whenever it does.
    pub(super) until: Option<u64>,
}

/// What is known of the quotas of an exchange.
#[derive(Debug, Default)]
pub(super) struct Levels(Vec<Level>);

impl Levels {
    /// Notes how a quota stands now, if callers are told.
    pub(super) fn note(&mut self, quota: &Quota, level: Level) {
        if !quota.fields {
            return;
        }
        self.0.retain(|one| one.quota != level.quota);
        // In the policy's order, so that a client finds them in the same one each time.
        let behind = self.0.iter().position(|one| one.quota > level.quota);
        self.0.insert(behind.unwrap_or(self.0.len()), level);
        if self.0.len() > MAX_TOLD {
            let most = self.0.iter().filter_map(|one| one.left).max();
            if let Some(place) = self.0.iter().position(|one| one.left == most) {
                self.0.remove(place);
            }
        }
    }

    /// The fields of an answer that goes at `now`, since 1970.
    pub(super) fn fields(
        &self,
        compiled: &CompiledPolicy,
        now: Duration,
    ) -> Vec<(&'static str, String)> {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let mut policies = String::new();
        let mut levels = String::new();
        // The quota of requests of which the least is left, and for the longest.
        let mut least: Option<(u64, Option<u64>, u64)> = None;
        for level in &self.0 {
            let Some(quota) = compiled.policy.quotas.get(level.quota) else {
                continue;
            };
            let reset = level.until.map(|until| seconds(until.saturating_sub(now)));
            begin(&mut policies, &quota.name);
            parameter(&mut policies, ";q=", Some(level.limit));
            parameter(&mut policies, ";w=", window(quota.span));
            policies.push_str(unit(quota.count));
            let Some(left) = level.left else { continue };
            begin(&mut levels, &quota.name);
            parameter(&mut levels, ";r=", Some(left));
            parameter(&mut levels, ";t=", reset);
            let is_less = |(least, until, _): (u64, Option<u64>, u64)| {
                left < least || (left == least && reset > until)
            };
            if quota.count == Measure::Requests && least.is_none_or(is_less) {
                least = Some((left, reset, level.limit));
            }
        }
        let mut fields = Vec::with_capacity(5);
        if !policies.is_empty() {
            fields.push(("ratelimit-policy", policies));
        }
        if !levels.is_empty() {
            fields.push(("ratelimit", levels));
        }
        if let Some((left, reset, limit)) = least {
            fields.push(("x-ratelimit-limit-requests", limit.to_string()));
            fields.push(("x-ratelimit-remaining-requests", left.to_string()));
            fields.push((
                "x-ratelimit-reset-requests",
                duration(reset.unwrap_or_default()),
            ));
        }
        fields
    }
}

fn seconds(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(1000)
}

/// Begins an item of a list: the name as a structured field's string, which has nothing but printable
/// ASCII.
fn begin(list: &mut String, name: &str) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push('"');
    for character in name.chars().take(MAX_NAME) {
        match character {
            '"' | '\\' => list.extend(['\\', character]),
            ' '..='~' => list.push(character),
            _ => list.push('?'),
        }
    }
    list.push('"');
}

fn parameter(list: &mut String, key: &str, number: Option<u64>) {
    if let Some(number) = number {
        list.push_str(key);
        list.push_str(&number.min(MAX_NUMBER).to_string());
    }
}

/// The length of a window in seconds. Months have several.
fn window(span: Span) -> Option<u64> {
    match span {
        Span::Window(Window::Sliding { per, .. } | Window::Bucket { per, .. }) => {
            Some((per / 1000).max(1))
        }
        Span::Window(Window::Calendar(Period::Hour)) => Some(3600),
        Span::Window(Window::Calendar(Period::Day)) => Some(86_400),
        Span::Window(Window::Calendar(Period::Week)) => Some(7 * 86_400),
        Span::Window(Window::Calendar(Period::Month)) | Span::Now { .. } => None,
    }
}

/// The parameter that says what is counted.
fn unit(count: Measure) -> &'static str {
    match count {
        Measure::Requests => ";qu=\"requests\"",
        Measure::Items => ";qu=\"items\"",
        Measure::RequestBytes | Measure::ResponseBytes => ";qu=\"content-bytes\"",
        Measure::InFlight => ";qu=\"concurrent-requests\"",
    }
}

/// As OpenAI's API writes it, and Go: `1s`, `6m0s`, `1h0m0s`.
fn duration(seconds: u64) -> String {
    let mut text = String::new();
    if seconds >= 3600 {
        text.push_str(&(seconds / 3600).to_string());
        text.push('h');
    }
    if seconds >= 60 {
        text.push_str(&(seconds / 60 % 60).to_string());
        text.push('m');
    }
    text.push_str(&(seconds % 60).to_string());
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    use super::{begin, duration};

    #[test]
    fn durations_are_written_as_go_does() {
        let texts = [0, 1, 59, 60, 360, 3600, 3661, 90_000].map(duration);
        let expected = [
            "0s", "1s", "59s", "1m0s", "6m0s", "1h0m0s", "1h1m1s", "25h0m0s",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_name_stays_one_string_whatever_is_in_it() {
        let mut list = String::new();
        begin(&mut list, "a\"b\\c\u{e9}\nd");
        begin(&mut list, &"x".repeat(100));
        assert_eq!(list, format!("\"a\\\"b\\\\c??d\", \"{}\"", "x".repeat(64)));
    }
}
