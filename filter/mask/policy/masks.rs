//! `/masks` of the policy: which detectors a mask has, and what becomes of a match.

use base::glob::Glob;
use base::policy::{FLAG, Form, Key, Node, Presence, TEXT, Usual, list_of};

use super::coverage::{PLACES, REASONING};
use super::custom::Detector;
use super::fields::FIELDS;
use super::headers::TEXT_HEADERS;
use super::options::{Options, REFUSE_OR_PASS, read_options};
use super::pass::PASS;
use super::style::{ACTION, Action, STYLE, Style, read_action, read_style};
use crate::detectors::BUILT_IN_DETECTORS;

/// One detector of a mask with the style that the mask gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Detection {
    /// What is looked for.
    pub detector: Detector,
    /// What is written in its place.
    pub style: Style,
}

/// One detector of a mask and what its matches lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// What is looked for, and how it is written.
    pub detection: Detection,
    /// What else happens.
    pub action: Action,
}

/// A named mask: what it looks for, in the order of priority.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Its name in rules and records.
    pub name: String,
    /// What is looked for and what becomes of it.
    pub chosen: Vec<Chosen>,
    /// What else it does.
    pub options: Options,
}

/// What masks refer to.
pub struct Surroundings<'a> {
    /// The policy's own detectors.
    pub own: &'a [Detector],
    /// Whether there is a desk to ask.
    pub desk: bool,
}

/// `/masks`.
pub static MASKS: Form = Form::map("the name of a mask", &MASK);

static MASK: Form = Form::object_with(
    Presence::Some(&["detect", "fields"]),
    &[
        Key::optional(
            "detect",
            "What is looked for. The first entry that names a detector holds; where a rule has several masks, the first mask.",
            &ENTRIES,
        ),
        Key::usually(
            "style",
            Usual::Text("label"),
            "How matches are written: `[EMAIL]`, as many asterisks, asterisks but for the last four characters (of matches that have eight or more), a label that is the same for the same value, or nothing.",
            &STYLE,
        ),
        Key::usually(
            "action",
            Usual::Text("mask"),
            "What a match leads to: it is written in its style; it is only counted; the answer ends before it (a request with it is refused); or the answer waits for a person.",
            &ACTION,
        ),
        Key::optional(
            "fields",
            "What happens to single fields, whatever is in them.",
            &FIELDS,
        ),
        Key::usually(
            "pass",
            Usual::Words("`image/*`, `audio/*`, `video/*`, `font/*`"),
            "What passes unread in an answer or a part of one, by its media type, or by the operation that was asked for; by its media type also a file of a form under `mask_request`. What can be read as text passes only if its media type is named whole; all else that can't be read is refused. Where a rule has several masks, something passes only if all say so.",
            &PASS,
        ),
        Key::usually(
            "partial_content",
            Usual::Text("refuse"),
            "What becomes of a part of a body (206) that doesn't pass unread as a whole, since a match may begin in another part. Where a rule has several masks, it passes only if all say so; likewise for `upgrades`.",
            &REFUSE_OR_PASS,
        ),
        Key::usually(
            "upgrades",
            Usual::Text("refuse"),
            "What becomes of an exchange that turns into a session, such as a web socket (OpenAI's Realtime API): nothing in one is read.",
            &REFUSE_OR_PASS,
        ),
        Key::optional(
            "headers",
            "Headers of an answer that are masked besides its body, as texts. Of one that occurs several times, the values are joined with commas. Where a rule has several masks, each adds its own.",
            &TEXT_HEADERS,
        ),
        Key::usually(
            "base64",
            Usual::Flag(false),
            "Whether text is looked for in base64 too. Where a rule has several masks, one that says so is enough; likewise for `keys`.",
            &FLAG,
        ),
        Key::usually(
            "keys",
            Usual::Flag(false),
            "Whether the names of JSON members are matched too.",
            &FLAG,
        ),
        Key::usually(
            "places",
            Usual::Words("all but names"),
            "Which parts of a body are covered: its text, the arguments of tools' calls with what tools gave, citations, the names of JSON members. What is not listed passes. Where a rule has several masks, the lists are taken together.",
            &PLACES,
        ),
        Key::usually(
            "reasoning",
            Usual::Words("masked, but passed where the provider signs it"),
            "What becomes of a model's reasoning: it is masked; its strings are emptied; it passes. A provider that signs reasoning refuses it when it comes back changed. Where a rule has several masks, the strictest holds.",
            &REASONING,
        ),
    ],
);

