//! The arguments of the commands for who sets Portcullis up, or tries it.

use std::path::PathBuf;

use clap::Args;
use portcullis_desk::check::Report;
use portcullis_desk::init::Kind;
use portcullis_desk::{development, doctor, init};

/// What is wrong with a set-up.
#[derive(Args)]
pub struct Doctor {
    /// Envoy's admin address.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9901")]
    admin: String,
    /// The policy that Envoy should have. Without this option, the one that it has is looked at.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// What is found.
    pub fn report(self) -> Report {
        doctor::examine(&doctor::Options {
            admin: self.admin,
            policy: self.policy,
            json: self.json,
        })
    }
}

/// A guarded model server.
#[derive(Args)]
pub struct Init {
    /// The folder; it is made if it is missing.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Where the model server is, such as http://127.0.0.1:8000. Without this option it is looked for
    /// on this machine.
    #[arg(long, value_name = "URL")]
    model: Option<String>,
    /// What the model server is: ollama, vllm, sglang, llama.cpp, openai (any with that API), tgi, tei or
    /// triton (any with KServe's V2 protocol). Without this option it is asked.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// The filter's module. Without this option it is looked for beside this program and in target.
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Where the model server's gRPC is, if it is one with KServe's V2 protocol. Without this option it is
    /// the port behind that of --model, or of an https:// address the same.
    #[arg(long, value_name = "URL")]
    grpc: Option<String>,
    /// The environment variable that has the model server's key, where it wants one. The key itself is
    /// sent to --model alone, to see what is there, and is not written down.
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
    /// The authorities that the model server's certificate must lead to (PEM), where it is reached by
    /// https://. Without this option they are those of this system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Where Envoy listens, on 127.0.0.1.
    #[arg(long, value_name = "PORT", default_value_t = 10000, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Envoy's admin port, on 127.0.0.1.
    #[arg(long, value_name = "PORT", default_value_t = 9901, value_parser = clap::value_parser!(u16).range(1..))]
    admin_port: u16,
    /// Writes all anew, also where it is there already: the policy and the issuer's key, too.
    #[arg(long)]
    force: bool,
    /// Writes Envoy's configuration alone, with the policy that is there.
    #[arg(long, conflicts_with = "force")]
    envoy_only: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    let mut known = Kind::ALL.into_iter();
    let found = known.find(|(name, _)| *name == text);
    found.map(|(_, kind)| kind).ok_or_else(|| {
        let names = Kind::ALL.map(|(name, _)| name);
        format!("expected one of {}", names.join(", "))
    })
}

impl Init {
    /// What is written.
    pub fn report(self) -> Report {
        init::init(&init::Options {
            folder: self.folder,
            model: self.model,
            kind: self.kind,
            wasm: self.wasm,
            grpc: self.grpc,
            credential: self.credential,
            ca: self.ca,
            port: self.port,
            admin_port: self.admin_port,
            force: self.force,
            envoy_only: self.envoy_only,
            called: std::env::args()
                .next()
                .unwrap_or_else(|| "portcullis".to_owned()),
        })
    }
}

/// A token for trying.
#[derive(Args)]
pub struct Mint {
    /// The folder that `portcullis init` made.
    #[arg(long = "dev", value_name = "DIR")]
    folder: PathBuf,
    /// Who the caller is.
    #[arg(long, value_name = "NAME")]
    subject: String,
    /// A group of the caller's. May be repeated.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// How long the token is good for; at most 24h.
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    lasts: String,
}

impl Mint {
    /// The token.
    pub fn report(self) -> Report {
        development::mint(&development::Options {
            folder: self.folder,
            subject: self.subject,
            groups: self.groups,
            lasts: self.lasts,
        })
    }
}
