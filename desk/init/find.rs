//! Which model server there is, told by what it answers.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::tls::RootCerts;

use super::at;
use super::kind::Kind;
use super::server::{Address, Server};
use crate::look::{Answer, Looker};
use crate::plain::plain;

/// How long a server may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long all questions may take. Ports are asked at the same time.
const BUDGET: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes: a list of models.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// The longest name of a model that is shown.
const MAX_NAME: usize = 200;

/// The ports that model servers have unless they are told another.
const PORTS: &[u16] = &[11434, 8000, 8080, 3000, 30000, 1234];

/// What to do when none is found.
const HOW: &str = "Start one, such as `ollama serve`, or say where it is and what: \
                   --model http://127.0.0.1:8000 --kind vllm";

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The one that is taken.
    pub(super) server: Server,
    /// Others on this machine.
    pub(super) others: Vec<Server>,
    /// What there is to say about it.
    pub(super) note: Option<String>,
}

/// What is known of a server before it is asked.
#[derive(Default)]
pub(super) struct Said<'a> {
    /// Its address.
    pub(super) model: Option<&'a str>,
    /// What it is.
    pub(super) kind: Option<Kind>,
    /// The variable with its key.
    pub(super) credential: Option<&'a str>,
    /// That key.
    pub(super) key: Option<String>,
    /// Which authorities its certificate may lead to.
    pub(super) roots: Option<RootCerts>,
}

/// Looks for a model server at an address, or at the usual ports of this machine.
pub(super) fn find(said: Said<'_>) -> Result<Found, String> {
    match said.model {
        Some(text) => named(text, &said),
        None => at_ports(PORTS, said.kind),
    }
}

/// The one at an address.
fn named(text: &str, said: &Said<'_>) -> Result<Found, String> {
    let address = Address::read("--model", text)?;
    let url = address.url();
    let roots = said.roots.clone().unwrap_or(RootCerts::WebPki);
    // The key goes where its owner says that it belongs, and nowhere else.
    let key = said.key.as_ref().map(|key| format!("Bearer {key}"));
    let mut asking = Asking::new(roots, key);
    let told = told(&mut asking, &url);
    let (kind, note) = match (said.kind, told) {
        (None, Ok(kind)) => (kind, None),
        (None, Err(why)) => {
            return Err(format!("--model {}", why.shown(&address, said)));
        }
        (Some(kind), Ok(told)) if told != kind => {
            let note = format!(
                "It answers as {} would, and is taken for {} as --kind says.",
                told.shown(),
                kind.shown()
            );
            (kind, Some(note))
        }
        (Some(kind), Err(why @ Silent::NoAnswer(_))) => {
            let note = format!("It gives no answer now: {}", why.shown(&address, said));
            (kind, Some(note))
        }
        (Some(kind), _) => (kind, None),
    };
    let mut server = Server {
        url,
        kind,
        model: None,
    };
    server.model = a_model(&mut asking, &server);
    Ok(Found {
        server,
        others: Vec::new(),
        note,
    })
}

/// Those at some ports of this machine.
pub(super) fn at_ports(ports: &[u16], kind: Option<Kind>) -> Result<Found, String> {
    let ask = |port: &u16| {
        let url = format!("http://127.0.0.1:{port}");
        let mut asking = Asking::new(RootCerts::WebPki, None);
        let told = told(&mut asking, &url);
        let server = told.map(|kind| Server {
            url: url.clone(),
            kind,
            model: None,
        });
        let server = server.map(|mut server| {
            server.model = a_model(&mut asking, &server);
            server
        });
        (url, server)
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = ports
            .iter()
            .map(|port| scope.spawn(move || ask(port)))
            .collect();
        asked
            .into_iter()
            .filter_map(|one| one.join().ok())
            .collect()
    });
    let mut found = Vec::new();
    let mut closed = Vec::new();
    for (url, answer) in answers {
        match answer {
            Ok(server) if kind.is_none_or(|kind| kind == server.kind) => found.push(server),
            Err(Silent::WantsKey(_)) => closed.push(url),
            _ => {}
        }
    }
    if found.is_empty() {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let what = match kind {
            Some(kind) => format!("no {}", kind.name()),
            None => "no model server that is known here".to_owned(),
        };
        let mut why = format!(
            "{what} answers on this machine (ports {})",
            ports.join(", ")
        );
        for url in closed {
            why.push_str(&format!(
                ".\nWhat is at {url} wants a key: --model {url} --credential NAME, where the variable NAME has it"
            ));
        }
        return Err(format!("{why}.\n{HOW}"));
    }
    let server = found.remove(0);
    Ok(Found {
        server,
        others: found,
        note: None,
    })
}

/// Questions to one server, with a bound on the time of each and of all.
pub(super) struct Asking {
    looker: Looker,
    until: Instant,
}

impl Asking {
    pub(super) fn new(roots: RootCerts, authorization: Option<String>) -> Self {
        let looker = Looker::like_envoy(PATIENCE, MAX_ANSWER_BYTES, roots);
        Self {
            looker: looker.with_authorization(authorization),
            until: Instant::now() + BUDGET,
        }
    }

