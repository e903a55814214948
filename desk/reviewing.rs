//! The arguments of the commands by which people see and decide what waits.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use portcullis_desk::review::{self, Access, Decided, Decision, Remote, Status, USUAL_DESK};

/// Where the desk is, and who calls.
#[derive(Args)]
pub struct To {
    /// The desk's URL. Without this option PORTCULLIS_DESK says it, or else it is
    /// http://127.0.0.1:7070.
    #[arg(long, value_name = "URL", global = true)]
    desk: Option<String>,
    /// A file with the reviewer's key. Without this option PORTCULLIS_KEY has it.
    #[arg(long, value_name = "FILE", global = true)]
    key_file: Option<PathBuf>,
    /// A file of certificates (PEM) that the desk's must lead to, instead of the usual ones.
    #[arg(long, value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
    /// A file with a certificate (PEM) to show, where the desk wants one. Needs --certificate-key.
    #[arg(long, value_name = "FILE", global = true)]
    certificate: Option<PathBuf>,
    /// The file with its private key (PEM).
    #[arg(long, value_name = "FILE", global = true)]
    certificate_key: Option<PathBuf>,
    /// Prints JSON, a value a line, as the desk says it.
    #[arg(long, global = true)]
    json: bool,
}

impl To {
    fn access(self) -> Access {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Access {
            desk: self
                .desk
                .or_else(|| variable("PORTCULLIS_DESK"))
                .unwrap_or_else(|| USUAL_DESK.to_owned()),
            key: variable("PORTCULLIS_KEY"),
            key_file: self.key_file,
            ca: self.ca,
            certificate: self.certificate,
            certificate_key: self.certificate_key,
            json: self.json,
        }
    }
}

/// Exit status of all: 0 done, 1 the desk refused (some of it), 2 when a command is wrong or the desk
/// can't be reached.
#[derive(Subcommand)]
pub enum ApprovalsCommand {
    /// Lists approvals, newest first.
    List {
        /// Those in this state: pending, approved, denied, used, expired, revoked; or all.
        #[arg(long, value_name = "STATE", default_value = "pending",
              value_parser = ["pending", "approved", "denied", "used", "expired", "revoked", "all"])]
        state: String,
        /// How many.
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Shows all of one approval: who asks for what, from where, and what was decided.
    Show {
        /// Its id.
        id: String,
    },
    /// Approves. Where a rule wants several approvals, yours is counted.
    Approve {
        #[command(flatten)]
        of: Deciding,
        /// Approves alone and at once, whoever asks: for those whom desk.json lets do it. The records
        /// and the desk's log say so loudly.
        #[arg(long, requires = "reason")]
        break_glass: bool,
    },
    /// Denies.
    Deny(Deciding),
    /// Takes an approval back that isn't used up, and what it granted.
    Revoke(Deciding),
    /// Shows what waits, and then each new question as it comes. A desk that goes away later is waited for.
    Watch,
    /// Lets another reviewer decide for some of your groups, for a time.
    Delegate {
        /// The other reviewer's name.
        #[arg(long, value_name = "REVIEWER")]
        to: String,
        /// A group of yours. May be repeated.
        #[arg(long = "group", value_name = "GROUP", required = true)]
        groups: Vec<String>,
        /// For how long: a number and s, m, h or d.
        #[arg(long = "for", value_name = "TIME", value_parser = review::seconds)]
        time: u64,
    },
    /// Lists delegations.
    Delegations,
    /// Takes delegations back.
    Undelegate {
        /// Their ids.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
}

#[derive(Args)]
pub struct Deciding {
    /// The ids of the approvals, as many as you like.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Why. The caller is told, and the records keep it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Deciding {
    fn decided(&self, decision: Decision, break_glass: bool) -> Decided<'_> {
        Decided {
            decision,
            ids: &self.ids,
            reason: self.reason.as_deref(),
            break_glass,
        }
    }
}

#[derive(Subcommand)]
pub enum GrantsCommand {
    /// Lists what was granted and still holds.
    List,
    /// Takes grants back. Within two seconds no filter uses them any more.
    Revoke(Deciding),
}

#[derive(Subcommand)]
pub enum AccessCommand {
    /// Asks for access ahead of need: a question that waits for reviewers.
    Request(Box<Asking>),
}

