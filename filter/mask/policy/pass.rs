//! `"pass"` of a mask: what may go on unread.
//!
//! A glob never switches a mask off: it lets through only what has no text, or none that can be read.
//! What can be read as text goes on unread only where its type is named whole.

use base::glob::Glob;
use base::operation::{OPERATIONS, UNKNOWN};
use base::policy::{Form, Node, header_token, list_of};

/// What passes where a mask doesn't say.
const USUAL: [&str; 4] = ["image/*", "audio/*", "video/*", "font/*"];

/// What models and their servers answer in: a mask that lets it pass is none.
const READ: [&str; 6] = [
    "application/json",
    "application/x-ndjson",
    "text/event-stream",
    "text/plain",
    "application/grpc",
    "application/grpc-web",
];

/// What may pass unread: of several masks, what each of them lets through.
#[derive(Clone, Debug, PartialEq)]
pub struct Passing(Vec<List>);

/// What one mask lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    /// In lower case.
    media: Vec<Glob>,
    operations: Vec<Glob>,
}

/// Images, sound, video and fonts. SVG is XML, which is read.
impl Default for Passing {
    fn default() -> Self {
        Self(vec![List {
            media: USUAL.map(Glob::new).to_vec(),
            operations: Vec::new(),
        }])
    }
}

impl Passing {
    /// Nothing passes.
    pub(super) fn nothing() -> Self {
        Self(vec![List {
            media: Vec::new(),
            operations: Vec::new(),
        }])
    }

    /// What passes a mask that names these media types.
    #[cfg(test)]
    pub(crate) fn of_media(media: &[&str]) -> Self {
        Self(vec![List {
            media: media.iter().map(|text| Glob::new(text)).collect(),
            operations: Vec::new(),
        }])
    }

    /// What passes all of these.
    pub(super) fn all<'p>(lists: impl IntoIterator<Item = &'p Self>) -> Self {
        let mut all: Vec<List> = Vec::new();
        for list in lists.into_iter().flat_map(|passing| &passing.0) {
            if !all.contains(list) {
                all.push(list.clone());
            }
        }
        match all.as_slice() {
            [] => Self::default(),
            _ => Self(all),
        }
    }

    /// Whether text of this media type, in lower case and without parameters, passes unread.
    #[must_use]
    pub fn lets_text(&self, media: &str) -> bool {
        let named = |glob: &Glob| !is_glob(glob) && glob.as_str() == media;
        self.0.iter().all(|list| list.media.iter().any(named))
    }

    /// Whether what has no text that can be read, of this media type (in lower case and without
    /// parameters), passes in an answer to this operation.
    #[must_use]
    pub fn lets_opaque(&self, media: &str, operation: Option<&str>) -> bool {
        if Self::is_read_inside(media) {
            return self.lets_text(media);
        }
        self.0
            .iter()
            .all(|list| list.media.iter().any(|glob| glob.matches(media)) || list.covers(operation))
    }

    /// Whether there is more to read in this media type than it says itself: parts, or messages.
    #[must_use]
    pub fn is_read_inside(media: &str) -> bool {
        media.starts_with("multipart/") || media.starts_with("application/grpc")
    }

    /// Whether all that can't be read as text passes in answers to this operation.
    #[must_use]
    pub fn lets_operation(&self, operation: Option<&str>) -> bool {
        self.0.iter().all(|list| list.covers(operation))
    }
}

impl List {
    /// As for rules, no glob stands for what nobody has a name for.
    fn covers(&self, operation: Option<&str>) -> bool {
        operation.is_some_and(|name| {
            let fits = |glob: &Glob| glob.matches(name) && (name != UNKNOWN || !is_glob(glob));
            self.operations.iter().any(fits)
        })
    }
}

fn is_glob(glob: &Glob) -> bool {
    glob.as_str().contains('*')
}

/// `"pass"` of a mask.
pub(super) static PASS: Form = Form::list_or_none(&ENTRY);
static ENTRY: Form =
    Form::text("a media type such as \"image/*\", or an operation, or a glob that fits some");

/// Reads `"pass"` of a mask.
pub(super) fn read_pass(node: &Node<'_>) -> Passing {
    let mut list = List {
        media: Vec::new(),
        operations: Vec::new(),
    };
    for item in node.items() {
        let Some(text) = item.text() else { continue };
        match text.split_once('/') {
            Some(parts) => list.media.extend(read_media(&item, text, parts)),
            None => list.operations.extend(read_operation(&item, text)),
        }
    }
    Passing(vec![list])
}

fn read_media(node: &Node<'_>, text: &str, (kind, subtype): (&str, &str)) -> Option<Glob> {
    // A star is a token's character.
    if header_token(kind).is_none() || header_token(subtype).is_none() {
        node.expected("a media type without parameters, such as \"image/png\" or \"image/*\"");
        return None;
    }
    let glob = Glob::new(&text.to_ascii_lowercase());
    if let Some(read) = READ.iter().find(|media| glob.matches(media)) {
        node.problem(
            format!("{text:?}, which lets {read:?} pass unread"),
            "what fits nothing that models answer in, such as \"image/*\" or \"application/pdf\"",
        );
        return None;
    }
    Some(glob)
}

fn read_operation(node: &Node<'_>, text: &str) -> Option<Glob> {
    let glob = Glob::new(text);
    if OPERATIONS.iter().any(|name| glob.matches(name)) {
        return Some(glob);
    }
    node.expected(format!(
        "a media type such as \"image/*\", or {}, or a glob that fits some",
        list_of(OPERATIONS)
    ));
    None
}
