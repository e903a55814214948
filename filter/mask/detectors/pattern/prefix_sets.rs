//! What can be said about where an expression's matches begin, without running it.
//!
//! An expression is cut in two where that is worth most: what stands in front of the cut is a
//! *lead* of bounded length, of which only the possible bytes are kept, and what stands behind it
//! begins with bytes that are rare in prose, of which the first eight are kept, set by set. So of
//! `[\w.-]{0,50}?(?:key|token)=` the lead has up to fifty letters, and behind it come `key=` or
//! `token=`. Most expressions begin with what is rare, and have no lead.
//!
//! The sets may allow too much, never too little.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::bytes::ByteSet;

/// Of how many bytes the sets are kept.
pub(super) const PREFIX_BYTES: usize = 8;
/// The longest lead.
const MAX_LEAD_BYTES: usize = 128;
/// The most alternatives that are kept apart.
const MAX_BRANCHES: usize = 64;
/// How many parts of an expression are looked at: repetitions inside one another multiply.
const MAX_EFFORT: usize = 100_000;
/// How often a position of prose may look like the beginning before a better cut is looked for.
const RARE_ENOUGH: f64 = 1e-5;

/// Anything rarer counts as equally good.
const RAREST: f64 = 1e-9;

/// One way in which matches of an expression may begin.
#[derive(Clone, Debug)]
pub(super) struct PrefixSets {
    /// In front of the cut.
    pub lead: Lead,
    /// What the bytes behind the cut may be, at least one and at most [`PREFIX_BYTES`] of them: a
    /// match has no fewer.
    pub sets: Vec<ByteSet>,
    /// There is no lead, and no match where a word goes on.
    pub edge: bool,
}

/// What stands in front of the cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lead {
    /// How many bytes at least.
    pub least: usize,
    /// How many bytes at most.
    pub most: usize,
    /// The bytes that may occur in it.
    pub bytes: ByteSet,
}

/// How an expression's matches begin; all of `prefixes` that have a lead have it in front of
/// what `rest` matches.
#[derive(Debug)]
pub(super) struct Cut {
    pub prefixes: Vec<PrefixSets>,
    /// What stands behind the cut, if there is a lead.
    pub rest: Option<Hir>,
}

/// Where the matches of `hir` begin: one of the cuts for each of them.
pub(super) fn cuts(hir: &Hir) -> Vec<Cut> {
    let mut effort = MAX_EFFORT;
    let branches = alternatives(hir);
    if branches.len() > MAX_BRANCHES {
        return vec![cut(hir, &mut effort)];
    }
    branches
        .into_iter()
        .map(|branch| cut(branch, &mut effort))
        .collect()
}

/// The alternatives of `hir`; `hir` itself if it is not an alternation.
fn alternatives(hir: &Hir) -> Vec<&Hir> {
    match hir.kind() {
        HirKind::Capture(capture) => alternatives(&capture.sub),
        HirKind::Alternation(subs) => subs.iter().flat_map(alternatives).collect(),
        _ => vec![hir],
    }
}

/// The parts of `hir` in their order; `hir` itself if it is not a concatenation.
fn parts<'a>(hir: &'a Hir, into: &mut Vec<&'a Hir>) {
    match hir.kind() {
        HirKind::Capture(capture) => parts(&capture.sub, into),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| parts(sub, into)),
        _ => into.push(hir),
    }
}

fn cut(hir: &Hir, effort: &mut usize) -> Cut {
    let mut list = Vec::new();
    parts(hir, &mut list);
    let mut best: Option<(f64, usize, Lead, Vec<Vec<ByteSet>>)> = None;
    let mut lead = Lead::default();
    for (index, part) in list.iter().enumerate() {
        let rest = list.get(index..).unwrap_or_default();
        // Only a match that is not empty counts, so without a lead there is a first byte.
        let starts = if lead.most == 0 || least(rest) > 0 {
            starts(rest, effort)
        } else {
            Vec::new()
        };
        if !starts.is_empty() {
            let price = price(&lead);
            let often = price * starts.iter().map(|sets| frequency(sets)).sum::<f64>();
            if best.as_ref().is_none_or(|(least, ..)| often < *least) {
                best = Some((often, index, lead, starts));
            }
            if often < RARE_ENOUGH {
                break;
            }
        }
        let longest = part.properties().maximum_len();
        let Some(most) = longest.and_then(|len| lead.most.checked_add(len)) else {
            break;
        };
        if most > MAX_LEAD_BYTES {
            break;
        }
        lead.most = most;
        lead.least += part.properties().minimum_len().unwrap_or(0);
        lead.bytes.add(&all_bytes(part));
    }
    let (index, lead, starts) = match best {
        Some((_, index, lead, starts)) => (index, lead, starts),
        None => (0, Lead::default(), vec![vec![ByteSet::ALL]]),
    };
    let look = matches!(
        list.first().map(|first| first.kind()),
        Some(HirKind::Look(Look::WordAscii | Look::WordStartAscii))
    );
    let prefixes = starts.into_iter().map(|sets| PrefixSets {
        lead,
        edge: look && lead.most == 0 && sets.first().is_some_and(only_word_bytes),
        sets,
    });
    let rest = list.get(index..).unwrap_or_default();
    Cut {
        prefixes: prefixes.collect(),
        rest: (lead.most > 0).then(|| Hir::concat(rest.iter().map(|hir| (*hir).clone()).collect())),
    }
}

/// The least length of a concatenation; `usize::MAX` if it can't match at all.
fn least(list: &[&Hir]) -> usize {
    let lengths = list
        .iter()
        .map(|hir| hir.properties().minimum_len().unwrap_or(usize::MAX));
    lengths.fold(0, usize::saturating_add)
}

