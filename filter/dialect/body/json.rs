//! The facts of a JSON body, taken from its events as they come.

use base::json::{JsonEvent, JsonSink};

use super::away::Away;
use super::facts::{Found, other_case};
use super::place::{Named, Places, ROOT, Roles};
use super::rpc;
use super::tensors::Tensor;
use super::texts::Texts;

/// Walks through one JSON text.
pub(super) struct Walk<'w, 't> {
    pub(super) places: &'w Places,
    pub(super) texts: &'w mut Texts<'t>,
    pub(super) found: Found,
    /// Tensors whose bytes stand behind the text.
    pub(super) binary: Vec<Tensor>,
    /// As deep as the reader lets a text nest.
    open: Vec<Open>,
    tensor: Tensor,
    /// Whether the body may be a list of what it usually is.
    batch: bool,
    /// Whether it may be anything.
    free: bool,
}

/// An object or array that has not ended.
#[derive(Clone, Copy, Debug)]
struct Open {
    array: bool,
    at: Option<usize>,
    /// What the next value is.
    next: Option<usize>,
    items: u64,
    /// Whether something other than numbers is in it.
    mixed: bool,
    /// Numbers in it stand for text.
    tokens: bool,
    /// It is the data of a tensor.
    data: bool,
    /// Its elements stand for text, if they are numbers.
    ids: bool,
    /// Numbers in it say nothing but how many they are, and what they stand for.
    plain: bool,
    /// What of it is somewhere else.
    away: Away,
}

impl<'w, 't> Walk<'w, 't> {
    pub(super) fn new(places: &'w Places, texts: &'w mut Texts<'t>) -> Self {
        Self {
            places,
            texts,
            found: Found::default(),
            binary: Vec::new(),
            open: Vec::new(),
            tensor: Tensor::default(),
            batch: false,
            free: false,
        }
    }

    /// For bodies that may be lists of calls.
    pub(super) fn batch(mut self) -> Self {
        self.batch = true;
        self
    }

    /// For bodies that may be any JSON.
    pub(super) fn free(mut self) -> Self {
        self.free = true;
        self
    }

    /// Whether something is said of a body that is a list.
    fn may_be_list(&self) -> bool {
        let roles = self.places.roles(Some(ROOT));
        self.places.each(ROOT).is_some() || self.free && roles.has(Roles::TEXT_LIST)
    }

    fn begin(&mut self, array: bool) {
        let at = match self.open.last() {
            None if array && !self.batch && !self.may_be_list() => {
                if !self.free {
                    self.found.wrong("The body is not a JSON object.");
                }
                None
            }
            None => Some(ROOT),
            Some(around) => around.next,
        };
        let roles = self.places.roles(at);
        let around = self.open.last();
        let next = match at {
            Some(at) if array => self.places.each(at),
            _ => None,
        };
        let each = self.places.roles(next);
        let open = Open {
            array,
            at,
            next,
            plain: array && !each.reads_numbers() && !roles.has(Roles::SHAPE),
            ids: each.has(Roles::TOKENS),
            items: 0,
            mixed: false,
            tokens: around.is_some_and(|open| open.tokens && open.array && array)
                || roles.has(Roles::TOKENS),
            away: Away::default(),
            data: around.is_some_and(|open| open.data) || roles.has(Roles::DATA),
        };
        // A list of calls has what one call has.
        let open = if self.open.is_empty() && array && self.batch {
            Open {
                next: Some(ROOT),
                plain: false,
                ..open
            }
        } else {
            open
        };
        if roles.has(Roles::TENSOR) && !array {
            self.tensor = Tensor::default();
        }
        self.open.push(open);
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let roles = self.places.roles(open.at);
        if open.array {
            let columns = self.open.last().is_some_and(|around| {
                !around.array && self.places.roles(around.at).has(Roles::COLUMNS)
            });
            // One list of tokens is one input; a list of anything else is as many as it holds.
            let one = roles.has(Roles::TOKENS) && !open.mixed;
            if (roles.has(Roles::LIST) || roles.has(Roles::COLUMNS) || columns) && !one {
                self.found.list(open.items);
            }
            if roles.has(Roles::TEXT_LIST) && open.mixed && !roles.has(Roles::MEDIA) {
                self.found.list(open.items);
            }
            if self.batch && self.open.is_empty() {
                self.found.list(open.items);
            }
        } else {
            if roles.has(Roles::TENSOR) {
                self.end_tensor();
            }
            self.end_away(open);
        }
    }

