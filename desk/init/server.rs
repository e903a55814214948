//! Which model server there is, told by what it answers.

use std::time::Duration;

use portcullis::base::url::Url;
use serde_json::{Value, json};

use super::at;
use crate::look::Looker;
use crate::plain::plain;

/// How long a server may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest answer that is read, in bytes: a list of models.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// The longest name of a model that is shown.
const MAX_NAME: usize = 200;

/// The ports that model servers have unless they are told another.
const PORTS: &[u16] = &[11434, 8000, 8080, 3000, 30000, 1234];

/// What to do when none is found.
pub(super) const HOW: &str = "Start one, such as `ollama serve`, or say where it is and what: \
                              --model http://127.0.0.1:8000 --kind vllm";

/// A kind of model server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ollama.
    Ollama,
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// llama.cpp's server.
    LlamaCpp,
    /// Any other with OpenAI's API.
    OpenAi,
    /// Text Generation Inference.
    Tgi,
    /// Text Embeddings Inference.
    Tei,
    /// Triton, or another with KServe's V2 protocol.
    Triton,
}

impl Kind {
    /// All, by their names on the command line.
    pub const ALL: [(&'static str, Self); 8] = [
        ("ollama", Self::Ollama),
        ("vllm", Self::Vllm),
        ("sglang", Self::Sglang),
        ("llama.cpp", Self::LlamaCpp),
        ("openai", Self::OpenAi),
        ("tgi", Self::Tgi),
        ("tei", Self::Tei),
        ("triton", Self::Triton),
    ];

    /// As people call it.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::Vllm => "vLLM",
            Self::Sglang => "SGLang",
            Self::LlamaCpp => "llama.cpp",
            Self::OpenAi => "a server with OpenAI's API",
            Self::Tgi => "Text Generation Inference",
            Self::Tei => "Text Embeddings Inference",
            Self::Triton => "a server with KServe's V2 protocol",
        }
    }
}

/// A model server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Its address, without a slash at the end.
    pub(super) url: String,
    /// What it is.
    pub(super) kind: Kind,
    /// A model that it has, where it told.
    pub(super) model: Option<String>,
}

impl Server {
    /// Its scheme, host and port.
    pub(super) fn address(&self) -> Result<(&'static str, String, u16), String> {
        let wrong = || format!("{}: expected http:// or https:// and a host", self.url);
        let url = Url::parse(&self.url).ok_or_else(wrong)?;
        let usual = if url.scheme == "https" { 443 } else { 80 };
        let (host, port) = match url.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host.to_owned(), port.parse().map_err(|_| wrong())?)
            }
            _ => (url.authority.clone(), usual),
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        Ok((url.scheme, host, port))
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The one that is taken.
    pub(super) server: Server,
    /// Others on this machine.
    pub(super) others: Vec<Server>,
}

/// Looks for a model server at an address, or at the usual ports of this machine.
pub(super) fn find(model: Option<&str>, kind: Option<Kind>) -> Result<Found, String> {
    let looker = Looker::new(PATIENCE, MAX_ANSWER_BYTES);
    match model {
        Some(text) => {
            let url = address(text)?;
            let said = match kind {
                Some(kind) => Some(kind),
                None => told(&looker, &url),
            };
            let kind = said.ok_or_else(|| {
                format!("{url} doesn't answer as any model server that is known here: is it running? Otherwise say what it is with --kind")
            })?;
            let mut server = Server {
                url,
                kind,
                model: None,
            };
            server.model = a_model(&looker, &server);
            Ok(Found {
                server,
                others: Vec::new(),
            })
        }
        None => at_ports(&looker, PORTS, kind),
    }
}

/// An address without a slash at its end. A path in front of the API's own would be lost.
fn address(text: &str) -> Result<String, String> {
    let wrong = |found: &str| {
        format!(
            "--model: found {found}, expected http:// or https:// and a host, as in http://127.0.0.1:8000"
        )
    };
    let url = Url::parse(text).ok_or_else(|| wrong("no such address"))?;
    match url.path == "/" {
        true => Ok(format!("{}://{}", url.scheme, url.authority)),
        false => Err(wrong(
            "a path, which Envoy would not put in front of requests",
        )),
    }
}

pub(super) fn at_ports(
    looker: &Looker,
    ports: &[u16],
    kind: Option<Kind>,
) -> Result<Found, String> {
    let mut found = Vec::new();
    for port in ports {
        let url = format!("http://127.0.0.1:{port}");
        if let Some(told) = told(looker, &url)
            && kind.is_none_or(|kind| kind == told)
        {
            found.push(Server {
                url,
                kind: told,
                model: None,
            });
        }
    }
    if found.is_empty() {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        return Err(format!(
            "no model server that is known here answers on this machine (ports {})",
            ports.join(", ")
        ));
    }
    let mut server = found.remove(0);
    server.model = a_model(looker, &server);
    Ok(Found {
        server,
        others: found,
    })
}

/// What a server is, by what only its kind answers.
pub(super) fn told(looker: &Looker, url: &str) -> Option<Kind> {
    // What doesn't answer at all isn't asked six times.
    let root = looker.get(&format!("{url}/"), None).ok()?;
    let get = |path: &str| {
        let answer = looker.get(&format!("{url}{path}"), None).ok()?;
        (answer.status == 200).then(|| answer.json())
    };
    if root.status == 200 && root.body.starts_with(b"Ollama is running") {
        return Some(Kind::Ollama);
    }
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
fn a_model(looker: &Looker, server: &Server) -> Option<String> {
    let get = |path: &str| Some(looker.get(&at(server, path), None).ok()?.json());
    let (list, pointer) = match server.kind {
        Kind::Ollama => (get("/api/tags"), "/models/0/name"),
        Kind::Tei | Kind::Tgi => (get("/info"), "/model_id"),
        Kind::Triton => {
            let asked = looker.post(&at(server, "/v2/repository/index"), &json!({}));
            (asked.ok().map(|answer| answer.json()), "/0/name")
        }
        Kind::Vllm | Kind::Sglang | Kind::LlamaCpp | Kind::OpenAi => {
            (get("/v1/models"), "/data/0/id")
        }
    };
    let name = list?.pointer(pointer)?.as_str()?.to_owned();
    (!name.is_empty() && name.chars().count() <= MAX_NAME && plain(&name) == name).then_some(name)
}
