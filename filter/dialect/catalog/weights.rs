//! What files of weights are called, wherever a server offers them.

use std::sync::LazyLock;

/// Endings of the names of files that hold weights or whole models, each on a line.
const ENDINGS: &str = include_str!("weights.txt");

static KNOWN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let lines = ENDINGS.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// Whether a segment of a path, or a value of a query, names a file of weights, also behind another
/// ending: `a.safetensors.gz`, `a.gguf.part1`, `a.safetensors@main`.
#[must_use]
pub fn names_weights(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    KNOWN.iter().any(|ending| {
        text.match_indices(ending).any(|(at, _)| {
            let behind = text.get(at.saturating_add(ending.len())..);
            let next = behind.and_then(|behind| behind.chars().next());
            // Behind what ends like this, anything may follow.
            ending.ends_with(['_', '-'])
                || !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_')
        })
    })
}