    fn end_away(&mut self, open: Open) {
        let around = self.open.last_mut();
        let element = around.as_ref().is_some_and(|around| around.array);
        let left = open.away.left(element);
        if !left.is_any() {
            return;
        }
        match around.filter(|around| !around.array) {
            Some(around) => around.away.add(left),
            None => self.texts.unread(),
        }
    }

    fn end_tensor(&mut self) {
        let tensor = core::mem::take(&mut self.tensor);
        match tensor.rows() {
            Ok(rows) => self.found.list(rows),
            Err(message) => self.found.wrong(message),
        }
        tensor.show(self.texts);
        if tensor.binary.is_some() {
            self.binary.push(tensor);
        }
    }

    fn name(&mut self, name: &str) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let named = open.at.map(|at| self.places.member(at, name));
        open.next = None;
        open.away.name(name);
        match named {
            Some(Named::Known(at)) => open.next = Some(at),
            Some(Named::Any(at)) => {
                open.next = Some(at);
                self.texts.text(name);
            }
            // Readers that fold case would take it for the known one.
            Some(Named::OtherCase) => self.found.error(other_case(name)),
            // A server ignores what it doesn't know of the body's own members. Elsewhere names are part
            // of what a model reads: those of parameters in a tool's schema.
            Some(Named::Other) if open.at == Some(ROOT) => {}
            Some(Named::Other) | None => self.texts.text(name),
        }
    }

    fn value(&mut self, event: JsonEvent<'_>) {
        let Some(open) = self.open.last_mut() else {
            if !self.free {
                self.found.wrong("The body is not a JSON object.");
            } else if let JsonEvent::Text(text) = event {
                self.texts.text(text);
            }
            return;
        };
        open.items = open.items.saturating_add(1);
        // Bodies may be little else than numbers.
        if open.plain
            && let JsonEvent::Number(number) = event
        {
            if open.tokens || open.ids {
                self.texts.unread();
            }
            if open.data {
                self.tensor.number(number, self.texts.wanted());
            }
            return;
        }
        open.mixed |= !matches!(event, JsonEvent::Number(_));
        let roles = self.places.roles(open.next);
        if let JsonEvent::Text(text) = event {
            open.away.text(text, roles);
        } else if matches!(event, JsonEvent::Number(_)) {
            open.away.text("0", roles);
        }
        if open.array && roles.is_elsewhere() && !matches!(event, JsonEvent::Null) {
            self.texts.unread();
        }
        let open = *open;
        match event {
            JsonEvent::Text(text) => self.text(text, open, roles),
            JsonEvent::Number(number) => {
                if open.tokens || roles.has(Roles::TOKENS) {
                    self.texts.unread();
                }
                if open.data {
                    self.tensor.number(number, self.texts.wanted());
                } else {
                    self.number(number, roles, open);
                }
            }
            JsonEvent::SkippedText if roles.has(Roles::DATA) || open.data => self.tensor.text(),
            JsonEvent::Word(_) | JsonEvent::Null if roles.has(Roles::DATA) || open.data => {
                self.tensor.element();
            }
            // Some servers read them as 0 and 1.
            JsonEvent::Word(_) if roles.has(Roles::TIMES) || roles.has(Roles::MODEL) => {
                self.found
                    .wrong("A member is true or false, and not what its route takes.");
            }
            _ => {}
        }
        let is_object = matches!(event, JsonEvent::Object);
        if is_object && !self.may_hold(open.next) {
            self.found
                .wrong("A member is an object, and not what its route takes.");
        }
    }

    /// Whether an object or a list may stand at a place.
    fn may_hold(&self, at: Option<usize>) -> bool {
        let roles = self.places.roles(at);
        let one = roles.has(Roles::MODEL) || roles.has(Roles::TIMES) || roles.has(Roles::METHOD);
        !one || at.is_some_and(|at| !self.places.is_leaf(at))
    }

    fn number(&mut self, number: Option<u64>, roles: Roles, open: Open) {
        if roles.has(Roles::TIMES) {
            match number {
                Some(number) => self.found.times(number),
                None => self
                    .found
                    .wrong("A count in the body is not a whole number of 0 or more."),
            }
        }
        if roles.has(Roles::MODEL) {
            self.found.wrong("The model is not named by a string.");
        }
        if roles.has(Roles::BINARY) {
            self.tensor.binary = number;
            if number.is_none() {
                self.found
                    .wrong("\"binary_data_size\" is not a whole number of 0 or more.");
            }
        }
        if self.places.roles(open.at).has(Roles::SHAPE) {
            self.tensor.dimension(number);
        }
    }

    fn text(&mut self, text: &str, open: Open, roles: Roles) {
        if roles.has(Roles::MODEL) {
            self.found.model(text);
        }
        if roles.has(Roles::OTHER) {
            self.found.other(text);
        }
        if roles.has(Roles::TENSOR_NAME) {
            self.tensor.set_name(text);
        }
        if roles.has(Roles::TIMES) {
            self.found
                .wrong("A count in the body is not a whole number of 0 or more.");
        }
        if roles.has(Roles::METHOD) {
            let operation = rpc::operation(text);
            self.found.operation(operation);
        }
        if roles.has(Roles::TOOL) {
            self.found.tool(text);
        }
        if roles.has(Roles::DATATYPE) {
            self.tensor.set_type(text);
        }
        if open.data || roles.has(Roles::DATA) {
            self.tensor.text();
        }
        if self.places.roles(open.at).has(Roles::SHAPE) {
            self.tensor.dimension(None);
        }
        if roles.has(Roles::TEXT) {
            self.texts.running(self.places.rank(open.next), text);
        }
        if roles.has(Roles::FILE) || roles.has(Roles::PLAIN_FILE) {
            self.texts.file(text, roles.has(Roles::PLAIN_FILE));
        } else if roles.has(Roles::MEDIA) {
            self.texts.media(text);
        } else if !roles.has(Roles::TEXT) {
            // Embeddings as prompts come in base64.
            let around = self.places.roles(open.at);
            let listed = open.array && open.tokens && !around.has(Roles::TEXT);
            if roles.has(Roles::TOKENS) || (listed && open.next.is_none()) {
                self.texts.unread();
            }
            self.texts.text(text);
        }
    }
}

impl JsonSink for Walk<'_, '_> {
    /// Where nobody looks for texts, most needn't be decoded.
    fn wants_text(&self) -> bool {
        let next = self.open.last().and_then(|open| open.next);
        let dimension = || {
            let around = self.open.last().and_then(|open| open.at);
            self.places.roles(around).has(Roles::SHAPE)
        };
        self.texts.wanted() || self.places.roles(next).reads_text() || dimension()
    }

    fn take(&mut self, event: JsonEvent<'_>) {
        match event {
            JsonEvent::End => self.end(),
            JsonEvent::Name(name) => self.name(name),
            JsonEvent::Object | JsonEvent::Array => {
                if !self.open.is_empty() {
                    self.value(event);
                }
                let array = matches!(event, JsonEvent::Array);
                if array
                    && let Some(around) = self.open.last()
                    && !self.may_hold(around.next)
                {
                    self.found
                        .wrong("A member is a list, and not what its route takes.");
                }
                self.begin(array);
            }
            _ => self.value(event),
        }
    }
}