// What is asked for: its help is that of the command.
#[derive(Args)]
pub struct Asking {
    /// The operation (model.export, ...).
    #[arg(long)]
    operation: String,
    /// The model; without this option and --any-model, only requests that name none.
    #[arg(long)]
    model: Option<String>,
    /// For any model, also for requests that name none.
    #[arg(long, conflicts_with = "model")]
    any_model: bool,
    /// The rule of the policy that asks for approval.
    #[arg(long)]
    rule: String,
    /// SHA-256 of that rule, as questions show it, so that an edit of it voids the grant.
    #[arg(long, value_name = "HEX")]
    rule_digest: Option<String>,
    /// For how long: a number and s, m, h or d.
    #[arg(long = "for", value_name = "TIME", value_parser = review::seconds, required_unless_present = "windows")]
    time: Option<u64>,
    #[command(flatten)]
    windows: Windows,
    /// How often; without this option, any number of times.
    #[arg(long, value_name = "NUMBER")]
    uses: Option<u64>,
    /// A group that may decide. May be repeated.
    #[arg(long = "reviewers", value_name = "GROUP", required = true)]
    reviewers: Vec<String>,
    /// How many of them must approve: as many as the rule wants.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    approvals: u32,
    /// The subject, one of those that desk.json links to you. Without this option, the first.
    #[arg(long)]
    subject: Option<String>,
    /// A group in the tokens of the issuer, for whose members it is instead. Who approves it isn't let
    /// through by it.
    #[arg(long, conflicts_with = "subject")]
    group: Option<String>,
    /// The issuer of its tokens.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Windows that come again each week.
#[derive(Args)]
#[group(id = "windows", multiple = true, conflicts_with = "time")]
pub struct Windows {
    /// Instead of --for, on which days: mon-fri, or sat,sun. With --from and --to it may be repeated, for
    /// another window each time.
    #[arg(long, value_name = "DAYS", value_parser = days, requires_all = ["from", "to", "offset", "until"])]
    days: Vec<Days>,
    /// From when, as in 09:00.
    #[arg(long, value_name = "TIME", requires = "days")]
    from: Vec<String>,
    /// To when; on the next day, if that isn't later than --from.
    #[arg(long, value_name = "TIME", requires = "days")]
    to: Vec<String>,
    /// How far that clock is from UTC, as in +01:00: the same in summer and in winter.
    #[arg(
        long,
        value_name = "OFFSET",
        requires = "days",
        allow_hyphen_values = true
    )]
    offset: Option<String>,
    /// The last day, as in 2027-01-31.
    #[arg(long, value_name = "DAY", requires = "days")]
    until: Option<String>,
}

/// Days of one window.
#[derive(Clone)]
struct Days(Vec<&'static str>);

fn days(text: &str) -> Result<Days, String> {
    review::days(text).map(Days)
}

impl Windows {
    /// What they say; nothing, where there are none.
    fn weekly(self) -> Result<Option<review::Weekly>, review::Failed> {
        if self.days.is_empty() {
            return Ok(None);
        }
        if [self.from.len(), self.to.len()] != [self.days.len(); 2] {
            let message = "expected as many --from and --to as --days";
            return Err(review::Failed::Wrong(message.to_owned()));
        }
        Ok(Some(review::Weekly {
            days: self.days.into_iter().map(|days| days.0).collect(),
            from: self.from,
            to: self.to,
            offset: self.offset.unwrap_or_default(),
            until: self.until.unwrap_or_default(),
        }))
    }
}

/// Who is blocked.
#[derive(Args)]
pub struct Blocking {
    /// The subject of tokens.
    #[arg(
        long,
        conflicts_with = "token_id",
        required_unless_present = "token_id"
    )]
    subject: Option<String>,
    /// The id (jti) of one token.
    #[arg(long, value_name = "JTI")]
    token_id: Option<String>,
    /// The issuer of the tokens; without this option, any.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// For how long: a number and s, m, h or d; without this option, until it is taken back.
    #[arg(long = "for", value_name = "TIME", value_parser = review::seconds)]
    time: Option<u64>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Subcommand)]
pub enum QuotaCommand {
    /// Lists counts, those of which most is taken first: as records told them, how long ago, and by which Envoy.
    List {
        /// Only those of which so many percent are taken.
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
        near: Option<u64>,
        /// Only those of this quota.
        #[arg(long, value_name = "NAME")]
        quota: Option<String>,
        /// Only those of this subject.
        #[arg(long)]
        subject: Option<String>,
        /// How many.
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Shows one count, of each Envoy and of all together.
    Show {
        /// The quota's name.
        quota: String,
        /// What is counted apart, as `list` shows it: subject corp ana@example.com
        #[arg(value_name = "KEY")]
        key: Vec<String>,
    },
    /// Empties a count in each Envoy that hears of it, within two seconds: for those whom desk.json lets do it.
    Reset {
        /// The quota's name.
        quota: String,
        /// What is counted apart, as `list` shows it: subject corp ana@example.com
        #[arg(value_name = "KEY")]
        key: Vec<String>,
        /// Instead of a key: all counts of this subject that the desk knows.
        #[arg(long)]
        subject: Option<String>,
        /// For how long filters are told: a number and s, m, h or d, one hour at most. An Envoy that doesn't hear
        /// of it in that time keeps its count.
        #[arg(long = "for", value_name = "TIME", value_parser = review::seconds)]
        time: Option<u64>,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Lists the resets that filters are told of.
    Resets,
}

/// What is to be done.
pub enum Order {
    /// `portcullis approvals`
    Approvals(ApprovalsCommand),
    /// `portcullis grants`
    Grants(GrantsCommand),
    /// `portcullis access`
    Access(AccessCommand),
    /// `portcullis block`
    Block(Blocking),
    /// `portcullis unblock`
    Unblock(Vec<String>),
    /// `portcullis blocks`
    Blocks,
    /// `portcullis quota`
    Quota(QuotaCommand),
}

/// Runs a command.
pub fn run(to: To, order: Order) -> ExitCode {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let result = Remote::new(&to.access()).and_then(|desk| dispatch(&desk, order, &mut out));
    // A closed pipe takes nothing away from the exit status.
    let _ = out.flush();
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failed) => {
            if failed != review::Failed::Unread {
                crate::tell(&format!("portcullis: {failed}\n"));
            }
            ExitCode::from(failed.status())
        }
    }
}

