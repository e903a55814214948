//! Approvals in the store. Each change is one transaction; the time comes from outside.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::approval::{APPROVED_FOR, Answer, Approval, DENIED_FOR, PENDING_FOR, State};
use super::question::Question;
use crate::http::Person;

/// How many approvals may be pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one subject.
    pub subject: i64,
    /// Of all.
    pub total: i64,
}

impl Limits {
    /// What the desk keeps to.
    pub const STANDARD: Self = Self {
        subject: 100,
        total: 10_000,
    };
}

/// Why nothing was done.
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
}

/// Finds or makes the approval of `question`, and hands it out if it is approved.
///
/// # Errors
/// SQLite's. The inner error is a limit.
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
        None => make(&transaction, question, filter, limits, now)?,
    };
    transaction.commit()?;
    Ok(reply)
}

fn make(
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

/// Where the approval `id` stands for the one who asked; if it is approved, this hands it out.
///
/// # Errors
/// SQLite's.
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

/// What a reviewer is shown of the approval `id`.
///
/// # Errors
/// SQLite's.
pub fn look(connection: &mut Connection, id: &str, now: i64) -> rusqlite::Result<Option<Approval>> {
    let transaction = begin(connection, now)?;
    let found = transaction
        .prepare_cached(&format!("{SHOWN} WHERE id = ?1"))?
        .query_row([id], shown)
        .optional()?;
    transaction.commit()?;
    Ok(found)
}

/// Approvals, newest first: those in `state`, or all; after the one named by `before`, or from
/// the start; at most `limit`. The flag says that there are more.
///
/// # Errors
/// SQLite's.
pub fn list(
    connection: &mut Connection,
    state: Option<State>,
    before: Option<&str>,
    limit: u32,
    now: i64,
) -> rusqlite::Result<(Vec<Approval>, bool)> {
    let transaction = begin(connection, now)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut more = false;
    {
        // Two statements, so that each one has its index.
        let wanted = match state {
            Some(_) => "state = ?1",
            None => "?1 IS NULL",
        };
        let mut statement = transaction.prepare_cached(&format!(
            "{SHOWN} WHERE {wanted}
             AND (?2 IS NULL OR seq < (SELECT seq FROM approvals WHERE id = ?2))
             ORDER BY seq DESC"
        ))?;
        let mut rows = statement.query(params![state.map(State::name), before])?;
        while let Some(row) = rows.next()? {
            if found.len() >= limit {
                more = true;
                break;
            }
            found.push(shown(row)?);
        }
    }
    transaction.commit()?;
    Ok((found, more))
}

/// Writes down a decision of `reviewer`.
///
/// # Errors
/// SQLite's. The inner error says why this reviewer can't decide this now.
pub fn decide(
    connection: &mut Connection,
    id: &str,
    approve: bool,
    reviewer: &Person,
    reason: Option<&str>,
    now: i64,
) -> rusqlite::Result<Result<Approval, Trouble>> {
    let transaction = begin(connection, now)?;
    let found = transaction
        .prepare_cached(&format!("{SHOWN} WHERE id = ?1"))?
        .query_row([id], shown)
        .optional()?;
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
    let decided = transaction
        .prepare_cached(&format!("{SHOWN} WHERE id = ?1"))?
        .query_row([id], shown)?;
    transaction.commit()?;
    Ok(Ok(decided))
}

/// Why `reviewer` may not decide. What a person may not decide on anyway comes first, so that
/// the other answers tell nothing to those who have no say.
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

/// Begins a transaction that writes, and ends what has run out of time.
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

const SHOWN: &str = "SELECT id, state, reason, reviewer,
    strftime('%Y-%m-%dT%H:%M:%fZ', created / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', expires / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', decided / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', used / 1000.0, 'unixepoch'),
    filter, question FROM approvals";

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
