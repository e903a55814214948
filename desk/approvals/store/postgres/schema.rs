//! The tables, as `desk/store/schema.rs` has them for SQLite.

use postgres::Client;

use super::LOCK;
use crate::store::StoreError;

/// What the database has behind each step.
const STEPS: &[&str] = &["
CREATE TABLE portcullis_approvals (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    filter TEXT,
    binding TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    state TEXT NOT NULL,
    wide BOOLEAN NOT NULL,
    listed BOOLEAN NOT NULL,
    expires BIGINT NOT NULL,
    awaited BIGINT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX portcullis_same ON portcullis_approvals (binding, filter, seq);
CREATE INDEX portcullis_pending ON portcullis_approvals (left(subject, 128), awaited) WHERE state = 'pending';
CREATE INDEX portcullis_awaited ON portcullis_approvals (awaited) WHERE state = 'pending';
CREATE INDEX portcullis_open ON portcullis_approvals (expires) WHERE state IN ('pending', 'approved');
CREATE INDEX portcullis_wide ON portcullis_approvals (left(subject, 128)) WHERE wide AND state = 'approved';
CREATE INDEX portcullis_listed ON portcullis_approvals (seq) WHERE listed;
CREATE INDEX portcullis_state ON portcullis_approvals (state, seq);
CREATE TABLE portcullis_kept (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    expires BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX portcullis_kept_kind ON portcullis_kept (kind, seq);
CREATE INDEX portcullis_kept_expires ON portcullis_kept (expires);
CREATE TABLE portcullis_standing (salt TEXT NOT NULL, revision BIGINT NOT NULL);
INSERT INTO portcullis_standing VALUES (gen_random_uuid()::text, 0);
", "
CREATE INDEX portcullis_ended ON portcullis_approvals (expires) WHERE state IN ('denied', 'used', 'expired', 'revoked');
", "
ALTER TABLE portcullis_approvals ADD COLUMN holders TEXT;
ALTER TABLE portcullis_approvals ADD COLUMN turns BIGINT;
CREATE INDEX portcullis_holders ON portcullis_approvals (holders) WHERE wide AND state = 'approved' AND holders IS NOT NULL;
CREATE INDEX portcullis_turns ON portcullis_approvals (turns) WHERE state = 'approved' AND turns IS NOT NULL;
", "
CREATE TABLE portcullis_answers (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    approval TEXT NOT NULL UNIQUE,
    filter TEXT NOT NULL,
    request TEXT NOT NULL,
    expires BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
CREATE INDEX portcullis_answers_same ON portcullis_answers (request, filter, seq);
CREATE INDEX portcullis_answers_filter ON portcullis_answers (filter, seq);
CREATE INDEX portcullis_answers_expires ON portcullis_answers (expires);
CREATE INDEX portcullis_answers_bytes ON portcullis_answers (bytes);
"];

/// Takes the steps that the database hasn't seen, all or none.
pub(super) fn migrate(client: &mut Client) -> Result<(), StoreError> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(&format!(
        "SELECT pg_advisory_xact_lock({LOCK});
         CREATE TABLE IF NOT EXISTS portcullis_form (version BIGINT NOT NULL)"
    ))?;
    let row = transaction.query_opt("SELECT version FROM portcullis_form", &[])?;
    let version: i64 = match &row {
        Some(row) => row.try_get(0)?,
        None => 0,
    };
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > STEPS.len() {
        return Err(StoreError::Form(format!(
            "the database has form {version}, and this version knows {} at most",
            STEPS.len()
        )));
    }
    for step in STEPS.iter().skip(done) {
        transaction.batch_execute(step)?;
    }
    let now = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if now != version {
        transaction.execute("DELETE FROM portcullis_form", &[])?;
        transaction.execute("INSERT INTO portcullis_form VALUES ($1)", &[&now])?;
    }
    Ok(transaction.commit()?)
}
