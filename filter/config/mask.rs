//! `/detectors` and `/masks` of the policy.

use super::glob::Glob;
use super::reader::{Node, list_of};

/// The detectors that need no definition in the policy, in the order in which they are
/// tried where two of them could match at the same place.
pub const BUILT_IN_DETECTORS: &[&str] = &[
    "secret.private_key",
    "secret.jwt",
    "secret.aws_access_key",
    "secret.gcp_api_key",
    "secret.github_token",
    "secret.gitlab_token",
    "secret.slack_token",
    "secret.stripe_key",
    "secret.openai_key",
    "secret.anthropic_key",
    "secret.huggingface_token",
    "email",
    "iban",
    "credit_card",
    "us_ssn",
    "ip",
];

/// How a match is written in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// `[EMAIL]`: the detector's label in brackets.
    Label,
    /// As many asterisks as the match has characters.
    Stars,
    /// Asterisks, but for the last four characters.
    Partial,
    /// Nothing at all.
    Remove,
}

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

/// One detector of a mask with the style that the mask gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Detection {
    /// What is looked for.
    pub detector: Detector,
    /// What is written in its place.
    pub style: Style,
}

/// A named mask: what it looks for, in the order of priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Its name in rules and records.
    pub name: String,
    /// What is looked for and how it is written.
    pub detections: Vec<Detection>,
}

/// Names that the policy's form knows and this version doesn't detect yet.
const LATER_DETECTORS: &[&str] = &["phone"];

/// The most words of one list.
const MOST_WORDS: usize = 100_000;

pub(super) fn read_detectors(node: &Node<'_>) -> Vec<Detector> {
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
    if BUILT_IN_DETECTORS.contains(&name) || LATER_DETECTORS.contains(&name) {
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

pub(super) fn read_masks(node: &Node<'_>, own: &[Detector]) -> Vec<Mask> {
    let Some(object) = node.object() else {
        return Vec::new();
    };
    object
        .entries()
        .into_iter()
        .filter_map(|(name, node)| read_mask(name, &node, own))
        .collect()
}

fn read_mask(name: &str, node: &Node<'_>, own: &[Detector]) -> Option<Mask> {
    let object = node.object()?;
    let style = object.optional("style").map_or(Some(Style::Label), |node| {
        if node.value().as_str() == Some("pseudonym") {
            node.not_in_this_version("the style \"pseudonym\"");
            return None;
        }
        match node.one_of(&["label", "stars", "partial", "remove"])? {
            0 => Some(Style::Label),
            1 => Some(Style::Stars),
            2 => Some(Style::Partial),
            _ => Some(Style::Remove),
        }
    });
    let mut chosen: Vec<Detector> = Vec::new();
    if let Some(list) = object.required("detect") {
        for item in list.non_empty_array() {
            choose(&item, own, &mut chosen);
        }
    }
    object.later("fields", "rules for single fields (\"fields\")");
    object.close();
    // A policy with a problem is refused whole; without its name, the rules that use this mask
    // would seem to be wrong too.
    let style = style.unwrap_or(Style::Label);
    // Priority follows the order of the definitions, not the order in which a mask lists them.
    let mut detections = Vec::new();
    for name in BUILT_IN_DETECTORS {
        let built_in = Detector::BuiltIn(name);
        if chosen.contains(&built_in) {
            detections.push(Detection {
                detector: built_in,
                style,
            });
        }
    }
    for detector in own {
        if chosen.contains(detector) {
            detections.push(Detection {
                detector: detector.clone(),
                style,
            });
        }
    }
    Some(Mask {
        name: name.to_owned(),
        detections,
    })
}

fn choose(node: &Node<'_>, own: &[Detector], chosen: &mut Vec<Detector>) {
    let Some(text) = node.string() else { return };
    if LATER_DETECTORS.contains(&text) {
        node.not_in_this_version(&format!("the detector {text:?}"));
        return;
    }
    let glob = Glob::new(text);
    let before = chosen.len();
    chosen.extend(
        BUILT_IN_DETECTORS
            .iter()
            .filter(|name| glob.matches(name))
            .map(|name| Detector::BuiltIn(name)),
    );
    chosen.extend(own.iter().filter(|one| glob.matches(one.name())).cloned());
    if chosen.len() == before {
        let mut names: Vec<&str> = BUILT_IN_DETECTORS.to_vec();
        names.extend(own.iter().map(Detector::name));
        node.expected(format!("{}, or a glob that fits some", list_of(&names)));
    }
}
