//! What is kept of an exchange: one JSON object, without tokens or credentials, and, but for its bodies, of
//! bounded length.

pub mod age;
mod bodies;
mod bounds;
mod closing;
mod digests;
mod line;
mod parts;
mod section;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::borrow::Cow;
use std::rc::Rc;

pub use bodies::{Bodies, Body, BodyForm, Cut, LeftOut};
pub use bounds::{MAX_APPROVALS, MAX_RECORD_BYTES, MAX_TRIED};
pub use closing::{Closing, How, Own};
pub use parts::{
    Approval, Caller, Charged, Ended, Mesh, Request, Response, Timing, Tokens, Tried, Verdict,
};
pub use section::{Recorder, SESSIONS, Sessions, read};

use base::time::rfc3339;
use bounds::Cuts;
use digests::Digests;
use line::Line;
use serde::Serialize;

/// What is kept of an exchange's bodies.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Kept<'a> {
    /// In which form: `masked` or `raw`.
    #[serde(rename = "as")]
    pub how: &'static str,
    /// Who can read what is kept raw: a recipient of age.
    pub to: Option<&'a str>,
    /// The request's, as it went on, or as the caller sent it where it didn't; none where it has no
    /// body, or nobody read it.
    pub request: Option<&'a Body>,
    /// The response's, as it went on.
    pub response: Option<&'a Body>,
}

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
    /// The approvals that were asked for, in order: the latest [`MAX_APPROVALS`].
    pub approvals: Vec<Approval>,
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
    digests: Digests,
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
            approvals: Vec::new(),
            response: Response::default(),
            timing: Timing::default(),
            ended: Ended::default(),
            mesh: Mesh::default(),
            cuts: Cuts::default(),
            digests: Digests::default(),
        }
    }

    /// What passes is digested.
    pub fn want_digests(&mut self) {
        self.digests.want();
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

    /// An approval is asked for at a gate, or a grant stands for it.
    pub fn note_approval(&mut self, approval: Approval) {
        if self.approvals.len() >= MAX_APPROVALS {
            self.approvals.remove(0);
            self.cuts.note("approvals");
        }
        self.approvals.push(approval);
    }

    /// The approval of the gate with this number.
    pub fn approval_of(&mut self, gate: u64) -> Option<&mut Approval> {
        self.approvals.iter_mut().rfind(|one| one.gate == gate)
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
        let went = self.verdict.action == "allow";
        self.request.digest = self.digests.request().filter(|_| went);
        self.response.digest = self.digests.response();
        self.mesh.envoy = owned(closing.envoy);
        self.mesh.node = owned(closing.node);
        self.mesh.listener = owned(closing.listener);
        self.mesh.direction = closing.direction;
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

    /// These bytes, of the request's body, go on to the model server; behind those that went, unless
    /// they take their place.
    pub fn note_asked(&mut self, bytes: &[u8], instead: bool) {
        self.digests.note_request(bytes, instead);
    }

    /// The request did not go on to the model server: it is answered with what was kept.
    pub fn not_asked(&mut self) {
        self.digests.drop_request();
    }

    /// The response has a body, and its bytes are counted.
    pub fn begin_body(&mut self) {
        self.digests.begin_response();
        self.response.bytes_received = Some(0);
        self.response.bytes_sent = Some(0);
    }

    /// The last bytes of the response's body, so many, did not go to the client after all.
    pub fn end_not_sent(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let sent = &mut self.response.bytes_sent;
        *sent = sent.map(|sent| sent.saturating_sub(bytes));
        self.digests.drop_response();
    }

    /// Nothing of the response's body went to the client after all.
    pub fn nothing_sent(&mut self) {
        self.response.bytes_sent = Some(0);
        self.timing.first_byte = None;
        self.digests.drop_response();
    }

    /// So many more bytes of the response's body came.
    pub fn note_received(&mut self, bytes: usize) {
        add(&mut self.response.bytes_received, bytes);
    }

    /// More bytes of the response's body go on, so many milliseconds after the request came.
    pub fn note_sent(&mut self, bytes: &[u8], after: u64) {
        if !bytes.is_empty() {
            self.timing.first_byte.get_or_insert(after);
        }
        add(&mut self.response.bytes_sent, bytes.len());
        self.digests.note_response(bytes);
    }

    /// What was noted as sent goes only now: it has waited for a person.
    pub fn goes_at(&mut self, after: u64) {
        if let Some(first) = &mut self.timing.first_byte {
            *first = after;
        }
    }

    /// What stands for the record while the exchange goes on: its names, and its number.
    #[must_use]
    pub fn open_form(&mut self, number: u64) -> String {
        self.number = number;
        let mut line = Line::begin();
        self.names(&mut line);
        line.value("open", &true);
        line.end()
    }

    fn names(&self, line: &mut Line) {
        line.plain("id", &self.id);
        line.plain("worker", &self.worker);
        line.value("number", &self.number);
    }

    /// The record's text, on one line, of [`MAX_RECORD_BYTES`] at most besides its bodies. `policy` is the policy's
    /// digest, `tried` the rules that were tried, and the request came at `began` (since 1970).
    ///
    /// Members that are not known are null, never left out, so that a reader can tell "nothing"
    /// from "not recorded". What was too long is cut, and `truncated` names it (`request.host`).
    #[must_use]
    pub fn to_json(
        &mut self,
        policy: &str,
        mut caller: Option<Caller<'_>>,
        mut tried: Vec<Tried<'_>>,
        began: Duration,
        bodies: Option<Kept<'_>>,
    ) -> String {
        if let Some(caller) = &mut caller {
            caller.cut(&mut self.cuts);
        }
        self.cut();
        self.cuts.tried("rules", &mut tried);
        let mut line = Line::begin();
        self.names(&mut line);
        line.plain("time", &rfc3339(began));
        line.plain("policy", policy);
        line.value("identity", &caller);
        line.value("request", &self.request);
        line.value("rules", &tried);
        line.value("verdict", &self.verdict);
        line.value("approvals", &self.approvals);
        line.value("response", &self.response);
        line.value("bodies", &bodies);
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
        cuts.charges("verdict.charges", &mut verdict.charges);
        cuts.optional(
            "verdict.reason",
            &mut verdict.reason,
            bounds::MAX_REASON_BYTES,
        );
        cuts.approvals("approvals", &mut self.approvals);
        let response = &mut self.response;
        cuts.counts("response.matches", &mut response.matches);
        cuts.counts("response.alerts", &mut response.alerts);
        let most = bounds::MAX_MESH_BYTES;
        let mesh = &mut self.mesh;
        cuts.optional("ended.details", &mut self.ended.details, most);
        cuts.optional("mesh.envoy", &mut mesh.envoy, bounds::MAX_VERSION_BYTES);
        cuts.optional("mesh.node", &mut mesh.node, bounds::MAX_NODE_BYTES);
        cuts.optional("mesh.listener", &mut mesh.listener, most);
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
