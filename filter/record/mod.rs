//! What is kept of an exchange: one JSON object, without bodies, tokens or credentials, and of
//! bounded length.

mod bounds;
mod closing;
mod line;
mod section;

#[cfg(test)]
mod tests;

use base::code::Code;
use core::time::Duration;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;

pub use bounds::MAX_RECORD_BYTES;
pub use closing::{Closing, How, Own};
pub use section::{Recorder, SESSIONS, Sessions, read};

use base::time::rfc3339;
use bounds::Cuts;
use line::Line;

/// One exchange, as far as it is known.
#[derive(Clone, Debug)]
pub struct Record {
    /// The exchange's own id, 32 hex digits.
    pub id: String,
    /// The VM that wrote the record, 16 hex digits.
    pub worker: Rc<str>,
    /// Counts up by one for each record of the same VM, from 1: a gap is a lost record.
    pub number: u64,
    /// What was asked.
    pub request: Request,
    /// What was decided.
    pub verdict: Verdict,
    /// The last approval that was asked for.
    pub approval: Option<Approval>,
    /// What came back.
    pub response: Response,
    /// Times since the request came, in milliseconds.
    pub timing: Timing,
    /// How it ended.
    pub ended: Ended,
    /// Where in the mesh it was.
    pub mesh: Mesh,
    /// What has been cut so far.
    cuts: Cuts,
}

/// The verified caller.
#[derive(Clone, Debug, Serialize)]
pub struct Caller<'a> {
    /// The identity provider's name.
    pub provider: &'a str,
    /// The token's issuer.
    pub issuer: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// `person` or `service`.
    pub kind: &'static str,
    /// The client that the token was issued to.
    pub client: Option<&'a str>,
    /// What stands for the token's id (RFC 7519, section 4.1.7): the first 16 bytes of its SHA-256, in hex.
    pub token: Option<&'a str>,
    /// Groups.
    pub groups: Cow<'a, [String]>,
}

/// What was asked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The authority.
    pub host: String,
    /// The normalized path, without its query, which may hold secrets.
    pub path: Option<String>,
    /// The operation's name.
    pub operation: Option<&'static str>,
    /// The model ([`Record::note_model`]).
    pub model: Option<String>,
    /// Predictions asked for, if the body was read.
    pub items: Option<u64>,
    /// The body's size, if it was read.
    pub bytes: Option<u64>,
    /// Whether a mask was on.
    pub masked: bool,
    /// What was masked, by detector.
    pub matches: BTreeMap<String, u64>,
    /// What was only counted, by detector.
    pub alerts: BTreeMap<String, u64>,
    /// Values that got pseudonyms, and for which there was no room to put them back.
    pub not_kept: u64,
}

/// What was decided.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// `allow`, `deny`, or `none` when the client left before there was one.
    pub action: &'static str,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Why the request was refused.
    pub code: Option<Code>,
    /// The status that the filter answered with itself.
    pub status: Option<u16>,
    /// Quotas that were charged.
    pub quotas: Vec<String>,
}

/// An approval that was asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Approval {
    /// The desk's id; null when the desk could not be asked.
    pub id: Option<String>,
    /// `asked` when no answer came before the end, `pending`, `approved`, `denied`, `gone`, or
    /// `unavailable`.
    pub state: &'static str,
    /// The rule that wanted it.
    pub rule: String,
    /// Who decided.
    pub reviewer: Option<String>,
    /// What the reviewer wrote.
    pub reason: Option<String>,
    /// When the filter learned of the decision (RFC 3339).
    pub decided: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Response {
    /// The status that the client was sent.
    pub status: Option<u16>,
    /// Bytes of the body that came from the model server; `None` if nobody looked at it.
    pub bytes_received: Option<u64>,
    /// Bytes of the body that went to the client; `None` if nobody looked at it.
    pub bytes_sent: Option<u64>,
    /// Whether a mask was on.
    pub masked: bool,
    /// What was masked, ended the response, or waited for a person, by detector.
    pub matches: BTreeMap<String, u64>,
    /// What was only counted, by detector.
    pub alerts: BTreeMap<String, u64>,
    /// Pseudonyms of the request that have been given their values back.
    pub restored: u64,
    /// Why the response was refused or cut off.
    pub code: Option<Code>,
}

