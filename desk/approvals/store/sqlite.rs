//! In SQLite: `desk/store/schema.rs` has the tables.

mod answers;

use rusqlite::{
    Connection, OptionalExtension as _, Params, Row, Transaction, TransactionBehavior, params,
};

use super::{Held, Kept, Kind, Open, Rows, Store, Stored, Which, Whose};
use crate::approvals::machine::Approval;
use crate::approvals::protocol::{Matter, State};
use crate::store::{Listed, Page, StoreError};

/// A connection of its own.
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// On this connection, whose file has the tables.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl Store for Sqlite {
    fn begin(&mut self) -> Result<Box<dyn Rows + '_>, StoreError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        Ok(Box::new(SqliteRows(transaction)))
    }

    fn pulse(&mut self) -> Result<i64, StoreError> {
        let version = self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0));
        Ok(version?)
    }
}

struct SqliteRows<'c>(Transaction<'c>);

/// What [`stored`] reads.
const COLUMNS: &str = "version, document";

impl SqliteRows<'_> {
    fn one(&self, condition: &str, values: impl Params) -> Result<Option<Stored>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM approvals WHERE {condition} LIMIT 1");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_row(values, stored).optional()?)
    }

    fn many(&self, condition: &str, values: impl Params) -> Result<Vec<Stored>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM approvals WHERE {condition}");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(values, stored)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count(&self, sql: &str, values: impl Params) -> Result<u64, StoreError> {
        let count: i64 = self
            .0
            .prepare_cached(sql)?
            .query_row(values, |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    fn kept_where(&self, condition: &str, values: impl Params) -> Result<Vec<Kept>, StoreError> {
        let sql = format!("SELECT id, expires, document FROM kept WHERE {condition}");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(values, kept)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Rows for SqliteRows<'_> {
    fn find(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        self.one("id = ?1", [id])
    }

    fn now(&mut self) -> Result<i64, StoreError> {
        Ok(crate::store::now())
    }

    fn latest(
        &mut self,
        filter: &str,
        binding: &str,
        now: i64,
    ) -> Result<Option<Stored>, StoreError> {
        self.one(
            "binding = ?1 AND filter = ?2
             ORDER BY state = 'approved' AND expires > ?3 AND NOT EXISTS (
                 SELECT 1 FROM approvals AS later
                 WHERE later.binding = ?1 AND later.filter = ?2 AND later.seq > approvals.seq
                     AND later.state IN ('denied', 'revoked')
             ) DESC, seq DESC",
            params![binding, filter, now],
        )
    }

    fn wide(&mut self, matter: &Matter, most: u32) -> Result<Vec<Stored>, StoreError> {
        let groups = serde_json::to_string(&matter.groups);
        let groups = groups.map_err(|error| StoreError::Form(error.to_string()))?;
        self.many(
            "seq IN (
                 SELECT seq FROM approvals WHERE wide = 1 AND state = 'approved' AND holders IS NULL
                     AND subject = ?1 AND issuer = ?2 AND rule = ?3
                 UNION ALL
                 SELECT seq FROM approvals WHERE wide = 1 AND state = 'approved'
                     AND holders IS NOT NULL AND holders IN (SELECT value FROM json_each(?5)) AND issuer = ?2 AND rule = ?3
             ) ORDER BY seq DESC LIMIT ?4",
            params![matter.subject, matter.issuer, matter.rule, most, groups],
        )
    }

    fn insert(&mut self, approval: &Approval) -> Result<(), StoreError> {
        let matter = &approval.question.matter;
        self.0
            .prepare_cached(
                "INSERT INTO approvals (id, filter, binding, issuer, subject, rule, state, wide,
                     listed, expires, awaited, version, document, holders, turns)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1, ?12, ?13, ?14)",
            )?
            .execute(params![
                approval.id,
                approval.filter,
                approval.question.binding,
                matter.issuer,
                matter.subject,
                matter.rule,
                approval.state.name(),
                approval.is_wide(),
                approval.is_listed(),
                approval.expires,
                approval.awaited_until(),
                document(approval)?,
                approval.ahead.group,
                approval.turns,
            ])?;
        Ok(())
    }

    fn replace(&mut self, stored: &Stored) -> Result<bool, StoreError> {
        let approval = &stored.approval;
        let replaced = self
            .0
            .prepare_cached(
                "UPDATE approvals SET state = ?3, listed = ?4, expires = ?5, awaited = ?6,
                     document = ?7, turns = ?8, version = version + 1
                 WHERE id = ?1 AND version = ?2",
            )?
            .execute(params![
                approval.id,
                stored.version,
                approval.state.name(),
                approval.is_listed(),
                approval.expires,
                approval.awaited_until(),
                document(approval)?,
                approval.turns,
            ])?;
        Ok(replaced == 1)
    }

    fn list(&mut self, which: Which, page: &Page) -> Result<Listed<Approval>, StoreError> {
        let conditions = [
            ("state = ?", which.state.map(State::name)),
            ("wide = ?", which.wide.then_some("1")),
        ];
        let read = |row: &Row<'_>| {
            let size = row.get_ref(1)?.as_bytes()?.len();
            Ok((parsed(row, 1)?, size))
        };
        let columns = "id, document";
        Ok(page.read(&self.0, "approvals", columns, &conditions, read)?)
    }

    fn awaited(&mut self, whose: Whose<'_>, now: i64) -> Result<u64, StoreError> {
        match whose {
            Whose::Caller { issuer, subject } => self.count(
                "SELECT count(*) FROM approvals
                 WHERE state = 'pending' AND subject = ?1 AND issuer = ?2 AND awaited > ?3",
                params![subject, issuer, now],
            ),
            Whose::All => self.count(
                "SELECT count(*) FROM approvals WHERE state = 'pending' AND awaited > ?1",
                [now],
            ),
        }
    }

    fn alone(
        &mut self,
        whose: Whose<'_>,
        now: i64,
        keep: u64,
        most: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        // Of what was left, the newest stay.
        match whose {
            Whose::Caller { issuer, subject } => self.many(
                "state = 'pending' AND subject = ?1 AND issuer = ?2 AND awaited <= ?3
                 ORDER BY seq DESC LIMIT ?5 OFFSET ?4",
                params![subject, issuer, now, keep, most],
            ),
            Whose::All => self.many(
                "state = 'pending' AND awaited <= ?1 ORDER BY seq DESC LIMIT ?3 OFFSET ?2",
                params![now, keep, most],
            ),
        }
    }

    fn due(&mut self, now: i64, most: u32) -> Result<Vec<Stored>, StoreError> {
        self.many(
            "state IN ('pending', 'approved') AND expires <= ?1 ORDER BY expires LIMIT ?2",
            params![now, most],
        )
    }

    fn turning(&mut self, now: i64, most: u32) -> Result<Vec<Stored>, StoreError> {
        self.many(
            "state = 'approved' AND turns <= ?1 ORDER BY turns LIMIT ?2",
            params![now, most],
        )
    }

    fn forget(&mut self, before: i64, most: u32) -> Result<u64, StoreError> {
        let removed = self
            .0
            .prepare_cached(
                "DELETE FROM approvals WHERE seq IN (
                     SELECT seq FROM approvals
                     WHERE state IN ('denied', 'used', 'expired', 'revoked') AND expires <= ?1
                     ORDER BY expires LIMIT ?2
                 )",
            )?
            .execute(params![before, most])?;
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }

    fn open(&mut self, now: i64) -> Result<Open, StoreError> {
        let state = "SELECT count(*) FROM approvals
             WHERE state IN ('pending', 'approved') AND state = ?1 AND expires > ?2";
        let oldest = self.one("state = 'pending' AND awaited > ?1 ORDER BY seq", [now])?;
        Ok(Open {
            oldest: super::age(oldest, now),
            pending: self.count(state, params!["pending", now])?,
            awaited: self.awaited(Whose::All, now)?,
            approved: self.count(state, params!["approved", now])?,
            blocks: self.count(
                "SELECT count(*) FROM kept WHERE kind = 'block' AND expires > ?1",
                [now],
            )?,
        })
    }

    fn listed(&mut self, filter: &str, now: i64, most: u32) -> Result<Vec<Approval>, StoreError> {
        let found = self.many(
            "listed = 1 AND (filter IS NULL OR filter = ?1) AND expires > ?2
             ORDER BY seq DESC LIMIT ?3",
            params![filter, now, most],
        )?;
        Ok(found.into_iter().map(|stored| stored.approval).collect())
    }

    fn revision(&mut self) -> Result<String, StoreError> {
        let mut statement = self
            .0
            .prepare_cached("SELECT salt || '-' || revision FROM standing")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    fn revise(&mut self) -> Result<(), StoreError> {
        self.0
            .prepare_cached("UPDATE standing SET revision = revision + 1")?
            .execute([])?;
        Ok(())
    }

    fn kept(&mut self, kind: Kind, now: i64, most: u32) -> Result<Vec<Kept>, StoreError> {
        self.kept_where(
            "kind = ?1 AND expires > ?2 ORDER BY seq DESC LIMIT ?3",
            params![name(kind), now, most],
        )
    }

    fn kept_page(&mut self, kind: Kind, now: i64, page: &Page) -> Result<Listed<Kept>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, expires, document, seq FROM kept
             WHERE kind = ?1 AND expires > ?2 AND seq < ?3 ORDER BY seq DESC",
        )?;
        let values = params![name(kind), now, super::before(page)];
        let rows = statement.query_map(values, |row| {
            let kept = kept(row)?;
            let size = kept.document.len();
            Ok((row.get::<_, i64>(3)?.to_string(), kept, size))
        })?;
        Ok(page.gather(rows)?)
    }

    fn held(&mut self, kind: Kind, now: i64) -> Result<Held, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT count(*), coalesce(sum(length(CAST(document AS BLOB))), 0) FROM kept
             WHERE kind = ?1 AND expires > ?2",
        )?;
        let held = statement.query_row(params![name(kind), now], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        Ok(Held {
            number: u64::try_from(held.0).unwrap_or_default(),
            bytes: u64::try_from(held.1).unwrap_or_default(),
        })
    }

    fn ended(&mut self, kind: Kind, now: i64, most: u32) -> Result<Vec<Kept>, StoreError> {
        self.kept_where(
            "kind = ?1 AND expires <= ?2 ORDER BY expires LIMIT ?3",
            params![name(kind), now, most],
        )
    }

    fn keep(&mut self, kind: Kind, kept: &Kept) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "INSERT INTO kept (id, kind, expires, document) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![kept.id, name(kind), kept.expires, kept.document])?;
        Ok(())
    }

    fn unkeep(&mut self, kind: Kind, id: &str) -> Result<Option<Kept>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "DELETE FROM kept WHERE id = ?1 AND kind = ?2 RETURNING id, expires, document",
        )?;
        let mut rows = statement.query_map([id, name(kind)], kept)?;
        Ok(rows.next().transpose()?)
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.0.commit()?)
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Block => "block",
        Kind::Delegation => "delegation",
        Kind::Reset => "reset",
    }
}

fn document(approval: &Approval) -> Result<String, StoreError> {
    serde_json::to_string(approval).map_err(|error| StoreError::Form(error.to_string()))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        version: row.get(0)?,
        approval: parsed(row, 1)?,
    })
}

fn parsed(row: &Row<'_>, column: usize) -> rusqlite::Result<Approval> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        id: row.get(0)?,
        expires: row.get(1)?,
        document: row.get(2)?,
    })
}
