//! What was told last of each count.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use super::charged::Charged;
use super::protocol::Figure;
use crate::store::{Listed, Page, now, time_text};

/// The most counts that are remembered. The one that was told longest ago gives way.
pub const MAX_FIGURES: usize = 20_000;

/// From how many percent on a count is said to be near its limit, in metrics.
pub const NEAR: u64 = 80;

/// No window is longer, in milliseconds: a filter's sliding one of 31 days, with its last sub-window.
const LONGEST: i64 = 34 * 24 * 60 * 60 * 1000;

/// For how long it is told what was in flight, in milliseconds: it may have ended since.
const IN_FLIGHT: i64 = 10 * 60 * 1000;

/// Who tells something.
#[derive(Clone, Copy, Debug)]
pub struct From<'f> {
    /// The filter; `None` for one without a key.
    pub filter: Option<&'f Arc<str>>,
    /// The id of Envoy's node.
    pub node: Option<&'f str>,
    /// When the request came (RFC 3339).
    pub time: &'f str,
}

/// Which counts are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those of this quota.
    pub quota: Option<String>,
    /// Only those of this subject.
    pub subject: Option<String>,
    /// Only the one with this key.
    pub key: Option<Vec<String>>,
    /// Only those of which so many percent are taken.
    pub near: Option<u64>,
}

/// What was told last of each count.
#[derive(Debug)]
pub struct Figures {
    known: Mutex<Known>,
    /// Since when something may be known, in milliseconds since 1970.
    since: i64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            since: now(),
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    counts: HashMap<Arc<Name>, Told>,
    /// In the order in which they were told.
    order: BTreeMap<u64, Arc<Name>>,
    next: u64,
}

/// What a count is known by.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Name {
    filter: Option<Arc<str>>,
    node: Option<String>,
    quota: String,
    key: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    limit: u64,
    remaining: u64,
    /// In milliseconds since 1970.
    at: i64,
    until: Option<i64>,
    place: u64,
}

impl Told {
    fn used(&self) -> u64 {
        self.limit.saturating_sub(self.remaining)
    }

    fn is_near(&self, percent: u64) -> bool {
        let used = u128::from(self.used()).saturating_mul(100);
        used >= u128::from(self.limit).saturating_mul(u128::from(percent))
    }

    /// Whether it still says something.
    fn lives(&self, now: i64) -> bool {
        let until = self.until.unwrap_or(self.at.saturating_add(IN_FLIGHT));
        until > now
    }
}

/// The subject whose count it is, if it is somebody's: it stands behind its provider.
fn subject_of(key: &[String]) -> Option<&str> {
    key.windows(3).find_map(|part| match part {
        [name, _, subject] if ["subject", "other names"].contains(&&**name) => Some(&**subject),
        _ => None,
    })
}

impl Name {
    fn fits(&self, wanted: &Wanted) -> bool {
        let subject = wanted.subject.as_deref();
        wanted
            .quota
            .as_ref()
            .is_none_or(|quota| *quota == self.quota)
            && wanted.key.as_ref().is_none_or(|key| *key == self.key)
            && (subject.is_none() || subject == subject_of(&self.key))
    }

    fn is_of(&self, quota: &str, key: &[String]) -> bool {
        self.quota == quota && self.key == key
    }

    /// About how many bytes it takes in an answer.
    fn bytes(&self) -> usize {
        let key: usize = self.key.iter().map(String::len).sum();
        let node = self.node.as_ref().map_or(0, String::len);
        key.saturating_add(node).saturating_add(self.quota.len())
    }
}

impl Figures {
    /// Notes what a record says.
    pub fn note(&self, from: From<'_>, charges: &[Charged]) {
        self.note_at(from, charges, now(), MAX_FIGURES);
    }

    fn note_at(&self, from: From<'_>, charges: &[Charged], now: i64, most: usize) {
        if charges.is_empty() {
            return;
        }
        let Ok(began) = chrono::DateTime::parse_from_rfc3339(from.time) else {
            return;
        };
        let began = began.timestamp_millis();
        let after = |more: u64| began.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
        let Ok(mut known) = self.known.lock() else {
            return;
        };
        for charged in charges {
            let Some((quota, key)) = charged.count() else {
                continue;
            };
            let name = Name {
                filter: from.filter.cloned(),
                node: from.node.map(str::to_owned),
                quota: quota.to_owned(),
                key: key.to_vec(),
            };
            // A clock that is wrong makes nothing known for ever.
            let told = Told {
                limit: charged.limit,
                remaining: charged.remaining,
                at: after(charged.at).min(now),
                until: charged
                    .until
                    .map(|until| after(until).min(now.saturating_add(LONGEST))),
                place: 0,
            };
            known.note(name, told, most);
        }
    }

