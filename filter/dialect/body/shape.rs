//! What a dialect says of a route's bodies.

use std::sync::Arc;

use base::json;
use base::operation::Model;
use base::shape::GrpcMessage;

use super::facts::{Facts, FactsError, Found, malformed};
use super::json::Walk;
use super::place::{Places, ROOT, Roles};
use super::texts::{See, Texts};
use super::{fields, messages, nested};
use crate::dialect::usage::UsagePlaces;

/// What of a request's body a decision can be taken from.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing, and no model is concerned but one that the path names.
    Nothing,
    /// Nothing: the server has one model, which isn't named.
    Server,
    /// What is asked comes later, over a web socket.
    Socket,
    /// What a dialect says.
    Shaped(Arc<Shape>),
}

/// How the bodies of a route are written, and what stands where in them.
#[derive(Debug)]
pub struct Shape {
    pub(in crate::dialect) form: Form,
    pub(in crate::dialect) places: Places,
    pub(in crate::dialect) model: ModelPlace,
    /// Whether the number of predictions can be told.
    pub(in crate::dialect) counted: bool,
    /// Whether text that reaches the model stands elsewhere.
    pub(in crate::dialect) unread: bool,
    /// Where answers say how many tokens they took.
    pub(in crate::dialect) usage: UsagePlaces,
}

/// How a body is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) enum Form {
    /// One JSON object, whatever its content-type says.
    Json,
    /// A multipart form.
    Multipart,
    /// What its content-type says: JSON, a form, or anything.
    Any,
    /// JSON-RPC 2.0.
    Rpc,
    /// KServe V2's JSON, with its binary extension.
    Tensors,
    /// A JSON object on each line.
    Lines,
    /// One message of gRPC, or several if the client streams.
    Grpc(GrpcShape),
}

/// A gRPC method's messages.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) struct GrpcShape {
    /// Reads what no tree of fields can say.
    pub(in crate::dialect) take: Option<TakeMessage>,
    /// What the request's messages are.
    pub(in crate::dialect) request: GrpcMessage,
    /// What the answer's messages are.
    pub(in crate::dialect) answer: GrpcMessage,
    /// Whether the client sends as many as it likes: the end may never come.
    pub(in crate::dialect) streams: bool,
}

/// Takes what is asked for from a message, and shows its texts.
pub(in crate::dialect) type TakeMessage = fn(&[u8], &mut Texts<'_>) -> Result<Found, FactsError>;

/// Where the model's name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum ModelPlace {
    /// No model is concerned.
    Nothing,
    /// In the body, or nowhere.
    Body,
}

/// What a head says of its body.
#[derive(Clone, Debug, Default)]
pub struct BodyHead {
    /// The media type without its parameters, in lower case.
    pub media: Option<String>,
    /// The boundary of a multipart body.
    pub boundary: Option<String>,
    /// How many bytes of JSON there are in front of tensors.
    pub json_bytes: Option<usize>,
}

impl BodyHead {
    fn is(&self, media: &str) -> bool {
        self.media.as_deref() == Some(media)
    }

    fn begins(&self, media: &str) -> bool {
        let own = self.media.as_deref();
        own.is_some_and(|own| own.starts_with(media))
    }
}

const MULTIPART: &str = "multipart/";
const URLENCODED: &str = "application/x-www-form-urlencoded";

