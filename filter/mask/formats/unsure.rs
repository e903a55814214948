//! Bodies that are JSON, events, lines, text or HTML: their heads say which, and their beginnings may say
//! otherwise.

use super::body::Body;
use super::coded_lines::CodedLines;
use super::error::WalkError;
use super::events::Events;
use super::format::Format;
use super::front::{BOM, Called, Front, Gate, Shape};
use super::layout::Layout;
use super::lines::Lines;
use super::markup::Markup;
use super::plain::Plain;
use super::walk::{Job, Walk};

/// Masks such a body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unsure {
    called: Called,
    /// What it begins with, until that tells what it is.
    front: Option<Front>,
    /// What it has to be further on, where it is not what it is called.
    gate: Option<Gate>,
    body: Known,
}

#[derive(Clone, Debug, PartialEq)]
enum Known {
    Json(Box<Body>),
    Events(Box<Events>),
    Lines(Box<Lines>),
    CodedLines(Box<CodedLines>),
    Text(Box<Plain>),
    Html(Box<Markup>),
}

impl Unsure {
    /// A body that is called so.
    pub(super) fn new(called: Called) -> Self {
        Self {
            called,
            front: Some(Front::new(called)),
            gate: None,
            body: Known::new(called.shape(), false),
        }
    }

    /// Which of these streams it has turned out to be, if it is called JSON or text.
    pub(super) fn turned_out(&self) -> Option<Format> {
        match (&self.body, self.called) {
            (_, Called::Events | Called::Lines) => None,
            (Known::Events(_), _) => Some(Format::Events),
            (Known::Lines(_), _) => Some(Format::Lines),
            _ => None,
        }
    }

    /// Reads what has come, now that it is known to be this.
    fn set(&mut self, shape: Shape, job: &mut Job<'_>) -> Result<(), WalkError> {
        let held = self.front.take().map(|mut front| front.take());
        let held = held.unwrap_or_default();
        // Lines that a dialect streams may have others between them.
        let lines = job.layout.is_some_and(Layout::has_lines);
        let own = lines && shape == Shape::Lines && self.called == Called::Json;
        let guarded = matches!(shape, Shape::Events | Shape::Lines | Shape::CodedLines);
        if shape != self.called.shape() {
            self.body = Known::new(shape, guarded);
            self.gate = (guarded && !own).then(|| Gate::new(shape, self.called));
        }
        // Readers leave it out, whatever they read; in events that are called so, it is known.
        let marked = held.strip_prefix(BOM);
        let streams = self.gate.is_some() || matches!(shape, Shape::Lines | Shape::Values);
        let rest = marked.filter(|_| streams);
        if rest.is_some() {
            job.out.extend_from_slice(BOM);
        }
        self.push(rest.unwrap_or(&held), job)
    }

    /// Takes the line that has come, and is the last one of the body or of what can be held.
    fn line(&mut self, ends: bool, job: &mut Job<'_>) -> Result<(), WalkError> {
        let Some(gate) = &mut self.gate else {
            return Ok(());
        };
        let line = gate.line();
        if !(ends && gate.fits(&line)) {
            // It is what it is called, from here on. A private key that has begun goes on.
            let key = gate.key(&line);
            self.gate = None;
            self.body.walker_mut().finish(job)?;
            self.body = Known::new(self.called.shape(), false);
            if let Some(key) = key {
                self.body.walker_mut().push(&key, job)?;
            }
        }
        self.body.walker_mut().push(&line, job)
    }
}

impl Known {
    /// `doubtful` says that the body is called something else.
    fn new(shape: Shape, doubtful: bool) -> Self {
        match shape {
            Shape::Json => Self::Json(Box::default()),
            Shape::Values => Self::Json(Box::new(Body::of_values())),
            Shape::Lines => Self::Lines(Box::default()),
            Shape::CodedLines => Self::CodedLines(Box::default()),
            Shape::Events if doubtful => Self::Events(Box::new(Events::doubtful())),
            Shape::Events => Self::Events(Box::default()),
            Shape::Text => Self::Text(Box::new(Plain::new())),
            Shape::Html => Self::Html(Box::new(Markup::new(false))),
        }
    }

    fn walker(&self) -> &dyn Walk {
        match self {
            Self::Json(it) => &**it,
            Self::Events(it) => &**it,
            Self::Lines(it) => &**it,
            Self::CodedLines(it) => &**it,
            Self::Text(it) => &**it,
            Self::Html(it) => &**it,
        }
    }

    fn walker_mut(&mut self) -> &mut dyn Walk {
        match self {
            Self::Json(it) => &mut **it,
            Self::Events(it) => &mut **it,
            Self::Lines(it) => &mut **it,
            Self::CodedLines(it) => &mut **it,
            Self::Text(it) => &mut **it,
            Self::Html(it) => &mut **it,
        }
    }
}

impl Walk for Unsure {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut rest = piece;
        if let Some(front) = &mut self.front {
            let (blanks, later) = rest.split_at(front.blanks(rest));
            job.out.extend_from_slice(blanks);
            let lines = job.layout.is_some_and(Layout::has_lines);
            let (taken, shape) = front.push(later, lines);
            let Some(shape) = shape else {
                return Ok(());
            };
            self.set(shape, job)?;
            rest = later.get(taken..).unwrap_or_default();
        }
        while let Some(gate) = &mut self.gate
            && !rest.is_empty()
        {
            let (ends, later) = gate.take(rest);
            rest = later;
            if !ends && gate.may_fit() && gate.held() <= job.most {
                return Ok(());
            }
            self.line(ends, job)?;
        }
        match rest {
            [] => Ok(()),
            _ => self.body.walker_mut().push(rest, job),
        }
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        if let Some(front) = &self.front {
            let shape = front.end();
            self.set(shape, job)?;
        }
        self.line(true, job)?;
        self.body.walker_mut().finish(job)
    }

    fn held(&self) -> usize {
        let front = self.front.as_ref().map_or(0, Front::held);
        let line = self.gate.as_ref().map_or(0, Gate::held);
        front + line + self.body.walker().held()
    }
}
