//! What stands where in the bodies of a dialect.
//!
//! Not every string of an answer is text. A picture in base64, a vector, a signature that the client
//! has to send back: to change one byte of these is to destroy them. Which they are, a dialect says by
//! their places, never by their names alone: a `signature` that a tool gives is text like any other.
//! A dialect also says which texts are a model's reasoning, the arguments of a tool's call, or
//! citations, since a mask may treat them in another way.
//!
//! A layout is written in lines: a class, a place, and, if only events of some kinds have it there, the
//! `type` of these. A place is a JSON pointer in which `*` is any item of a list, `**` any member of an
//! object that has no line of its own, and `{a|b/c}` stands for several places. What is said holds for everything below the place, too, unless a longer one says
//! otherwise; what is said of some kinds of events, for the place alone. So does what depends on another
//! member of the same object, which is written `name=value`, or `name/name=value` where that is an
//! object itself; `!text` behind it says what must stand nowhere in the object. `let` gives places a name, which may stand at the beginning of another place. The line `lines` says that servers stream in lines of JSON, also in bodies that are
//! called JSON.
//!
//! ```text
//! data       /data/*/b64_json
//! reasoning  /choices/*/{message|delta}/reasoning_content
//! data       /delta  response.output_audio.delta
//! reasoning  /candidates/*/content/parts/*/text  thought=true
//! ```

mod condition;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::policy::{Class, Treatment};
pub(super) use condition::Met;
use condition::{Condition, MAX_CONDITIONS};

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
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    members: Vec<(Vec<u8>, At)>,
    item: Option<At>,
    /// Members that are none of these.
    other: Option<At>,
    /// What its line says.
    said: Option<Class>,
    /// What it is, by its line or that of a place above.
    class: Class,
    /// What it is in events of some kinds. Of what is below it, that says nothing.
    kinds: Vec<(Vec<u8>, Class)>,
    /// What it is if a condition is met, likewise; the conditions by their index.
    told: Vec<(usize, Class)>,
    /// Of an object: whether what one of its members is depends on others.
    asks: bool,
}

