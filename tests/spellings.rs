//! One request in many spellings: whatever some server takes for it is judged as it, or goes nowhere.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may fail them"
)]

use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis::exchange::{
    Bodies, Closing, CompiledPolicy, Direction, Effect, Event, Exchange, Flow, Name, NoNative,
    NothingElse, World,
};
use portcullis::shared::{Shared, SharedError};
use serde_json::{Value, json};
use testbed::idp::{AUDIENCE, Alg, Idp};
use testbed::spellings::{self, EXACT, Fate, KEPT_OUT, LET_IN, NOT, Place, REST, Spelling, Thing};

/// The codes of what is refused because servers read it in different ways.
const AMBIGUOUS: [&str; 5] = [
    "path_not_normal",
    "method_not_accepted",
    "body_malformed",
    "media_type_not_supported",
    "encoding_not_supported",
];

/// Nothing here counts together.
struct Nothing;

impl Shared for Nothing {
    fn make(&self, _name: &str) -> Result<(), SharedError> {
        Err(SharedError)
    }

    fn get(&self, _name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        Err(SharedError)
    }

    fn compare_and_set(&self, _: &str, _: &[u8], _: u32) -> Result<bool, SharedError> {
        Err(SharedError)
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// What became of a spelling.
struct Judged {
    record: Value,
    /// The head as it goes on; `None` if nothing does.
    sent: Option<Vec<(String, String)>>,
}

impl Judged {
    fn goes_on(&self) -> bool {
        self.sent.is_some()
    }

    fn verdict(&self, key: &str) -> &str {
        self.record["verdict"][key].as_str().unwrap_or_default()
    }

    fn sent(&self, name: &str) -> Option<&str> {
        let mut sent = self.sent.iter().flatten();
        let found = sent.find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it was judged as what it is a spelling of.
    fn is_of(&self, thing: &Thing) -> Result<(), String> {
        let request = &self.record["request"];
        // A host is judged by itself, whatever is asked for there.
        let same = match thing.place {
            Place::Host => true,
            _ => request["operation"] == thing.operation && request["model"] == json!(thing.model),
        };
        match same {
            true => Ok(()),
            false => Err(format!("judged as something else: {request}")),
        }
    }
}

/// The policies of all things, and callers.
struct Judge {
    policies: BTreeMap<&'static str, Rc<CompiledPolicy>>,
    kept_out: String,
    let_in: String,
}

impl Judge {
    fn new() -> Self {
        let idp = Idp::start().unwrap();
        let token = |group: &str| {
            let token = idp.token(&idp.claims("ana", &[group]), Alg::EdDsa);
            format!("Bearer {token}")
        };
        let policies = spellings::THINGS.iter().map(|thing| {
            let mut policy = json!({
                "version": 1,
                "identity": {"providers": [{
                    "name": "corp", "issuer": idp.issuer(), "audiences": [AUDIENCE],
                    "keys": {"jwks": idp.jwks()}, "claims": {"groups": "groups"},
                }]},
            });
            let sections = thing.sections();
            let sections = sections.as_object().unwrap().clone();
            policy.as_object_mut().unwrap().extend(sections);
            // Tokens are verified once, and kept.
            let policy = CompiledPolicy::seeded(&policy.to_string(), &|_| None, Some([7; 32]));
            (thing.name, Rc::new(policy.unwrap()))
        });
        Self {
            policies: policies.collect(),
            kept_out: token(KEPT_OUT),
            let_in: token(LET_IN),
        }
    }

    /// Sends a spelling through an exchange, as the proxy does.
    fn judge(&self, spelling: &Spelling, bearer: &str) -> Judged {
        let mut head = vec![
            (":method".to_owned(), spelling.method.clone()),
            (":path".to_owned(), spelling.target.clone()),
            (":authority".to_owned(), spelling.host.clone()),
            ("authorization".to_owned(), bearer.to_owned()),
        ];
        let headers = spelling.headers.iter();
        head.extend(headers.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
        if let Some(body) = &spelling.body {
            head.push(("content-length".to_owned(), body.len().to_string()));
        }
        let name = Name {
            id: "e".to_owned(),
            worker: "w".into(),
        };
        let compiled = &self.policies[spelling.thing.name];
        let mut exchange = Exchange::new(Rc::clone(compiled), name);
        let world = World {
            now: now(),
            shared: &Nothing,
            native: &NoNative,
            may_wait: true,
            bodies: Bodies::HandedOver,
            arrived: &NothingElse,
        };
        let raw: Vec<(&[u8], &[u8])> = head
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let mut outcome = exchange.handle(
            Event::RequestHead {
                headers: &raw,
                end: spelling.body.is_none(),
                cluster: None,
            },
            world,
        );
        let mut effects = outcome.effects.clone();
        let replied =
            |effects: &[Effect]| effects.iter().any(|one| matches!(one, Effect::Reply(_)));
        if let Some(body) = &spelling.body
            && outcome.flow == Flow::Hold
            && !replied(&effects)
        {
            outcome = exchange.handle(
                Event::RequestPiece {
                    held: body.len(),
                    end: true,
                },
                world,
            );
            effects.extend(outcome.effects.clone());
            if effects.contains(&Effect::ReadRequestBody) {
                let whole = exchange.handle(Event::RequestWhole { body }, world);
                effects.extend(whole.effects);
            }
        }
        let goes_on =
            outcome.flow == Flow::Continue || effects.contains(&Effect::Resume(Direction::Request));
        assert_ne!(goes_on, replied(&effects), "{}", spelling.name);
        let closed = exchange.handle(
            Event::Closed {
                number: 1,
                closing: &Closing::default(),
            },
            world,
        );
        let record = closed.effects.iter().find_map(|effect| match effect {
            Effect::Record(text) => serde_json::from_str(text).ok(),
            _ => None,
        });
        Judged {
            record: record.unwrap(),
            sent: goes_on.then(|| edited(head, &effects)),
        }
    }
}

/// A head once these effects have been done.
fn edited(mut head: Vec<(String, String)>, effects: &[Effect]) -> Vec<(String, String)> {
    for effect in effects {
        match effect {
            Effect::RemoveRequestHeader(name) => head.retain(|(own, _)| own != name),
            Effect::SetRequestHeader { name, value } => {
                head.retain(|(own, _)| own != name);
                head.push((name.clone(), value.clone()));
            }
            _ => {}
        }
    }
    head
}

/// Whether what goes on has nothing left by which it is taken for something else.
fn is_disarmed(judged: &Judged) -> Result<(), String> {
    let names = judged.sent.iter().flatten();
    let mut names = names.map(|(name, _)| name.replace('_', "-"));
    if let Some(name) = names.find(|name| spellings::CLAIMS.contains(&name.as_str())) {
        return Err(format!("{name} goes on"));
    }
    let path = judged.sent(":path").unwrap_or_default();
    let path = path
        .to_ascii_lowercase()
        .replace("%5f", "_")
        .replace("%6d", "m");
    match path.contains("_method") {
        true => Err(format!("{path} goes on")),
        false => Ok(()),
    }
}

/// What is wrong with what became of a spelling of what its caller may not ask for.
fn kept_out(spelling: &Spelling, judged: &Judged) -> Result<(), String> {
    let (thing, code) = (spelling.thing, judged.verdict("code"));
    if spelling.fate == Fate::Disarmed {
        if !judged.goes_on() || judged.verdict("rule") != REST {
            return Err("another request does not go on".to_owned());
        }
        return is_disarmed(judged);
    }
    if judged.goes_on() {
        return Err("goes on".to_owned());
    }
    if code == "denied" {
        if judged.verdict("rule") != format!("{NOT}{}", thing.name) {
            return Err("denied by no rule".to_owned());
        }
        return judged.is_of(thing);
    }
    match spelling.fate {
        Fate::Crooked if AMBIGUOUS.contains(&code) => Ok(()),
        _ => Err(format!("refused with {code}")),
    }
}

/// What is wrong with what became of a spelling of the one thing that its caller may ask for.
fn let_in(spelling: &Spelling, judged: &Judged) -> Result<(), String> {
    match spelling.fate {
        Fate::Plain if !judged.goes_on() => {
            return Err(format!("refused with {}", judged.verdict("code")));
        }
        Fate::Disarmed if judged.goes_on() => return Err("goes on".to_owned()),
        _ if !judged.goes_on() => return Ok(()),
        _ => {}
    }
    if judged.verdict("rule") != EXACT {
        return Err("allowed by another rule".to_owned());
    }
    is_disarmed(judged)?;
    judged.is_of(spelling.thing)?;
    let path = judged.sent(":path").unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    match &spelling.arrives {
        Some(arrives) if path != arrives => Err(format!("goes on as {path}")),
        _ => Ok(()),
    }
}

/// Tries all spellings, and tells of all with which something is wrong.
fn all(judge: impl Fn(&Spelling) -> Result<(), String>) {
    let all = spellings::all();
    assert!(all.len() >= 800, "{}", all.len());
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|spelling| {
            let why = judge(spelling).err()?;
            let (method, target) = (&spelling.method, &spelling.target);
            Some(format!("{}: {why} ({method} {target})", spelling.name))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} spellings:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_denied_is_denied_in_every_spelling() {
    let judge = Judge::new();
    all(|spelling| kept_out(spelling, &judge.judge(spelling, &judge.kept_out)));
}

#[test]
fn what_is_allowed_is_allowed_in_every_plain_spelling() {
    let judge = Judge::new();
    all(|spelling| let_in(spelling, &judge.judge(spelling, &judge.let_in)));
}
