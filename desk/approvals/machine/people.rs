//! Who may decide.

use super::approval::Approval;
use super::grant::millis;
use super::happened::Trouble;
use crate::http::Person;

/// What somebody else has lent to a reviewer, as of now.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'p> {
    /// Who lent it.
    pub from: &'p Person,
    /// In which groups.
    pub groups: &'p [String],
}

/// In whose right somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    pub on_behalf_of: Option<String>,
    pub groups: Vec<String>,
}

/// Whether a request is `person`'s own: by a subject or an e-mail address that is linked. A name says so only
/// where no subject is linked, whatever its case.
#[must_use]
pub fn is_own(approval: &Approval, person: &Person) -> bool {
    let matter = &approval.question.matter;
    let linked = |link: &crate::config::Subject| {
        link.issuer == matter.issuer && link.subject == matter.subject
    };
    let email = person.email.as_ref().zip(matter.email.as_ref());
    person.subjects.iter().any(linked)
        || email.is_some_and(|(own, other)| alike(own, other))
        || approval.requester.as_ref() == Some(&person.name)
        || (person.subjects.is_empty() && alike(&person.name, &matter.subject))
}

impl Approval {
    /// Notes that a grant for a group isn't for who approves it, nor for whom that is done: nobody lets
    /// themselves pass.
    pub(super) fn set_apart(&mut self, person: &Person, lent: &[Lent<'_>]) {
        if self.ahead.group.is_none() {
            return;
        }
        let other = self.decisions.last().and_then(|last| {
            let other = last.on_behalf_of.as_ref()?;
            lent.iter().find(|lent| lent.from.name == *other)
        });
        for person in [Some(person), other.map(|lent| lent.from)] {
            let Some(person) = person else { continue };
            let issuer = &self.question.matter.issuer;
            let subjects = person.subjects.iter();
            let subjects = subjects.filter(|link| link.issuer == *issuer);
            let name = person.subjects.is_empty().then_some(&person.name);
            let names = subjects.map(|link| &link.subject);
            for name in names.chain(&person.email).chain(name) {
                let name = name.to_lowercase();
                if !self.apart.contains(&name) {
                    self.apart.push(name);
                }
            }
        }
    }

    /// Whether who asks has approved this grant for a group.
    pub(super) fn is_apart(&self, other: &crate::approvals::protocol::Matter) -> bool {
        let named = |text: &String| self.apart.contains(&text.to_lowercase());
        named(&other.subject) || other.email.as_ref().is_some_and(named)
    }
}

/// Whether two texts are the same but for their case, in any script.
fn alike(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

impl Approval {
    /// The right in which `person` may decide now: their own if they have it, else one that is lent to them.
    /// `approves` asks also that nobody is counted twice.
    pub(super) fn right(
        &self,
        person: &Person,
        lent: &[Lent<'_>],
        approves: bool,
        now: i64,
    ) -> Result<Right, Trouble> {
        let allowed = self.groups(now);
        let of = |groups: &[String]| -> Vec<String> {
            let groups = groups.iter().filter(|group| allowed.contains(group));
            groups.cloned().collect()
        };
        let twice = |name: &str| {
            let counted = |one: &super::approval::Decision| {
                one.reviewer == name || one.on_behalf_of.as_deref() == Some(name)
            };
            approves && self.decisions.iter().any(counted)
        };
        let own = of(&person.groups);
        let mut trouble = Trouble::NotYourGroup;
        if !own.is_empty() {
            return match (is_own(self, person), twice(&person.name)) {
                (true, _) => Err(Trouble::OwnRequest),
                (false, true) => Err(Trouble::AlreadyApproved),
                (false, false) => Ok(Right {
                    on_behalf_of: None,
                    groups: own,
                }),
            };
        }
        for lent in lent {
            let held = lent.groups.iter();
            let held = held.filter(|group| lent.from.groups.contains(group));
            let groups = of(&held.cloned().collect::<Vec<_>>());
            if groups.is_empty() {
                continue;
            }
            if is_own(self, person) || is_own(self, lent.from) {
                trouble = Trouble::OwnRequest;
            } else if twice(&person.name) || twice(&lent.from.name) {
                trouble = Trouble::AlreadyApproved;
            } else {
                return Ok(Right {
                    on_behalf_of: Some(lent.from.name.clone()),
                    groups,
                });
            }
        }
        Err(trouble)
    }

    /// The groups that may decide now.
    fn groups(&self, now: i64) -> Vec<&String> {
        let matter = &self.question.matter;
        let later = matter
            .escalate
            .as_ref()
            .filter(|escalate| now >= self.created.saturating_add(millis(escalate.after)));
        let later = later.into_iter().flat_map(|escalate| &escalate.reviewers);
        matter.reviewers.iter().chain(later).collect()
    }
}