    fn get(&mut self, url: &str) -> Result<Answer, String> {
        self.left()?;
        self.looker.get(url, None)
    }

    fn post(&mut self, url: &str, body: &Value) -> Result<Answer, String> {
        self.left()?;
        self.looker.post(url, body)
    }

    fn left(&self) -> Result<(), String> {
        match Instant::now() < self.until {
            true => Ok(()),
            false => Err(format!("{} seconds were not enough", BUDGET.as_secs())),
        }
    }
}

/// Why a server doesn't tell what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Silent {
    /// Nothing answers.
    NoAnswer(String),
    /// It wants a key, or another one: the status.
    WantsKey(u16),
    /// It answers nothing that is known here.
    Unknown,
}

impl Silent {
    fn shown(&self, address: &Address, said: &Said<'_>) -> String {
        let url = address.url();
        match self {
            Self::NoAnswer(why) => {
                let trusted = match address.tls && why.contains("certificate") {
                    true => ". The authority that its certificate leads to can be named: --ca FILE",
                    false => "",
                };
                let hint = match said.kind {
                    Some(_) => "",
                    None => ". Is it running there? What will be there later needs --kind",
                };
                format!(
                    "{url}: found no answer in {} seconds ({why}), expected a model server's{trusted}{hint}",
                    PATIENCE.as_secs()
                )
            }
            Self::WantsKey(status) => {
                let advice = match (said.credential, &said.key) {
                    (None, _) => {
                        "a key is wanted: --credential NAME, where the variable NAME has it"
                            .to_owned()
                    }
                    (Some(name), None) => format!(
                        "the variable {name} is not set here, so no key was sent. Set it, or say --kind"
                    ),
                    (Some(name), Some(_)) => format!(
                        "the key that the variable {name} has is not taken. Set another, or say --kind"
                    ),
                };
                format!("{url}: found status {status}, expected 200: {advice}")
            }
            Self::Unknown => format!(
                "{url}: found no answer of a model server that is known here, expected one: say what it is with \
                 --kind"
            ),
        }
    }
}

/// What a server is, by what only its kind answers.
pub(super) fn told(asking: &mut Asking, url: &str) -> Result<Kind, Silent> {
    // What doesn't answer at all isn't asked six times.
    let root = asking.get(&format!("{url}/")).map_err(Silent::NoAnswer)?;
    if root.status == 200 && root.body.starts_with(b"Ollama is running") {
        return Ok(Kind::Ollama);
    }
    let mut refused = None;
    let mut get = |path: &str| {
        let answer = asking.get(&format!("{url}{path}")).ok()?;
        if matches!(answer.status, 401 | 403) {
            refused = refused.or(Some(answer.status));
        }
        (answer.status == 200).then(|| answer.json())
    };
    let kind = by_documents(&mut get);
    kind.ok_or_else(|| refused.map_or(Silent::Unknown, Silent::WantsKey))
}

fn by_documents(get: &mut impl FnMut(&str) -> Option<Value>) -> Option<Kind> {
    if let Some(server) = get("/v2")
        && server.get("name").is_some()
        && server.get("extensions").is_some_and(Value::is_array)
    {
        return Some(Kind::Triton);
    }
    if let Some(info) = get("/info")
        && info.get("model_id").is_some_and(Value::is_string)
    {
        // Only embeddings have types of models.
        return Some(match info.get("model_type") {
            Some(_) => Kind::Tei,
            None => Kind::Tgi,
        });
    }
    let models = get("/v1/models")?;
    let first = models.pointer("/data/0");
    let owner = first.and_then(|model| model.get("owned_by")?.as_str());
    match owner {
        Some("vllm") => return Some(Kind::Vllm),
        Some("sglang") => return Some(Kind::Sglang),
        Some("llamacpp") => return Some(Kind::LlamaCpp),
        _ => {}
    }
    models.get("data")?.is_array().then_some(Kind::OpenAi)
}

/// The first model that a server names.
fn a_model(asking: &mut Asking, server: &Server) -> Option<String> {
    let mut get = |path: &str| Some(asking.get(&at(server, path)).ok()?.json());
    let (list, pointer) = match server.kind {
        Kind::Ollama => (get("/api/tags"), "/models/0/name"),
        Kind::Tei | Kind::Tgi => (get("/info"), "/model_id"),
        Kind::Triton => {
            let asked = asking.post(&at(server, "/v2/repository/index"), &json!({}));
            (asked.ok().map(|answer| answer.json()), "/0/name")
        }
        Kind::Vllm | Kind::Sglang | Kind::LlamaCpp | Kind::OpenAi => {
            (get("/v1/models"), "/data/0/id")
        }
    };
    let name = list?.pointer(pointer)?.as_str()?.to_owned();
    (!name.is_empty() && name.chars().count() <= MAX_NAME && plain(&name) == name).then_some(name)
}
