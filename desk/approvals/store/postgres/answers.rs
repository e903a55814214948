//! Answers that wait for people.

use super::rows::{PostgresRows, fit};
use crate::approvals::machine::Ends;
use crate::approvals::store::{KeptAnswer, KeptAnswers};
use crate::store::StoreError;

impl KeptAnswers for PostgresRows<'_> {
    fn put_answer(&mut self, answer: &KeptAnswer) -> Result<(), StoreError> {
        let bytes = i64::try_from(answer.sealed.len()).unwrap_or(i64::MAX);
        self.query(
            "INSERT INTO portcullis_answers (approval, filter, request, expires, bytes, sealed)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (approval) DO NOTHING",
            &[
                &fit(&answer.approval),
                &fit(&answer.filter),
                &fit(&answer.request),
                &answer.expires,
                &bytes,
                &answer.sealed,
            ],
        )?;
        Ok(())
    }

    fn answer(&mut self, approval: &str, now: i64) -> Result<Option<KeptAnswer>, StoreError> {
        let rows = self.query(
            "SELECT approval, filter, request, expires, sealed FROM portcullis_answers
             WHERE approval = $1 AND expires > $2 AND bytes > 0",
            &[&fit(approval), &now],
        )?;
        let row = rows.first().map(|row| {
            Ok(KeptAnswer {
                approval: row.try_get(0)?,
                filter: row.try_get(1)?,
                request: row.try_get(2)?,
                expires: row.try_get(3)?,
                sealed: row.try_get(4)?,
            })
        });
        row.transpose()
    }

    fn answers_to(
        &mut self,
        filter: &str,
        request: &str,
        now: i64,
        most: u32,
    ) -> Result<Vec<String>, StoreError> {
        let rows = self.query(
            "SELECT approval FROM portcullis_answers
             WHERE request = $1 AND filter = $2 AND expires > $3 ORDER BY seq DESC LIMIT $4",
            &[&fit(request), &fit(filter), &now, &i64::from(most)],
        )?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    fn answer_names(
        &mut self,
        filter: &str,
        now: i64,
        most: u32,
    ) -> Result<Vec<String>, StoreError> {
        let rows = self.query(
            "SELECT left(request, 32) FROM portcullis_answers
             WHERE filter = $1 AND expires > $2 ORDER BY seq DESC LIMIT $3",
            &[&fit(filter), &now, &i64::from(most)],
        )?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    fn answers_size(&mut self) -> Result<(u64, u64), StoreError> {
        let count = self.count("SELECT count(*) FROM portcullis_answers", &[])?;
        let bytes = "SELECT coalesce(sum(bytes), 0)::bigint FROM portcullis_answers";
        Ok((count, self.count(bytes, &[])?))
    }

    fn end_answer(&mut self, approval: &str, ends: Ends) -> Result<(), StoreError> {
        let (sql, at) = match ends {
            Ends::NotNow => return Ok(()),
            Ends::By(at) => (
                "UPDATE portcullis_answers SET expires = least(expires, $2) WHERE approval = $1",
                at,
            ),
            Ends::Erased(at) => (
                "UPDATE portcullis_answers SET expires = $2, bytes = 0, sealed = ''
                 WHERE approval = $1",
                at,
            ),
        };
        self.query(sql, &[&fit(approval), &at])?;
        Ok(())
    }

    fn forget_answers(&mut self, now: i64, most: u32) -> Result<(), StoreError> {
        self.query(
            "DELETE FROM portcullis_answers WHERE seq IN (
                 SELECT seq FROM portcullis_answers WHERE expires <= $1 ORDER BY expires LIMIT $2
             )",
            &[&now, &i64::from(most)],
        )?;
        Ok(())
    }
}
