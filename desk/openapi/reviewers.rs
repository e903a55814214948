//! What people call.

use serde_json::json;

use super::examples;
use super::operation::{Answered, Operation, Parameter, Sent};
use super::refused::Refused;
use super::schemas::of;
use super::who::Who;
use crate::approvals::protocol::{
    Access, Approvals, Block, Blocks, Bulk, Decide, Delegate, Delegation, Delegations, Grants,
    NewBlock, Outcomes, State, View,
};

const NOT_FOUND: Refused = Refused(404, "not_found", "there is no such thing");

pub(super) const RECORDER: Refused = Refused(
    503,
    "recorder_failing",
    "what people do is recorded first, and that failed: nothing has changed",
);

const NOT_YOUR_GROUP: Refused = Refused(
    403,
    "not_your_group",
    "you are in none of the groups that may decide",
);

const OWN_REQUEST: Refused = Refused(
    403,
    "own_request",
    "nobody decides on a request of their own, nor for the one who asks",
);

const REASON_REQUIRED: Refused = Refused(400, "reason_required", "the rule wants a reason");

const EXPIRED: Refused = Refused(409, "expired", "its time is over");

const DECIDED: Refused = Refused(409, "already_decided", "others have decided by now");

pub(super) const LIMIT: Parameter = Parameter {
    name: "limit",
    description: "How many there are on a page.",
    schema: || json!({ "type": "integer", "minimum": 0, "default": 50, "maximum": 4_294_967_295_u32 }),
    example: || json!(100),
};

pub(super) const BEFORE: Parameter = Parameter {
    name: "before",
    description: "The `next` of the page before.",
    schema: || json!({ "type": "string" }),
    example: || json!(examples::APPROVAL),
};

const DECIDE: Option<Sent> = Some(Sent {
    optional: true,
    schema: of::<Decide>,
    examples: &[("reason", examples::decide)],
});

const DECIDED_VIEW: Answered = Answered {
    status: 200,
    description: "The approval after it.",
    schemas: &[of::<View>],
    examples: &[("approved", examples::view)],
};

