//! Approvals in the store. Each change is one transaction; the time comes from outside.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::approval::{APPROVED_FOR, Answer, Approval, DENIED_FOR, PENDING_FOR, State};
use super::question::Question;
use crate::http::Person;
use crate::store::{Listed, Page};

/// How many approvals may be pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Per subject.
    pub subject: i64,
    /// In total.
    pub total: i64,
}

impl Limits {
    /// The limits that the desk applies.
    pub const STANDARD: Self = Self {
        subject: 100,
        total: 10_000,
    };
}

/// Why a question or a decision is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Too many of this subject's are pending.
    SubjectLimit,
    /// Too many are pending.
    TotalLimit,
    /// There is no such approval.
    Unknown,
    /// The reviewer is in none of the groups that may decide.
    NotYourGroup,
    /// The reviewer is the one who asks.
    OwnRequest,
    /// It was decided already.
    Decided,
    /// Nobody decided in time.
    Expired,
    /// The decision can't be entered into the ledger.
    NotEntered,
}

/// Finds or creates the approval for `question`, and hands it out if it is approved.
///
/// # Errors
/// When SQLite fails. The inner error is a limit.
pub fn ask(
    connection: &mut Connection,
    question: &Question,
    filter: &str,
    limits: Limits,
    now: i64,
) -> rusqlite::Result<Result<Answer, Trouble>> {
    let transaction = begin(connection, now)?;
    let found = transaction
        .prepare_cached(
            "SELECT id, state, reason, reviewer, expires FROM approvals
             WHERE digest = ?1 AND subject = ?2 AND issuer = ?3 AND rule = ?4 AND policy = ?5
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row(
            params![
                question.digest,
                question.subject,
                question.issuer,
                question.rule,
                question.policy
            ],
            |row| Ok((answer(row)?, row.get::<_, i64>(4)?)),
        )
        .optional()?;
    let reply = match found {
        Some((answer, expires)) => match answer.state {
            State::Pending => Some(answer),
            State::Denied if expires > now => Some(answer),
            State::Approved => {
                mark_used(&transaction, &answer.id, now)?;
                Some(answer)
            }
            State::Denied | State::Used | State::Expired => None,
        },
        None => None,
    };
    let reply = match reply {
        Some(answer) => Ok(answer),
        None => create(&transaction, question, filter, limits, now)?,
    };
    transaction.commit()?;
    Ok(reply)
}

fn create(
    transaction: &Transaction<'_>,
    question: &Question,
    filter: &str,
    limits: Limits,
    now: i64,
) -> rusqlite::Result<Result<Answer, Trouble>> {
    let count = |sql: &str, subject: Option<&str>| -> rusqlite::Result<i64> {
        let mut statement = transaction.prepare_cached(sql)?;
        match subject {
            Some(subject) => statement.query_row([subject], |row| row.get(0)),
            None => statement.query_row([], |row| row.get(0)),
        }
    };
    let subject = count(
        "SELECT count(*) FROM approvals WHERE state = 'pending' AND subject = ?1",
        Some(&question.subject),
    )?;
    if subject >= limits.subject {
        return Ok(Err(Trouble::SubjectLimit));
    }
    let total = count(
        "SELECT count(*) FROM approvals WHERE state = 'pending'",
        None,
    )?;
    if total >= limits.total {
        return Ok(Err(Trouble::TotalLimit));
    }
    let text = serde_json::to_string(question)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let id = transaction
        .prepare_cached(
            "INSERT INTO approvals
                 (id, digest, subject, issuer, rule, policy, question, filter, state, created, expires)
             VALUES ('apr_' || lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?9)
             RETURNING id",
        )?
        .query_row(
            params![
                question.digest,
                question.subject,
                question.issuer,
                question.rule,
                question.policy,
                text,
                filter,
                now,
                now.saturating_add(PENDING_FOR)
            ],
            |row| row.get(0),
        )?;
    Ok(Ok(Answer {
        id,
        state: State::Pending,
        reason: None,
        reviewer: None,
    }))
}

/// The state of the approval `id`, for the filter that asked. An approved one is handed out by
/// this, and is used from then on.
///
/// # Errors
/// When SQLite fails.
pub fn take(connection: &mut Connection, id: &str, now: i64) -> rusqlite::Result<Option<Answer>> {
    let transaction = begin(connection, now)?;
    let found = transaction
        .prepare_cached("SELECT id, state, reason, reviewer FROM approvals WHERE id = ?1")?
        .query_row([id], answer)
        .optional()?;
    if let Some(answer) = &found
        && answer.state == State::Approved
    {
        mark_used(&transaction, id, now)?;
    }
    transaction.commit()?;
    Ok(found)
}

/// The approval `id` as reviewers see it.
///
/// # Errors
/// When SQLite fails.
pub fn look(connection: &mut Connection, id: &str, now: i64) -> rusqlite::Result<Option<Approval>> {
    let transaction = begin(connection, now)?;
    let found = find(&transaction, id)?;
    transaction.commit()?;
    Ok(found)
}

/// One page of the approvals in `state`, or of all.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    connection: &mut Connection,
    state: Option<State>,
    page: &Page,
    now: i64,
) -> rusqlite::Result<Listed<Approval>> {
    let transaction = begin(connection, now)?;
    let conditions = [("state = ?", state.map(State::name))];
    let listed = page.read(&transaction, "approvals", COLUMNS, &conditions, |row| {
        let size = row.get_ref(9)?.as_bytes()?.len();
        Ok((shown(row)?, size))
    })?;
    transaction.commit()?;
    Ok(listed)
}

