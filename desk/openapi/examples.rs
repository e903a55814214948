//! One story in examples: carol exports a model, and ana lets her.

use serde_json::{Value, json};

/// The id of the approval.
pub(super) const APPROVAL: &str = "apr_5b1f0c9d2e7a48f6b3c4d5e6f7a8b9c0";

/// Who waits.
pub(super) const ASKER: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// What is listed and blocked.
pub(super) const REVISION: &str = "17";

const BINDING: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const RULE: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
const BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const POLICY: &str = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";
const EXCHANGE: &str = "5b0e2c1a9d8f47e6a5b4c3d2e1f00112";
const NAME: &str = "84983e441c3bd26ebaae4aa1f95129e5e54670f1a1b2c3d4e5f60718293a4b5c";
const SEALED: &str = "c2VhbGVkLCBzbyB0aGF0IG9ubHkgZmlsdGVycyBjYW4gb3BlbiBpdA==";
const CLAIM: &str = "8899aabbccddeeff0011223344556677";

/// `base` with other members.
fn with(mut base: Value, changes: Value) -> Value {
    if let (Some(base), Value::Object(changes)) = (base.as_object_mut(), changes) {
        base.extend(changes);
    }
    base
}

fn matter() -> Value {
    json!({
        "about": "request",
        "exchange": EXCHANGE,
        "subject": "carol",
        "issuer": "https://idp.example",
        "provider": "corp",
        "groups": ["ml"],
        "email": "carol@example.com",
        "operation": "model.export",
        "method": "GET",
        "host": "models.example",
        "path": "/v1/models/big/artifact",
        "query": null,
        "model": "big",
        "items": null,
        "route": "models",
        "cluster": "model-store",
        "headers": {},
        "body": null,
        "client": "10.1.2.3",
        "rule": "export-needs-a-person",
        "rule_digest": RULE,
        "reviewers": ["ml-leads"],
        "policy": POLICY,
    })
}

pub(super) fn question() -> Value {
    with(
        matter(),
        json!({
            "version": 2,
            "binding": BINDING,
            "asker": ASKER,
            "approvals": 1,
            "reason": "required",
            "expires": 86_400,
            "escalate": { "after": 600, "reviewers": ["heads"] },
        }),
    )
}

pub(super) fn question_about_an_answer() -> Value {
    with(
        question(),
        json!({
            "about": "answer",
            "operation": "inference.chat",
            "method": "POST",
            "path": "/v1/chat/completions",
            "headers": { "content-type": "application/json" },
            "body": {
                "digest": BODY,
                "bytes": 1_024,
                "text": "{\"choices\":[{\"message\":{\"content\":\"Write to [EMAIL].\"}}]}",
                "cut": false,
            },
            "found": ["email"],
            "grant": { "for": 1_800, "uses": 1 },
        }),
    )
}

fn answer() -> Value {
    json!({
        "id": APPROVAL,
        "binding": BINDING,
        "state": "pending",
        "reviewer": null,
        "reason": null,
        "approvals": { "have": 0, "want": 1 },
        "grant": null,
    })
}

pub(super) fn pending() -> Value {
    answer()
}

pub(super) fn approved() -> Value {
    with(
        answer(),
        json!({
            "state": "approved",
            "reviewer": "ana",
            "reason": "The data set was reviewed.",
            "approvals": { "have": 1, "want": 1 },
            "grant": { "left_ms": 1_799_950, "uses_left": 1 },
        }),
    )
}

pub(super) fn claim() -> Value {
    json!({ "claim": CLAIM, "binding": BINDING, "exchange": EXCHANGE })
}

pub(super) fn claimed() -> Value {
    json!({ "id": APPROVAL, "binding": BINDING, "claim": CLAIM, "state": "claimed", "grant": null })
}

pub(super) fn not_claimed() -> Value {
    with(claimed(), json!({ "state": "used" }))
}

pub(super) fn give_back() -> Value {
    json!({ "claim": CLAIM, "why": "unanswered" })
}

pub(super) fn cancel() -> Value {
    json!({ "asker": ASKER })
}

pub(super) fn standing() -> Value {
    json!({
        "revision": REVISION,
        "lease_ms": 2_000,
        "grants": [{
            "id": APPROVAL,
            "issuer": "https://idp.example",
            "subject": "carol",
            "group": null,
            "rule": "export-needs-a-person",
            "rule_digest": RULE,
            "operation": "model.export",
            "model": "big",
            "left_ms": 1_799_950,
        }],
        "blocks": [{
            "id": "blk_00112233445566778899aabbccddeeff",
            "issuer": null,
            "subject": "mallory",
            "token_id": null,
            "left_ms": null,
            "reason": "The laptop was stolen.",
        }],
        "resets": [{
            "id": "rst_00112233445566778899aabbccddeeff",
            "quota": "per-person",
            "key": ["subject", "corp", "carol"],
            "left_ms": 899_950,
        }],
        "answers": [NAME.get(..32)],
    })
}

pub(super) fn keep() -> Value {
    json!({ "request": NAME, "sealed": SEALED, "keep": 3_600 })
}

pub(super) fn find() -> Value {
    json!({ "request": NAME, "asker": ASKER })
}

pub(super) fn found() -> Value {
    with(approved(), json!({ "request": NAME }))
}

