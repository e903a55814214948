//! `/detectors` of the policy: its custom detectors.

#[cfg(test)]
mod tests;

use base::policy::{Form, Key, Node, Presence, TEXT, TEXTS};

use crate::detectors::BUILT_IN_DETECTORS;

/// Where a detector's definition comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detector {
    /// One of [`BUILT_IN_DETECTORS`].
    BuiltIn(&'static str),
    /// A regular expression of the policy's own, matched on bytes, without Unicode classes.
    Pattern {
        /// The name under `/detectors`.
        name: String,
        /// The expression; its longest match has at most 4096 bytes, or no bound at all.
        pattern: String,
        /// Words of which one must stand within the 64 bytes before a match; if there are none, no
        /// word is needed.
        near: Vec<String>,
        /// The label that takes a match's place.
        label: String,
    },
    /// Strings that must never appear, planted to show leaks. They are found also where characters
    /// are spaced out or written in another ASCII case.
    Canaries {
        /// The name under `/detectors`.
        name: String,
        /// The strings.
        strings: Vec<String>,
        /// The label that takes a match's place.
        label: String,
    },
    /// A list of words or phrases of the policy's own, matched whole and without regard to ASCII
    /// case.
    Words {
        /// The name under `/detectors`.
        name: String,
        /// The words; none is empty.
        words: Vec<String>,
        /// The label that takes a match's place.
        label: String,
    },
}

impl Detector {
    /// Its name in masks and records.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(name) => name,
            Self::Pattern { name, .. } | Self::Words { name, .. } | Self::Canaries { name, .. } => {
                name
            }
        }
    }
}

/// The most words of one list.
const MAX_WORDS: usize = 100_000;
/// The most context words of a pattern, and the most bytes of each.
const MAX_NEAR_WORDS: usize = 64;
const MAX_NEAR_BYTES: usize = 48;
/// The most canaries of one detector, and how many bytes they have.
const MAX_CANARIES: usize = 1000;
const MIN_CANARY_BYTES: usize = 8;
const MAX_CANARY_BYTES: usize = 256;

/// `/detectors`.
pub static DETECTORS: Form = Form::map("the name of a detector of the policy's own", &DETECTOR);

static DETECTOR: Form = Form::object_with(
    Presence::One(&["pattern", "words", "canaries"]),
    &[
        Key::required(
            "label",
            "What stands in brackets in a match's place.",
            &LABEL,
        ),
        Key::optional(
            "pattern",
            "A regular expression, matched on bytes and without Unicode classes. Its longest match has at most 4096 bytes, or no bound at all.",
            &TEXT,
        ),
        Key::optional(
            "near",
            "Words of which one must stand within the 64 bytes in front of a match of the pattern: at most 64, of at most 48 bytes.",
            &TEXTS,
        ),
        Key::optional(
            "words",
            "Words or phrases, matched whole and without regard to ASCII case: at most 100,000.",
            &TEXTS,
        ),
        Key::optional(
            "canaries",
            "Planted strings of 8 to 256 bytes that show leaks, found also where characters are spaced out or in another ASCII case: at most 1000.",
            &CANARIES,
        ),
    ],
);

static CANARIES: Form = Form::list(&CANARY);
static CANARY: Form = Form::text("a string").hidden();

static LABEL: Form = Form::text_like(
    "at most 64 letters, digits, underscores and dashes",
    "^[0-9A-Za-z_-]{1,64}$",
);

/// Reads `/detectors`.
#[must_use]
pub fn read_detectors(node: &Node<'_>) -> Vec<Detector> {
    node.each_named(read_detector)
}

fn read_detector(name: &str, node: &Node<'_>) -> Option<Detector> {
    if BUILT_IN_DETECTORS.contains(&name) {
        node.problem(
            format!("a definition of {name:?}, which is built in"),
            "a name of its own",
        );
    }
    let object = node.object()?;
    let label = object.get("label").and_then(|node| read_label(&node));
    let pattern = object.get("pattern");
    let near = object.get("near");
    if let (Some(near), None) = (&near, &pattern) {
        near.problem("\"near\" without \"pattern\"", "it beside a pattern only");
    }
    let name = name.to_owned();
    match (pattern, object.get("words"), object.get("canaries")) {
        (Some(pattern), None, None) => {
            let near = near.map(|near| read_near(&near)).unwrap_or_default();
            let pattern = pattern.text()?.to_owned();
            Some(Detector::Pattern {
                name,
                pattern,
                near,
                label: label?,
            })
        }
        (None, Some(words), None) => {
            let list = words.texts();
            at_most(&words, list.len(), "words", MAX_WORDS);
            Some(Detector::Words {
                name,
                words: list,
                label: label?,
            })
        }
        (None, None, Some(canaries)) => Some(Detector::Canaries {
            name,
            strings: read_canaries(&canaries),
            label: label?,
        }),
        _ => None,
    }
}

fn read_label(node: &Node<'_>) -> Option<String> {
    node.parsed(|text| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let good = text.bytes().all(fits) && text.len() <= 64;
        good.then(|| text.to_owned())
    })
}

fn read_near(node: &Node<'_>) -> Vec<String> {
    let mut list = Vec::new();
    for item in node.items() {
        let Some(word) = item.text() else { continue };
        if word.len() > MAX_NEAR_BYTES {
            item.problem(
                format!("{} bytes", word.len()),
                format!("a word of at most {MAX_NEAR_BYTES} bytes"),
            );
        }
        list.push(word.to_owned());
    }
    at_most(node, list.len(), "words", MAX_NEAR_WORDS);
    list
}

/// A planted string must not be shown, so no problem quotes it.
fn read_canaries(node: &Node<'_>) -> Vec<String> {
    let mut list = Vec::new();
    for item in node.items() {
        let Some(string) = item.text() else {
            continue;
        };
        if !(MIN_CANARY_BYTES..=MAX_CANARY_BYTES).contains(&string.len()) {
            item.problem(
                format!("{} bytes", string.len()),
                format!("a canary of {MIN_CANARY_BYTES} to {MAX_CANARY_BYTES} bytes"),
            );
        }
        list.push(string.to_owned());
    }
    at_most(node, list.len(), "canaries", MAX_CANARIES);
    list
}

fn at_most(node: &Node<'_>, found: usize, what: &str, most: usize) {
    if found > most {
        node.problem(format!("{found} {what}"), format!("at most {most}"));
    }
}
