//! Sorting in one compiled copy.
//!
//! The standard library's sorts are compiled anew for each type and each comparison, at 4 to 25 KB of
//! WebAssembly a copy. Where a slice is short, or sorted once a policy, that costs more than it gains:
//! each worker of Envoy compiles the module when it starts. What sorts much, often, uses the standard
//! library's.

use core::cmp::Ordering;

/// Sorts as [`slice::sort_by`] does: what compares equal keeps its order.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    if items.is_sorted_by(|one, other| compare(one, other) != Ordering::Greater) {
        return;
    }
    let mut targets = targets(items.len(), &mut |one, other| match (
        items.get(one),
        items.get(other),
    ) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    // Each swap brings one item to where it stays.
    for place in 0..items.len() {
        while let Some(target) = targets.get(place).copied()
            && target != place
            && target < items.len()
        {
            items.swap(place, target);
            targets.swap(place, target);
        }
    }
}

/// Sorts as [`slice::sort_by_key`] does.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// Sorts as [`slice::sort`] does.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// What an iterator gives, put in one by one: a `BTreeMap` or `BTreeSet` is else sorted as a whole
/// first.
pub fn inserted<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

/// Where each item goes.
#[inline(never)]
fn targets(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut sources: Vec<usize> = (0..len).collect();
    sources.sort_by(|one, other| compare(*one, *other));
    let mut targets = vec![0; len];
    for (target, source) in sources.into_iter().enumerate() {
        if let Some(place) = targets.get_mut(source) {
            *place = target;
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::{inserted, sort, sort_by_key};

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items: Vec<(u8, u32)>) {
            let (mut ours, mut theirs) = (items.clone(), items.clone());
            sort_by_key(&mut ours, |(key, _)| *key);
            theirs.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(&ours, &theirs);
            let (mut ours, mut theirs) = (items.clone(), items);
            sort(&mut ours);
            theirs.sort();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn of_two_with_one_key_the_last_is_kept() {
        let pairs = [(2, 'a'), (1, 'b'), (2, 'c')];
        let map: BTreeMap<u8, char> = inserted(pairs);
        assert_eq!(map, BTreeMap::from(pairs));
        let set: BTreeSet<u8> = inserted([2, 1, 2]);
        assert_eq!(set, BTreeSet::from([1, 2]));
    }
}
