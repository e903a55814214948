//! The desk: approvals, session records and policy checks in one binary.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use portcullis_desk::{check, serve};

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
    /// Listens without TLS: keep it on loopback or inside the mesh.
    Desk {
        /// Where the approval API and the session records are served (HTTP/1.1).
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7070")]
        listen: SocketAddr,
        /// Where Envoy's access log stream is received (gRPC).
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7071")]
        grpc: SocketAddr,
        /// The SQLite file that everything is kept in; it is made if it is missing.
        #[arg(long, value_name = "FILE", default_value = "desk.sqlite")]
        store: PathBuf,
        /// Who may ask and who may decide (JSON):
        /// {"filters":[{"name":"edge","key":"${DESK_KEY}"}],
        /// "reviewers":[{"name":"ana","groups":["ml-leads"],"key":"${ANA_KEY}"}]}
        #[arg(long, value_name = "FILE", default_value = "desk.json")]
        config: PathBuf,
    },
    /// Says what is wrong with a policy, one problem a line.
    ///
    /// Exit status: 0 when the policy is right, 1 when it is not, 2 when it can't be read.
    Check {
        /// The policy; - reads standard input.
        #[arg(value_name = "POLICY")]
        policy: PathBuf,
        /// Also reports ${NAME} whose variable is missing from this environment.
        #[arg(long)]
        env: bool,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Desk {
            listen,
            grpc,
            store,
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
        Command::Check { policy, env } => {
            let report = check::check(&policy, env);
            // A closed pipe takes nothing away from the exit status.
            let _ = std::io::stdout().write_all(report.output.as_bytes());
            tell(&report.error);
            ExitCode::from(report.status)
        }
    }
}

/// Writes to standard error; where that is closed, there is nobody to tell.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
