//! What both directions of an exchange share.

use base::code::Code;
use core::time::Duration;
use std::borrow::Cow;
use std::rc::Rc;

use super::approvals::Claims;
use super::charges::Charges;
use super::compiled_policy::CompiledPolicy;
use super::destination::Destination;
use super::effect::{Effect, Flow, Outcome, Reply};
use super::event::Headers;
use super::headers::single;
use super::keeping::Keeping;
use super::levels::Levels;
use super::reply::Refusal;
use super::world::World;
use crate::approval::Why;
use crate::dialect::{self, Dialect};
use crate::identity::Identity;
use crate::policy::Policy;
use crate::record::age::SEED_BYTES;
use crate::record::{Caller, Closing, How, MAX_TRIED, Own, Record, Tried};
use crate::rules::{self, Decision, Rule};

/// How a request came, as the host knows it before its head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The name of Envoy's route, where it has one.
    pub route: Option<String>,
    /// The cluster that the request is routed to as it came.
    pub cluster: Option<String>,
    /// The client's address.
    pub client: Option<String>,
}

/// What is known of an exchange, however far each of its directions is.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) compiled: Rc<CompiledPolicy>,
    pub(super) record: Record,
    /// What the record keeps of bodies.
    pub(super) keeping: Keeping,
    /// The verified caller.
    pub(super) caller: Option<Rc<Identity>>,
    /// Where the request was going when its credential was chosen, where that counts.
    pub(super) destination: Option<Destination>,
    /// How the request came, where an approval depends on that.
    pub(super) came: Came,
    /// Random bytes that what is sealed is sealed with.
    pub(super) seed: Option<[u8; SEED_BYTES]>,
    /// What has been taken of approvals.
    pub(super) claims: Claims,
    /// What has been taken from quotas.
    pub(super) charges: Charges,
    /// How much is left of them.
    pub(super) levels: Levels,
    /// How the caller wants errors.
    pub(super) dialect: &'static Dialect,
    /// Whether the answer's end waits until the record is kept.
    pub(super) committed: bool,
    /// What came of the rules that were tried, by their indices.
    tried: Vec<(usize, rules::Came)>,
    /// When the first event came, since 1970.
    began: Option<Duration>,
    /// When the last one came.
    now: Duration,
    calls: u64,
}

impl Context {
    pub(super) fn new(compiled: Rc<CompiledPolicy>, mut record: Record) -> Self {
        if compiled.policy.sessions.digests {
            record.want_digests();
        }
        Self {
            keeping: Keeping::new(&compiled),
            compiled,
            record,
            caller: None,
            destination: None,
            came: Came::default(),
            seed: None,
            claims: Claims::default(),
            charges: Charges::default(),
            levels: Levels::default(),
            dialect: &dialect::OPENAI,
            committed: false,
            tried: Vec::new(),
            began: None,
            now: Duration::ZERO,
            calls: 0,
        }
    }

    /// Notes when the first event comes.
    pub(super) fn begin(&mut self, world: World<'_>) {
        self.began.get_or_insert(world.now);
        self.now = world.now;
    }

    /// When the request came, since 1970.
    pub(super) fn began(&self, world: World<'_>) -> Duration {
        self.began.unwrap_or(world.now)
    }

    /// Milliseconds since the request came.
    pub(super) fn elapsed(&self, world: World<'_>) -> u64 {
        let elapsed = world.now.saturating_sub(self.began(world));
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// The record's text, as far as the exchange is known by now.
    pub(super) fn write_record(
        &mut self,
        number: u64,
        closing: &Closing<'_>,
        own: Option<Own>,
        world: World<'_>,
    ) -> String {
        let began = self.began(world);
        let elapsed = self.elapsed(world);
        let record = &mut self.record;
        record.number = number;
        record.timing.total = elapsed;
        record.close(closing, own);
        let caller = self.caller.as_deref().map(|identity| Caller {
            provider: &identity.provider,
            issuer: &identity.issuer,
            subject: &identity.subject,
            kind: identity.kind.name(),
            client: identity.client.as_deref(),
            token: identity.token.as_deref(),
            groups: Cow::Borrowed(&identity.groups),
        });
        let policy = self.compiled.policy();
        let tried = self.rules(policy);
        let is_whole = self.record.ended.how == How::Complete;
        self.keeping.finish(is_whole, elapsed);
        let to = self.keeping.recipient();
        let bodies = self.keeping.kept(&to);
        let record = &mut self.record;
        record.to_json(&policy.digest, caller, tried, began, bodies)
    }

    /// These bytes of the response's body go on.
    pub(super) fn note_sent(&mut self, bytes: &[u8]) {
        let after = self.since_began();
        self.record.note_sent(bytes, after);
        self.keeping.sent(bytes, after);
    }

    /// A rule lets the request go on, and says whether the record has bodies.
    pub(super) fn keep_as(&mut self, rule: &Rule) {
        if !CompiledPolicy::is_full(rule) {
            self.keeping.turn_off();
        }
    }

    /// Nothing of the response's body went on after all.
    pub(super) fn nothing_sent(&mut self) {
        self.record.nothing_sent();
        self.keeping.nothing_sent();
    }

    /// The last bytes of the response's body, so many, did not go on after all.
    pub(super) fn end_not_sent(&mut self, bytes: usize) {
        self.record.end_not_sent(bytes);
        self.keeping.end_not_sent(bytes);
    }

    /// What was noted as sent has waited, and goes on now.
    pub(super) fn note_goes(&mut self) {
        let after = self.since_began();
        self.record.goes_at(after);
        self.keeping.goes_at(after);
    }

    /// Milliseconds since the request came, by when the event came that is dealt with.
    pub(super) fn since_began(&self) -> u64 {
        let began = self.began.unwrap_or(self.now);
        let elapsed = self.now.saturating_sub(began);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Tries the rules from `first` on with `decide`, and keeps what comes of each. What was known of
    /// them before is forgotten.
    pub(super) fn tried(
        &mut self,
        first: usize,
        decide: impl FnOnce(&mut dyn FnMut(usize, rules::Came)) -> Decision,
    ) -> Decision {
        let tried = &mut self.tried;
        tried.retain(|(index, _)| *index < first);
        decide(&mut |index, came| {
            // One more than a record has: it shows that there are more.
            if tried.len() <= MAX_TRIED {
                tried.push((index, came));
            }
        })
    }

    /// The rules that were tried.
    pub(super) fn rules<'p>(&self, policy: &'p Policy) -> Vec<Tried<'p>> {
        let tried = self.tried.iter();
        tried
            .filter_map(|(index, came)| {
                Some(Tried {
                    rule: &policy.rules.get(*index)?.name,
                    came: came.name(),
                })
            })
            .collect()
    }

