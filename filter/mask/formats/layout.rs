//! What stands where in the bodies of a dialect.
//!
//! Not every string of an answer is text. A picture in base64, a vector, a signature that the client
//! has to send back: to change one byte of these is to destroy them. Which they are, a dialect says by
//! their places, never by their names alone: a `signature` that a tool gives is text like any other.
//! A dialect also says which texts are a model's reasoning, the arguments of a tool's call, or
//! citations, since a mask may treat them in another way.
//!
//! A layout is written in lines: a class, a place, and, if only events of some kinds have it there, the
//! `type` of these. A place is a JSON pointer in which `*` is any item of a list. What is said holds
//! for everything below the place, too, unless a longer one says otherwise; what is said of some kinds
//! of events, for the place alone. The line `lines` says that servers stream in lines of JSON, also in
//! bodies that are called JSON.
//!
//! ```text
//! data       /data/*/b64_json
//! reasoning  /choices/*/message/reasoning_content
//! data       /delta  response.output_audio.delta
//! ```

#[cfg(test)]
mod tests;

use crate::policy::Class;

/// A place in a layout, or one that it says nothing about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(u16);

/// What stands where in the bodies of a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    lines: bool,
    /// The places below which nothing more is said, one for each class; then the whole body, and the
    /// places that have lines.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    members: Vec<(Vec<u8>, At)>,
    item: Option<At>,
    /// What its line says.
    said: Option<Class>,
    /// What it is, by its line or that of a place above.
    class: Class,
    /// What it is in events of some kinds. Of what is below it, that says nothing.
    kinds: Vec<(Vec<u8>, Class)>,
}

/// Places of one layout. The largest has some two hundred.
const MAX_PLACES: usize = 4096;
/// No dialect has a place that is deeper.
const MAX_STEPS: usize = 24;

impl Default for At {
    fn default() -> Self {
        Self::of(Class::Text)
    }
}

impl At {
    /// A place of this class of which nothing more is said.
    fn of(class: Class) -> Self {
        let at = Class::ALL.iter().position(|one| *one == class);
        Self(at.and_then(|at| u16::try_from(at).ok()).unwrap_or_default())
    }

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Layout {
    /// The layout that these lines make. Empty ones, and what stands behind a `#`, say nothing.
    ///
    /// # Errors
    /// The line that says nothing that is known, or too much.
    pub fn read(lines: &str) -> Result<Self, String> {
        let mut layout = Self {
            lines: false,
            nodes: Class::ALL.iter().map(|class| Node::of(*class)).collect(),
        };
        let root = layout.add(Node::default()).ok_or("too many places")?;
        for line in lines.lines() {
            let said = line.split('#').next().unwrap_or_default();
            let mut words = said.split_ascii_whitespace();
            let Some(class) = words.next() else { continue };
            if class == "lines" {
                layout.lines = true;
                continue;
            }
            let wrong =
                || format!("{line:?}: a class, a place such as /a/*/b, and kinds of events");
            let class = Class::named(class).ok_or_else(wrong)?;
            let place = words.next().and_then(|place| place.strip_prefix('/'));
            let at = layout.place(root, place.ok_or_else(wrong)?);
            let node = at.and_then(|at| layout.nodes.get_mut(at.index()));
            let node = node.ok_or_else(wrong)?;
            let before = node.kinds.len();
            for kind in words {
                if node.kinds.iter().any(|(known, _)| known == kind.as_bytes()) {
                    return Err(wrong());
                }
                node.kinds.push((kind.as_bytes().to_vec(), class));
            }
            if node.kinds.len() == before && node.said.replace(class).is_some() {
                return Err(wrong());
            }
        }
        layout.inherit(root, Class::Text, MAX_STEPS);
        Ok(layout)
    }

    /// Whether its servers stream in lines of JSON, whatever they call it.
    #[must_use]
    pub fn has_lines(&self) -> bool {
        self.lines
    }

    /// The whole body.
    pub(super) fn root(&self) -> At {
        At(u16::try_from(Class::ALL.len()).unwrap_or_default())
    }

    /// The member of this name, as it stands between its quotes, of the object at `at`. A name that is
    /// written with escapes is none that a dialect has.
    pub(super) fn member(&self, at: At, name: &[u8]) -> At {
        let Some(node) = self.nodes.get(at.index()) else {
            return at;
        };
        let member = node.members.iter().find(|(known, _)| known == name);
        member.map_or(At::of(node.class), |(_, at)| *at)
    }

    /// An item of the list at `at`.
    pub(super) fn item(&self, at: At) -> At {
        let Some(node) = self.nodes.get(at.index()) else {
            return at;
        };
        node.item.unwrap_or(At::of(node.class))
    }

    /// What stands at `at`, in an event of this kind.
    pub(super) fn class(&self, at: At, kind: &[u8]) -> Class {
        let Some(node) = self.nodes.get(at.index()) else {
            return Class::Text;
        };
        let of_kind = node.kinds.iter().find(|(known, _)| known == kind);
        of_kind.map_or(node.class, |(_, class)| *class)
    }

    /// Whether what stands at `at` depends on the kind of its event.
    pub(super) fn depends(&self, at: At) -> bool {
        let node = self.nodes.get(at.index());
        node.is_some_and(|node| !node.kinds.is_empty())
    }

    fn add(&mut self, node: Node) -> Option<At> {
        let at = Some(self.nodes.len()).filter(|at| *at < MAX_PLACES)?;
        self.nodes.push(node);
        u16::try_from(at).ok().map(At)
    }

    fn place(&mut self, root: At, place: &str) -> Option<At> {
        let mut at = root;
        for (depth, step) in place.split('/').enumerate() {
            if depth == MAX_STEPS || step.is_empty() {
                return None;
            }
            let node = self.nodes.get(at.index())?;
            let known = match step {
                "*" => node.item,
                name => {
                    let same = |(known, _): &&(Vec<u8>, At)| known == name.as_bytes();
                    node.members.iter().find(same).map(|(_, at)| *at)
                }
            };
            at = match known {
                Some(known) => known,
                None => {
                    let new = self.add(Node::default())?;
                    let node = self.nodes.get_mut(at.index())?;
                    match step {
                        "*" => node.item = Some(new),
                        name => node.members.push((name.as_bytes().to_vec(), new)),
                    }
                    new
                }
            };
        }
        Some(at)
    }

    /// Passes on what is said of a place to those below it.
    fn inherit(&mut self, at: At, above: Class, steps: usize) {
        let Some(node) = self.nodes.get_mut(at.index()) else {
            return;
        };
        node.class = node.said.unwrap_or(above);
        // What holds for some kinds of events alone holds for nothing below.
        let class = if node.kinds.is_empty() {
            node.class
        } else {
            above
        };
        let below = node.members.iter().map(|(_, at)| *at).chain(node.item);
        let below: Vec<At> = below.collect();
        if let Some(steps) = steps.checked_sub(1) {
            for one in below {
                self.inherit(one, class, steps);
            }
        }
    }
}

impl Node {
    fn of(class: Class) -> Self {
        Self {
            class,
            ..Self::default()
        }
    }
}