/// How an exchange ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ended {
    /// The kind of end.
    pub how: How,
    /// What Envoy says of it, in its own words.
    pub details: Option<String>,
}

/// Where in the mesh an exchange was, and what others know it by.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mesh {
    /// The address and port that the request came from: the client's, or that of a proxy before it.
    pub peer: Option<String>,
    /// The route's name.
    pub route: Option<String>,
    /// The cluster that the request went to.
    pub cluster: Option<String>,
    /// The address and port of the model server.
    pub endpoint: Option<String>,
    /// The request's `x-request-id`.
    pub request_id: Option<String>,
    /// The trace that it belongs to, 32 hex digits (W3C Trace Context, section 3.2.2.3).
    pub trace_id: Option<String>,
}

/// Times since the request came, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timing {
    /// Until the verdict.
    pub verdict: Option<u64>,
    /// Until the response's head.
    pub response: Option<u64>,
    /// Until the end.
    pub total: u64,
}

impl Record {
    /// Begins a record.
    #[must_use]
    pub fn begin(id: String, worker: Rc<str>) -> Self {
        Self {
            id,
            worker,
            number: 0,
            request: Request::default(),
            verdict: Verdict {
                action: "none",
                ..Verdict::default()
            },
            approval: None,
            response: Response::default(),
            timing: Timing::default(),
            ended: Ended::default(),
            mesh: Mesh::default(),
            cuts: Cuts::default(),
        }
    }

    /// The request asks for this model. A body may give it any length, so it is cut already here.
    pub fn note_model(&mut self, model: Option<&str>) {
        let cut = |model| {
            self.cuts
                .text("request.model", model, bounds::MAX_MODEL_BYTES)
                .to_owned()
        };
        self.request.model = model.map(cut);
    }

    /// The request carries these ids.
    pub fn note_ids(&mut self, request_id: Option<&str>, traceparent: Option<&str>) {
        self.mesh.request_id = request_id.map(str::to_owned);
        self.mesh.trace_id = traceparent.and_then(trace_id).map(str::to_owned);
    }

    /// The exchange is over.
    pub fn close(&mut self, closing: &Closing<'_>, own: Option<Own>) {
        let owned = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.ended = Ended {
            how: closing.how(own),
            details: owned(closing.details),
        };
        self.mesh.peer = owned(closing.peer);
        self.mesh.route = owned(closing.route);
        self.mesh.cluster = owned(closing.cluster);
        self.mesh.endpoint = owned(closing.endpoint);
    }

    /// What was found in either direction, by detector.
    pub fn matches(&self) -> impl Iterator<Item = (&str, u64)> {
        let (request, response) = (&self.request, &self.response);
        [
            &request.matches,
            &request.alerts,
            &response.matches,
            &response.alerts,
        ]
        .into_iter()
        .flatten()
        .map(|(detector, count)| (detector.as_str(), *count))
    }

    /// The response has a body, and its bytes are counted.
    pub fn begin_body(&mut self) {
        self.response.bytes_received = Some(0);
        self.response.bytes_sent = Some(0);
    }

    /// Nothing of the response's body went to the client after all.
    pub fn nothing_sent(&mut self) {
        self.response.bytes_sent = Some(0);
    }

    /// So many more bytes of the response's body came.
    pub fn note_received(&mut self, bytes: usize) {
        add(&mut self.response.bytes_received, bytes);
    }

    /// So many more bytes of the response's body went on.
    pub fn note_sent(&mut self, bytes: usize) {
        add(&mut self.response.bytes_sent, bytes);
    }

    /// The record's text, on one line, of [`MAX_RECORD_BYTES`] at most. `policy` is the policy's
    /// digest, and the request came at `began` (since 1970).
    ///
    /// Members that are not known are null, never left out, so that a reader can tell "nothing"
    /// from "not recorded". What was too long is cut, and `truncated` names it (`request.host`).
    #[must_use]
    pub fn to_json(
        &mut self,
        policy: &str,
        mut caller: Option<Caller<'_>>,
        began: Duration,
    ) -> String {
        if let Some(caller) = &mut caller {
            caller.cut(&mut self.cuts);
        }
        self.cut();
        let mut line = Line::begin();
        line.plain("id", &self.id);
        line.plain("worker", &self.worker);
        line.value("number", &self.number);
        line.plain("time", &rfc3339(began));
        line.plain("policy", policy);
        line.value("identity", &caller);
        line.value("request", &self.request);
        line.value("verdict", &self.verdict);
        line.value("approval", &self.approval);
        line.value("response", &self.response);
        line.value("timing", &self.timing);
        line.value("ended", &self.ended);
        line.value("mesh", &self.mesh);
        line.value("truncated", self.cuts.names());
        line.end()
    }

