//! The desk: approvals, session records and policy checks in one binary.

mod auditing;
mod reviewing;
mod trying;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use portcullis_desk::check::Report;
use portcullis_desk::{check, openapi, serve, token};

use self::reviewing::Order;

/// The companion of the Portcullis filter.
#[derive(Parser)]
#[command(name = "portcullis", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves approvals to the filter and to reviewers, and records Envoy's access log stream.
    ///
    /// Listens without TLS unless the configuration has "tls": keep it on loopback or inside the mesh.
    Desk {
        /// Where the approval API, the session records and metrics are served (HTTP/1.1 and HTTP/2).
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
        listen: SocketAddr,
        /// Where Envoy's access log stream is received (gRPC).
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7071")]
        grpc: SocketAddr,
        /// The SQLite file that everything is kept in; it is made if it is missing.
        #[arg(long, value_name = "FILE", default_value = "desk.sqlite")]
        store: PathBuf,
        /// The folder of session records, a ledger that can't be changed unseen; it is made if it
        /// is missing. Without this option it stands beside the store and ends in .ledger.
        #[arg(long, value_name = "DIR")]
        ledger: Option<PathBuf>,
        /// The folder of the ledger's signing keys, made likewise. Keep it elsewhere: who has the
        /// keys can sign another ledger. Without this option it stands beside the store and ends
        /// in .keys.
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
        /// A file, best on another machine's disk, that each signed checkpoint of the ledger is
        /// appended to before it is published. It shows when the ledger is rolled back.
        #[arg(long, value_name = "FILE")]
        witness: Option<PathBuf>,
        /// Who may ask and who may decide (JSON):
        /// {"filters":[{"name":"edge","key":"${DESK_KEY}"}],
        /// "reviewers":[{"name":"ana","groups":["ml-leads"],"key":"${ANA_KEY}"}]}
        #[arg(long, value_name = "FILE", default_value = "desk.json")]
        config: PathBuf,
    },
    /// Says what is wrong with a policy, one problem a line. What is right, but has no effect, is a
    /// warning on standard error.
    ///
    /// Exit status: 0 when the policy is right, 1 when it is not, 2 when it can't be read.
    Check {
        /// The policy; - reads standard input.
        #[arg(value_name = "POLICY")]
        policy: PathBuf,
        /// Also reports ${NAME} whose variable is missing from this environment.
        #[arg(long)]
        env: bool,
        /// Takes warnings for problems, and an issuer for development, too: for what is rolled out.
        #[arg(long)]
        strict: bool,
    },
    /// Looks at a running Envoy through its admin port, and says what is wrong with its set-up.
    ///
    /// Nothing is changed, and nothing secret is printed. Besides Envoy, it asks the desk and identity
    /// providers that the policy names, where they can be reached from here.
    ///
    /// Exit status: 0 when nothing is wrong, 1 when there are errors or warnings, 2 when it can't be told.
    Doctor(trying::Doctor),
    /// Guards a model server on this machine, for who tries it: writes a policy, an Envoy configuration
    /// and an issuer for development, and says what to do with them.
    ///
    /// Exit status: 0 when all is written, 1 when there is no model server or no module, 2 when something
    /// can't be read or written.
    Init(trying::Init),
    /// Prints the JSON Schema of policies (draft 2020-12).
    Schema,
    /// Prints the reference of all keys of a policy, as Markdown.
    Reference,
    /// Prints the protocol of approvals, between filters, people and the desk (OpenAPI 3.1).
    Openapi,
    /// Reads, verifies and exports session records.
    ///
    /// LEDGER is the folder that `portcullis desk` keeps them in. All of these may run beside a desk,
    /// and all but import and rotate only read.
    Sessions {
        #[command(subcommand)]
        command: auditing::SessionsCommand,
    },
    /// Shows approvals at a desk, and decides on them.
    Approvals {
        #[command(flatten)]
        to: reviewing::To,
        #[command(subcommand)]
        command: reviewing::ApprovalsCommand,
    },
    /// Shows what was granted for a time or a number of uses, and takes it back.
    Grants {
        #[command(flatten)]
        to: reviewing::To,
        #[command(subcommand)]
        command: reviewing::GrantsCommand,
    },
    /// Asks for access ahead of need.
    Access {
        #[command(flatten)]
        to: reviewing::To,
        #[command(subcommand)]
        command: reviewing::AccessCommand,
    },
    /// Has a subject or one token refused everywhere, within two seconds.
    Block {
        #[command(flatten)]
        to: reviewing::To,
        #[command(flatten)]
        blocking: reviewing::Blocking,
    },
    /// Takes blocks back.
    Unblock {
        #[command(flatten)]
        to: reviewing::To,
        /// Their ids, as `portcullis blocks` shows them.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Lists who is blocked.
    Blocks {
        #[command(flatten)]
        to: reviewing::To,
    },
    /// Shows how much of quotas is left, as far as records tell, and empties counts.
    Quota {
        #[command(flatten)]
        to: reviewing::To,
        #[command(subcommand)]
        command: reviewing::QuotaCommand,
    },
    /// Looks into tokens, and makes some for trying.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Reads a token from standard input and says, check by check, why the filter accepts or
    /// refuses it, and which rules its claims can reach.
    ///
    /// The verdict is made by the filter's own code. Claims are shown, the signature never is.
    ///
    /// Exit status: 0 when the token is accepted, 1 when it is refused, 2 when something can't be
    /// read or the policy is wrong, 3 when it can't be told: all else is right, but the
    /// provider's keys are fetched and were not given.
    Explain {
        /// The policy.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// The key set (JWKS) of a provider whose keys are fetched: FILE where the policy has
        /// one such provider, NAME=FILE where it has several. May be repeated.
        #[arg(long, value_name = "[NAME=]FILE")]
        keys: Vec<String>,
        /// Judges as of this time, RFC 3339 (2026-11-21T12:00:00Z) or seconds since 1970, instead
        /// of now.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Takes ${NAME} in the policy from this environment: needed for secret keys that come
        /// from there.
        #[arg(long)]
        env: bool,
    },
    /// Prints a token of the issuer for development that `portcullis init` made.
    ///
    /// Exit status: 0 when it is printed, 2 when it can't be made.
    Mint(trying::Mint),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Desk {
            listen,
            grpc,
            store,
            ledger,
            keys,
            witness,
            config,
        } => {
            tracing_subscriber::fmt()
                .compact()
                .with_ansi(false)
                .with_writer(std::io::stderr)
                .with_max_level(tracing::Level::INFO)
                .init();
            let options = serve::Options {
                listen,
                grpc,
                store,
                ledger,
                keys,
                witness,
                config,
            };
            match serve::run(&options) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tell(&format!("portcullis: {error}\n"));
                    ExitCode::FAILURE
                }
            }
        }
        Command::Sessions { command } => auditing::run(command),
        Command::Approvals { to, command } => reviewing::run(to, Order::Approvals(command)),
        Command::Grants { to, command } => reviewing::run(to, Order::Grants(command)),
        Command::Access { to, command } => reviewing::run(to, Order::Access(command)),
        Command::Block { to, blocking } => reviewing::run(to, Order::Block(blocking)),
        Command::Unblock { to, ids } => reviewing::run(to, Order::Unblock(ids)),
        Command::Blocks { to } => reviewing::run(to, Order::Blocks),
        Command::Quota { to, command } => reviewing::run(to, Order::Quota(command)),
        Command::Schema => answer(&check::schema()),
        Command::Reference => answer(&check::reference()),
        Command::Openapi => answer(&openapi::print()),
        Command::Check {
            policy,
            env,
            strict,
        } => answer(&check::check(&policy, env, strict)),
        Command::Doctor(of) => answer(&of.report()),
        Command::Init(of) => answer(&of.report()),
        Command::Token {
            command: TokenCommand::Mint(of),
        } => answer(&of.report()),
        Command::Token {
            command:
                TokenCommand::Explain {
                    policy,
                    keys,
                    at,
                    env,
                },
        } => {
            let options = token::Options {
                policy,
                keys,
                at,
                environment: env,
            };
            answer(&token::explain(&options, std::io::stdin().lock()))
        }
    }
}

fn answer(report: &Report) -> ExitCode {
    // A closed pipe takes nothing away from the exit status.
    let _ = std::io::stdout().write_all(report.output.as_bytes());
    tell(&report.error);
    ExitCode::from(report.status)
}

/// Writes to standard error; where that is closed, there is nobody to tell.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
