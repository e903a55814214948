//! How many streams without a key come from where: only the address tells those who send them apart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::net::Source;

/// The streams of each address that has some.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<HashMap<Option<Source>, usize>>);

/// A stream that counts for its address, until this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Arc<Strangers>,
    source: Option<Source>,
}

impl Strangers {
    /// One more stream of an address; `None` if it has so many already.
    pub(super) fn admit(self: &Arc<Self>, source: Option<Source>, most: usize) -> Option<Share> {
        let mut all = self.all();
        let open = all.entry(source).or_default();
        if *open >= most {
            return None;
        }
        *open = open.saturating_add(1);
        let of = Arc::clone(self);
        Some(Share { of, source })
    }

    /// Nothing panics while it holds the lock, so what is in it is whole.
    fn all(&self) -> MutexGuard<'_, HashMap<Option<Source>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.of.all();
        if let Some(open) = all.get_mut(&self.source) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                all.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn an_address_has_its_own_and_leaves_nothing_behind() {
        let strangers = Arc::<Strangers>::default();
        let source = |last| Some(Source::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))));
        let first = strangers.admit(source(1), 2).unwrap();
        let second = strangers.admit(source(1), 2).unwrap();
        assert!(strangers.admit(source(1), 2).is_none());
        let other = strangers.admit(source(2), 2).unwrap();
        drop(first);
        let third = strangers.admit(source(1), 2).unwrap();
        assert!(strangers.admit(source(1), 2).is_none());
        drop((second, third, other));
        assert!(strangers.all().is_empty());
    }
}