/// In the order in which a reviewer meets them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "list",
        method: "get",
        path: "/v1/approvals",
        who: Who::Reviewer,
        summary: "Lists approvals, newest first.",
        description: "A page at a time: 50 unless `limit` says another number, 200 at most.",
        query: &[
            Parameter {
                name: "state",
                description: "Only those in this state.",
                schema: || json!({ "type": "string", "enum": State::ALL.map(State::name) }),
                example: || json!("pending"),
            },
            BEFORE,
            LIMIT,
        ],
        request: None,
        answer: Answered {
            status: 200,
            description: "A page.",
            schemas: &[of::<Approvals>],
            examples: &[("page", examples::approvals)],
        },
        refused: &[Refused(
            400,
            "malformed",
            "a parameter isn't known, or not what is expected",
        )],
    },
    Operation {
        id: "approve",
        method: "post",
        path: "/v1/approvals/{id}/approve",
        who: Who::Reviewer,
        summary: "Approves.",
        description: "Where the rule wants several people, the approval is counted and the state stays `pending` \
            until there are enough of them. With `break_glass`, who may do that approves alone and at once, also \
            a request of their own; it takes a reason, and is recorded loudly.",
        query: &[],
        request: DECIDE,
        answer: DECIDED_VIEW,
        refused: &[
            NOT_FOUND,
            NOT_YOUR_GROUP,
            OWN_REQUEST,
            Refused(
                403,
                "no_break_glass",
                "you are not one of those who may break the glass",
            ),
            REASON_REQUIRED,
            Refused(409, "already_approved_by_you", "each person counts once"),
            DECIDED,
            EXPIRED,
            RECORDER,
        ],
    },
    Operation {
        id: "deny",
        method: "post",
        path: "/v1/approvals/{id}/deny",
        who: Who::Reviewer,
        summary: "Denies. One denial is enough.",
        description: "The same question finds the denial for an hour.",
        query: &[],
        request: DECIDE,
        answer: DECIDED_VIEW,
        refused: &[
            NOT_FOUND,
            NOT_YOUR_GROUP,
            OWN_REQUEST,
            REASON_REQUIRED,
            DECIDED,
            EXPIRED,
            RECORDER,
        ],
    },
    Operation {
        id: "revoke",
        method: "post",
        path: "/v1/approvals/{id}/revoke",
        who: Who::Reviewer,
        summary: "Takes an approval back that isn't used up, and what it granted.",
        description: "For those who may decide on it, and those who may block. No filter uses it behind its lease \
            of two seconds.",
        query: &[],
        request: DECIDE,
        answer: DECIDED_VIEW,
        refused: &[
            NOT_FOUND,
            NOT_YOUR_GROUP,
            OWN_REQUEST,
            REASON_REQUIRED,
            Refused(409, "not_decided", "nothing was approved yet"),
            DECIDED,
            Refused(409, "used", "it is used up"),
            EXPIRED,
            RECORDER,
        ],
    },
    Operation {
        id: "decide",
        method: "post",
        path: "/v1/decisions",
        who: Who::Reviewer,
        summary: "Decides on many at once.",
        description: "1,000 at most. Each is decided for itself: what is refused stands in its place of the list, with \
            the codes of a decision on one.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Bulk>,
            examples: &[("approve", examples::bulk)],
        }),
        answer: Answered {
            status: 200,
            description: "What became of each, in the same order.",
            schemas: &[of::<Outcomes>],
            examples: &[("results", examples::outcomes)],
        },
        refused: &[RECORDER],
    },
    Operation {
        id: "requestAccess",
        method: "post",
        path: "/v1/access",
        who: Who::Reviewer,
        summary: "Asks for access ahead of need.",
        description: "For a subject that desk.json links to the caller, or for a group of such a subject's issuer; another one is \
            `malformed`. The reviewers of the groups that it names \
            decide; the first question that it would answer shows whether those are whom the rule wants. A group's access isn't for \
            those who approved it. With a `calendar`, access holds in its windows, until the end of its last day: 366 days at most.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Access>,
            examples: &[
                ("half_an_hour", examples::access),
                ("office_hours", examples::group_access),
            ],
        }),
        answer: Answered {
            status: 200,
            description: "The question.",
            schemas: &[of::<View>],
            examples: &[("pending", examples::access_view)],
        },
        refused: &[
            Refused(
                429,
                "too_many_pending",
                "100 questions of this subject wait already, or 10,000 of all",
            ),
            RECORDER,
        ],
    },
    Operation {
        id: "grants",
        method: "get",
        path: "/v1/grants",
        who: Who::Reviewer,
        summary: "Lists what was granted for more than one request and still holds.",
        description: "Newest first, in pages as approvals are. A grant is an approval: it is taken back by its id.",
        query: &[BEFORE, LIMIT],
        request: None,
        answer: Answered {
            status: 200,
            description: "A page.",
            schemas: &[of::<Grants>],
            examples: &[("page", examples::grants)],
        },
        refused: &[Refused(
            400,
            "malformed",
            "a parameter isn't known, or not what is expected",
        )],
    },
    Operation {
        id: "block",
        method: "post",
        path: "/v1/blocks",
        who: Who::Reviewer,
        summary: "Has a subject or one token refused everywhere.",
        description: "For reviewers with `blocks` in desk.json. Every filter keeps to it within two seconds.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<NewBlock>,
            examples: &[("subject", examples::new_block)],
        }),
        answer: Answered {
            status: 200,
            description: "The block.",
            schemas: &[of::<Block>],
            examples: &[("block", examples::block)],
        },
        refused: &[
            Refused(
                403,
                "may_not_block",
                "you are not one of those who may block",
            ),
            Refused(429, "too_many_blocks", "there are 10,000"),
            RECORDER,
        ],
    },
    Operation {
        id: "blocks",
        method: "get",
        path: "/v1/blocks",
        who: Who::Reviewer,
        summary: "Lists who is blocked.",
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
            description: "A page of the blocks that hold.",
            schemas: &[of::<Blocks>],
            examples: &[("page", examples::blocks)],
        },
        refused: &[Refused(
            400,
            "malformed",
            "a parameter isn't known, or not what is expected",
        )],
    },
    Operation {
        id: "unblock",
        method: "delete",
        path: "/v1/blocks/{id}",
        who: Who::Reviewer,
        summary: "Takes a block back.",
        description: "For reviewers with `blocks` in desk.json.",
        query: &[],
        request: None,
        answer: Answered {
            status: 200,
            description: "The block that was.",
            schemas: &[of::<Block>],
            examples: &[("block", examples::block)],
        },
        refused: &[
            NOT_FOUND,
            Refused(
                403,
                "may_not_block",
                "you are not one of those who may block",
            ),
            RECORDER,
        ],
    },
    Operation {
        id: "delegate",
        method: "post",
        path: "/v1/delegations",
        who: Who::Reviewer,
        summary: "Lets another reviewer decide for some of the caller's groups, for a time.",
        description: "Who decides for somebody is not counted beside them, and can't decide on what they asked.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Delegate>,
            examples: &[("two_hours", examples::delegate)],
        }),
        answer: Answered {
            status: 200,
            description: "The delegation.",
            schemas: &[of::<Delegation>],
            examples: &[("delegation", examples::delegation)],
        },
        refused: &[
            Refused(429, "too_many_delegations", "there are 1,000"),
            RECORDER,
        ],
    },
    Operation {
        id: "delegations",
        method: "get",
        path: "/v1/delegations",
        who: Who::Reviewer,
        summary: "Lists delegations.",
        description: "Newest first.",
        query: &[],
        request: None,
        answer: Answered {
            status: 200,
            description: "All that hold.",
            schemas: &[of::<Delegations>],
            examples: &[("delegations", examples::delegations)],
        },
        refused: &[],
    },
    Operation {
        id: "undelegate",
        method: "delete",
        path: "/v1/delegations/{id}",
        who: Who::Reviewer,
        summary: "Takes a delegation back.",
        description: "For each of the two.",
        query: &[],
        request: None,
        answer: Answered {
            status: 200,
            description: "The delegation that was.",
            schemas: &[of::<Delegation>],
            examples: &[("delegation", examples::delegation)],
        },
        refused: &[NOT_FOUND, RECORDER],
    },
];