/// How many approvals are pending, and how many approved and not handed out yet.
///
/// # Errors
/// When SQLite fails.
pub fn open(connection: &mut Connection, now: i64) -> rusqlite::Result<Vec<(&'static str, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM approvals
         WHERE state IN ('pending', 'approved') AND state = ?1 AND expires > ?2",
    )?;
    let states = [State::Pending, State::Approved];
    let counts = states.map(|state| {
        let count = statement.query_row(params![state.name(), now], |row| row.get::<_, i64>(0))?;
        Ok((state.name(), u64::try_from(count).unwrap_or_default()))
    });
    counts.into_iter().collect()
}

/// Stores the decision of `reviewer`, once `enter` has entered it into the ledger: no decision has an effect
/// without an entry. If SQLite fails behind that, there is an entry of a decision that had none.
///
/// # Errors
/// When SQLite fails. The inner error says why this reviewer can't decide this now.
pub fn decide(
    connection: &mut Connection,
    id: &str,
    approve: bool,
    reviewer: &Person,
    reason: Option<&str>,
    now: i64,
    enter: impl FnOnce(&Approval) -> bool,
) -> rusqlite::Result<Result<Approval, Trouble>> {
    let transaction = begin(connection, now)?;
    let found = find(&transaction, id)?;
    let trouble = match &found {
        None => Some(Trouble::Unknown),
        Some(approval) => objection(approval, reviewer),
    };
    if let Some(trouble) = trouble {
        transaction.commit()?;
        return Ok(Err(trouble));
    }
    let (state, lasts) = if approve {
        (State::Approved, APPROVED_FOR)
    } else {
        (State::Denied, DENIED_FOR)
    };
    transaction.execute(
        "UPDATE approvals SET state = ?2, reviewer = ?3, reason = ?4, decided = ?5, expires = ?6
         WHERE id = ?1",
        params![
            id,
            state.name(),
            reviewer.name,
            reason,
            now,
            now.saturating_add(lasts)
        ],
    )?;
    let decided = find(&transaction, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    if !enter(&decided) {
        transaction.rollback()?;
        return Ok(Err(Trouble::NotEntered));
    }
    transaction.commit()?;
    Ok(Ok(decided))
}

/// Why `reviewer` may not decide. Permission is checked first, so that nobody without a say
/// learns the state.
fn objection(approval: &Approval, reviewer: &Person) -> Option<Trouble> {
    let groups = &approval.question.reviewers;
    if !reviewer.groups.iter().any(|group| groups.contains(group)) {
        return Some(Trouble::NotYourGroup);
    }
    if approval.question.subject == reviewer.name {
        return Some(Trouble::OwnRequest);
    }
    match approval.answer.state {
        State::Pending => None,
        State::Expired if approval.decided.is_none() => Some(Trouble::Expired),
        State::Approved | State::Denied | State::Used | State::Expired => Some(Trouble::Decided),
    }
}

/// Begins a write transaction, and expires what has run out of time.
fn begin(connection: &mut Connection, now: i64) -> rusqlite::Result<Transaction<'_>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction
        .prepare_cached(
            "UPDATE approvals SET state = 'expired'
             WHERE state IN ('pending', 'approved') AND expires <= ?1",
        )?
        .execute([now])?;
    Ok(transaction)
}

fn mark_used(transaction: &Transaction<'_>, id: &str, now: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE approvals SET state = 'used', used = ?2 WHERE id = ?1")?
        .execute(params![id, now])
        .map(drop)
}

/// What [`shown`] reads.
const COLUMNS: &str = "id, state, reason, reviewer,
    strftime('%Y-%m-%dT%H:%M:%fZ', created / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', expires / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', decided / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', used / 1000.0, 'unixepoch'),
    filter, question";

/// The approval `id` as reviewers see it.
fn find(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Approval>> {
    transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM approvals WHERE id = ?1"))?
        .query_row([id], shown)
        .optional()
}

fn shown(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let question: String = row.get(9)?;
    Ok(Approval {
        answer: answer(row)?,
        created: row.get(4)?,
        expires: row.get(5)?,
        decided: row.get(6)?,
        used: row.get(7)?,
        filter: row.get(8)?,
        question: serde_json::from_str(&question).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                9,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })?,
    })
}

fn answer(row: &Row<'_>) -> rusqlite::Result<Answer> {
    let state: String = row.get(1)?;
    Ok(Answer {
        id: row.get(0)?,
        state: State::named(&state).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(
                1,
                rusqlite::types::Type::Text,
                format!("the state {state:?}").into(),
            )
        })?,
        reason: row.get(2)?,
        reviewer: row.get(3)?,
    })
}
