//! Where in its dialect's layout the value stands that is read.

use super::super::layout::{At, Layout, Met};
use super::super::walk::Job;
use crate::policy::Class;

/// Nesting that is followed. No layout says anything of a deeper place.
const MAX_LEVELS: usize = 64;

/// The places of the objects and lists around a value, and its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    /// Of each object or list that is open: its place, whether it is a list, and which conditions it
    /// meets, where that has been asked.
    open: Vec<(At, bool, Met)>,
    /// How many more are open.
    deeper: u64,
    /// The value that comes next; `None` for the whole body.
    at: Option<At>,
}

impl Places {
    /// Takes one of `{}[],:`; of a brace, with the conditions that its object meets.
    pub(super) fn mark(&mut self, mark: u8, met: Met, layout: Option<&Layout>) {
        let Some(layout) = layout else { return };
        match mark {
            b'{' | b'[' if self.open.len() == MAX_LEVELS => {
                self.deeper = self.deeper.saturating_add(1);
            }
            b'{' | b'[' => {
                let at = self.at.unwrap_or(layout.root());
                self.open.push((at, mark == b'[', met));
                self.enter(layout);
            }
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'}' | b']' => {
                self.open.pop();
                self.enter(layout);
            }
            _ => {}
        }
    }

    /// What comes next is an item of the list that is open. In an object, the next name will say.
    fn enter(&mut self, layout: &Layout) {
        self.at = match self.open.last() {
            Some((list, true, _)) => Some(layout.item(*list)),
            Some((object, false, _)) => Some(*object),
            None => None,
        };
    }

    /// The value that comes next is the member of this name, which stands in quotes and may have
    /// blanks behind it.
    pub(super) fn member(&mut self, name: &[u8], layout: Option<&Layout>) {
        let (Some(layout), 0) = (layout, self.deeper) else {
            return;
        };
        let name = name.trim_ascii_end();
        let name = name.strip_prefix(b"\"").unwrap_or(name);
        let name = name.strip_suffix(b"\"").unwrap_or(name);
        if let Some((object, false, _)) = self.open.last() {
            self.at = Some(layout.member(*object, name));
        }
    }

    /// The place of the value that comes next.
    pub(super) fn at(&self) -> At {
        self.at.unwrap_or_default()
    }

    /// What the value is that comes next.
    pub(super) fn class(&self, layout: Option<&Layout>) -> Class {
        let met = match self.open.last() {
            Some((_, false, met)) if self.deeper == 0 => *met,
            _ => Met::default(),
        };
        match (layout, self.at) {
            (Some(layout), Some(at)) => layout.class(at, b"", met),
            _ => Class::Text,
        }
    }

    /// Whether the object that comes next has to be known whole: how one of its members is treated
    /// depends on others.
    pub(super) fn asks(&self, job: &Job<'_>) -> bool {
        let Some(layout) = job.layout.filter(|_| self.deeper == 0) else {
            return false;
        };
        let at = self.at.unwrap_or(layout.root());
        layout.asks(at, |class| job.mask.treats(class))
    }
}
