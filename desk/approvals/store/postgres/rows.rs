//! A transaction.

use postgres::types::ToSql;
use postgres::{Client, Row};

use super::listen::said;
use super::{CHANNEL, Prepared};
use crate::approvals::machine::Approval;
use crate::approvals::protocol::{Matter, State};
use crate::approvals::store::{Held, Kept, Kind, Open, Rows, Stored, Which, Whose, before};
use crate::store::{Listed, Page, StoreError};

/// Values of a statement.
type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// A statement that reads approvals.
macro_rules! approvals {
    ($condition:literal) => {
        concat!(
            "SELECT version, document FROM portcullis_approvals WHERE ",
            $condition
        )
    };
}

/// A statement that reads what is kept.
macro_rules! kept {
    ($condition:literal) => {
        concat!(
            "SELECT id, expires, document FROM portcullis_kept WHERE ",
            $condition
        )
    };
}

/// An open transaction, which holds the lock.
pub(super) struct PostgresRows<'c> {
    client: &'c mut Client,
    prepared: &'c mut Prepared,
    /// Of what other desks have to hear: the approvals that have changed,
    changed: Vec<String>,
    /// and whether something else is listed or blocked.
    revised: bool,
    ended: bool,
}

impl<'c> PostgresRows<'c> {
    pub(super) fn new(client: &'c mut Client, prepared: &'c mut Prepared) -> Self {
        Self {
            client,
            prepared,
            changed: Vec::new(),
            revised: false,
            ended: false,
        }
    }

