//! `/masks` of the policy: which detectors a mask has, and what becomes of a match.

use super::super::glob::Glob;
use super::super::reader::{Node, list_of};
use super::built_in::BUILT_IN_DETECTORS;
use super::own::Detector;

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

pub(in crate::config) fn read_masks(node: &Node<'_>, own: &[Detector]) -> Vec<Mask> {
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
