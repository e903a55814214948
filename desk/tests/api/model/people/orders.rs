//! Blocks, and counts that are emptied.

use portcullis_desk::approvals::acts;
use portcullis_desk::approvals::protocol::{NewBlock, NewReset};

use super::{Desks, person};

impl Desks {
    pub(super) fn block(&mut self, who: usize, time: Option<i64>, desk: usize, fails: bool) {
        let new = NewBlock {
            issuer: None,
            subject: Some("mallory".to_owned()),
            token_id: None,
            seconds: time.map(|time| u64::try_from(time / 1000).unwrap()),
            reason: "stolen".to_owned(),
        };
        let blocked = self.act(desk, fails, |work| {
            acts::put_block(work, &new, &person(who))
        });
        match blocked {
            Err(code) => assert!(code == "not entered" || !person(who).blocks, "{code}"),
            Ok(block) => {
                assert!(person(who).blocks);
                let ends = time.map_or(i64::MAX, |time| self.now + time);
                self.blocks.insert(block.id, ends);
            }
        }
    }

    pub(super) fn unblock(&mut self, which: usize, who: usize, desk: usize, fails: bool) {
        let Some(id) = self.blocks.keys().nth(which).cloned() else {
            return;
        };
        let lifted = self.act(desk, fails, |work| acts::lift(work, &id, &person(who)));
        match lifted {
            Err(code) => {
                let over = self.blocks[&id] <= self.now;
                let may = person(who).blocks && !over;
                assert!(code == "not entered" || !may, "{code}");
            }
            Ok(_) => {
                assert!(person(who).blocks);
                self.blocks.remove(&id);
            }
        }
    }

    pub(super) fn reset(&mut self, who: usize, time: i64, desk: usize, fails: bool) {
        let new = NewReset {
            quota: "few".to_owned(),
            key: ["subject", "corp", "mallory"].map(str::to_owned).to_vec(),
            seconds: Some(u64::try_from(time / 1000).unwrap()),
            reason: "a test".to_owned(),
        };
        let now = self.now;
        let full = self.resets.values().filter(|ends| **ends > now).count() >= 8;
        let reset = self.act(desk, fails, |work| {
            acts::put_reset(work, &new, &person(who))
        });
        match reset {
            Err(code) => assert!(
                code == "not entered" || full || !person(who).quotas,
                "{code}"
            ),
            Ok(reset) => {
                assert!(person(who).quotas && !full);
                self.resets.insert(reset.id, now + time);
            }
        }
    }
}
