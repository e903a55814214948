//! A JSON text as a sequence of events, for bodies: nothing is built of it, so that what a caller
//! sends takes memory in proportion to its bytes, whatever its shape.

mod error;
mod names;
mod number;
mod scanner;
#[cfg(test)]
mod tests;
mod words;

pub use error::JsonError;
pub(super) use error::twice;

use error::Reason;
use names::Names;
use scanner::Scanner;

/// What a text consists of, in its order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JsonEvent<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Word(bool),
    /// A number; its value if it is a whole number of 0 or more that fits.
    Number(Option<u64>),
    /// A string, decoded.
    Text(&'a str),
    /// A string that the sink did not want.
    SkippedText,
    /// An object begins.
    Object,
    /// The name of the member whose value comes next, decoded.
    Name(&'a str),
    /// An array begins.
    Array,
    /// The innermost object or array ends.
    End,
}

/// Takes the events of one text.
pub trait JsonSink {
    /// The next event.
    fn take(&mut self, event: JsonEvent<'_>);

    /// Whether the string that comes next, a value, is wanted. One that isn't is checked but not
    /// decoded, and comes as [`JsonEvent::SkippedText`].
    fn wants_text(&self) -> bool {
        true
    }
}

/// For who only wants to know whether a text is strict JSON.
impl JsonSink for () {
    fn take(&mut self, _event: JsonEvent<'_>) {}

    fn wants_text(&self) -> bool {
        false
    }
}

/// Objects and arrays that are open at one place of a text. The tree's reader has the same limit.
const MAX_OPEN: usize = 127;

/// Reads one JSON value (RFC 8259) and nothing after it. Of a text that turns out to be an error,
/// events that came before it may have been handed over.
///
/// # Errors
/// What is not JSON in UTF-8, half of a surrogate pair, a number beyond an `f64`, more than 127
/// objects and arrays or more than 262,144 members in objects that are open at once, and a
/// repeated member name. The message gives line and column and quotes nothing but that name.
pub fn read<S: JsonSink + ?Sized>(text: &[u8], sink: &mut S) -> Result<(), JsonError> {
    let characters = core::str::from_utf8(text)
        .map_err(|error| JsonError::new(text, error.valid_up_to(), Reason::Utf8.words("")))?;
    let mut reader = Reader {
        text: Scanner::new(characters),
        sink,
        open: Vec::new(),
        names: Names::default(),
        repeated: String::new(),
    };
    reader
        .read()
        .map_err(|reason| JsonError::new(text, reader.text.at(), reason.words(&reader.repeated)))
}

/// An object or array that has not ended.
#[derive(Clone, Copy)]
enum Open {
    /// With where its names begin in those of all objects.
    Object(usize),
    Array,
}

/// Goes through a text without recursion: what is open stands in a list, so that a text's shape
/// can't use up the stack.
struct Reader<'t, 's, S: ?Sized> {
    text: Scanner<'t>,
    sink: &'s mut S,
    /// The innermost last.
    open: Vec<Open>,
    names: Names,
    /// The name that occurs twice.
    repeated: String,
}

impl<S: JsonSink + ?Sized> Reader<'_, '_, S> {
    fn read(&mut self) -> Result<(), Reason> {
        loop {
            let ended = self.value()?;
            if ended && self.leave()? {
                return Ok(());
            }
        }
    }

    /// Reads a value, of an object or array only what stands before the first value in it. Gives
    /// back whether the value has ended; if it has not, the next one begins here.
    fn value(&mut self) -> Result<bool, Reason> {
        let event = match self.text.token() {
            Some(b'"') => {
                self.text.pass();
                return self.string();
            }
            Some(b'-' | b'0'..=b'9') => JsonEvent::Number(self.text.number()?),
            Some(b'{') => return self.object(),
            Some(b'[') => return self.array(),
            Some(b't') => self.word(b"true", JsonEvent::Word(true))?,
            Some(b'f') => self.word(b"false", JsonEvent::Word(false))?,
            Some(b'n') => self.word(b"null", JsonEvent::Null)?,
            Some(_) => return Err(Reason::Value),
            None => return Err(Reason::Ended),
        };
        self.sink.take(event);
        Ok(true)
    }

    fn word(
        &mut self,
        word: &[u8],
        event: JsonEvent<'static>,
    ) -> Result<JsonEvent<'static>, Reason> {
        self.text.word(word)?;
        Ok(event)
    }

    fn string(&mut self) -> Result<bool, Reason> {
        let event = if self.sink.wants_text() {
            JsonEvent::Text(self.text.string()?)
        } else {
            self.text.skip_string()?;
            JsonEvent::SkippedText
        };
        self.sink.take(event);
        Ok(true)
    }

    fn object(&mut self) -> Result<bool, Reason> {
        self.enter(JsonEvent::Object)?;
        if self.text.token() == Some(b'}') {
            self.text.pass();
            self.sink.take(JsonEvent::End);
            return Ok(true);
        }
        let start = self.names.count();
        self.open.push(Open::Object(start));
        self.name(start)?;
        Ok(false)
    }

    fn array(&mut self) -> Result<bool, Reason> {
        self.enter(JsonEvent::Array)?;
        if self.text.token() == Some(b']') {
            self.text.pass();
            self.sink.take(JsonEvent::End);
            return Ok(true);
        }
        self.open.push(Open::Array);
        Ok(false)
    }

    fn enter(&mut self, event: JsonEvent<'_>) -> Result<(), Reason> {
        if self.open.len() >= MAX_OPEN {
            return Err(Reason::Depth);
        }
        self.text.pass();
        self.sink.take(event);
        Ok(())
    }

    /// Reads a member up to its value; `start` is where the names of its object begin.
    fn name(&mut self, start: usize) -> Result<(), Reason> {
        match self.text.token() {
            Some(b'"') => self.text.pass(),
            Some(_) => return Err(Reason::Name),
            None => return Err(Reason::Ended),
        }
        let name = self.text.string()?;
        if let Err(reason) = self.names.add(start, name) {
            name.clone_into(&mut self.repeated);
            return Err(reason);
        }
        self.sink.take(JsonEvent::Name(name));
        match self.text.token() {
            Some(b':') => self.text.pass(),
            Some(_) => return Err(Reason::Colon),
            None => return Err(Reason::Ended),
        }
        Ok(())
    }

    /// Reads what stands between a value that has ended and the next one. Gives back whether there
    /// is none, since the text has ended.
    fn leave(&mut self) -> Result<bool, Reason> {
        while let Some(open) = self.open.last().copied() {
            match (self.text.token(), open) {
                (Some(b','), Open::Array) => {
                    self.text.pass();
                    return Ok(false);
                }
                (Some(b','), Open::Object(start)) => {
                    self.text.pass();
                    self.name(start)?;
                    return Ok(false);
                }
                (Some(b']'), Open::Array) => {}
                (Some(b'}'), Open::Object(start)) => self.names.end(start)?,
                (Some(_), Open::Array) => return Err(Reason::CommaOrBracket),
                (Some(_), Open::Object(_)) => return Err(Reason::CommaOrBrace),
                (None, _) => return Err(Reason::Ended),
            }
            self.text.pass();
            self.open.pop();
            self.sink.take(JsonEvent::End);
        }
        match self.text.token() {
            Some(_) => Err(Reason::Trailing),
            None => Ok(true),
        }
    }
}
