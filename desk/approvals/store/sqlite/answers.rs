//! Answers that wait for people.

use rusqlite::{OptionalExtension as _, params};

use super::SqliteRows;
use crate::approvals::machine::Ends;
use crate::approvals::store::{KeptAnswer, KeptAnswers};
use crate::store::StoreError;

impl KeptAnswers for SqliteRows<'_> {
    fn put_answer(&mut self, answer: &KeptAnswer) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "INSERT INTO answers (approval, filter, request, expires, bytes, sealed)
                 VALUES (?1, ?2, ?3, ?4, length(?5), ?5) ON CONFLICT (approval) DO NOTHING",
            )?
            .execute(params![
                answer.approval,
                answer.filter,
                answer.request,
                answer.expires,
                answer.sealed,
            ])?;
        Ok(())
    }

    fn answer(&mut self, approval: &str, now: i64) -> Result<Option<KeptAnswer>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT approval, filter, request, expires, sealed FROM answers
             WHERE approval = ?1 AND expires > ?2 AND bytes > 0",
        )?;
        let found = statement.query_row(params![approval, now], |row| {
            Ok(KeptAnswer {
                approval: row.get(0)?,
                filter: row.get(1)?,
                request: row.get(2)?,
                expires: row.get(3)?,
                sealed: row.get(4)?,
            })
        });
        Ok(found.optional()?)
    }

    fn answers_to(
        &mut self,
        filter: &str,
        request: &str,
        now: i64,
        most: u32,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT approval FROM answers WHERE request = ?1 AND filter = ?2 AND expires > ?3
             ORDER BY seq DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![request, filter, now, most], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn answer_names(
        &mut self,
        filter: &str,
        now: i64,
        most: u32,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT substr(request, 1, 32) FROM answers WHERE filter = ?1 AND expires > ?2
             ORDER BY seq DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![filter, now, most], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn answers_size(&mut self) -> Result<(u64, u64), StoreError> {
        let count = self.count("SELECT count(*) FROM answers", [])?;
        let bytes = self.count("SELECT coalesce(sum(bytes), 0) FROM answers", [])?;
        Ok((count, bytes))
    }

    fn end_answer(&mut self, approval: &str, ends: Ends) -> Result<(), StoreError> {
        let (sql, at) = match ends {
            Ends::NotNow => return Ok(()),
            Ends::By(at) => (
                "UPDATE answers SET expires = min(expires, ?2) WHERE approval = ?1",
                at,
            ),
            Ends::Erased(at) => (
                "UPDATE answers SET expires = ?2, bytes = 0, sealed = x'' WHERE approval = ?1",
                at,
            ),
        };
        self.0.prepare_cached(sql)?.execute(params![approval, at])?;
        Ok(())
    }

    fn forget_answers(&mut self, now: i64, most: u32) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "DELETE FROM answers WHERE seq IN (
                     SELECT seq FROM answers WHERE expires <= ?1 ORDER BY expires LIMIT ?2
                 )",
            )?
            .execute(params![now, most])?;
        Ok(())
    }
}
