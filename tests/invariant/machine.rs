//! A walker as what the ways of cutting and of spreading are tried on: here, and among the tests in
//! the filter, which see it from the inside.

use std::fmt;
use std::rc::Rc;

use testbed::amazon::Operation;
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

/// The format of an API's bodies.
fn format_of(api: Api) -> Format {
    match api {
        // They are typed as text.
        Api::AiSdkLines => Format::Text,
        _ if api.lines() => Format::Lines,
        _ => Format::Events,
    }
}

/// What a text that comes so far each time begins with: shorter ones could be anything.
const SO_FAR: &str = "So they said, and wrote: ";

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
    /// Those of Bedrock's.
    Amazon(Operation, Escapes),
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

    /// Whether a text can be said at all.
    pub(super) fn can_say(&self, text: &str) -> bool {
        match self {
            Self::Events { api, .. } => api.can_say(text),
            Self::Messages | Self::Amazon(..) => true,
        }
    }

    /// What is said in front of a text, in its first event.
    pub(super) fn front(&self) -> &'static str {
        match self {
            Self::Events { api, .. } if api.so_far() => SO_FAR,
            _ => "",
        }
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Events { api, .. } => format_of(*api),
            Self::Messages => Format::Grpc(GrpcMessage::ModelStreamInferResponse),
            Self::Amazon(..) => Format::AmazonEvents,
        }
    }

    pub(super) fn event(&self, said: &str) -> Vec<u8> {
        match self {
            Self::Events { api, escapes, .. } => api.token(said, *escapes).into_bytes(),
            Self::Messages => event_of_triton(said),
            Self::Amazon(operation, escapes) => operation.token(said, *escapes),
        }
    }

    pub(super) fn end(&self) -> Vec<u8> {
        match self {
            Self::Events { api, .. } => api.end().as_bytes().to_vec(),
            Self::Messages => Vec::new(),
            Self::Amazon(operation, _) => operation.end(),
        }
    }

    /// The text of the event at the front of some bytes, and what follows it.
    pub(super) fn read<'b>(&self, bytes: &'b [u8]) -> Option<(String, &'b [u8])> {
        match self {
            Self::Events { api, around, .. } => {
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
            Self::Messages => {
                let (message, rest) = testbed::grpc::unframed::<StreamResponse>(bytes)?;
                let said = message.response.as_ref()?.texts().concat();
                let known = &bytes[..bytes.len() - rest.len()];
                (event_of_triton(&said) == known).then_some((said, rest))
            }
            // What was escaped in more ways than it must be stays so.
            Self::Amazon(operation, escapes) => {
                let (said, length) = operation.read(bytes)?;
                let (known, rest) = bytes.split_at(length);
                (operation.token(&said, *escapes) == known).then_some((said, rest))
            }
        }
    }

    /// Whether a string may be taken for something else than a piece of the text in front of it, where
    /// nobody says that it is one: `docs/answers.md` says of which that holds.
    fn stands_alone(&self, mask: &CompiledMask, (front, last, said): (&str, &str, &str)) -> bool {
        let name = match self {
            Self::Events { api, around, .. } if api.by_place() => {
                around.0.rsplit(['{', ',']).next()
            }
            _ => None,
        };
        let Some(name) = name.and_then(|name| name.strip_suffix('"')) else {
            return false;
        };
        let found = |format: Format, text: &str| {
            let mut walker = Walker::new(format);
            let mut out = Vec::new();
            walker.push(mask, text.as_bytes(), &mut out).unwrap();
            walker.finish(mask, &mut out).unwrap();
            walker.counts().total()
        };
        let plainly = |text: &str| found(Format::Text, text);
        // By itself, it may be a secret for the name that it has.
        let alone = || {
            let member = format!("{{{name}{}}}", Escapes::Few.string(said));
            found(Format::Json, &member)
        };
        let is_record = |text: &str| {
            let digit = |letter: Option<char>| letter.is_some_and(|it| it.is_ascii_digit());
            digit(text.chars().next()) && text.contains([':', '-', '/', '.'])
        };
        let is_so_far = last.len() >= 16 && said.starts_with(last);
        let hides = || plainly(front) + alone() > plainly(&[front, said].concat());
        let alike = said == last || (is_record(last) && is_record(said));
        alike || is_so_far || hides()
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
    /// All that was said, and where the last piece of it begins.
    said: String,
    last: usize,
    /// What has come out, where each event has all of it so far.
    so_far: String,
}

impl<'a> Said<'a> {
    pub(super) fn new(mask: &'a CompiledMask, frames: Frames) -> Self {
        let said = frames.front().to_owned();
        Self {
            walk: Walk::new(mask, frames.format()),
            frames: Rc::new(frames),
            inside: 0,
            last: said.len(),
            said,
            so_far: String::new(),
        }
    }

    /// Adds to `text` what the events say that have come out, and gives back what follows them.
    fn read<'b>(&mut self, mut out: &'b [u8], text: &mut String) -> &'b [u8] {
        while let Some((said, rest)) = self.frames.read(out).filter(|_| self.inside > 0) {
            if self.is_so_far() {
                let Some(new) = said.strip_prefix(&self.so_far) else {
                    break;
                };
                text.push_str(new);
                self.so_far.push_str(new);
            } else {
                text.push_str(&said);
            }
            self.inside -= 1;
            out = rest;
        }
        out
    }

    fn is_so_far(&self) -> bool {
        !self.frames.front().is_empty()
    }
}

impl Stream for Said<'_> {
    fn may_say(&self, said: &str) -> bool {
        let (front, last) = (&*self.said, self.said.split_at(self.last).1);
        !self
            .frames
            .stands_alone(self.walk.mask, (front, last, said))
    }

    fn say(&mut self, said: &str, text: &mut String) -> Result<(), String> {
        self.inside += 1;
        self.last = self.said.len();
        self.said.push_str(said);
        let mut out = Vec::new();
        let event = match self.is_so_far() {
            true => self.frames.event(&self.said),
            false => self.frames.event(said),
        };
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
        let end = self.frames.end();
        let ended = walker.push(mask, &end, &mut out);
        let ended = ended.and_then(|()| walker.finish(mask, &mut out));
        ended.map_err(|error| error.to_string())?;
        if self.read(&out, text) == end && self.inside == 0 {
            return Ok(());
        }
        Err(format!("{} wait behind the end", self.inside))
    }

    /// How many events have been is of no effect, as long as none waits and there is one text that
    /// goes on by its name.
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
