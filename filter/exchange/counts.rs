//! What is counted of an exchange once it is over.

use super::effect::Effect;
use crate::metric::Metric;
use crate::record::Record;

/// How often other workers were faster, if they were.
pub(super) fn retries(count: u64) -> Option<Effect> {
    (count > 0).then_some(Effect::Count(Metric::QuotaRetries, count))
}

/// What operators want to know of an exchange without reading its record.
pub(super) fn of(record: &Record) -> Vec<Effect> {
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
    effects
}