impl Body {
    /// Takes the facts from a whole body that is not gRPC's, and shows each text that may reach the model to `see`.
    ///
    /// # Errors
    /// A body that isn't what its route takes, or in which two servers could read different things:
    /// what can't be read with certainty is not passed on.
    pub fn take<'s>(
        &self,
        head: &BodyHead,
        body: &[u8],
        see: Option<&'s mut See<'s>>,
    ) -> Result<Facts, FactsError> {
        let mut texts = Texts::new(see);
        let found = match self {
            Self::Shaped(shape) => shape.take(head, body, &mut texts)?,
            Self::Nothing | Self::Server | Self::Socket => return Ok(self.unread()),
        };
        self.facts(found, texts)
    }

    /// Takes the facts from one message of gRPC, which is not compressed.
    ///
    /// # Errors
    /// A message that isn't what its route takes.
    pub fn take_message<'s>(
        &self,
        message: &[u8],
        see: Option<&'s mut See<'s>>,
    ) -> Result<Facts, FactsError> {
        let mut texts = Texts::new(see);
        let found = match self {
            Self::Shaped(shape) => shape.take_message(message, &mut texts)?,
            Self::Nothing | Self::Server | Self::Socket => return Ok(self.unread()),
        };
        self.facts(found, texts)
    }

    fn facts(&self, mut found: Found, texts: Texts<'_>) -> Result<Facts, FactsError> {
        found.take_list_apart();
        let unread = texts.end();
        if let Some(wrong) = found.wrong.take() {
            return Err(wrong);
        }
        let shape = match self {
            Self::Shaped(shape) => Some(shape),
            _ => None,
        };
        Ok(Facts {
            operation: found.operation,
            items: (!found.uncounted && shape.is_none_or(|shape| shape.counted))
                .then(|| found.items()),
            model: match shape.map(|shape| shape.model) {
                Some(ModelPlace::Nothing) => Model::Nothing,
                _ => found.model.map_or(Model::Unnamed, Model::Named),
            },
            others: found.others,
            tool: found.tool,
            unread: unread || shape.is_some_and(|shape| shape.unread),
        })
    }

    /// What is known of a body that isn't read.
    #[must_use]
    pub fn unread(&self) -> Facts {
        let (model, items, unread) = match self {
            Self::Nothing => (Model::Nothing, Some(1), false),
            Self::Server => (Model::Unnamed, Some(1), false),
            Self::Socket => (Model::Unnamed, None, true),
            Self::Shaped(shape) => match shape.model {
                ModelPlace::Nothing => (Model::Nothing, None, true),
                ModelPlace::Body => (Model::Unnamed, None, true),
            },
        };
        Facts {
            model,
            items,
            unread,
            ..Facts::default()
        }
    }

    /// Whether a decision can be taken without the body: it would say nothing.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        !matches!(self, Self::Shaped(_))
    }

    /// Whether the body names the operation.
    #[must_use]
    pub fn names_operation(&self) -> bool {
        matches!(self.form(), Some(Form::Rpc))
    }

    /// Whether its client sends messages until it has had enough: the end may never come.
    #[must_use]
    pub fn streams(&self) -> bool {
        matches!(self.form(), Some(Form::Grpc(shape)) if shape.streams)
    }

    /// What the messages of its requests and answers are, if they are gRPC's.
    #[must_use]
    pub fn grpc(&self) -> Option<(GrpcMessage, GrpcMessage)> {
        match self.form() {
            Some(Form::Grpc(shape)) => Some((shape.request, shape.answer)),
            _ => None,
        }
    }

    /// Whether it is JSON, whatever its content-type says.
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.form(), Some(Form::Json | Form::Rpc | Form::Tensors))
    }

    /// Whether tensors may stand behind its JSON.
    #[must_use]
    pub fn may_have_tensors(&self) -> bool {
        matches!(self.form(), Some(Form::Tensors))
    }

    /// Whether it is a multipart form.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        matches!(self.form(), Some(Form::Multipart))
    }

    fn form(&self) -> Option<Form> {
        match self {
            Self::Shaped(shape) => Some(shape.form),
            Self::Nothing | Self::Server | Self::Socket => None,
        }
    }

    /// Where answers say how many tokens they took.
    #[must_use]
    pub fn usage(&self) -> Option<&UsagePlaces> {
        match self {
            Self::Shaped(shape) => Some(&shape.usage),
            Self::Nothing | Self::Server | Self::Socket => None,
        }
    }
}

impl Shape {
    fn take(
        &self,
        head: &BodyHead,
        body: &[u8],
        texts: &mut Texts<'_>,
    ) -> Result<Found, FactsError> {
        let places = &self.places;
        match self.form {
            Form::Grpc(_) => Err(malformed("The body is a message of gRPC.")),
            // Nothing is asked for in a body that isn't there.
            _ if body.is_empty() => Ok(Found::default()),
            Form::Json => {
                if head.is(URLENCODED) {
                    fields::no_form(body, places)?;
                }
                read(body, Walk::new(places, texts))
            }
            Form::Rpc => read(body, Walk::new(places, texts).batch()).map(called),
            Form::Tensors => take_tensors(head, body, places, texts),
            Form::Lines => take_lines(body, places, texts),
            Form::Multipart => {
                let boundary = head.boundary.as_deref();
                let boundary = boundary.filter(|_| head.is("multipart/form-data"));
                let boundary =
                    boundary.ok_or_else(|| malformed("The body is not multipart/form-data."))?;
                fields::multipart(body, boundary, places, texts)
            }
            Form::Any => self.take_any(head, body, texts),
        }
    }

