//! What people call about quotas.

use serde_json::json;

use super::examples;
use super::operation::{Answered, Operation, Parameter, Sent};
use super::refused::Refused;
use super::reviewers::{BEFORE, LIMIT, RECORDER};
use super::schemas::of;
use super::who::Who;
use crate::approvals::protocol::{NewReset, Reset, Resets};
use crate::quotas::Figured;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "quotas",
        method: "get",
        path: "/v1/quotas",
        who: Who::Reviewer,
        summary: "Tells how much of quotas is left.",
        description: "As far as records have told, and as they told it last: each Envoy counts for itself, and `time` says of when \
            a count is. What was told last comes first, in pages. Counts whose windows are over are left out, and those \
            of what is in flight ten minutes later.",
        query: &[
            Parameter {
                name: "quota",
                description: "Only counts of this quota.",
                schema: || json!({ "type": "string" }),
                example: || json!("per-person"),
            },
            Parameter {
                name: "subject",
                description: "Only counts of this subject.",
                schema: || json!({ "type": "string" }),
                example: || json!("carol"),
            },
            Parameter {
                name: "key",
                description: "Only the counts with this key: a list of texts, as JSON.",
                schema: || json!({ "type": "string" }),
                example: || json!("[\"subject\",\"corp\",\"carol\"]"),
            },
            Parameter {
                name: "near",
                description: "Only counts of which so many percent are taken.",
                schema: || json!({ "type": "integer", "minimum": 0, "maximum": 100 }),
                example: || json!(80),
            },
            Parameter {
                example: || json!("17"),
                ..BEFORE
            },
            LIMIT,
        ],
        request: None,
        answer: Answered {
            status: 200,
            description: "A page of counts.",
            schemas: &[of::<Figured>],
            examples: &[("page", examples::quotas)],
        },
        refused: &[Refused(
            400,
            "malformed",
            "a parameter isn't known, or not what is expected",
        )],
    },
    Operation {
        id: "reset",
        method: "post",
        path: "/v1/resets",
        who: Who::Reviewer,
        summary: "Empties a count of a quota.",
        description: "For reviewers with `quotas` in desk.json. Each Envoy that is told in time empties its count, once, \
            within two seconds.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<NewReset>,
            examples: &[("count", examples::new_reset)],
        }),
        answer: Answered {
            status: 200,
            description: "The reset.",
            schemas: &[of::<Reset>],
            examples: &[("reset", examples::reset)],
        },
        refused: &[
            Refused(
                403,
                "may_not_reset",
                "you are not one of those who may reset quotas",
            ),
            Refused(403, "own_count", "nobody resets a count of their own"),
            Refused(409, "in_flight", "what is in flight can't be reset"),
            Refused(
                429,
                "too_many_resets",
                "there are 1,000, or 8 of the same count",
            ),
            RECORDER,
        ],
    },
    Operation {
        id: "resets",
        method: "get",
        path: "/v1/resets",
        who: Who::Reviewer,
        summary: "Lists which counts are being emptied.",
        description: "Newest first, in pages as approvals are.",
        query: &[
            Parameter {
                example: || json!("17"),
                ..BEFORE
            },
            LIMIT,
        ],
        request: None,
        answer: Answered {
            status: 200,
            description: "A page of the resets that filters are told of.",
            schemas: &[of::<Resets>],
            examples: &[("page", examples::resets)],
        },
        refused: &[Refused(
            400,
            "malformed",
            "a parameter isn't known, or not what is expected",
        )],
    },
];