    /// The head of the model server's answer has come: if it failed, so did what was approved.
    pub(super) fn model_answered(&mut self, headers: &Headers<'_>) -> Vec<Effect> {
        let effects = match failed(headers) {
            true => self.give_back(Why::Status5xx),
            false => Vec::new(),
        };
        self.claims.settle();
        effects
    }

    /// Gives back what was claimed for nothing.
    pub(super) fn give_back(&mut self, why: Why) -> Vec<Effect> {
        let approvals = self.compiled.policy.approvals.as_ref();
        self.claims.give_back(why, approvals, &mut self.record)
    }

    /// What goes has taken this from quotas.
    pub(super) fn take_charges(&mut self, charges: Charges) {
        self.charges.add(charges);
        self.note_charges();
    }

    /// Writes what has been taken from quotas into the record.
    fn note_charges(&mut self) {
        let began = self.began.unwrap_or(self.now);
        let verdict = &mut self.record.verdict;
        verdict.charges = self.charges.taken(&self.compiled, began);
        let names = verdict.charges.iter().map(|charge| charge.quota.clone());
        verdict.quotas = names.collect();
    }

    /// What the head of the model server's answer says of quotas, in place of what that said itself.
    pub(super) fn tell_levels(&self) -> Vec<Effect> {
        let fields = self.levels.fields(&self.compiled, self.now).into_iter();
        let set = fields.map(|(name, value)| Effect::SetResponseHeader {
            name: name.to_owned(),
            value: value.into_bytes(),
        });
        set.collect()
    }

    /// An answer of the filter's own.
    fn reply(&self, refusal: Refusal) -> Reply {
        let mut reply = refusal.into_reply(self.dialect);
        let fields = self.levels.fields(&self.compiled, self.now);
        reply.headers.extend(fields);
        reply
    }

    /// So many bytes of the model server's answer have come.
    pub(super) fn meter(&mut self, bytes: usize, world: World<'_>) {
        if self.charges.are_metered() {
            self.charges.pass(bytes, &self.compiled, world);
        }
    }

    /// All of the answer that will come has come.
    pub(super) fn settle_charges(&mut self, world: World<'_>) {
        if self.charges.are_metered() {
            self.charges.settle(&self.compiled, world);
            self.note_charges();
        }
    }

    /// A number for the next call.
    pub(super) fn number_call(&mut self) -> u64 {
        self.calls = self.calls.saturating_add(1);
        self.calls
    }

    /// The request ends here with an answer of the filter's own.
    pub(super) fn refuse_request(&mut self, refusal: Refusal, world: World<'_>) -> Outcome {
        let verdict = &mut self.record.verdict;
        verdict.action = "deny";
        verdict.code = Some(refusal.code);
        verdict.status = Some(refusal.status);
        verdict.reason = Some(refusal.message.clone());
        verdict.refused_by.clone_from(&refusal.quota);
        self.record.timing.verdict = Some(self.elapsed(world));
        Outcome {
            effects: vec![Effect::Reply(self.reply(refusal))],
            flow: Flow::Hold,
        }
    }

    /// An answer of the filter's own takes the place of the response, nothing of which has gone.
    /// Behind the head, what Envoy holds of the body has to go as well.
    pub(super) fn refuse_response(&mut self, refusal: Refusal, behind_head: bool) -> Outcome {
        self.record.response.code = Some(refusal.code);
        let mut effects = Vec::new();
        if behind_head {
            effects.push(Effect::ReplaceResponseBody(Vec::new()));
        }
        let reply = self.reply(refusal);
        // The client never sees the model server's.
        self.record.response.status = Some(reply.status);
        effects.push(Effect::Reply(reply));
        Outcome {
            effects,
            flow: Flow::Hold,
        }
    }

    /// The response's head has gone: all that is left is to end the connection.
    pub(super) fn cut_response(&mut self, code: Code) -> Outcome {
        self.record.response.code = Some(code);
        Outcome {
            effects: vec![Effect::ReplaceResponseBody(Vec::new()), Effect::CutResponse],
            flow: Flow::Hold,
        }
    }
}

/// Statuses of gRPC that say that the server failed: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE
/// and DATA_LOSS. A call that fails at once has its status in its head.
const GRPC_FAILURES: [&str; 5] = ["2", "4", "13", "14", "15"];

/// Whether the head of an answer says that the model server failed.
fn failed(headers: &Headers<'_>) -> bool {
    let status = single(headers, ":status").and_then(|text| text.parse::<u16>().ok());
    status.is_none_or(|status| status >= 500)
        || single(headers, "grpc-status").is_some_and(|status| GRPC_FAILURES.contains(&status))
}
