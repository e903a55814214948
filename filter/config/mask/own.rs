//! `/detectors` of the policy: detectors of its own.

use super::super::reader::Node;
use super::built_in::BUILT_IN_DETECTORS;

/// Where a detector's definition comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detector {
    /// One of [`BUILT_IN_DETECTORS`].
    BuiltIn(&'static str),
    /// A regular expression of the policy's own, matched on bytes, without Unicode classes.
    Pattern {
        /// The name under `/detectors`.
        name: String,
        /// The expression; its longest match is bounded.
        pattern: String,
        /// The label that takes a match's place.
        label: String,
    },
    /// A list of words or phrases of the policy's own, matched whole and without regard to ASCII case.
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
            Self::Pattern { name, .. } | Self::Words { name, .. } => name,
        }
    }
}

/// The most words of one list.
const MOST_WORDS: usize = 100_000;

pub(in crate::config) fn read_detectors(node: &Node<'_>) -> Vec<Detector> {
    let Some(object) = node.object() else {
        return Vec::new();
    };
    object
        .entries()
        .into_iter()
        .filter_map(|(name, node)| read_detector(name, &node))
        .collect()
}

fn read_detector(name: &str, node: &Node<'_>) -> Option<Detector> {
    if BUILT_IN_DETECTORS.contains(&name) {
        node.problem(
            format!("a definition of {name:?}, which is built in"),
            "a name of its own",
        );
    }
    let object = node.object()?;
    let label = object.required("label").and_then(|node| {
        let text = node.string()?;
        if text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
            && text.len() <= 64
        {
            return Some(text.to_owned());
        }
        node.expected("at most 64 letters, digits, underscores and dashes");
        None
    });
    let pattern = object.optional("pattern");
    let words = object.optional("words");
    let detector = match (&pattern, &words) {
        (Some(pattern), None) => {
            let pattern = pattern.string().map(str::to_owned);
            pattern
                .zip(label)
                .map(|(pattern, label)| Detector::Pattern {
                    name: name.to_owned(),
                    pattern,
                    label,
                })
        }
        (None, Some(words)) => {
            let list = words.strings();
            if list.len() > MOST_WORDS {
                words.problem(
                    format!("{} words", list.len()),
                    format!("at most {MOST_WORDS}"),
                );
            }
            label.map(|label| Detector::Words {
                name: name.to_owned(),
                words: list,
                label,
            })
        }
        (Some(_), Some(_)) => {
            node.problem("both \"pattern\" and \"words\"", "one of them");
            None
        }
        (None, None) => {
            node.problem("neither \"pattern\" nor \"words\"", "one of them");
            None
        }
    };
    object.close();
    detector
}
