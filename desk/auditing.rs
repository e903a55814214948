//! The arguments of `portcullis sessions`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use portcullis_desk::audit::{self, Direction, Failed, Form, Known, Selection, Status};
use portcullis_desk::ledger::Options;

/// Exit status of all: 0 right, 1 wrong (changed, missing, or not found), 2 when something can't be
/// read.
#[derive(Subcommand)]
pub enum SessionsCommand {
    /// Lists records, a line each, oldest first: entry, time, action, subject, operation, model,
    /// rule, code and id, with tabs between them. Of events: entry, time, event, who, what it is about
    /// and id.
    List {
        #[command(flatten)]
        ledger: Folder,
        #[command(flatten)]
        selection: Conditions,
    },
    /// Prints one record, as the filter wrote it, or what it keeps of a body; or one event.
    Show {
        #[command(flatten)]
        ledger: Folder,
        /// The id of the record or the event, or the number of an entry.
        id: String,
        /// Prints what is kept of this body instead, byte for byte.
        #[arg(long, value_enum)]
        body: Option<BodyName>,
        /// A file with the age identities that open bodies which are kept raw.
        #[arg(long, value_name = "FILE", requires = "body")]
        identity: Option<PathBuf>,
    },
    /// Says whether a ledger, a proof or evidence is as it was signed, and names what is not.
    Verify {
        /// The folder of the ledger.
        #[arg(value_name = "LEDGER", required_unless_present_any = ["proof", "evidence"])]
        ledger: Option<PathBuf>,
        /// The log's public key, or a file with it. Without it the first key that the ledger names
        /// is believed.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// What a witness has seen: its file of checkpoints, or the URL of a desk that is one
        /// (https://desk.example/v1/witness). May be repeated.
        #[arg(long, value_name = "FILE_OR_URL", conflicts_with_all = ["proof", "evidence"])]
        witness: Vec<String>,
        /// The public key of a witness that must have cosigned, or a file with it. Its cosignature
        /// stands beside the ledger, or comes from its URL. May be repeated.
        #[arg(long, value_name = "KEY", conflicts_with_all = ["proof", "evidence"])]
        witness_key: Vec<String>,
        /// A file of certificates (PEM) that those of witnesses' URLs must lead to, instead of the
        /// usual ones.
        #[arg(long, value_name = "FILE", requires = "witness")]
        witness_ca: Option<PathBuf>,
        /// Checks what `prove` printed instead, without a ledger. Needs --key.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["ledger", "evidence"])]
        proof: Option<PathBuf>,
        /// Checks evidence that `export` wrote instead, without a ledger.
        #[arg(long, value_name = "FILE", conflicts_with = "ledger")]
        evidence: Option<PathBuf>,
    },
    /// Prints a proof that a record or an event is in the ledger (c2sp.org/tlog-proof), with it.
    Prove {
        #[command(flatten)]
        ledger: Folder,
        /// The id of the record or the event, or the number of an entry.
        id: String,
    },
    /// Tells which numbers of which worker are missing. Status 1 if some are.
    Gaps {
        #[command(flatten)]
        ledger: Folder,
    },
    /// Writes records as JSON lines, as CSV, or as evidence that can be verified without the
    /// ledger.
    Export {
        #[command(flatten)]
        ledger: Folder,
        /// What is written.
        #[arg(long, value_enum, default_value = "lines")]
        form: FormName,
        /// A new file to write to, instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        selection: Conditions,
    },
    /// Stores those records of Envoy's JSON file log, or of an OpenTelemetry collector's, that the
    /// ledger lacks. A desk that runs on the ledger does it itself, with its own keys and witnesses.
    Import {
        #[command(flatten)]
        writing: Writing,
        /// Envoy's log, with the record in the member "session" of each line; or the collector's, in
        /// OTLP as JSON lines.
        #[arg(value_name = "ACCESS_LOG")]
        log: PathBuf,
    },
    /// Makes a new signing key, which the present one signs, and prints its public half. A desk that
    /// runs on the ledger does it itself.
    Rotate {
        #[command(flatten)]
        writing: Writing,
    },
}

#[derive(Args)]
pub struct Folder {
    /// The folder of the ledger.
    #[arg(value_name = "LEDGER")]
    folder: PathBuf,
}

#[derive(Args)]
pub struct Writing {
    /// The folder of the ledger.
    #[arg(value_name = "LEDGER")]
    folder: PathBuf,
    /// The folder of its signing keys. Without this option it stands beside the ledger and ends
    /// in .keys.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The witness that the desk appends checkpoints to.
    #[arg(long, value_name = "FILE")]
    witness: Option<PathBuf>,
}

impl Writing {
    fn options(self) -> Options {
        let keys = self
            .keys
            .unwrap_or_else(|| self.folder.with_extension("keys"));
        Options {
            witnesses: self.witness.into_iter().collect(),
            ..Options::new(&self.folder, &keys)
        }
    }
}