static ENTRIES: Form = Form::list(&ENTRY);
static ENTRY: Form = Form::either(&[&DETECTOR_GLOB, &MANNERED]);
static DETECTOR_GLOB: Form = Form::text("a detector, or a glob that fits some");
static MANNERED: Form = Form::object(&[
    Key::required("is", "A detector, or a glob that fits some.", &TEXT),
    Key::usually(
        "style",
        Usual::Words("the mask's"),
        "How its matches are written.",
        &STYLE,
    ),
    Key::usually(
        "action",
        Usual::Words("the mask's"),
        "What its matches lead to.",
        &ACTION,
    ),
]);

/// Reads `/masks`.
#[must_use]
pub fn read_masks(node: &Node<'_>, around: &Surroundings<'_>) -> Vec<Mask> {
    node.each_named(|name, node| read_mask(name, node, around))
}

fn read_mask(name: &str, node: &Node<'_>, around: &Surroundings<'_>) -> Option<Mask> {
    let object = node.object()?;
    // A policy with a problem is refused whole; without its name, the rules that use this mask
    // would seem to be wrong too. So what is wrong is taken for what it is unless said.
    let usual = Manner {
        style: read_style(&object).unwrap_or(Style::Label),
        action: read_action(&object, around.desk).unwrap_or_default(),
    };
    let mut named: Vec<(Detector, Manner)> = Vec::new();
    if let Some(list) = object.get("detect") {
        for item in list.items() {
            read_entry(&item, around, &usual, &mut named);
        }
    }
    Some(Mask {
        name: name.to_owned(),
        chosen: in_order(&named, around.own),
        options: read_options(&object),
    })
}

/// How a match is written and what it leads to.
#[derive(Clone)]
struct Manner {
    style: Style,
    action: Action,
}

/// An entry of `"detect"`: a name or glob, or an object with one and its own style or action.
fn read_entry(
    node: &Node<'_>,
    around: &Surroundings<'_>,
    usual: &Manner,
    named: &mut Vec<(Detector, Manner)>,
) {
    let Some((form, node)) = node.pick() else {
        return;
    };
    if form == 0 {
        let detectors = node.text().map(|text| choose(&node, text, around.own));
        for detector in detectors.into_iter().flatten() {
            if !named.iter().any(|(known, _)| *known == detector) {
                named.push((detector, usual.clone()));
            }
        }
        return;
    }
    let Some(object) = node.object() else { return };
    let style = read_style(&object);
    let action = read_action(&object, around.desk);
    let is = object.get("is");
    let manner = Manner {
        style: style.unwrap_or(usual.style),
        action: action.unwrap_or_else(|| usual.action.clone()),
    };
    let Some((is, text)) = is.and_then(|is| Some((is.clone(), is.text()?))) else {
        return;
    };
    let detectors = choose(&is, text, around.own);
    let before = named.len();
    let some = !detectors.is_empty();
    for detector in detectors {
        if !named.iter().any(|(known, _)| *known == detector) {
            named.push((detector, manner.clone()));
        }
    }
    if some && named.len() == before {
        is.problem(
            format!("{text:?}, all of which stands before"),
            "it in front of what names it too: the first that names a detector holds",
        );
    }
}

/// The detectors that a name or glob stands for.
fn choose(node: &Node<'_>, text: &str, own: &[Detector]) -> Vec<Detector> {
    let glob = Glob::new(text);
    let mut chosen: Vec<Detector> = BUILT_IN_DETECTORS
        .iter()
        .filter(|name| glob.matches(name))
        .map(|name| Detector::BuiltIn(name))
        .collect();
    chosen.extend(own.iter().filter(|one| glob.matches(one.name())).cloned());
    if chosen.is_empty() {
        let mut names: Vec<&str> = BUILT_IN_DETECTORS.to_vec();
        names.extend(own.iter().map(Detector::name));
        node.expected(format!("{}, or a glob that fits some", list_of(&names)));
    }
    chosen
}

/// Priority follows the order of the definitions, not the order in which a mask lists them.
fn in_order(named: &[(Detector, Manner)], own: &[Detector]) -> Vec<Chosen> {
    let place = |detector: &Detector| match detector {
        Detector::BuiltIn(name) => BUILT_IN_DETECTORS.iter().position(|one| one == name),
        other => own
            .iter()
            .position(|one| one == other)
            .map(|place| place + BUILT_IN_DETECTORS.len()),
    };
    let mut sorted: Vec<&(Detector, Manner)> = named.iter().collect();
    base::sort::sort_by_key(&mut sorted, |(detector, _)| place(detector));
    sorted
        .into_iter()
        .map(|(detector, manner)| Chosen {
            detection: Detection {
                detector: detector.clone(),
                style: manner.style,
            },
            action: manner.action.clone(),
        })
        .collect()
}
