//! What the fuzzer tries for hours, for a moment: its seeds, and changes to them that chance made.

#[path = "../fuzz/invariant.rs"]
mod invariant;

use testbed::prose::Prose;

#[test]
fn the_invariant_holds_for_the_seeds_and_for_changes_to_them() {
    let seeds = invariant::seeds();
    for seed in &seeds {
        invariant::check(seed);
    }
    let changed = match std::env::var_os("PORTCULLIS_EXHAUSTIVE") {
        Some(_) => 100_000,
        None => 600,
    };
    let mut chance = Prose::new(11);
    for _ in 0..changed {
        let mut data = seeds[chance.below(seeds.len())].clone();
        for _ in 0..=chance.below(4) {
            let at = chance.below(data.len());
            match chance.below(5) {
                0 => data[at] = u8::try_from(chance.below(256)).unwrap(),
                1 => data.insert(at, u8::try_from(chance.below(256)).unwrap()),
                2 if data.len() > 1 => {
                    data.remove(at);
                }
                3 => data.truncate(at + 1),
                _ => {
                    let other = &seeds[chance.below(seeds.len())];
                    let from = chance.below(other.len());
                    let to = from + chance.below((other.len() - from).min(60));
                    data.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        invariant::check(&data);
    }
}