#[derive(Args)]
pub struct Conditions {
    /// Only this subject's records.
    #[arg(long)]
    subject: Option<String>,
    /// Only records with this action (allow, deny, ...).
    #[arg(long)]
    action: Option<String>,
    /// Only records of this operation (inference.chat, ...).
    #[arg(long)]
    operation: Option<String>,
    /// Only records of this model.
    #[arg(long)]
    model: Option<String>,
    /// Only records that this rule decided.
    #[arg(long)]
    rule: Option<String>,
    /// Only records with this code (no_rule, ...).
    #[arg(long)]
    code: Option<String>,
    /// Only records in which this detector found something (email, ...).
    #[arg(long)]
    detector: Option<String>,
    /// Only requests at this time or later: RFC 3339, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = Selection::time)]
    since: Option<Duration>,
    /// Only requests before this time.
    #[arg(long, value_name = "TIME", value_parser = Selection::time)]
    until: Option<Duration>,
    /// Events instead of records: decisions of reviewers, reads of records, changes of policy, whose the
    /// workers are, and what was removed.
    #[arg(long, conflicts_with_all = ["subject", "action", "operation", "code"])]
    events: bool,
}

impl Conditions {
    fn selection(self) -> Selection {
        Selection {
            subject: self.subject,
            action: self.action,
            operation: self.operation,
            model: self.model,
            rule: self.rule,
            code: self.code,
            detector: self.detector,
            since: self.since,
            until: self.until,
            events: self.events,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum BodyName {
    /// The request's.
    Request,
    /// The response's.
    Response,
}

impl From<BodyName> for Direction {
    fn from(name: BodyName) -> Self {
        match name {
            BodyName::Request => Self::Request,
            BodyName::Response => Self::Response,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum FormName {
    /// Each record as it came, a line each.
    Lines,
    /// A table, with a line of names.
    Csv,
    /// Records with their proofs.
    Evidence,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Lines => Self::Lines,
            FormName::Csv => Self::Csv,
            FormName::Evidence => Self::Evidence,
        }
    }
}

/// Runs a command.
pub fn run(command: SessionsCommand) -> ExitCode {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let result = dispatch(command, &mut out);
    // A closed pipe takes nothing away from the exit status.
    let _ = out.flush();
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            crate::tell(&format!("portcullis: {error}\n"));
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: SessionsCommand, out: &mut dyn Write) -> Status {
    match command {
        SessionsCommand::List { ledger, selection } => {
            audit::list(&ledger.folder, &selection.selection(), out)
        }
        SessionsCommand::Show {
            ledger,
            id,
            body,
            identity,
        } => {
            let status = match body {
                None => audit::show(&ledger.folder, &id, out),
                Some(body) => {
                    let identity = identity.as_ref();
                    audit::body(&ledger.folder, &id, body.into(), identity, out)
                }
            };
            found(&ledger, &id, status)
        }
        SessionsCommand::Prove { ledger, id } => {
            let status = audit::prove(&ledger.folder, &id, out);
            found(&ledger, &id, status)
        }
        SessionsCommand::Gaps { ledger } => audit::gaps(&ledger.folder, out),
        SessionsCommand::Verify {
            ledger,
            key,
            witness,
            witness_key,
            witness_ca,
            proof,
            evidence,
        } => {
            let known = Known {
                key,
                witnesses: witness,
                witness_keys: witness_key,
                ca: witness_ca,
            };
            match (proof, evidence, ledger) {
                (Some(proof), ..) => audit::verify_proof(&proof, &known, out),
                (_, Some(evidence), _) => audit::verify_evidence(&evidence, &known, out),
                (_, _, ledger) => audit::verify(&ledger.unwrap_or_default(), &known, out),
            }
        }
        SessionsCommand::Export {
            ledger,
            form,
            out: file,
            selection,
        } => {
            let selection = selection.selection();
            let Some(file) = file else {
                return audit::export(&ledger.folder, form.into(), &selection, out);
            };
            let mut file = create(&file)?;
            let status = audit::export(&ledger.folder, form.into(), &selection, &mut file)?;
            file.flush()?;
            Ok(status)
        }
        SessionsCommand::Import { writing, log } => audit::import(&writing.options(), &log, out),
        SessionsCommand::Rotate { writing } => audit::rotate(&writing.options(), out),
    }
}

fn found(ledger: &Folder, id: &str, status: Status) -> Status {
    if matches!(status, Ok(audit::WRONG)) {
        let why = audit::absence(&ledger.folder, id)?;
        crate::tell(&format!("portcullis: {why}\n"));
    }
    status
}

/// Makes a file for its owner only: records are nobody else's business.
fn create(path: &std::path::Path) -> Result<BufWriter<std::fs::File>, Failed> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    Ok(BufWriter::new(file))
}