    fn take_any(
        &self,
        head: &BodyHead,
        body: &[u8],
        texts: &mut Texts<'_>,
    ) -> Result<Found, FactsError> {
        let places = &self.places;
        if head.begins(MULTIPART) {
            let boundary = head.boundary.as_deref();
            let boundary = boundary.ok_or_else(|| malformed("The body has no boundary."))?;
            return fields::multipart(body, boundary, places, texts);
        }
        let json = nested::begins_json(body);
        if head.is(URLENCODED) {
            // What has no type of its own is sent under this one by curl.
            if !json && !nested::is_media(body) {
                return fields::urlencoded(body, places, texts);
            }
            fields::no_form(body, places)?;
        }
        // Many servers parse JSON whatever its content-type is.
        if json || head.begins("application/json") {
            return read(body, Walk::new(places, texts).free());
        }
        // Some readers of JSON skip a mark in front of it, and find out its encoding.
        if body.starts_with(b"\xef\xbb\xbf") {
            return Err(malformed("The body is JSON to some servers only."));
        }
        // One picture is one input; a text that begins like one may be many.
        let is_text = core::str::from_utf8(body).is_ok();
        let is_picture = !is_text && nested::is_media(body) && !nested::is_document(body);
        if places.roles(Some(ROOT)).has(Roles::MEDIA) {
            texts.recording(body);
        } else {
            texts.document(body);
        }
        Ok(Found {
            uncounted: self.counts() && !is_picture,
            ..Found::default()
        })
    }

    /// Whether something in it is counted.
    fn counts(&self) -> bool {
        self.places.have(Roles::LIST)
            || self.places.have(Roles::TEXT_LIST)
            || self.places.have(Roles::TIMES)
    }

    fn take_message(&self, message: &[u8], texts: &mut Texts<'_>) -> Result<Found, FactsError> {
        let Form::Grpc(shape) = self.form else {
            return Err(malformed("The body is not a message of gRPC."));
        };
        match shape.take {
            Some(take) => take(message, texts),
            None => messages::take(message, &self.places, texts),
        }
    }
}

fn read(body: &[u8], mut walk: Walk<'_, '_>) -> Result<Found, FactsError> {
    json::read(body, &mut walk)
        .map_err(|error| FactsError::Malformed(format!("The body is not valid JSON: {error}")))?;
    Ok(walk.found)
}

/// What comes without a method is an answer to the server, and belongs to a call.
fn called(mut found: Found) -> Found {
    found.operation.get_or_insert("tool.call");
    found
}

fn take_tensors(
    head: &BodyHead,
    body: &[u8],
    places: &Places,
    texts: &mut Texts<'_>,
) -> Result<Found, FactsError> {
    let json_bytes = head.json_bytes.unwrap_or(body.len());
    let (text, mut rest) = body
        .split_at_checked(json_bytes)
        .ok_or_else(|| malformed("There is less JSON than the head says."))?;
    let mut walk = Walk::new(places, texts);
    json::read(text, &mut walk)
        .map_err(|error| FactsError::Malformed(format!("The body is not valid JSON: {error}")))?;
    let Walk {
        mut found, binary, ..
    } = walk;
    for tensor in binary {
        let read = tensor.read_binary(&mut rest, texts).map_err(malformed)?;
        found.list(read);
    }
    if !rest.is_empty() {
        return Err(malformed("There are more bytes than the inputs have."));
    }
    Ok(found)
}

fn take_lines(body: &[u8], places: &Places, texts: &mut Texts<'_>) -> Result<Found, FactsError> {
    let mut all = Found::default();
    let mut lines = 0u64;
    for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() {
            continue;
        }
        lines = lines.saturating_add(1);
        let found = read(line, Walk::new(places, texts))?;
        if let Some(wrong) = found.wrong {
            all.error(wrong);
        }
        if let Some(model) = found.model {
            all.model(&model);
        }
        for other in &found.others {
            all.other(other);
        }
        all.times(found.times);
        all.list(found.lists);
    }
    all.list(lines);
    Ok(all)
}