/// Places of one layout. The largest has some two hundred.
const MAX_PLACES: usize = 4096;
/// No dialect has a place that is deeper.
const MAX_STEPS: usize = 24;
/// Places that one line may stand for.
const MAX_ALTERNATIVES: usize = 64;

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
        Self::read_all(&[lines])
    }

    /// The layout that several make together. Where one says something else than one in front of it,
    /// the first has its way.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_all(files: &[&str]) -> Result<Self, String> {
        let mut layout = Self {
            lines: false,
            nodes: Class::ALL.iter().map(|class| Node::of(*class)).collect(),
            conditions: Vec::new(),
        };
        let root = layout.add(Node::default()).ok_or("too many places")?;
        for file in files {
            let mut said = Said::default();
            for line in file.lines() {
                let wrong = || {
                    format!("{line:?}: a class, a place such as /a/*/b, and kinds of events or a=b")
                };
                layout.take(root, line, &mut said).ok_or_else(wrong)?;
            }
        }
        layout.inherit(root, Class::Text, MAX_STEPS);
        Ok(layout)
    }

    /// Takes a line; none if it says nothing that is known, or too much.
    fn take<'l>(&mut self, root: At, line: &'l str, said: &mut Said<'l>) -> Option<()> {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let class = match words.next() {
            None => return Some(()),
            Some("lines") => {
                self.lines = true;
                return Some(());
            }
            Some("let") => {
                let new = said.names.insert(words.next()?, words.next()?);
                return new.is_none().then_some(());
            }
            Some(class) => Class::named(class)?,
        };
        let place = words.next()?;
        let place = match place.strip_prefix('$') {
            Some(named) => {
                let (name, rest) = named.split_at(named.find('/').unwrap_or(named.len()));
                format!("{}{rest}", said.names.get(name)?)
            }
            None => place.to_owned(),
        };
        let words: Vec<&str> = words.collect();
        for place in alternatives(&place)? {
            let place = place.strip_prefix('/')?;
            let at = self.place(root, place)?;
            if words.is_empty() {
                said.add(at, "", class)?;
                self.nodes.get_mut(at.index())?.said.get_or_insert(class);
            }
            for word in &words {
                said.add(at, word, class)?;
                self.say(root, (at, place), class, word)?;
            }
        }
        Some(())
    }

    /// Takes what is said of a place in events of some kind, or if a condition is met.
    fn say(&mut self, root: At, (at, place): (At, &str), class: Class, word: &str) -> Option<()> {
        if !word.contains('=') {
            let kinds = &mut self.nodes.get_mut(at.index())?.kinds;
            if !kinds.iter().any(|(known, _)| known == word.as_bytes()) {
                kinds.push((word.as_bytes().to_vec(), class));
            }
            return Some(());
        }
        let condition = self.condition(word)?;
        // Only a member has others beside it.
        let (object, name) = place.rsplit_once('/')?;
        let named = !matches!(name, "*" | "**");
        let object = self.place(root, object).filter(|_| named)?;
        self.nodes.get_mut(object.index())?.asks = true;
        let told = &mut self.nodes.get_mut(at.index())?.told;
        if !told.iter().any(|(known, _)| *known == condition) {
            told.push((condition, class));
        }
        Some(())
    }

    /// The index of a condition.
    fn condition(&mut self, word: &str) -> Option<usize> {
        let condition = Condition::read(word)?;
        let known = self.conditions.iter().position(|known| *known == condition);
        known.or_else(|| {
            let new = Some(self.conditions.len()).filter(|new| *new < MAX_CONDITIONS)?;
            self.conditions.push(condition);
            Some(new)
        })
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
        let at = member.map(|(_, at)| *at).or(node.other);
        at.unwrap_or(At::of(node.class))
    }

    /// An item of the list at `at`.
    pub(super) fn item(&self, at: At) -> At {
        let Some(node) = self.nodes.get(at.index()) else {
            return at;
        };
        node.item.unwrap_or(At::of(node.class))
    }

    /// What stands at `at`, in an event of this kind and an object that meets these conditions.
    pub(super) fn class(&self, at: At, kind: &[u8], met: Met) -> Class {
        let Some(node) = self.nodes.get(at.index()) else {
            return Class::Text;
        };
        let told = node.told.iter().find(|(told, _)| met.has(*told));
        let told = told.map(|(_, class)| *class);
        let of_kind = || node.kinds.iter().find(|(known, _)| known == kind);
        told.or_else(|| of_kind().map(|(_, class)| *class))
            .unwrap_or(node.class)
    }

    /// Whether what stands at `at` depends on the kind of its event, or on members beside it.
    pub(super) fn depends(&self, at: At) -> bool {
        let node = self.nodes.get(at.index());
        node.is_some_and(|node| !node.kinds.is_empty() || !node.told.is_empty())
    }

    /// Whether a member of the object at `at` may be treated in another way by what stands beside it.
    pub(super) fn asks(&self, at: At, treats: impl Fn(Class) -> Treatment) -> bool {
        let Some(node) = self.nodes.get(at.index()).filter(|node| node.asks) else {
            return false;
        };
        let members = node.members.iter();
        let mut members = members.filter_map(|(_, at)| self.nodes.get(at.index()));
        members.any(|member| {
            let usual = treats(member.class);
            member.told.iter().any(|(_, class)| treats(*class) != usual)
        })
    }

    /// The conditions that an object meets. `json` begins with its brace; what stands behind it is not
    /// looked at.
    pub(super) fn met(&self, json: &[u8]) -> Met {
        let mut met = Met::default();
        for (index, condition) in self.conditions.iter().enumerate() {
            if condition.is_met_by(json) {
                met.add(index);
            }
        }
        met
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
                "**" => node.other,
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
                        "**" => node.other = Some(new),
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
        let below = node.members.iter().map(|(_, at)| *at);
        let below = below.chain(node.item).chain(node.other);
        let below: Vec<At> = below.collect();
        if let Some(steps) = steps.checked_sub(1) {
            for one in below {
                self.inherit(one, class, steps);
            }
        }
    }
}

/// What the lines of one file have said.
#[derive(Default)]
struct Said<'l> {
    /// Places that have a name.
    names: BTreeMap<&'l str, &'l str>,
    /// What was said of places, in events of a kind or on a condition.
    classes: BTreeMap<(u16, String), Class>,
}

impl Said<'_> {
    /// Adds what a line says; none if another one has said something else.
    fn add(&mut self, at: At, word: &str, class: Class) -> Option<()> {
        let known = self.classes.insert((at.0, word.to_owned()), class);
        known.is_none_or(|known| known == class).then_some(())
    }
}

/// The places that a written one stands for.
fn alternatives(place: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![place.to_owned()];
    while let Some(place) = open.pop() {
        let Some((front, rest)) = place.split_once('{') else {
            found.push(place);
            continue;
        };
        let (names, behind) = rest.split_once('}')?;
        for name in names.split('|') {
            open.push(format!("{front}{name}{behind}"));
        }
        if open.len() + found.len() > MAX_ALTERNATIVES {
            return None;
        }
    }
    Some(found)
}

impl Node {
    fn of(class: Class) -> Self {
        Self {
            class,
            ..Self::default()
        }
    }
}
