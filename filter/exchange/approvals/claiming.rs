//! The approvals of all gates, taken one after the other before something goes.
//!
//! To be approved is not to pass: other exchanges may have been told the same. Only what the service
//! says is claimed, by this claim's own id, passes. If one approval has been taken by another, those
//! that were claimed go back, and it is asked for once more. A claim that can't be sent, since Envoy has too
//! many calls to the service under way, is tried again for as long as its answer might have taken.

use core::time::Duration;

use super::gate::{Gate, unavailable};
use super::step::{ApprovalStep, Decided};
use crate::approval::{self, Claim, Decision, Subject, Trouble, Why};
use crate::call::Answer;
use crate::exchange::context::Context;
use crate::exchange::effect::{Call, Effect};
use crate::exchange::event::Purpose;
use crate::exchange::reply::Refusal;
use crate::exchange::waiting_room::WaitingPlace;
use crate::exchange::world::World;
use crate::identity;

/// The pause behind a claim that could not be sent. Each one after it is twice as long.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// The longest of them.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Approvals on the way to being claimed.
#[derive(Debug)]
pub(in crate::exchange) struct Claiming {
    /// Those that are not claimed, the next one last.
    left: Vec<Gate>,
    /// Those that are.
    done: Vec<Gate>,
    doing: Doing,
    /// When the caller's token expires, where that counts.
    expires: Option<Duration>,
    /// Given back with this.
    _place: Option<WaitingPlace>,
}

#[derive(Debug)]
enum Doing {
    Nothing,
    Asks(ApprovalStep),
    /// The call with this number is under way.
    Claims(Attempt, u64),
    /// It could not be sent, and will be at this time since 1970.
    Pauses(Attempt, Duration),
}

/// A claim.
#[derive(Debug)]
struct Attempt {
    gate: Gate,
    claim: String,
    /// Whether one was sent whose answer didn't come.
    again: bool,
    /// The next pause, where it can't be sent, and for how long it may pause in all.
    pause: Duration,
    patience: Duration,
}

/// What comes of an event.
pub(in crate::exchange) enum Claimed {
    /// There is more to do.
    Open(Box<Claiming>, Vec<Effect>),
    /// All are claimed.
    All,
    /// With what is given back.
    Refused(Refusal, Vec<Effect>),
}

impl Claiming {
    /// Claims the approvals of gates that are open, for a token that expires then.
    pub(in crate::exchange) fn begin(
        mut gates: Vec<Gate>,
        expires: Option<Duration>,
        place: Option<WaitingPlace>,
        context: &mut Context,
        world: World<'_>,
    ) -> Claimed {
        gates.reverse();
        let this = Self {
            left: gates,
            done: Vec::new(),
            doing: Doing::Nothing,
            expires,
            _place: place,
        };
        this.claim_next(context, world)
    }

    /// Asks for the approval of one gate, to claim it then, for a token that expires then.
    pub(in crate::exchange) fn ask(
        gate: Gate,
        expires: Duration,
        place: WaitingPlace,
        context: &mut Context,
    ) -> (Self, Effect) {
        let (step, ask) = ApprovalStep::ask(gate, context);
        let this = Self {
            left: Vec::new(),
            done: Vec::new(),
            doing: Doing::Asks(step),
            expires: Some(expires),
            _place: Some(place),
        };
        (this, ask)
    }

    /// Whether this call or question is awaited.
    pub(in crate::exchange) fn awaits(&self, number: u64) -> bool {
        match &self.doing {
            Doing::Nothing | Doing::Pauses(..) => false,
            Doing::Asks(step) => step.awaits(number),
            Doing::Claims(_, call) => *call == number,
        }
    }

    /// When a claim is to be sent again, since 1970.
    pub(in crate::exchange) fn due(&self) -> Option<Duration> {
        match self.doing {
            Doing::Pauses(_, at) => Some(at),
            _ => None,
        }
    }

    /// A tick: a claim whose time has come is sent again.
    pub(in crate::exchange) fn tick(mut self, context: &mut Context, world: World<'_>) -> Claimed {
        // No pause is as long: the clock was put back.
        let latest = world.now.saturating_add(MAX_PAUSE);
        if self.due().is_none_or(|at| world.now < at && at <= latest) {
            return Claimed::Open(Box::new(self), Vec::new());
        }
        let doing = core::mem::replace(&mut self.doing, Doing::Nothing);
        let Doing::Pauses(attempt, _) = doing else {
            self.doing = doing;
            return Claimed::Open(Box::new(self), Vec::new());
        };
        if let Some(refusal) = self.expired(world) {
            attempt.forget(context);
            return refuse(refusal, Vec::new(), context);
        }
        let effects = self.send(attempt, context);
        Claimed::Open(Box::new(self), effects)
    }

    /// Whether the caller's token has expired.
    fn expired(&self, world: World<'_>) -> Option<Refusal> {
        let expired = self.expires.is_some_and(|expires| expires <= world.now);
        expired.then(|| Refusal::identity(identity::Refusal::TokenExpired))
    }

    /// Sends a claim.
    fn send(&mut self, attempt: Attempt, context: &mut Context) -> Vec<Effect> {
        let number = context.number_call();
        let call = send(&attempt.gate, &attempt.claim, number, context);
        self.doing = Doing::Claims(attempt, number);
        Vec::from_iter(call)
    }