/// The sets of the first bytes of a concatenation's matches, with the alternatives of its first
/// part apart.
fn starts(list: &[&Hir], effort: &mut usize) -> Vec<Vec<ByteSet>> {
    let wide = list
        .iter()
        .position(|hir| hir.properties().maximum_len() != Some(0));
    let Some(wide) = wide else {
        return vec![vec![ByteSet::default()]];
    };
    let (before, after) = list.split_at(wide);
    let Some((first, after)) = after.split_first() else {
        return Vec::new();
    };
    let branches = alternatives(first);
    let branches = if branches.len() > MAX_BRANCHES {
        vec![*first]
    } else {
        branches
    };
    let each = branches.into_iter().map(|branch| {
        let mut list = before.to_vec();
        list.push(branch);
        list.extend_from_slice(after);
        let mut sets = [ByteSet::default(); PREFIX_BYTES];
        let mut ends = 1;
        for hir in &list {
            ends = advance(hir, ends, &mut sets, effort);
            if ends == 0 {
                break;
            }
        }
        if *effort == 0 {
            return vec![ByteSet::ALL];
        }
        let depth = least(&list).clamp(1, PREFIX_BYTES);
        sets.into_iter().take(depth).collect()
    });
    each.collect()
}

/// Notes which bytes `hir` may have where, if it begins at one of the places of the bit set
/// `starts`, and gives the places where it may end.
fn advance(hir: &Hir, starts: u16, sets: &mut [ByteSet; PREFIX_BYTES], effort: &mut usize) -> u16 {
    const WITHIN: u16 = (1 << PREFIX_BYTES) - 1;
    *effort = effort.saturating_sub(1);
    if *effort == 0 || starts == 0 {
        return 0;
    }
    let mut note = |starts: u16, bytes: &ByteSet| {
        for (place, set) in sets.iter_mut().enumerate() {
            if starts >> place & 1 == 1 {
                set.add(bytes);
            }
        }
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => starts,
        HirKind::Literal(literal) => {
            let mut at = starts;
            for byte in literal.0.iter() {
                let mut one = ByteSet::default();
                one.insert(*byte);
                note(at, &one);
                at = at << 1 & WITHIN;
            }
            at
        }
        HirKind::Class(class) => {
            let (bytes, longest) = class_bytes(class);
            let mut ends = 0;
            let mut at = starts;
            for _ in 0..longest {
                note(at, &bytes);
                at = at << 1 & WITHIN;
                ends |= at;
            }
            ends
        }
        HirKind::Repetition(repetition) => {
            let mut ends = if repetition.min == 0 { starts } else { 0 };
            let mut at = starts;
            let mut count = 0;
            // After as many rounds every place within has been reached that can be.
            let rounds = u32::try_from(PREFIX_BYTES)
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            while count < rounds && repetition.max.is_none_or(|max| count < max) && at != 0 {
                at = advance(&repetition.sub, at, sets, effort);
                count += 1;
                if count >= repetition.min {
                    ends |= at;
                }
            }
            ends | at
        }
        HirKind::Capture(capture) => advance(&capture.sub, starts, sets, effort),
        HirKind::Concat(subs) => {
            let each = subs.iter();
            each.fold(starts, |at, sub| advance(sub, at, sets, effort))
        }
        HirKind::Alternation(subs) => {
            let each = subs.iter();
            each.fold(0, |ends, sub| ends | advance(sub, starts, sets, effort))
        }
    }
}

/// Every byte that a match of `hir` may have.
fn all_bytes(hir: &Hir) -> ByteSet {
    let mut all = ByteSet::default();
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal.0.iter().for_each(|byte| all.insert(*byte)),
        HirKind::Class(class) => all = class_bytes(class).0,
        HirKind::Repetition(repetition) => all = all_bytes(&repetition.sub),
        HirKind::Capture(capture) => all = all_bytes(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().for_each(|sub| all.add(&all_bytes(sub)));
        }
    }
    all
}

/// The bytes of a class, and how many of them make one of its characters at most.
fn class_bytes(class: &Class) -> (ByteSet, usize) {
    match class {
        Class::Bytes(class) => {
            let mut bytes = ByteSet::default();
            for range in class.ranges() {
                bytes.insert_range(range.start(), range.end());
            }
            (bytes, 1)
        }
        // Comes from alternatives of one character each, when one is not ASCII.
        Class::Unicode(_) => (ByteSet::ALL, 4),
    }
}

fn only_word_bytes(set: &ByteSet) -> bool {
    set.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// How much a lead costs: what follows it is looked at twice, and what may be a lead has to wait,
/// which is whole sentences if spaces may be in it.
fn price(lead: &Lead) -> f64 {
    match lead {
        Lead { most: 0, .. } => 1.0,
        Lead { most, bytes, .. } if *most > 4 && bytes.contains(b' ') => 4e5,
        _ => 4.0,
    }
}

/// How often a place in prose looks like this, very roughly.
fn frequency(sets: &[ByteSet]) -> f64 {
    let each = sets.iter().map(|set| {
        let sum: u32 = set.bytes().map(weight).sum();
        f64::from(sum.min(1000)) / 1000.0
    });
    each.product::<f64>().max(RAREST)
}

/// How many of a thousand bytes of prose are this one.
fn weight(byte: u8) -> u32 {
    match byte {
        b' ' => 160,
        b'e' => 90,
        b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'h' => 55,
        b'l' | b'd' | b'c' | b'u' | b'm' => 30,
        b'a'..=b'z' => 14,
        b',' | b'.' | b'\n' => 10,
        b'0'..=b'9' => 4,
        b'A'..=b'Z' => 3,
        _ => 1,
    }
}
