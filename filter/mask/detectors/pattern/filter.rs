//! Finds the places of a text at which one of many prefixes may begin.
//!
//! Every prefix has one of sixty-four buckets, and for each of the first eight places and each
//! byte a table says the buckets for which this byte may stand there. The buckets that are in all
//! eight rows of a place's bytes are left, most often none after three or four: the work is the
//! same for two hundred prefixes as for ten.

use super::bytes::ByteSet;
use super::prefix_sets::PREFIX_BYTES;

const BUCKETS: usize = 64;

pub(super) struct Filter {
    /// Eight rows, on the heap.
    rows: Vec<[u64; 256]>,
    /// The prefixes of a bucket.
    buckets: Vec<Vec<usize>>,
    /// For places at the end of a text, the buckets of prefixes that are no longer than so much.
    short: [u64; PREFIX_BYTES + 1],
    prefixes: Vec<Vec<ByteSet>>,
}

impl Filter {
    pub(super) fn new(prefixes: Vec<Vec<ByteSet>>) -> Self {
        let mut order: Vec<usize> = (0..prefixes.len()).collect();
        // What begins alike shares a bucket, so that the bucket's sets stay small.
        base::sort::sort_by_key(&mut order, |index| prefixes.get(*index));
        let share = prefixes.len().div_ceil(BUCKETS).max(1);
        let buckets: Vec<Vec<usize>> = order.chunks(share).map(<[usize]>::to_vec).collect();
        let mut rows = vec![[0; 256]; PREFIX_BYTES];
        let mut short = [0; PREFIX_BYTES + 1];
        for (bucket, members) in buckets.iter().enumerate() {
            let bit = 1_u64 << bucket;
            for sets in members.iter().filter_map(|index| prefixes.get(*index)) {
                for (place, row) in rows.iter_mut().enumerate() {
                    let set = sets.get(place).unwrap_or(&ByteSet::ALL);
                    for byte in set.bytes() {
                        if let Some(of) = row.get_mut(usize::from(byte)) {
                            *of |= bit;
                        }
                    }
                }
                for (len, of) in short.iter_mut().enumerate() {
                    if sets.len() <= len {
                        *of |= bit;
                    }
                }
            }
        }
        Self {
            rows,
            buckets,
            short,
            prefixes,
        }
    }

    /// Shows `visit` the places from `from` on and before `to` at which prefixes may begin, with
    /// their buckets, until it says that it has seen enough, and gives that place.
    pub(super) fn scan(
        &self,
        bytes: &[u8],
        from: usize,
        to: usize,
        last: bool,
        mut visit: impl FnMut(usize, u64) -> bool,
    ) -> Option<usize> {
        let rest = bytes.get(from..).unwrap_or_default();
        let places = to.saturating_sub(from).min(rest.len());
        let [r0, r1, r2, r3, r4, r5, r6, r7] = self.rows.as_slice() else {
            return None;
        };
        let of = |row: &[u64; 256], byte: u8| row.get(usize::from(byte)).copied().unwrap_or(0);
        for (index, window) in rest.windows(PREFIX_BYTES).take(places).enumerate() {
            let [b0, b1, b2, b3, b4, b5, b6, b7] = *window else {
                continue;
            };
            #[cfg(test)]
            crate::window::steps::add(1);
            let half = of(r0, b0) & of(r1, b1) & of(r2, b2) & of(r3, b3);
            if half != 0 {
                let left = half & of(r4, b4) & of(r5, b5) & of(r6, b6) & of(r7, b7);
                if left != 0 && visit(from + index, left) {
                    return Some(from + index);
                }
            }
        }
        // Where fewer bytes are known, the others may be any, or the text ends.
        let whole = (rest.len() + 1).saturating_sub(PREFIX_BYTES);
        for index in whole..places {
            let left = self.at(rest, index, last);
            if left != 0 && visit(from + index, left) {
                return Some(from + index);
            }
        }
        None
    }

    /// The buckets of the prefixes that may begin at `index`.
    pub(super) fn at(&self, bytes: &[u8], index: usize, last: bool) -> u64 {
        let known = bytes.get(index..).unwrap_or_default();
        let mut left = if last && known.len() < PREFIX_BYTES {
            self.short.get(known.len()).copied().unwrap_or(0)
        } else {
            u64::MAX
        };
        for (row, byte) in self.rows.iter().zip(known) {
            left &= row.get(usize::from(*byte)).copied().unwrap_or(0);
        }
        left
    }

    /// The prefixes of some buckets that may begin at `index` by their own sets.
    pub(super) fn each<'a>(
        &'a self,
        buckets: u64,
        bytes: &'a [u8],
        index: usize,
        last: bool,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let known = bytes.get(index..).unwrap_or_default();
        let mut left = buckets;
        let each = std::iter::from_fn(move || {
            let bucket = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            self.buckets.get(usize::try_from(bucket).ok()?)
        });
        each.flatten().copied().filter(move |prefix| {
            let sets = self.prefixes.get(*prefix);
            let sets = sets.map_or(&[][..], Vec::as_slice);
            (!last || sets.len() <= known.len())
                && sets
                    .iter()
                    .zip(known)
                    .all(|(set, byte)| set.contains(*byte))
        })
    }
}