    fn claim_next(mut self, context: &mut Context, world: World<'_>) -> Claimed {
        if let Some(refusal) = self.expired(world) {
            return refuse(refusal, Vec::new(), context);
        }
        let Some(gate) = self.left.pop() else {
            return Claimed::All;
        };
        let number = context.number_call();
        let claim = approval::name("claim", &context.record.id, number);
        context.claims.add(&gate.id, &claim, gate.returns);
        let approvals = context.compiled.policy.approvals.as_ref();
        let attempt = Attempt {
            gate,
            claim,
            again: false,
            pause: MIN_PAUSE,
            patience: approvals.map_or(Duration::ZERO, |one| one.timeout),
        };
        let effects = self.send(attempt, context);
        Claimed::Open(Box::new(self), effects)
    }

    /// Takes what came of a claim.
    pub(in crate::exchange) fn answered(
        mut self,
        answer: Answer<'_>,
        context: &mut Context,
        world: World<'_>,
    ) -> Claimed {
        let doing = core::mem::replace(&mut self.doing, Doing::Nothing);
        let Doing::Claims(attempt, _) = doing else {
            self.doing = doing;
            return Claimed::Open(Box::new(self), Vec::new());
        };
        if answer == Answer::NotSent && !attempt.patience.is_zero() {
            let at = world.now.saturating_add(attempt.pause);
            self.doing = Doing::Pauses(attempt.paused(), at);
            return Claimed::Open(Box::new(self), vec![Effect::Trouble(Trouble::NoAnswer)]);
        }
        let Attempt { gate, claim, .. } = &attempt;
        match approval::read_claim(answer, (&gate.id, &gate.binding, claim)) {
            Ok(true) => {
                if let Some(noted) = context.record.approval_of(gate.number) {
                    noted.id = Some(gate.id.clone());
                    noted.state = "approved";
                    noted.claim = Some(attempt.claim);
                    noted.given_back = false;
                }
                self.done.push(attempt.gate);
                self.claim_next(context, world)
            }
            Ok(false) => {
                context.claims.remove(claim);
                self.lost(attempt.gate, context, world)
            }
            // Whether it holds isn't known, but the same once more does no harm.
            Err(trouble)
                if trouble.is_uncertain() && !attempt.again && answer != Answer::NotSent =>
            {
                let attempt = Attempt {
                    again: true,
                    ..attempt
                };
                let mut effects = vec![Effect::Trouble(trouble)];
                effects.extend(self.send(attempt, context));
                Claimed::Open(Box::new(self), effects)
            }
            Err(trouble) => {
                if !trouble.is_uncertain() || answer == Answer::NotSent {
                    attempt.forget(context);
                }
                let refusal = Refusal::not_asked(trouble);
                let refusal = unavailable(attempt.gate.number, context, refusal);
                refuse(refusal, vec![Effect::Trouble(trouble)], context)
            }
        }
    }

    /// Somebody else has taken a gate's approval, or it is over.
    fn lost(mut self, gate: Gate, context: &mut Context, world: World<'_>) -> Claimed {
        if let Some(noted) = context.record.approval_of(gate.number) {
            noted.state = "gone";
        }
        if gate.anew {
            let refusal = Refusal::approval_gone(gate.about, &gate.id);
            return refuse(refusal, Vec::new(), context);
        }
        let mut effects = context.give_back(Why::Unanswered);
        // All of them are claimed anew.
        while let Some(done) = self.done.pop() {
            self.left.push(done);
        }
        let approvals = &context.compiled.policy.approvals;
        let times = approvals.as_ref().map(|one| (one.timeout, one.wait));
        let times = times.unwrap_or_default();
        let (step, ask) = ApprovalStep::ask_anew(gate, times, context, world);
        effects.push(ask);
        self.doing = Doing::Asks(step);
        Claimed::Open(Box::new(self), effects)
    }

    /// Takes what came of a question.
    pub(in crate::exchange) fn decided(
        mut self,
        decision: &Decision,
        context: &mut Context,
        world: World<'_>,
    ) -> Claimed {
        let doing = core::mem::replace(&mut self.doing, Doing::Nothing);
        let Doing::Asks(step) = doing else {
            self.doing = doing;
            return Claimed::Open(Box::new(self), Vec::new());
        };
        match step.decided(decision, context, world) {
            Decided::Open(step) => {
                self.doing = Doing::Asks(step);
                Claimed::Open(Box::new(self), Vec::new())
            }
            Decided::Approved(gate) => {
                self.left.push(gate);
                self.claim_next(context, world)
            }
            Decided::Refused(refusal) => refuse(refusal, Vec::new(), context),
        }
    }
}

impl Attempt {
    /// This claim once it has paused.
    fn paused(self) -> Self {
        let patience = self.patience.saturating_sub(self.pause);
        Self {
            pause: self.pause.saturating_mul(2).min(MAX_PAUSE).min(patience),
            patience,
            ..self
        }
    }

    /// Nothing has been sent that could hold.
    fn forget(&self, context: &mut Context) {
        if !self.again {
            context.claims.remove(&self.claim);
        }
    }
}

/// Nothing goes: what was claimed goes back.
fn refuse(refusal: Refusal, mut effects: Vec<Effect>, context: &mut Context) -> Claimed {
    effects.extend(context.give_back(Why::Unanswered));
    Claimed::Refused(refusal, effects)
}

/// The call that claims.
fn send(gate: &Gate, claim: &str, number: u64, context: &Context) -> Option<Effect> {
    let approvals = context.compiled.policy.approvals.as_ref()?;
    let purpose = match gate.about {
        Subject::Request => Purpose::RequestClaim,
        Subject::Answer => Purpose::AnswerClaim,
    };
    let request = Claim {
        claim,
        binding: &gate.binding,
        exchange: &context.record.id,
        digest: gate.digest.as_deref(),
    };
    let request = approval::claim(&gate.id, &request);
    let call: Call = approvals.call(purpose, number, request, Duration::ZERO);
    Some(Effect::Call(Box::new(call)))
}
