//! Bodies that are JSON, events, lines, text or HTML: their heads say which, and their beginnings may say
//! otherwise.

use super::body::Body;
use super::coded_lines::CodedLines;
use super::error::WalkError;
use super::events::Events;
use super::format::Format;
use super::front::{Called, Front, Shape};
use super::layout::Layout;
use super::lines::Lines;
use super::markup::Markup;
use super::plain::Plain;
use super::walk::{Job, Walk};

/// Masks such a body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unsure {
    called: Called,
    state: State,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    /// It is not known yet.
    Front(Front),
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
            state: State::Front(Front::new(called)),
        }
    }

    /// Which of these streams it has turned out to be, if it is called JSON or text.
    pub(super) fn turned_out(&self) -> Option<Format> {
        if matches!(self.called, Called::Events | Called::Lines) {
            return None;
        }
        match &self.state {
            State::Events(_) => Some(Format::Events),
            State::Lines(_) => Some(Format::Lines),
            State::Front(_)
            | State::CodedLines(_)
            | State::Json(_)
            | State::Text(_)
            | State::Html(_) => None,
        }
    }

    /// Reads what has come, now that it is known to be this.
    fn set(&mut self, shape: Shape, job: &mut Job<'_>) -> Result<(), WalkError> {
        let held = match &mut self.state {
            State::Front(front) => front.take(),
            _ => Vec::new(),
        };
        self.state = match shape {
            Shape::Json => State::Json(Box::default()),
            Shape::Values => State::Json(Box::new(Body::of_values())),
            Shape::Lines => State::Lines(Box::default()),
            Shape::CodedLines => State::CodedLines(Box::default()),
            Shape::Events => State::Events(Box::default()),
            Shape::Text => State::Text(Box::new(Plain::new())),
            Shape::Html => State::Html(Box::new(Markup::new(false))),
        };
        self.push(&held, job)
    }
}

impl Walk for Unsure {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        match &mut self.state {
            State::Front(front) => {
                let lines = job.layout.is_some_and(Layout::has_lines);
                let (taken, shape) = front.push(piece, lines);
                let Some(shape) = shape else {
                    return Ok(());
                };
                self.set(shape, job)?;
                self.push(piece.get(taken..).unwrap_or_default(), job)
            }
            State::Json(it) => it.push(piece, job),
            State::Events(it) => it.push(piece, job),
            State::Lines(it) => it.push(piece, job),
            State::CodedLines(it) => it.push(piece, job),
            State::Text(it) => it.push(piece, job),
            State::Html(it) => it.push(piece, job),
        }
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        if let State::Front(front) = &self.state {
            let shape = front.end();
            self.set(shape, job)?;
        }
        match &mut self.state {
            State::Front(_) => Ok(()),
            State::Json(it) => it.finish(job),
            State::Events(it) => it.finish(job),
            State::Lines(it) => it.finish(job),
            State::CodedLines(it) => it.finish(job),
            State::Text(it) => it.finish(job),
            State::Html(it) => it.finish(job),
        }
    }

    fn held(&self) -> usize {
        match &self.state {
            State::Front(front) => front.held(),
            State::Json(it) => it.held(),
            State::Events(it) => it.held(),
            State::Lines(it) => it.held(),
            State::CodedLines(it) => it.held(),
            State::Text(it) => it.held(),
            State::Html(it) => it.held(),
        }
    }
}
