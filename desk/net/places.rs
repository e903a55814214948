//! The places of a port: how many connections there are, whose they are, and which one gives way.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::activity::Activity;
use super::source::Source;

/// How many connections that gave way may still be about to close. They hold files for that long.
const MAX_LEAVING: usize = 64;

/// The places of one port.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    per_source: usize,
    taken: Mutex<Taken>,
    /// Told when one that gave way has closed.
    left: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    count: usize,
    leaving: usize,
    /// By whom, and each in the order in which they came. No source is without a place.
    by: HashMap<Source, BTreeMap<u64, Holder>>,
}

#[derive(Debug)]
struct Holder {
    activity: Arc<Activity>,
    give_way: Arc<Notify>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The port has as many connections as it may have.
    Port,
    /// The source has.
    Source,
    /// Others are about to give way: try again when one [has left](Places::one_has_left).
    Leaving,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    /// Whose it is.
    pub(super) source: Source,
    number: u64,
    /// Whether the connection is in use.
    pub(super) activity: Arc<Activity>,
    give_way: Arc<Notify>,
}

impl Places {
    /// So many places, and of those so many for one source.
    pub(super) fn new(most: usize, per_source: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            per_source,
            taken: Mutex::default(),
            left: Notify::new(),
        })
    }

    /// A place for a connection from this source, and whether another one gives way to it. A connection on which no
    /// request is open gives way: of the same source if that has its share, else of the source with most of them.
    ///
    /// # Errors
    /// What there is no place in, if all connections there are in use.
    pub(super) fn enter(self: &Arc<Self>, source: Source) -> Result<(Place, bool), Full> {
        let mut taken = self.taken();
        let own = taken.by.get(&source).map_or(0, BTreeMap::len);
        let crowded = if own >= self.per_source {
            Some((Full::Source, taken.idlest_of(source)))
        } else if taken.count >= self.most {
            Some((Full::Port, taken.idlest()))
        } else {
            None
        };
        let gives_way = crowded.is_some();
        if let Some((full, idlest)) = crowded {
            let (of, number) = idlest.ok_or(full)?;
            if taken.leaving >= MAX_LEAVING {
                return Err(Full::Leaving);
            }
            if let Some(holder) = taken.remove(of, number) {
                taken.leaving = taken.leaving.saturating_add(1);
                holder.give_way.notify_one();
            }
        }
        let number = taken.next;
        taken.next = number.saturating_add(1);
        taken.count = taken.count.saturating_add(1);
        let (activity, give_way) = (Activity::new(), Arc::new(Notify::new()));
        let holder = Holder {
            activity: Arc::clone(&activity),
            give_way: Arc::clone(&give_way),
        };
        taken.by.entry(source).or_default().insert(number, holder);
        let place = Place {
            places: Arc::clone(self),
            source,
            number,
            activity,
            give_way,
        };
        Ok((place, gives_way))
    }

    /// Ends when a connection that gave way has closed.
    pub(super) async fn one_has_left(&self) {
        self.left.notified().await;
    }

    /// Nothing panics while it holds the lock, so what is in it is whole.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn remove(&mut self, source: Source, number: u64) -> Option<Holder> {
        let own = self.by.get_mut(&source)?;
        let holder = own.remove(&number)?;
        if own.is_empty() {
            self.by.remove(&source);
        }
        self.count = self.count.saturating_sub(1);
        Some(holder)
    }

    /// Of a source, the connection that gives way first: one that never had a request, then the one that has had
    /// none for longest.
    fn idlest_of(&self, source: Source) -> Option<(Source, u64)> {
        let holders = self.by.get(&source)?.iter();
        let idle = holders.filter_map(|(number, holder)| {
            let now = holder.activity.now();
            (now.requests == 0).then_some(((now.ever, now.since), *number))
        });
        idle.min().map(|(_, number)| (source, number))
    }

    /// The same for the source with most connections, of those that have one to give.
    fn idlest(&self) -> Option<(Source, u64)> {
        let mut sources: Vec<_> = self.by.iter().map(|(of, own)| (own.len(), *of)).collect();
        sources.sort_unstable_by_key(|(count, _)| std::cmp::Reverse(*count));
        sources.into_iter().find_map(|(_, of)| self.idlest_of(of))
    }
}

impl Place {
    /// Ends when the connection has to give way to another one.
    pub(super) async fn has_to_leave(&self) {
        self.give_way.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if taken.remove(self.source, self.number).is_none() {
            taken.leaving = taken.leaving.saturating_sub(1);
            self.places.left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(last: u8) -> Source {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into()
    }

    fn has_to_leave(place: &Place) -> bool {
        use std::future::Future as _;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let future = std::pin::pin!(place.has_to_leave());
        future.poll(&mut context).is_ready()
    }

    #[test]
    fn what_is_in_use_stays_and_newcomers_find_no_place() {
        let places = Places::new(4, 2);
        let mut held = Vec::new();
        for of in [1, 1, 2] {
            let (place, gave_way) = places.enter(source(of)).unwrap();
            assert!(!gave_way);
            held.push((place.activity.begin(), place));
        }
        assert_eq!(places.enter(source(1)).unwrap_err(), Full::Source);
        let (last, _) = places.enter(source(3)).unwrap();
        held.push((last.activity.begin(), last));
        assert_eq!(places.enter(source(4)).unwrap_err(), Full::Port);
        assert_eq!(places.enter(source(1)).unwrap_err(), Full::Source);
        assert!(held.iter().all(|(_, place)| !has_to_leave(place)));
        held.remove(0);
        assert!(places.enter(source(1)).is_ok());
    }

    #[test]
    fn one_without_a_request_gives_way_first_one_that_never_had_any() {
        let places = Places::new(100, 3);
        let enter = || places.enter(source(1)).unwrap();
        let (used, _) = enter();
        drop(used.activity.begin());
        let (fresh, _) = enter();
        let (busy, _) = enter();
        let request = busy.activity.begin();
        let (fourth, gave_way) = enter();
        assert!(gave_way);
        assert!(has_to_leave(&fresh) && !has_to_leave(&used) && !has_to_leave(&busy));
        drop(fresh);
        let _fourth = fourth.activity.begin();
        let (_fifth, _) = enter();
        assert!(has_to_leave(&used) && !has_to_leave(&busy));
        drop((request, busy, used));
        let taken = places.taken();
        assert_eq!((taken.count, taken.leaving), (2, 0));
    }

    #[test]
    fn a_full_port_takes_from_who_has_most() {
        let places = Places::new(5, 4);
        let many: Vec<_> = (0..4).map(|_| places.enter(source(1)).unwrap().0).collect();
        let (few, _) = places.enter(source(2)).unwrap();
        let (_new, gave_way) = places.enter(source(3)).unwrap();
        assert!(gave_way && has_to_leave(&many[0]) && !has_to_leave(&few));
    }

    #[test]
    fn not_more_give_way_than_can_close() {
        let places = Places::new(1000, 1);
        let mut leaving = Vec::new();
        for _ in 0..=MAX_LEAVING {
            leaving.push(places.enter(source(1)).unwrap().0);
        }
        assert_eq!(places.enter(source(1)).unwrap_err(), Full::Leaving);
        leaving.remove(0);
        assert!(places.enter(source(1)).is_ok());
    }
}