    /// A person has this count emptied: what was told of it holds no more.
    pub fn forget(&self, quota: &str, key: &[String]) {
        if let Ok(mut known) = self.known.lock() {
            let Known { counts, order, .. } = &mut *known;
            counts.retain(|name, told| {
                let keep = !name.is_of(quota, key);
                if !keep {
                    order.remove(&told.place);
                }
                keep
            });
        }
    }

    /// Whether this is known for a count of what is in flight.
    #[must_use]
    pub fn is_in_flight(&self, quota: &str, key: &[String]) -> bool {
        let Ok(known) = self.known.lock() else {
            return false;
        };
        let mut counts = known.counts.iter();
        counts.any(|(name, told)| name.is_of(quota, key) && told.until.is_none())
    }

    /// A page of those that are wanted, and that say something still: what was told last comes first.
    #[must_use]
    pub fn list(&self, wanted: &Wanted, page: &Page) -> Listed<Figure> {
        self.list_at(wanted, page, now())
    }

    fn list_at(&self, wanted: &Wanted, page: &Page, now: i64) -> Listed<Figure> {
        let nothing = Listed {
            rows: Vec::new(),
            next: None,
        };
        let Ok(known) = self.known.lock() else {
            return nothing;
        };
        let before = page.before().map(|place| place.parse().unwrap_or(0));
        let places = known.order.range(..before.unwrap_or(u64::MAX)).rev();
        let counts = places.filter_map(|(place, name)| {
            let told = known.counts.get(name)?;
            let near = wanted.near.is_none_or(|percent| told.is_near(percent));
            (near && told.lives(now) && name.fits(wanted)).then_some((place, name, told))
        });
        let rows = counts.map(|(place, name, told)| {
            Ok::<_, std::convert::Infallible>((place.to_string(), figure(name, told), name.bytes()))
        });
        page.gather(rows).unwrap_or(nothing)
    }

    /// How many counts are known and say something still, and how many of them are near their limits.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        self.counts_at(now())
    }

    fn counts_at(&self, now: i64) -> (u64, u64) {
        let Ok(known) = self.known.lock() else {
            return (0, 0);
        };
        let living = known.counts.values().filter(|told| told.lives(now));
        living.fold((0, 0), |(all, near), told| {
            (
                all.saturating_add(1),
                near.saturating_add(u64::from(told.is_near(NEAR))),
            )
        })
    }

    /// Since when something may be known (RFC 3339).
    #[must_use]
    pub fn since(&self) -> String {
        time_text(self.since)
    }
}

impl Known {
    /// Records come in no order: of two, the later one counts, and of the same time the one that leaves less.
    fn note(&mut self, name: Name, told: Told, most: usize) {
        if let Some(before) = self.counts.get(&name) {
            let older = told.at < before.at;
            if older || (told.at == before.at && told.remaining > before.remaining) {
                return;
            }
            self.order.remove(&before.place);
        } else if self.counts.len() >= most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.counts.remove(&oldest);
        }
        let (name, place) = (Arc::new(name), self.next);
        self.next = place.saturating_add(1);
        self.order.insert(place, Arc::clone(&name));
        self.counts.insert(name, Told { place, ..told });
    }
}

