//! The tables, and how an older file is brought to this form.

use rusqlite::{Connection, TransactionBehavior};

/// Step n takes a file from `user_version` n to n + 1. A step that was released never changes.
const STEPS: &[&str] = &["
CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    rule TEXT NOT NULL,
    policy TEXT NOT NULL,
    question TEXT NOT NULL,
    filter TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'used', 'expired')),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    decided INTEGER,
    used INTEGER,
    reviewer TEXT,
    reason TEXT
) STRICT;
CREATE INDEX approvals_same ON approvals (digest, subject, issuer, rule, policy, seq);
CREATE INDEX approvals_pending ON approvals (subject) WHERE state = 'pending';
CREATE INDEX approvals_open ON approvals (expires) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_state ON approvals (state, seq);
CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    time TEXT NOT NULL,
    subject TEXT,
    operation TEXT,
    action TEXT,
    code TEXT,
    worker TEXT NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_subject ON sessions (subject, seq);
CREATE INDEX sessions_action ON sessions (action, seq);
CREATE INDEX sessions_worker ON sessions (worker, number);
"];

/// Runs the steps that the file hasn't seen, each in a transaction of its own.
///
/// The inner error is a file of a later version.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), String>> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i32 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let done = usize::try_from(version).unwrap_or(usize::MAX);
        if done > STEPS.len() {
            return Ok(Err(format!(
                "it has the form {version}, which a later version wrote; this one knows {}",
                STEPS.len()
            )));
        }
        let Some(step) = STEPS.get(done) else {
            return Ok(Ok(()));
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version.saturating_add(1))?;
        transaction.commit()?;
    }
}
