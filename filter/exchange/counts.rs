//! What is counted of an exchange once it is over.

use super::effect::Effect;
use crate::metric::Metric;
use crate::operation::Models;
use crate::record::Record;

/// How often other workers were faster, if they were.
pub(super) fn retries(count: u64) -> Option<Effect> {
    (count > 0).then_some(Effect::Count(Metric::QuotaRetries, count))
}

/// More tokens than any answer takes.
const MAX_TOKENS: u64 = 1 << 32;

/// How much of a quota is used, as the least of some shares that it doesn't pass, in percent. A histogram's
/// value would be a call of its own to the host; these are told together.
fn used(limit: u64, left: u64) -> &'static str {
    let used = limit.saturating_sub(left).saturating_mul(100);
    let within = |percent: u64| used <= limit.saturating_mul(percent);
    match () {
        () if within(50) => "50",
        () if within(80) => "80",
        () if within(95) => "95",
        () => "100",
    }
}

/// What operators want to know of an exchange without reading its record.
pub(super) fn of(record: &Record, models: &Models) -> Vec<Effect> {
    let verdict = &record.verdict;
    let mut effects = vec![Effect::Count(
        Metric::Decisions {
            action: verdict.action,
            rule: verdict.rule.clone(),
            code: verdict.code,
        },
        1,
    )];
    if let (Some(401), Some(code)) = (verdict.status, verdict.code) {
        effects.push(Effect::Count(Metric::TokensRefused { code }, 1));
    }
    if let Some(code) = record.response.code {
        effects.push(Effect::Count(Metric::AnswersRefused { code }, 1));
    }
    for (detector, found) in record.matches() {
        let detector = detector.to_owned();
        effects.push(Effect::Count(Metric::Matches { detector }, found));
    }
    for charged in &verdict.charges {
        let quota = charged.quota.clone();
        effects.push(Effect::Count(Metric::Charged { quota }, charged.amount));
        let quota = charged.quota.clone();
        let used = used(charged.limit, charged.remaining);
        effects.push(Effect::Count(Metric::QuotaUsed { quota, used }, 1));
    }
    if let Some(quota) = verdict.refused_by.clone() {
        effects.push(Effect::Count(Metric::QuotaRefused { quota }, 1));
    }
    if let Some(tokens) = record.response.tokens {
        let model = record.request.model.as_deref();
        let model = model.filter(|name| models.has(name)).unwrap_or("other");
        let kinds = [
            ("prompt", tokens.prompt),
            ("completion", tokens.completion),
            ("cached", tokens.cached),
        ];
        let counted = kinds
            .into_iter()
            .filter_map(|(kind, count)| Some((kind, count.filter(|count| *count > 0)?)));
        effects.extend(counted.map(|(kind, count)| {
            let model = model.to_owned();
            // A server that makes numbers up doesn't spoil the sum for good.
            Effect::Count(Metric::Tokens { model, kind }, count.min(MAX_TOKENS))
        }));
    }
    if let Some(first) = record.timing.first_byte {
        effects.push(Effect::Count(Metric::FirstByte, first));
    }
    effects.push(Effect::Count(Metric::Records, 1));
    effects
}
