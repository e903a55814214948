//! The facts of a JSON body, taken from its events as they come.

use base::json::{self, JsonEvent, JsonSink};

use super::facts::{Facts, FactsError, malformed, model};

/// Where the members of a JSON body stand that say how much is asked for. The model is the member
/// `model`, wherever there is one.
#[derive(Debug)]
pub struct JsonBody {
    /// Members that say how many answers each input gets; the largest counts.
    pub choices: &'static [&'static str],
    /// The member that is one input, or a list of several.
    pub input: Option<&'static str>,
    /// The member that is a list of tensors, whose first dimension counts inputs (KServe V2).
    pub tensors: Option<&'static str>,
}

pub(super) fn take(
    members: &JsonBody,
    body: &[u8],
    texts: &mut dyn FnMut(&str),
) -> Result<Facts, FactsError> {
    let mut facts = JsonFacts {
        members,
        texts,
        open: Vec::new(),
        parts: String::new(),
        model: None,
        choices: 1,
        inputs: 1,
        rows: None,
        wrong: None,
    };
    json::read(body, &mut facts)
        .map_err(|error| FactsError::Malformed(format!("The body is not valid JSON: {error}")))?;
    facts.end()
}

/// What a value is, by where it stands. The members are those that the body's shape knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Body,
    Model,
    /// How many answers each input gets.
    Choices(&'static str),
    /// One input, or a list of several.
    Input,
    /// KServe V2's list of tensors.
    Tensors,
    Tensor,
    /// A tensor's dimensions.
    Dimensions,
    /// The first of them.
    Rows,
    Other,
}

/// An object or array that has not ended.
#[derive(Debug)]
enum Open {
    Object {
        place: Place,
        /// What the next value is.
        member: Place,
        /// Whether the next value is the text of a part.
        text: bool,
        /// Whether the object stands in an array: it may be one of its parts.
        part: bool,
        /// A tensor's dimensions were there.
        dimensions: bool,
    },
    Array {
        place: Place,
        items: u64,
        /// Whether something other than numbers is in it.
        mixed: bool,
        /// Where the text of its parts begins in what is kept of parts, and how many there are.
        start: usize,
        parts: u64,
    },
}

struct JsonFacts<'t> {
    members: &'t JsonBody,
    texts: &'t mut dyn FnMut(&str),
    /// As deep as the parser lets a text nest.
    open: Vec<Open>,
    /// A model reads the parts of a message as one text, so a pattern must see them so: the parts
    /// of all arrays that are open, the innermost last.
    parts: String,
    model: Option<String>,
    choices: u64,
    inputs: u64,
    /// The largest first dimension; `None` if there was no list of tensors.
    rows: Option<u64>,
    /// The first thing that is not what the route takes. The text is read to its end all the same:
    /// that it is no JSON goes before what its members are.
    wrong: Option<FactsError>,
}