    /// Cuts every text that is not of the filter's own making.
    fn cut(&mut self) {
        let cuts = &mut self.cuts;
        let request = &mut self.request;
        cuts.string(
            "request.method",
            &mut request.method,
            bounds::MAX_METHOD_BYTES,
        );
        cuts.string("request.host", &mut request.host, bounds::MAX_HOST_BYTES);
        cuts.optional("request.path", &mut request.path, bounds::MAX_PATH_BYTES);
        cuts.optional("request.model", &mut request.model, bounds::MAX_MODEL_BYTES);
        cuts.counts("request.matches", &mut request.matches);
        cuts.counts("request.alerts", &mut request.alerts);
        let verdict = &mut self.verdict;
        cuts.optional("verdict.rule", &mut verdict.rule, bounds::MAX_NAME_BYTES);
        let quotas = (
            bounds::MAX_QUOTAS,
            bounds::MAX_NAME_BYTES,
            bounds::MAX_ALL_QUOTAS_BYTES,
        );
        if let Some(cut) = cuts.list("verdict.quotas", &verdict.quotas, quotas) {
            verdict.quotas = cut;
        }
        if let Some(approval) = &mut self.approval {
            cuts.optional("approval.id", &mut approval.id, bounds::MAX_DESK_BYTES);
            cuts.string("approval.rule", &mut approval.rule, bounds::MAX_NAME_BYTES);
            cuts.optional(
                "approval.reviewer",
                &mut approval.reviewer,
                bounds::MAX_DESK_BYTES,
            );
            cuts.optional(
                "approval.reason",
                &mut approval.reason,
                bounds::MAX_REASON_BYTES,
            );
        }
        let response = &mut self.response;
        cuts.counts("response.matches", &mut response.matches);
        cuts.counts("response.alerts", &mut response.alerts);
        let most = bounds::MAX_MESH_BYTES;
        let mesh = &mut self.mesh;
        cuts.optional("ended.details", &mut self.ended.details, most);
        cuts.optional("mesh.peer", &mut mesh.peer, most);
        cuts.optional("mesh.route", &mut mesh.route, most);
        cuts.optional("mesh.cluster", &mut mesh.cluster, most);
        cuts.optional("mesh.endpoint", &mut mesh.endpoint, most);
        cuts.optional("mesh.request_id", &mut mesh.request_id, most);
    }
}

impl Caller<'_> {
    fn cut(&mut self, cuts: &mut Cuts) {
        let most = bounds::MAX_IDENTITY_BYTES;
        self.provider = cuts.text("identity.provider", self.provider, most);
        self.issuer = cuts.text("identity.issuer", self.issuer, most);
        self.subject = cuts.text("identity.subject", self.subject, most);
        if let Some(client) = &mut self.client {
            *client = cuts.text("identity.client", client, most);
        }
        if let Some(token) = &mut self.token {
            *token = cuts.text("identity.token", token, bounds::MAX_TOKEN_BYTES);
        }
        let groups = (
            bounds::MAX_GROUPS,
            bounds::MAX_GROUP_BYTES,
            bounds::MAX_ALL_GROUPS_BYTES,
        );
        if let Some(cut) = cuts.list("identity.groups", &self.groups, groups) {
            self.groups = Cow::Owned(cut);
        }
    }
}

fn add(total: &mut Option<u64>, more: usize) {
    let more = u64::try_from(more).unwrap_or(u64::MAX);
    *total = Some(total.unwrap_or(0).saturating_add(more));
}

/// The trace of a `traceparent`, unless it is none (all zeros) or of another form.
fn trace_id(traceparent: &str) -> Option<&str> {
    let (version, rest) = traceparent.split_once('-')?;
    let (trace, _) = rest.split_once('-')?;
    let hex = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let known = version.len() == 2 && version != "ff" && hex(version);
    let given = trace.len() == 32 && hex(trace) && trace.bytes().any(|byte| byte != b'0');
    (known && given).then_some(trace)
}