pub(super) fn sealed() -> Value {
    json!({ "id": APPROVAL, "sealed": SEALED })
}

pub(super) fn unchanged() -> Value {
    json!({ "revision": REVISION, "unchanged": true })
}

pub(super) fn view() -> Value {
    with(
        with(matter(), approved()),
        json!({
            "asks_for": null,
            "reasons": "required",
            "escalate": { "after": 600, "reviewers": ["heads"] },
            "created": "2026-11-30T16:00:00.000Z",
            "expires": "2026-11-30T16:32:00.000Z",
            "decided": "2026-11-30T16:02:00.000Z",
            "used": null,
            "filter": "edge",
            "requester": null,
            "decisions": [{
                "reviewer": "ana",
                "on_behalf_of": null,
                "decision": "approve",
                "reason": "The data set was reviewed.",
                "time": "2026-11-30T16:02:00.000Z",
                "break_glass": false,
            }],
            "claims": [],
            "waiting": 1,
        }),
    )
}

pub(super) fn approvals() -> Value {
    json!({ "approvals": [view()], "next": null })
}

pub(super) fn decide() -> Value {
    json!({ "reason": "The data set was reviewed." })
}

pub(super) fn bulk() -> Value {
    json!({
        "ids": [APPROVAL, "apr_00000000000000000000000000000000"],
        "decision": "approve",
        "reason": "The data set was reviewed.",
    })
}

pub(super) fn outcomes() -> Value {
    json!({ "results": [
        { "id": APPROVAL, "state": "approved" },
        {
            "id": "apr_00000000000000000000000000000000",
            "error": { "code": "not_found", "message": "There is no such approval." },
        },
    ]})
}

pub(super) fn access() -> Value {
    json!({
        "rule": "export-needs-a-person",
        "operation": "model.export",
        "model": "big",
        "for": 1_800,
        "reviewers": ["ml-leads"],
        "approvals": 1,
        "reason": "The move to the new store, at 17:00.",
    })
}

pub(super) fn group_access() -> Value {
    json!({
        "group": "ml-ops",
        "rule": "tune-needs-a-person",
        "operation": "model.tune",
        "models": "any",
        "calendar": {
            "windows": [{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00" }],
            "offset": "+01:00",
            "until": "2027-01-31",
        },
        "reviewers": ["ml-leads"],
        "reason": "The winter's experiments.",
    })
}

pub(super) fn access_view() -> Value {
    with(
        with(view(), answer()),
        json!({
            "about": "access",
            "purpose": "The move to the new store, at 17:00.",
            "asks_for": { "for": 1_800 },
            "decided": null,
            "decisions": [],
            "filter": null,
            "requester": "carol",
            "rule_digest": null,
            "waiting": 0,
        }),
    )
}

pub(super) fn grants() -> Value {
    let grant = json!({
        "asks_for": { "for": 1_800 },
        "grant": { "left_ms": 1_799_950, "uses_left": null },
    });
    json!({ "grants": [with(view(), grant)], "next": null })
}

pub(super) fn new_block() -> Value {
    json!({ "subject": "mallory", "reason": "The laptop was stolen." })
}

pub(super) fn block() -> Value {
    json!({
        "id": "blk_00112233445566778899aabbccddeeff",
        "issuer": null,
        "subject": "mallory",
        "token_id": null,
        "reason": "The laptop was stolen.",
        "reviewer": "ana",
        "created": "2026-11-30T16:00:00.000Z",
        "expires": null,
    })
}

pub(super) fn blocks() -> Value {
    json!({ "blocks": [block()], "next": null })
}

pub(super) fn quotas() -> Value {
    json!({
        "quotas": [{
            "quota": "per-person",
            "key": ["subject", "corp", "carol"],
            "limit": 600,
            "used": 588,
            "remaining": 12,
            "time": "2026-11-30T16:00:00.000Z",
            "until": "2026-11-30T16:01:05.000Z",
            "filter": "edge",
            "node": "edge-1",
        }],
        "since": "2026-11-30T08:00:00.000Z",
        "next": null,
    })
}

pub(super) fn new_reset() -> Value {
    json!({
        "quota": "per-person",
        "key": ["subject", "corp", "carol"],
        "reason": "A load test of ours.",
    })
}

pub(super) fn reset() -> Value {
    json!({
        "id": "rst_00112233445566778899aabbccddeeff",
        "quota": "per-person",
        "key": ["subject", "corp", "carol"],
        "reason": "A load test of ours.",
        "reviewer": "ana",
        "created": "2026-11-30T16:00:00.000Z",
        "expires": "2026-11-30T16:15:00.000Z",
    })
}

pub(super) fn resets() -> Value {
    json!({ "resets": [reset()], "next": null })
}

pub(super) fn delegate() -> Value {
    json!({ "to": "bob", "groups": ["ml-leads"], "for": 7_200 })
}

pub(super) fn delegation() -> Value {
    json!({
        "id": "dlg_00112233445566778899aabbccddeeff",
        "from": "ana",
        "to": "bob",
        "groups": ["ml-leads"],
        "created": "2026-11-30T16:00:00.000Z",
        "expires": "2026-11-30T18:00:00.000Z",
    })
}

pub(super) fn delegations() -> Value {
    json!({ "delegations": [delegation()] })
}
