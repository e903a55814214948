//! What files of weights are called, wherever a server offers them.

use std::sync::LazyLock;

/// Endings of the names of files that hold weights or whole models, each on a line.
const ENDINGS: &str = include_str!("weights.txt");

struct Known {
    endings: Vec<&'static str>,
    /// Whether any of them begins with this byte: nearly all begin with a dot, which most segments lack.
    begins: [bool; 256],
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let lines = ENDINGS.lines().map(str::trim);
    let endings: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut begins = [false; 256];
    for first in endings.iter().filter_map(|ending| ending.bytes().next()) {
        if let Some(begins) = begins.get_mut(usize::from(first)) {
            *begins = true;
        }
    }
    Known { endings, begins }
});

/// Whether a segment of a path, or a value of a query, names a file of weights, also behind another
/// ending: `a.safetensors.gz`, `a.gguf.part1`, `a.safetensors@main`.
#[must_use]
pub fn names_weights(text: &str) -> bool {
    let begins = |byte: u8| {
        let byte = usize::from(byte.to_ascii_lowercase());
        KNOWN.begins.get(byte) == Some(&true)
    };
    let bytes = text.as_bytes();
    let mut places = bytes.iter().enumerate().filter(|(_, byte)| begins(**byte));
    places.any(|(at, _)| bytes.get(at..).is_some_and(begins_with_an_ending))
}

fn begins_with_an_ending(text: &[u8]) -> bool {
    KNOWN.endings.iter().any(|ending| {
        let Some((start, behind)) = text.split_at_checked(ending.len()) else {
            return false;
        };
        // Behind what ends like this, anything may follow.
        let open = ending.ends_with(['_', '-']);
        let ends = |next: u8| !next.is_ascii_alphanumeric() && next != b'_';
        start.eq_ignore_ascii_case(ending.as_bytes())
            && (open || behind.first().is_none_or(|next| ends(*next)))
    })
}