fn figure(name: &Name, told: &Told) -> Figure {
    Figure {
        quota: name.quota.clone(),
        key: name.key.clone(),
        limit: told.limit,
        used: told.used(),
        remaining: told.remaining,
        time: time_text(told.at),
        until: told.until.map(time_text),
        filter: name.filter.as_deref().map(str::to_owned),
        node: name.node.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_262_400_000;

    fn key(subject: &str) -> Vec<String> {
        ["subject", "corp", subject].map(str::to_owned).to_vec()
    }

    fn charged(subject: &str, remaining: u64) -> Charged {
        Charged {
            quota: "few".to_owned(),
            limit: 10,
            remaining,
            key: Some(key(subject)),
            at: 5,
            until: Some(60_000),
        }
    }

    /// Tells it so many milliseconds behind [`NOW`].
    fn tell(figures: &Figures, node: &str, behind: i64, charged: &Charged, most: usize) {
        let (filter, at) = (Arc::from("edge"), NOW + behind);
        let from = From {
            filter: Some(&filter),
            node: Some(node),
            time: &time_text(at),
        };
        figures.note_at(from, core::slice::from_ref(charged), at + 100, most);
    }

    fn listed(figures: &Figures, wanted: &Wanted, behind: i64) -> Vec<(String, u64)> {
        let page = Page::new(None, None);
        let listed = figures.list_at(wanted, &page, NOW + behind);
        let rows = listed.rows.into_iter();
        rows.map(|one| (subject_of(&one.key).unwrap().to_owned(), one.used))
            .collect()
    }

    #[test]
    fn the_latest_is_known_of_each_envoy_until_its_window_is_over() {
        let figures = Figures::default();
        let all = Wanted::default();
        tell(&figures, "a", 10, &charged("jane", 3), 9);
        tell(&figures, "a", 0, &charged("jane", 9), 9);
        assert_eq!(
            listed(&figures, &all, 200),
            [("jane".to_owned(), 7)],
            "an older one"
        );
        tell(&figures, "a", 10, &charged("jane", 2), 9);
        tell(&figures, "a", 10, &charged("jane", 4), 9);
        tell(&figures, "b", 20, &charged("jane", 9), 9);
        let expected = [("jane".to_owned(), 1), ("jane".to_owned(), 8)];
        assert_eq!(listed(&figures, &all, 200), expected);
        assert_eq!(listed(&figures, &all, 60_010), expected[..1]);
        assert_eq!(figures.counts_at(NOW + 200), (2, 1));
        assert_eq!(figures.counts_at(NOW + 60_020), (0, 0));
        figures.forget("few", &key("jane"));
        assert_eq!(listed(&figures, &all, 200), []);
        assert!(figures.known.lock().unwrap().order.is_empty());
    }

    #[test]
    fn what_is_wanted_is_listed_in_pages() {
        let figures = Figures::default();
        for (place, subject) in (0..).zip(["ana", "bob", "cat", "dan"]) {
            tell(
                &figures,
                "a",
                place,
                &charged(subject, u64::try_from(place).unwrap()),
                9,
            );
        }
        let of = |wanted: Wanted| -> Vec<String> {
            listed(&figures, &wanted, 200)
                .into_iter()
                .map(|(subject, _)| subject)
                .collect()
        };
        assert_eq!(of(Wanted::default()), ["dan", "cat", "bob", "ana"]);
        assert_eq!(
            of(Wanted {
                near: Some(90),
                ..Wanted::default()
            }),
            ["bob", "ana"]
        );
        let bob = || Some("bob".to_owned());
        assert_eq!(
            of(Wanted {
                subject: bob(),
                ..Wanted::default()
            }),
            ["bob"]
        );
        assert_eq!(
            of(Wanted {
                key: Some(key("cat")),
                ..Wanted::default()
            }),
            ["cat"]
        );
        assert_eq!(
            of(Wanted {
                quota: bob(),
                ..Wanted::default()
            }),
            [""; 0]
        );
        let page = |before| {
            let page = Page::new(before, Some(3));
            let listed = figures.list_at(&Wanted::default(), &page, NOW + 200);
            (listed.rows.len(), listed.next)
        };
        let (rows, next) = page(None);
        assert_eq!(rows, 3);
        assert_eq!(page(next), (1, None));
        assert_eq!(page(Some("nothing".to_owned())), (0, None));
    }

    #[test]
    fn no_more_is_known_than_there_is_room_for_and_none_for_ever() {
        let figures = Figures::default();
        for number in 0..100 {
            tell(&figures, "a", number, &charged(&number.to_string(), 1), 10);
        }
        let subjects = listed(&figures, &Wanted::default(), 200);
        assert_eq!(subjects.len(), 10);
        assert_eq!((&*subjects[0].0, &*subjects[9].0), ("99", "90"));

        let figures = Figures::default();
        let endless = Charged {
            at: u64::MAX,
            until: Some(u64::MAX),
            ..charged("jane", 1)
        };
        tell(&figures, "a", 0, &endless, 9);
        assert_eq!(listed(&figures, &Wanted::default(), 200).len(), 1);
        assert_eq!(listed(&figures, &Wanted::default(), LONGEST + 200), []);
        tell(&figures, "a", 500, &charged("jane", 0), 9);
        assert_eq!(
            listed(&figures, &Wanted::default(), 600),
            [("jane".to_owned(), 10)]
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_out() {
        let figures = Figures::default();
        let long = "x".repeat(2000);
        for odd in [
            Charged {
                key: None,
                ..charged("jane", 1)
            },
            Charged {
                key: Some(vec![long.clone()]),
                ..charged("jane", 1)
            },
            Charged {
                key: Some(vec![String::new(); 2000]),
                ..charged("jane", 1)
            },
            Charged {
                quota: long.clone(),
                ..charged("jane", 1)
            },
        ] {
            tell(&figures, "a", 0, &odd, 9);
        }
        let from = From {
            filter: None,
            node: None,
            time: "yesterday",
        };
        figures.note_at(from, &[charged("jane", 1)], NOW, 9);
        assert_eq!(figures.counts_at(NOW), (0, 0));
    }

    #[test]
    fn what_was_in_flight_is_told_for_a_while() {
        let figures = Figures::default();
        let held = Charged {
            until: None,
            ..charged("jane", 0)
        };
        tell(&figures, "a", 0, &held, 9);
        assert!(figures.is_in_flight("few", &key("jane")));
        assert!(!figures.is_in_flight("few", &key("joe")));
        assert_eq!(listed(&figures, &Wanted::default(), IN_FLIGHT).len(), 1);
        assert_eq!(listed(&figures, &Wanted::default(), IN_FLIGHT + 5), []);
    }
}
