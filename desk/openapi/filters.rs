//! What filters call.

use serde_json::json;

use super::examples;
use super::operation::{Answered, Operation, Parameter, Sent};
use super::refused::Refused;
use super::schemas::of;
use super::who::Who;
use crate::approvals::protocol::{
    Answer, Cancel, Claim, Claimed, Find, Found, GiveBack, Keep, Question, Sealed, Standing, View,
};

const NOT_FOUND: Refused = Refused(
    404,
    "not_found",
    "there is no such approval, for this filter",
);

const WAIT: Parameter = Parameter {
    name: "wait",
    description: "For how many seconds the answer may be held back until there is something new. More than 60 are 60; without it the answer comes at once.",
    schema: || json!({ "type": "integer", "minimum": 0, "default": 0 }),
    example: || json!(20),
};

/// In the order in which a request meets them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "ask",
        method: "post",
        path: "/v1/approvals",
        who: Who::Filter,
        summary: "Asks whether a request, or an answer, may go.",
        description: "Asking the same again (the same filter, binding, issuer and subject) finds the question that is pending, \
            the approval that isn't used up, or the denial of less than an hour ago. A grant that covers it \
            answers `approved` at once, with the grant's id. Else there is a new question, for people to see. \
            Nothing is taken: a request that is to go is claimed.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Question>,
            examples: &[
                ("request", examples::question),
                ("answer", examples::question_about_an_answer),
            ],
        }),
        answer: Answered {
            status: 200,
            description: "How it stands.",
            schemas: &[of::<Answer>],
            examples: &[
                ("pending", examples::pending),
                ("approved", examples::approved),
            ],
        },
        refused: &[Refused(
            429,
            "too_many_pending",
            "100 questions of this subject wait already, or 10,000 of all",
        )],
    },
    Operation {
        id: "look",
        method: "get",
        path: "/v1/approvals/{id}",
        who: Who::Either,
        summary: "Waits for a decision, or shows an approval to a reviewer.",
        description: "For a filter: a long poll, which takes nothing; any number may wait. The answer comes when the \
            state is another than `pending`, when `wait` is over, or when the service stops; at once where too many wait already. For a reviewer: all \
            of the question and what became of it, at once.",
        query: &[
            WAIT,
            Parameter {
                name: "asker",
                description: "Who waits, as the question said it. One that has been silent for two minutes no longer counts as waiting.",
                schema: || json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }),
                example: || json!(examples::ASKER),
            },
        ],
        request: None,
        answer: Answered {
            status: 200,
            description: "How it stands.",
            schemas: &[of::<View>, of::<Answer>],
            examples: &[("filter", examples::approved), ("reviewer", examples::view)],
        },
        refused: &[
            Refused(400, "malformed", "a parameter isn't what is expected"),
            NOT_FOUND,
        ],
    },
    Operation {
        id: "claim",
        method: "post",
        path: "/v1/approvals/{id}/claim",
        who: Who::Filter,
        summary: "Takes one use, for a request that is about to go.",
        description: "Only `claimed` lets the request go. The same claim again takes nothing more and is answered in \
            the same way, so one whose answer was lost can be repeated.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Claim>,
            examples: &[("claim", examples::claim)],
        }),
        answer: Answered {
            status: 200,
            description: "What became of the claim.",
            schemas: &[of::<Claimed>],
            examples: &[
                ("claimed", examples::claimed),
                ("used", examples::not_claimed),
            ],
        },
        refused: &[
            NOT_FOUND,
            Refused(409, "not_covered", "the approval is for another binding"),
            Refused(409, "given_back", "this claim was given back"),
        ],
    },
    Operation {
        id: "giveBack",
        method: "post",
        path: "/v1/approvals/{id}/give_back",
        who: Who::Filter,
        summary: "Gives a use back that came to nothing.",
        description: "Once for each claim; again, it changes nothing. What was used up can be claimed again if its \
            time isn't over. One may come before its claim, which is then refused as `given_back`.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<GiveBack>,
            examples: &[("unanswered", examples::give_back)],
        }),
        answer: Answered {
            status: 200,
            description: "How it stands after it.",
            schemas: &[of::<Answer>],
            examples: &[("approved", examples::approved)],
        },
        refused: &[NOT_FOUND],
    },
    Operation {
        id: "cancel",
        method: "post",
        path: "/v1/approvals/{id}/cancel",
        who: Who::Filter,
        summary: "Says that nobody waits any more.",
        description: "A pending question that nobody waits for stays open for 15 minutes, so that a client that comes \
            back finds it: asking again opens it as before. It doesn't count against its subject's 100, and \
            people see that nobody waits. Of a subject's that nobody waits for, the newest 100 stay.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Cancel>,
            examples: &[("cancel", examples::cancel)],
        }),
        answer: Answered {
            status: 200,
            description: "How it stands after it.",
            schemas: &[of::<Answer>],
            examples: &[("pending", examples::pending)],
        },
        refused: &[NOT_FOUND],
    },
    Operation {
        id: "keepAnswer",
        method: "post",
        path: "/v1/approvals/{id}/answer",
        who: Who::Filter,
        summary: "Has the answer kept that an approval is about.",
        description: "Sealed by the filter, so that nobody else can read it, until it is approved and asked for again. \
            The first one of an approval stays; again, it changes nothing. It is erased when it is denied or taken \
            back, ten minutes behind its use, and when its time is over. Its question stays open as long, whether or \
            not somebody waits. What is sealed may have 4 MiB.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Keep>,
            examples: &[("keep", examples::keep)],
        }),
        answer: Answered {
            status: 200,
            description: "How it stands with the approval.",
            schemas: &[of::<Answer>],
            examples: &[("pending", examples::pending)],
        },
        refused: &[
            NOT_FOUND,
            Refused(409, "no_answer", "the approval is not about one answer"),
            Refused(409, "already_decided", "it was denied, or taken back"),
            Refused(409, "used", "it is used up"),
            Refused(409, "expired", "its time is over"),
            Refused(429, "answers_full", "as many are kept as there is room for"),
        ],
    },
    Operation {
        id: "findAnswer",
        method: "post",
        path: "/v1/answers",
        who: Who::Filter,
        summary: "Finds the answer to the same request that is kept.",
        description: "The approval that it waits for: one that is approved, or else the latest that is pending or was \
            denied not long ago. Who asks waits for it then as for a question. Once it is approved, it is fetched and \
            claimed by the `binding` that this says.",
        query: &[],
        request: Some(Sent {
            optional: false,
            schema: of::<Find>,
            examples: &[("find", examples::find)],
        }),
        answer: Answered {
            status: 200,
            description: "How it stands with the approval.",
            schemas: &[of::<Found>],
            examples: &[("approved", examples::found)],
        },
        refused: &[Refused(
            404,
            "not_found",
            "no answer is kept under this name, for this filter",
        )],
    },
    Operation {
        id: "fetchAnswer",
        method: "get",
        path: "/v1/approvals/{id}/answer",
        who: Who::Filter,
        summary: "Gives the sealed answer out, once it is approved.",
        description: "It takes nothing: the answer goes once the approval is claimed, too.",
        query: &[],
        request: None,
        answer: Answered {
            status: 200,
            description: "The sealed answer.",
            schemas: &[of::<Sealed>],
            examples: &[("sealed", examples::sealed)],
        },
        refused: &[
            Refused(
                404,
                "not_found",
                "there is no such approval, for this filter, or its answer isn't kept",
            ),
            Refused(409, "not_approved", "it is not approved, or not any more"),
        ],
    },
    Operation {
        id: "standing",
        method: "get",
        path: "/v1/standing",
        who: Who::Filter,
        summary: "Tells what holds without a question: time windows, blocks, and counts to empty.",
        description: "A long poll; where too many wait already, all is told at once. A filter uses a grant of the list without a call, and refuses who is blocked, for \
            `lease_ms` from when it sent the call that was answered; an answer `unchanged` renews that. Behind it, it asks. \
            A grant for a group covers whoever has it in their token, but those that `except` names; one by a calendar is listed while \
            its window is open. Grants with a number of uses are not listed: they are claimed each time, so that all filters together \
            can't use more than there are. There are 10,000 grants and 10,000 blocks at most. A count of `resets` is emptied \
            once by all workers of a filter, as soon as one hears of it, and not again for as long as the reset is told. Of answers that are kept, the \
            beginnings of their names are listed, so that filters look for no others; missing where that isn't all.",
        query: &[
            Parameter {
                name: "since",
                description: "The revision of the last answer.",
                schema: || json!({ "type": "string", "maxLength": 64 }),
                example: || json!(examples::REVISION),
            },
            WAIT,
        ],
        request: None,
        answer: Answered {
            status: 200,
            description: "What holds, or that nothing has changed.",
            schemas: &[of::<Standing>],
            examples: &[
                ("changed", examples::standing),
                ("unchanged", examples::unchanged),
            ],
        },
        refused: &[Refused(
            400,
            "malformed",
            "a parameter isn't what is expected",
        )],
    },
];