    pub(super) fn query(
        &mut self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let known = self.prepared.get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(sql)?;
                self.prepared.insert(sql, statement.clone());
                statement
            }
        };
        Ok(self.client.query(&statement, values)?)
    }

    fn one(&mut self, sql: &'static str, values: Values<'_>) -> Result<Option<Stored>, StoreError> {
        self.query(sql, values)?.first().map(stored).transpose()
    }

    fn many(&mut self, sql: &'static str, values: Values<'_>) -> Result<Vec<Stored>, StoreError> {
        self.query(sql, values)?.iter().map(stored).collect()
    }

    pub(super) fn count(
        &mut self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<u64, StoreError> {
        let rows = self.query(sql, values)?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

impl Rows for PostgresRows<'_> {
    fn find(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        self.one(approvals!("id = $1"), &[&fit(id)])
    }

    fn now(&mut self) -> Result<i64, StoreError> {
        let rows = self.query(
            "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
            &[],
        )?;
        let row = rows.first();
        let row = row.ok_or_else(|| StoreError::Form("there is no time".to_owned()))?;
        Ok(row.try_get(0)?)
    }

    fn latest(
        &mut self,
        filter: &str,
        binding: &str,
        now: i64,
    ) -> Result<Option<Stored>, StoreError> {
        self.one(
            approvals!(
                "binding = $1 AND filter = $2
                 ORDER BY (state = 'approved' AND expires > $3 AND NOT EXISTS (
                     SELECT 1 FROM portcullis_approvals AS later
                     WHERE later.binding = $1 AND later.filter = $2
                         AND later.seq > portcullis_approvals.seq
                         AND later.state IN ('denied', 'revoked')
                 )) DESC, seq DESC LIMIT 1"
            ),
            &[&fit(binding), &fit(filter), &now],
        )
    }

    fn wide(&mut self, matter: &Matter, most: u32) -> Result<Vec<Stored>, StoreError> {
        let groups: Vec<String> = matter.groups.iter().map(|group| fit(group)).collect();
        self.many(
            approvals!(
                "seq IN (
                     SELECT seq FROM portcullis_approvals WHERE wide AND state = 'approved' AND holders IS NULL
                         AND left(subject, 128) = left($1, 128) AND subject = $1 AND issuer = $2 AND rule = $3
                     UNION ALL
                     SELECT seq FROM portcullis_approvals WHERE wide AND state = 'approved'
                         AND holders IS NOT NULL AND holders = ANY($5) AND issuer = $2 AND rule = $3
                 ) ORDER BY seq DESC LIMIT $4"
            ),
            &[
                &fit(&matter.subject),
                &fit(&matter.issuer),
                &fit(&matter.rule),
                &i64::from(most),
                &groups,
            ],
        )
    }

    fn insert(&mut self, approval: &Approval) -> Result<(), StoreError> {
        let matter = &approval.question.matter;
        self.query(
            "INSERT INTO portcullis_approvals (id, filter, binding, issuer, subject, rule, state, wide,
                 listed, expires, awaited, version, document, holders, turns)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14)",
            &[
                &fit(&approval.id),
                &approval.filter.as_deref().map(fit),
                &fit(&approval.question.binding),
                &fit(&matter.issuer),
                &fit(&matter.subject),
                &fit(&matter.rule),
                &approval.state.name(),
                &approval.is_wide(),
                &approval.is_listed(),
                &approval.expires,
                &approval.awaited_until(),
                &document(approval)?,
                &approval.ahead.group.as_deref().map(fit),
                &approval.turns,
            ],
        )?;
        Ok(())
    }

    fn replace(&mut self, stored: &Stored) -> Result<bool, StoreError> {
        let approval = &stored.approval;
        let replaced = self.query(
            "UPDATE portcullis_approvals SET state = $3, listed = $4, expires = $5, awaited = $6,
                 document = $7, turns = $8, version = version + 1
             WHERE id = $1 AND version = $2 RETURNING version",
            &[
                &fit(&approval.id),
                &stored.version,
                &approval.state.name(),
                &approval.is_listed(),
                &approval.expires,
                &approval.awaited_until(),
                &document(approval)?,
                &approval.turns,
            ],
        )?;
        self.changed.push(approval.id.clone());
        Ok(replaced.len() == 1)
    }

    fn list(&mut self, which: Which, page: &Page) -> Result<Listed<Approval>, StoreError> {
        let before = page.before().map(fit);
        let state = which.state.map(State::name);
        let mut values: Vec<&(dyn ToSql + Sync)> = Vec::new();
        let mut sql = "SELECT id, document FROM portcullis_approvals WHERE TRUE".to_owned();
        if let Some(state) = &state {
            values.push(state);
            sql.push_str(&format!(" AND state = ${}", values.len()));
        }
        if which.wide {
            sql.push_str(" AND wide");
        }
        if let Some(before) = &before {
            values.push(before);
            let before = values.len();
            sql.push_str(&format!(
                " AND seq < (SELECT seq FROM portcullis_approvals WHERE id = ${before})"
            ));
        }
        // One more tells whether there is another page.
        sql.push_str(&format!(
            " ORDER BY seq DESC LIMIT {}",
            page.rows().saturating_add(1)
        ));
        let rows = self.client.query(&sql, &values)?;
        page.gather(rows.iter().map(|row| {
            let text: &str = row.try_get(1)?;
            Ok((row.try_get(0)?, parsed(text)?, text.len()))
        }))
    }

    fn awaited(&mut self, whose: Whose<'_>, now: i64) -> Result<u64, StoreError> {
        match whose {
            Whose::Caller { issuer, subject } => self.count(
                "SELECT count(*) FROM portcullis_approvals WHERE state = 'pending'
                 AND left(subject, 128) = left($1, 128) AND subject = $1 AND issuer = $2 AND awaited > $3",
                &[&fit(subject), &fit(issuer), &now],
            ),
            Whose::All => self.count(
                "SELECT count(*) FROM portcullis_approvals WHERE state = 'pending' AND awaited > $1",
                &[&now],
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
        let most = i64::from(most);
        // Of what was left, the newest stay.
        match whose {
            Whose::Caller { issuer, subject } => self.many(
                approvals!(
                    "state = 'pending' AND left(subject, 128) = left($1, 128) AND subject = $1 AND issuer = $2
                     AND awaited <= $3 ORDER BY seq DESC LIMIT $5 OFFSET $4"
                ),
                &[&fit(subject), &fit(issuer), &now, &keep, &most],
            ),
            Whose::All => self.many(
                approvals!(
                    "state = 'pending' AND awaited <= $1 ORDER BY seq DESC LIMIT $3 OFFSET $2"
                ),
                &[&now, &keep, &most],
            ),
        }
    }

    fn due(&mut self, now: i64, most: u32) -> Result<Vec<Stored>, StoreError> {
        self.many(
            approvals!(
                "state IN ('pending', 'approved') AND expires <= $1 ORDER BY expires LIMIT $2"
            ),
            &[&now, &i64::from(most)],
        )
    }

    fn turning(&mut self, now: i64, most: u32) -> Result<Vec<Stored>, StoreError> {
        self.many(
            approvals!("state = 'approved' AND turns <= $1 ORDER BY turns LIMIT $2"),
            &[&now, &i64::from(most)],
        )
    }

    fn forget(&mut self, before: i64, most: u32) -> Result<u64, StoreError> {
        let removed = self.query(
            "DELETE FROM portcullis_approvals WHERE seq IN (
                 SELECT seq FROM portcullis_approvals
                 WHERE state IN ('denied', 'used', 'expired', 'revoked') AND expires <= $1
                 ORDER BY expires LIMIT $2
             ) RETURNING seq",
            &[&before, &i64::from(most)],
        )?;
        Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
    }

    fn open(&mut self, now: i64) -> Result<Open, StoreError> {
        let pending =
            "SELECT count(*) FROM portcullis_approvals WHERE state = 'pending' AND expires > $1";
        let approved =
            "SELECT count(*) FROM portcullis_approvals WHERE state = 'approved' AND expires > $1";
        let blocks = "SELECT count(*) FROM portcullis_kept WHERE kind = 'block' AND expires > $1";
        let oldest = self.one(
            approvals!("state = 'pending' AND awaited > $1 ORDER BY seq LIMIT 1"),
            &[&now],
        )?;
        Ok(Open {
            oldest: super::super::age(oldest, now),
            pending: self.count(pending, &[&now])?,
            awaited: self.awaited(Whose::All, now)?,
            approved: self.count(approved, &[&now])?,
            blocks: self.count(blocks, &[&now])?,
        })
    }

    fn listed(&mut self, filter: &str, now: i64, most: u32) -> Result<Vec<Approval>, StoreError> {
        let found = self.many(
            approvals!(
                "listed AND (filter IS NULL OR filter = $1) AND expires > $2 ORDER BY seq DESC LIMIT $3"
            ),
            &[&fit(filter), &now, &i64::from(most)],
        )?;
        Ok(found.into_iter().map(|stored| stored.approval).collect())
    }

    fn revision(&mut self) -> Result<String, StoreError> {
        let rows = self.query(
            "SELECT salt || '-' || revision FROM portcullis_standing",
            &[],
        )?;
        let row = rows.first();
        let row = row.ok_or_else(|| StoreError::Form("there is no revision".to_owned()))?;
        Ok(row.try_get(0)?)
    }

    fn revise(&mut self) -> Result<(), StoreError> {
        self.query(
            "UPDATE portcullis_standing SET revision = revision + 1",
            &[],
        )?;
        self.revised = true;
        Ok(())
    }

    fn kept(&mut self, kind: Kind, now: i64, most: u32) -> Result<Vec<Kept>, StoreError> {
        let rows = self.query(
            kept!("kind = $1 AND expires > $2 ORDER BY seq DESC LIMIT $3"),
            &[&name(kind), &now, &i64::from(most)],
        )?;
        rows.iter().map(kept).collect()
    }

    fn kept_page(&mut self, kind: Kind, now: i64, page: &Page) -> Result<Listed<Kept>, StoreError> {
        // One more tells whether there is another page.
        let most = i64::try_from(page.rows().saturating_add(1)).unwrap_or(i64::MAX);
        let rows = self.query(
            "SELECT id, expires, document, seq FROM portcullis_kept
             WHERE kind = $1 AND expires > $2 AND seq < $3 ORDER BY seq DESC LIMIT $4",
            &[&name(kind), &now, &before(page), &most],
        )?;
        page.gather(rows.iter().map(|row| {
            let kept = kept(row)?;
            let (size, place) = (kept.document.len(), row.try_get::<_, i64>(3)?);
            Ok((place.to_string(), kept, size))
        }))
    }

    fn held(&mut self, kind: Kind, now: i64) -> Result<Held, StoreError> {
        let rows = self.query(
            "SELECT count(*), coalesce(sum(octet_length(document)), 0)::bigint FROM portcullis_kept
             WHERE kind = $1 AND expires > $2",
            &[&name(kind), &now],
        )?;
        let Some(row) = rows.first() else {
            return Ok(Held::default());
        };
        let number = |column| -> Result<u64, StoreError> {
            let number: i64 = row.try_get(column)?;
            Ok(u64::try_from(number).unwrap_or_default())
        };
        Ok(Held {
            number: number(0)?,
            bytes: number(1)?,
        })
    }

    fn ended(&mut self, kind: Kind, now: i64, most: u32) -> Result<Vec<Kept>, StoreError> {
        let rows = self.query(
            kept!("kind = $1 AND expires <= $2 ORDER BY expires LIMIT $3"),
            &[&name(kind), &now, &i64::from(most)],
        )?;
        rows.iter().map(kept).collect()
    }

    fn keep(&mut self, kind: Kind, kept: &Kept) -> Result<(), StoreError> {
        self.query(
            "INSERT INTO portcullis_kept (id, kind, expires, document) VALUES ($1, $2, $3, $4)",
            &[&kept.id, &name(kind), &kept.expires, &kept.document],
        )?;
        Ok(())
    }

    fn unkeep(&mut self, kind: Kind, id: &str) -> Result<Option<Kept>, StoreError> {
        let rows = self.query(
            "DELETE FROM portcullis_kept WHERE id = $1 AND kind = $2 RETURNING id, expires, document",
            &[&fit(id), &name(kind)],
        )?;
        rows.first().map(kept).transpose()
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if let Some(said) = said(&self.changed, self.revised) {
            // Others hear of it when it has happened.
            self.query("SELECT pg_notify($1, $2)", &[&CHANNEL, &said])?;
        }
        self.ended = true;
        Ok(self.client.batch_execute("COMMIT")?)
    }
}

impl Drop for PostgresRows<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Where this fails, the connection is lost, and the transaction with it.
            let _ = self.client.batch_execute("ROLLBACK");
        }
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Block => "block",
        Kind::Delegation => "delegation",
        Kind::Reset => "reset",
    }
}

/// A text by which something is found. PostgreSQL has no NUL in texts; what is found is compared again.
pub(super) fn fit(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn document(approval: &Approval) -> Result<String, StoreError> {
    serde_json::to_string(approval).map_err(|error| StoreError::Form(error.to_string()))
}

fn parsed(text: &str) -> Result<Approval, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Form(error.to_string()))
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored {
        version: row.try_get(0)?,
        approval: parsed(row.try_get(1)?)?,
    })
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        id: row.try_get(0)?,
        expires: row.try_get(1)?,
        document: row.try_get(2)?,
    })
}
