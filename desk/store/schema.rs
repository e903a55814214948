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
", "
DROP TABLE approvals;
CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    filter TEXT,
    binding TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    state TEXT NOT NULL,
    wide INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    awaited INTEGER NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_same ON approvals (binding, filter, seq);
CREATE INDEX approvals_pending ON approvals (subject, issuer, awaited) WHERE state = 'pending';
CREATE INDEX approvals_awaited ON approvals (awaited) WHERE state = 'pending';
CREATE INDEX approvals_open ON approvals (expires) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_wide ON approvals (subject, issuer, rule) WHERE wide = 1 AND state = 'approved';
CREATE INDEX approvals_listed ON approvals (seq) WHERE listed = 1;
CREATE INDEX approvals_state ON approvals (state, seq);
CREATE TABLE kept (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    expires INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX kept_kind ON kept (kind, seq);
CREATE INDEX kept_expires ON kept (expires);
CREATE TABLE standing (salt TEXT NOT NULL, revision INTEGER NOT NULL) STRICT;
INSERT INTO standing VALUES (lower(hex(randomblob(8))), 0);
", "
CREATE INDEX approvals_ended ON approvals (expires) WHERE state IN ('denied', 'used', 'expired', 'revoked');
", "
ALTER TABLE approvals ADD COLUMN holders TEXT;
ALTER TABLE approvals ADD COLUMN turns INTEGER;
CREATE INDEX approvals_holders ON approvals (holders, issuer, rule) WHERE wide = 1 AND state = 'approved' AND holders IS NOT NULL;
CREATE INDEX approvals_turns ON approvals (turns) WHERE state = 'approved' AND turns IS NOT NULL;
", "
CREATE TABLE answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    approval TEXT NOT NULL UNIQUE,
    filter TEXT NOT NULL,
    request TEXT NOT NULL,
    expires INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX answers_same ON answers (request, filter, seq);
CREATE INDEX answers_filter ON answers (filter, seq);
CREATE INDEX answers_expires ON answers (expires);
CREATE INDEX answers_bytes ON answers (bytes);
"];

/// The form before approvals were bound to what version 2 of the protocol binds them to.
const BEFORE_BINDINGS: i32 = 1;

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
        if version == BEFORE_BINDINGS {
            // Nothing of version 2 asks for them, and what was decided stands in the ledger.
            let open: i64 = transaction.query_row(
                "SELECT count(*) FROM approvals WHERE state IN ('pending', 'approved')",
                [],
                |row| row.get(0),
            )?;
            if open > 0 {
                tracing::warn!(
                    approvals = open,
                    "approvals that an earlier version left open were dropped: filters ask again"
                );
            }
        }
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version.saturating_add(1))?;
        transaction.commit()?;
    }
}