impl JsonFacts<'_> {
    fn end(self) -> Result<Facts, FactsError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let items = match self.members.tensors {
            Some(tensors) => self
                .rows
                .ok_or_else(|| malformed(&format!("{tensors:?} is not a list.")))?,
            None => self.inputs.saturating_mul(self.choices),
        };
        Ok(Facts {
            model: self.model,
            items: items.max(1),
        })
    }

    fn wrong(&mut self, message: &str) {
        self.wrong.get_or_insert_with(|| malformed(message));
    }

    /// What the value that begins now is.
    fn place(&self) -> Place {
        match self.open.last() {
            None => Place::Body,
            Some(Open::Object { member, .. }) => *member,
            Some(Open::Array { place, items, .. }) => match (place, items) {
                (Place::Tensors, _) => Place::Tensor,
                (Place::Dimensions, 0) => Place::Rows,
                _ => Place::Other,
            },
        }
    }

    fn named(&self, place: Place, name: &str) -> Place {
        match (place, name) {
            (Place::Body, "model") => return Place::Model,
            (Place::Tensor, "shape") => return Place::Dimensions,
            (Place::Body, _) => {}
            _ => return Place::Other,
        }
        let mut choices = self.members.choices.iter();
        if let Some(name) = choices.find(|one| **one == name) {
            Place::Choices(name)
        } else if self.members.input == Some(name) {
            Place::Input
        } else if self.members.tensors == Some(name) {
            Place::Tensors
        } else {
            Place::Other
        }
    }

    /// Checks a value against its place, before it is counted as an item of its array.
    fn value(&mut self, place: Place, event: JsonEvent<'_>) {
        match (place, event) {
            (Place::Body, JsonEvent::Object) => {}
            (Place::Body, _) => self.wrong("The body is not a JSON object."),
            (Place::Model, JsonEvent::Word) => {}
            (Place::Model, JsonEvent::Text(name)) => match model(name) {
                Ok(name) => self.model = Some(name),
                Err(error) => {
                    self.wrong.get_or_insert(error);
                }
            },
            (Place::Model, _) => self.wrong("\"model\" is not a string."),
            (Place::Choices(_), JsonEvent::Word) => {}
            (Place::Choices(_), JsonEvent::Number(Some(number))) if number >= 1 => {
                self.choices = self.choices.max(number);
            }
            (Place::Choices(name), _) => {
                self.wrong(&format!("{name:?} is not a whole number of 1 or more."));
            }
            (Place::Tensors, JsonEvent::Array) => {
                self.rows.get_or_insert(1);
            }
            (Place::Tensors, _) => {
                let name = self.members.tensors.unwrap_or_default();
                self.wrong(&format!("{name:?} is not a list."));
            }
            (Place::Tensor, JsonEvent::Object) => {}
            (Place::Tensor, _) => self.wrong("An input has no \"shape\"."),
            (Place::Dimensions, JsonEvent::Array) => {}
            (Place::Dimensions, _) => self.wrong("An input has no \"shape\"."),
            (Place::Rows, JsonEvent::Number(Some(number))) => {
                self.rows = self.rows.max(Some(number));
            }
            (Place::Rows, _) => {
                self.wrong("An input's \"shape\" is not a list of whole numbers.");
            }
            (Place::Input | Place::Other, _) => {}
        }
    }

    /// Notes in what stands around a value that it begins.
    fn count(&mut self, event: JsonEvent<'_>) {
        match self.open.last_mut() {
            Some(Open::Array { items, mixed, .. }) => {
                *items = items.saturating_add(1);
                *mixed |= !matches!(event, JsonEvent::Number(_));
            }
            Some(Open::Object {
                member, dimensions, ..
            }) => *dimensions |= *member == Place::Dimensions,
            None => {}
        }
    }

    /// Every string value, whatever member holds it: tool results and system prompts reach the
    /// model as much as what the user wrote.
    fn text(&mut self, text: &str) {
        (self.texts)(text);
        let mut around = self.open.iter_mut().rev();
        let parts = match (around.next(), around.next()) {
            (Some(Open::Array { parts, .. }), _) => parts,
            (
                Some(Open::Object {
                    text: true,
                    part: true,
                    ..
                }),
                Some(Open::Array { parts, .. }),
            ) => parts,
            _ => return,
        };
        *parts = parts.saturating_add(1);
        self.parts.push_str(text);
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Object {
                place: Place::Tensor,
                dimensions: false,
                ..
            }) => self.wrong("An input has no \"shape\"."),
            Some(Open::Array {
                place,
                items,
                mixed,
                start,
                parts,
            }) => {
                if parts > 1
                    && let Some(joined) = self.parts.get(start..)
                {
                    (self.texts)(joined);
                }
                self.parts.truncate(start);
                // One text or one list of tokens is one input; a list of either is as many as it
                // holds.
                if place == Place::Input && mixed {
                    self.inputs = items;
                }
            }
            Some(Open::Object { .. }) | None => {}
        }
    }
}

impl JsonSink for JsonFacts<'_> {
    fn take(&mut self, event: JsonEvent<'_>) {
        match event {
            JsonEvent::End => return self.close(),
            JsonEvent::Name(name) => {
                let Some(Open::Object { place, .. }) = self.open.last() else {
                    return;
                };
                let named = self.named(*place, name);
                if let Some(Open::Object { member, text, .. }) = self.open.last_mut() {
                    *member = named;
                    *text = name == "text";
                }
                return;
            }
            _ => {}
        }
        let place = self.place();
        let part = matches!(self.open.last(), Some(Open::Array { .. }));
        self.value(place, event);
        self.count(event);
        match event {
            JsonEvent::Text(text) => self.text(text),
            JsonEvent::Object => self.open.push(Open::Object {
                place,
                member: Place::Other,
                text: false,
                part,
                dimensions: false,
            }),
            JsonEvent::Array => self.open.push(Open::Array {
                place,
                items: 0,
                mixed: false,
                start: self.parts.len(),
                parts: 0,
            }),
            _ => {}
        }
    }
}
