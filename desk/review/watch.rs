//! `portcullis approvals watch`.

use std::collections::{HashSet, VecDeque};
use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use super::ahead::holder;
use super::failed::{Failed, Status};
use super::list::{ROWS, pages, path, what};
use super::member::{any, texts};
use super::remote::Remote;
use super::table::{cell, json_line};

/// How often the desk is asked.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause while it is away.
const MAX_PAUSE: Duration = Duration::from_secs(8);

/// The most questions that are remembered as shown: more than a desk lets wait.
const MAX_SHOWN: usize = 20_000;

/// Shows what waits, and then each new question as it comes, for ever: a desk that is away once it has answered
/// is waited for.
///
/// # Errors
/// The desk refused, or can't be reached at first.
pub fn watch(desk: &Remote, out: &mut dyn Write, notes: &mut dyn Write) -> Status {
    let mut shown = Shown::default();
    look(desk, &mut shown, out)?;
    let mut pause = PAUSE;
    loop {
        std::thread::sleep(pause);
        match look(desk, &mut shown, out) {
            Ok(()) => {
                if pause > PAUSE {
                    writeln!(notes, "portcullis: {}: is back", desk.address())?;
                }
                pause = PAUSE;
            }
            Err(failed) if failed.passes() => {
                if pause == PAUSE {
                    writeln!(
                        notes,
                        "portcullis: {failed} It is asked again until it answers."
                    )?;
                }
                pause = MAX_PAUSE.min(pause.saturating_mul(2));
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// The ids of the questions that were shown last.
#[derive(Default)]
struct Shown {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Shown {
    /// Remembers an id; false if it was known.
    fn add(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > MAX_SHOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// Shows the questions that are new, the oldest first.
fn look(desk: &Remote, shown: &mut Shown, out: &mut dyn Write) -> Result<(), Failed> {
    let mut new = Vec::new();
    // Lists are newest first. A whole page of what is known has nothing new behind it.
    let mut known_in_a_row = 0;
    let first = shown.ids.is_empty();
    let path = path(Some("pending"));
    pages(desk, &path, "approvals", usize::MAX, &mut |approval, _| {
        if shown.ids.contains(&any(approval, "id")) {
            known_in_a_row += 1;
        } else {
            known_in_a_row = 0;
            new.push(approval.clone());
        }
        Ok(new.len() < MAX_SHOWN && (first || known_in_a_row < ROWS))
    })?;
    for approval in new.iter().rev() {
        if shown.add(&any(approval, "id")) {
            line(desk, approval, out)?;
        }
    }
    out.flush().map_err(Failed::from)
}

fn line(desk: &Remote, approval: &Value, out: &mut dyn Write) -> Result<(), Failed> {
    if desk.json {
        return json_line(out, approval);
    }
    let place = format!("{}{}", any(approval, "host"), any(approval, "path"));
    let cells = [
        any(approval, "created"),
        any(approval, "id"),
        holder(approval),
        what(approval),
        place,
        format!("rule {}", any(approval, "rule")),
        format!("for {}", texts(approval, "reviewers")),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    writeln!(out, "{}", cells.join("  ")).map_err(Failed::from)
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, Shown};

    #[test]
    fn what_was_shown_is_remembered_within_bounds() {
        let mut shown = Shown::default();
        for number in 0..MAX_SHOWN + 2 {
            assert!(shown.add(&number.to_string()));
        }
        assert!(!shown.add("2"));
        assert_eq!((shown.ids.len(), shown.order.len()), (MAX_SHOWN, MAX_SHOWN));
        assert!(shown.add("0"));
    }
}