fn dispatch(desk: &Remote, order: Order, out: &mut dyn Write) -> Status {
    match order {
        Order::Approvals(command) => approvals(desk, command, out),
        Order::Grants(GrantsCommand::List) => review::grants(desk, out),
        Order::Grants(GrantsCommand::Revoke(of)) => decide(desk, Decision::Revoke, &of, out),
        Order::Access(AccessCommand::Request(asking)) => {
            let Asking {
                operation,
                model,
                any_model,
                rule,
                rule_digest,
                time,
                windows,
                uses,
                reviewers,
                approvals,
                subject,
                group,
                issuer,
                reason,
            } = *asking;
            let wanted = review::Wanted {
                issuer,
                subject,
                group,
                rule,
                rule_digest,
                operation,
                model,
                any_model,
                seconds: time,
                calendar: windows.weekly()?,
                uses,
                reviewers,
                approvals,
                reason,
            };
            review::request(desk, &wanted, out)
        }
        Order::Block(blocking) => {
            let blocked = review::Blocked {
                issuer: blocking.issuer,
                subject: blocking.subject,
                token_id: blocking.token_id,
                seconds: blocking.time,
                reason: blocking.reason,
            };
            review::block(desk, &blocked, out)
        }
        Order::Unblock(ids) => review::unblock(desk, &ids, out, &mut std::io::stderr()),
        Order::Blocks => review::blocks(desk, out),
        Order::Quota(command) => quota(desk, command, out),
    }
}

fn quota(desk: &Remote, command: QuotaCommand, out: &mut dyn Write) -> Status {
    match command {
        QuotaCommand::List {
            near,
            quota,
            subject,
            limit,
        } => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let counted = review::Counted {
                quota,
                subject,
                near,
                limit,
            };
            review::quotas(desk, &counted, out)
        }
        QuotaCommand::Show { quota, key } => review::quota(desk, &quota, &key, out),
        QuotaCommand::Reset {
            quota,
            key,
            subject,
            time,
            reason,
        } => {
            let emptied = review::Emptied {
                quota,
                key,
                subject,
                seconds: time,
                reason,
            };
            review::reset(desk, &emptied, out, &mut std::io::stderr())
        }
        QuotaCommand::Resets => review::resets(desk, out),
    }
}

fn approvals(desk: &Remote, command: ApprovalsCommand, out: &mut dyn Write) -> Status {
    match command {
        ApprovalsCommand::List { state, limit } => {
            let state = Some(&*state).filter(|state| *state != "all");
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            review::list(desk, state, limit, out)
        }
        ApprovalsCommand::Show { id } => review::show(desk, &id, out),
        ApprovalsCommand::Approve { of, break_glass } => {
            let wrong = &mut std::io::stderr();
            review::decide(
                desk,
                &of.decided(Decision::Approve, break_glass),
                out,
                wrong,
            )
        }
        ApprovalsCommand::Deny(of) => decide(desk, Decision::Deny, &of, out),
        ApprovalsCommand::Revoke(of) => decide(desk, Decision::Revoke, &of, out),
        ApprovalsCommand::Watch => review::watch(desk, out, &mut std::io::stderr()),
        ApprovalsCommand::Delegate { to, groups, time } => {
            review::delegate(desk, &to, &groups, time, out)
        }
        ApprovalsCommand::Delegations => review::delegations(desk, out),
        ApprovalsCommand::Undelegate { ids } => review::undelegate(desk, &ids, out),
    }
}

fn decide(desk: &Remote, decision: Decision, of: &Deciding, out: &mut dyn Write) -> Status {
    let decided = of.decided(decision, false);
    review::decide(desk, &decided, out, &mut std::io::stderr())
}
