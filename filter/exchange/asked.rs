//! What a request asks for, and who asks.

use std::rc::Rc;

use super::approvals::{Gate, Shown};
use super::charges::Spender;
use super::media::RequestForm;
use super::reply::Refusal;
use super::waiting_room::WaitingPlace;
use crate::approval;
use crate::dialect::Facts;
use crate::identity::Identity;
use crate::operation::{EXPORT, Operation, Path};
use crate::rules::Rule;
use crate::rules::{self, Body, Came, Decision, Head, Prompts, SentHeader};
use base::operation::UNKNOWN;

/// What a request asks for, and who asks.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) identity: Rc<Identity>,
    pub(super) operation: Operation,
    pub(super) method: String,
    /// The authority without its port, in lower case.
    pub(super) host: String,
    pub(super) path: Path,
    /// The headers that rules ask for.
    pub(super) headers: Vec<SentHeader>,
    /// What the body says; `None` until it has been read.
    pub(super) facts: Option<Facts>,
    /// The patterns that its texts fit, once it has been read.
    pub(super) prompts: Prompts,
    /// The headers that an approval is bound to, each value with its name.
    pub(super) bound: Vec<(String, Vec<u8>)>,
    /// What an approval is bound to of the body, once it has been read.
    pub(super) body: Option<BodyDigest>,
    /// What a reviewer sees of it, once a person is asked.
    pub(super) shown: Option<Shown>,
    /// Whether this version can read such a body, and if not, why.
    pub(super) readable: Result<(), Refusal>,
    /// How the body carries text.
    pub(super) form: RequestForm,
    /// Whether it opens a session, such as a web socket.
    pub(super) opens_session: bool,
    /// The first rule that has not been tried.
    pub(super) next_rule: usize,
    /// The rule that lets it go, once one does.
    pub(super) rule: Option<usize>,
    /// How many bytes of its body are sent, as far as is known: of a stream, those of one message.
    pub(super) sent: Option<u64>,
    /// Rules whose gates a grant has opened.
    pub(super) granted: Vec<usize>,
    /// Gates that people have opened, and whose approvals are not claimed.
    pub(super) gates: Vec<Gate>,
    /// Where it waits for people.
    pub(super) place: Option<WaitingPlace>,
    /// The answer that may be kept for it.
    pub(super) kept: Kept,
}

/// What is known of the answer to a request that may be kept until the same is asked once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nobody has looked for one.
    #[default]
    Unknown,
    /// The body is read, so that one can be looked for.
    Reads,
    /// None can be.
    Never,
    /// It would have this name, and there is none now.
    Named(String),
}

/// A body, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BodyDigest {
    /// Its SHA-256, in hex.
    pub(super) digest: String,
    /// Its length.
    pub(super) bytes: usize,
}

impl BodyDigest {
    pub(super) fn of(body: &[u8]) -> Self {
        Self {
            digest: approval::digest(body),
            bytes: body.len(),
        }
    }
}

impl Asked {
    /// The same once more, of which nothing has been charged.
    pub(super) fn again(&self) -> Self {
        Self {
            identity: Rc::clone(&self.identity),
            operation: self.operation.clone(),
            method: self.method.clone(),
            host: self.host.clone(),
            path: self.path.clone(),
            headers: self.headers.clone(),
            facts: self.facts.clone(),
            prompts: self.prompts.clone(),
            bound: self.bound.clone(),
            body: self.body.clone(),
            shown: self.shown.clone(),
            readable: self.readable.clone(),
            form: self.form.clone(),
            opens_session: self.opens_session,
            next_rule: self.next_rule,
            rule: self.rule,
            sent: self.sent,
            granted: Vec::new(),
            gates: Vec::new(),
            place: None,
            kept: Kept::Never,
        }
    }

    /// What is asked for; `None` while only the body can tell.
    pub(super) fn operation_name(&self) -> Option<&'static str> {
        if self.operation.body.names_operation() && self.operation.name != EXPORT {
            self.facts.as_ref()?.operation.or(Some(UNKNOWN))
        } else {
            Some(self.operation.name)
        }
    }

    /// Who is charged, and comes from this address.
    pub(super) fn spender<'a>(&'a self, client: Option<&'a str>) -> Spender<'a> {
        Spender {
            identity: &self.identity,
            operation: self.operation_name().unwrap_or(UNKNOWN),
            facts: self.facts.as_ref(),
            bytes: self.sent,
            client,
            goes_on: false,
        }
    }

    /// What the rules from `first` on say of it. What comes of each goes to `each`.
    pub(super) fn decide(
        &self,
        rules: &[Rule],
        first: usize,
        each: &mut dyn FnMut(usize, Came),
    ) -> Decision {
        rules::decide(
            rules,
            first,
            &rules::Request {
                caller: &self.identity,
                head: Head {
                    method: &self.method,
                    host: &self.host,
                    path: &self.path.path,
                    operation: self.operation_name(),
                    headers: &self.headers,
                },
                body: self.facts.as_ref().map(|facts| Body {
                    model: &facts.model,
                    others: &facts.others,
                    items: facts.items,
                    prompts: &self.prompts,
                    unread: facts.unread,
                }),
            },
            each,
        )
    }
}
