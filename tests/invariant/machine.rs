//! A walker as what the ways of cutting and of spreading are tried on: here, and among the tests in
//! the filter, which see it from the inside.

use std::fmt;
use std::rc::Rc;

use testbed::cuts::Machine;
use testbed::kserve::{Contents, InferResponse, StreamResponse, Tensor};
use testbed::spread::Stream;
use testbed::streams::{Api, Escapes};

use super::{CompiledMask, Format, GrpcMessage, Walker};

/// A walker with its mask.
#[derive(Clone)]
pub(super) struct Walk<'a> {
    pub(super) mask: &'a CompiledMask,
    pub(super) walker: Walker,
}

impl<'a> Walk<'a> {
    pub(super) fn new(mask: &'a CompiledMask, format: Format) -> Self {
        Self {
            mask,
            walker: Walker::new(format),
        }
    }
}

impl PartialEq for Walk<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.walker == other.walker
    }
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.walker.fmt(f)
    }
}

impl Machine for Walk<'_> {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        // A walker that has failed says so again at the end.
        let _ = self.walker.push(self.mask, piece, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let end = self.walker.finish(self.mask, out);
        let matches = self.walker.counts().total();
        out.extend(format!("\n{end:?}, {matches} matches").into_bytes());
    }
}

/// What carries a text from event to event.
#[derive(Clone, Debug)]
pub(super) enum Frames {
    /// The events of an API.
    Events {
        api: Api,
        escapes: Escapes,
        /// What stands in front of the text and behind it in each event.
        around: (String, String),
    },
    /// The messages of Triton's stream.
    Messages,
}

impl Frames {
    pub(super) fn of(api: Api, escapes: Escapes) -> Self {
        let event = api.token("", escapes);
        let at = match api {
            Api::Plain => event.find("\n\n").unwrap(),
            _ => 1 + event.find("\"\"").unwrap(),
        };
        let (front, back) = event.split_at(at);
        Self::Events {
            api,
            escapes,
            around: (front.to_owned(), back.to_owned()),
        }
    }

    fn format(&self) -> Format {
        match self {
            Self::Events { api, .. } if api.lines() => Format::Lines,
            Self::Events { .. } => Format::Events,
            Self::Messages => Format::Grpc(GrpcMessage::ModelStreamInferResponse),
        }
    }

    fn event(&self, said: &str) -> Vec<u8> {
        match self {
            Self::Events { api, escapes, .. } => api.token(said, *escapes).into_bytes(),
            Self::Messages => event_of_triton(said),
        }
    }

    fn end(&self) -> &'static [u8] {
        match self {
            Self::Events { api, .. } => api.end().as_bytes(),
            Self::Messages => b"",
        }
    }

    /// The text of the event at the front of some bytes, and what follows it.
    fn read<'b>(&self, bytes: &'b [u8]) -> Option<(String, &'b [u8])> {
        let Self::Events { api, around, .. } = self else {
            let (message, rest) = testbed::grpc::unframed::<StreamResponse>(bytes)?;
            let said = message.response.as_ref()?.texts().concat();
            let known = &bytes[..bytes.len() - rest.len()];
            return (event_of_triton(&said) == known).then_some((said, rest));
        };
        let rest = bytes.strip_prefix(around.0.as_bytes())?;
        let end = memchr::memmem::find(rest, around.1.as_bytes())?;
        let (said, rest) = (
            str::from_utf8(&rest[..end]).ok()?,
            &rest[end + around.1.len()..],
        );
        let said = match api {
            Api::Plain => said.to_owned(),
            _ => serde_json::from_str(&format!("\"{said}\"")).ok()?,
        };
        Some((said, rest))
    }
}

/// A `ModelInferResponse` that has the text as its tensor's element.
pub(super) fn infer_response(text: &str) -> InferResponse {
    let tensor = Tensor {
        name: "text".to_owned(),
        datatype: "BYTES".to_owned(),
        shape: vec![1],
        contents: Some(Contents {
            bytes: vec![text.as_bytes().to_vec()],
            ..Contents::default()
        }),
        ..Tensor::default()
    };
    InferResponse {
        model_name: "m".to_owned(),
        outputs: vec![tensor],
        ..InferResponse::default()
    }
}

/// A frame of Triton's stream whose output's element says this.
fn event_of_triton(said: &str) -> Vec<u8> {
    testbed::grpc::framed(&StreamResponse {
        error: String::new(),
        response: Some(infer_response(said)),
    })
}

/// A stream that says a text, and the walker that masks it.
#[derive(Clone)]
pub(super) struct Said<'a> {
    walk: Walk<'a>,
    frames: Rc<Frames>,
    /// How many events have come and not left.
    inside: usize,
}

impl<'a> Said<'a> {
    pub(super) fn new(mask: &'a CompiledMask, frames: Frames) -> Self {
        Self {
            walk: Walk::new(mask, frames.format()),
            frames: Rc::new(frames),
            inside: 0,
        }
    }

    /// Adds to `text` what the events say that have come out, and gives back what follows them.
    fn read<'b>(&mut self, mut out: &'b [u8], text: &mut String) -> &'b [u8] {
        while let Some((said, rest)) = self.frames.read(out).filter(|_| self.inside > 0) {
            text.push_str(&said);
            self.inside -= 1;
            out = rest;
        }
        out
    }
}

impl Stream for Said<'_> {
    fn say(&mut self, said: &str, text: &mut String) -> Result<(), String> {
        self.inside += 1;
        let mut out = Vec::new();
        let event = self.frames.event(said);
        let Walk { mask, walker } = &mut self.walk;
        let taken = walker.push(mask, &event, &mut out);
        taken.map_err(|error| error.to_string())?;
        match self.read(&out, text) {
            [] => Ok(()),
            other => Err(String::from_utf8_lossy(other).into_owned()),
        }
    }

    fn end(&mut self, text: &mut String) -> Result<(), String> {
        let mut out = Vec::new();
        let Walk { mask, walker } = &mut self.walk;
        let ended = walker.push(mask, self.frames.end(), &mut out);
        let ended = ended.and_then(|()| walker.finish(mask, &mut out));
        ended.map_err(|error| error.to_string())?;
        if self.read(&out, text) == self.frames.end() && self.inside == 0 {
            return Ok(());
        }
        Err(format!("{} wait behind the end", self.inside))
    }

    /// How many events have been is of no effect, as long as none waits and there is one text.
    fn state(&self) -> Option<String> {
        let walker = &self.walk.walker;
        (walker.held() == 0).then(|| without_counters(&format!("{walker:?}")))
    }
}

/// What a walker says of itself, without how many events and texts have been.
fn without_counters(said: &str) -> String {
    let mut without = said.to_owned();
    for name in ["left: ", "uses: ", "used: "] {
        let mut parts = without.split(name);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            kept.push_str(name);
            kept.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
        }
        without = kept;
    }
    without
}
