//! The JSON in front of tensors: which of them stand behind it, and where it says their sizes.
//!
//! Names that occur twice, and values of other types than the protocol's, could be read in more than
//! one way. Where that would be about tensors, the JSON is refused.

use std::borrow::Cow;

use super::super::WalkError;
use super::super::grammar::{Grammar, Role};
use super::super::scalar;
use super::elements::are_numbers;
use crate::prefilter::end_of_string;
use base::wire::Range;

/// The most tensors behind one JSON.
const MAX_TENSORS: usize = 1024;

/// A tensor that stands behind the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// Where the JSON says its size.
    pub(super) size: Range,
    /// Whether its elements are numbers.
    pub(super) numbers: bool,
}

impl Described {
    /// Its size in bytes.
    ///
    /// # Errors
    /// What stands there is no whole number that fits.
    pub(super) fn bytes(self, json: &[u8]) -> Result<u64, WalkError> {
        let digits = json.get(self.size.0..self.size.1).unwrap_or_default();
        let text = core::str::from_utf8(digits).unwrap_or_default();
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(WalkError::Malformed);
        }
        text.parse().map_err(|_| WalkError::Malformed)
    }
}

/// A member that says something about tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    List,
    Parameters,
    Datatype,
    Size,
}

/// The levels of objects and lists that lead to a tensor's size.
const TOP: usize = 1;
const LIST: usize = 2;
const TENSOR: usize = 3;
const PARAMETERS: usize = 4;

/// Finds the tensors of the list of this name that stand behind the JSON, in their order.
///
/// # Errors
/// It is no JSON object, says something twice about a tensor, or in a way that is not the protocol's,
/// or has more tensors than are followed.
pub(super) fn read(json: &[u8], list: &'static [u8]) -> Result<Vec<Described>, WalkError> {
    core::str::from_utf8(json).map_err(|_| WalkError::Malformed)?;
    let mut reader = Reader {
        json,
        list,
        grammar: Grammar::default(),
        level: 0,
        followed: 0,
        member: None,
        seen: Vec::new(),
        numbers: false,
        size: None,
        found: Vec::new(),
    };
    reader.read()?;
    Ok(reader.found)
}

struct Reader<'a> {
    json: &'a [u8],
    list: &'static [u8],
    grammar: Grammar,
    /// Objects and lists that are open, and how many of them lead to a tensor's size.
    level: usize,
    followed: usize,
    /// What the value that comes next is, in the last of these.
    member: Option<Member>,
    /// Members that have been seen, of those that may come once.
    seen: Vec<Member>,
    /// What the tensor at hand has said.
    numbers: bool,
    size: Option<Range>,
    found: Vec<Described>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<(), WalkError> {
        let mut at = 0;
        let mut over = false;
        while let Some(byte) = self.json.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    at += 1;
                    continue;
                }
                _ if over => return Err(WalkError::Malformed),
                b'{' | b'}' | b'[' | b']' | b':' | b',' => {
                    fits(self.grammar.mark(*byte))?;
                    self.mark(*byte)?;
                    at += 1;
                }
                b'"' => {
                    let rest = self.json.get(at + 1..).unwrap_or_default();
                    let end = end_of_string(rest, false).0.ok_or(WalkError::Malformed)?;
                    let range = (at, at + end + 2);
                    match self.grammar.string().ok_or(WalkError::Malformed)? {
                        Role::Key => self.name(range)?,
                        Role::Value => self.value(range)?,
                    }
                    at = range.1;
                }
                _ => {
                    let rest = self.json.get(at..).unwrap_or_default();
                    let ends = |byte: &u8| b"{}[]:,\" \t\r\n".contains(byte);
                    let length = rest.iter().position(ends).unwrap_or(rest.len());
                    let range = (at, at + length);
                    fits(scalar::is_scalar(self.slice(range)) && self.grammar.scalar())?;
                    self.value(range)?;
                    at = range.1;
                }
            }
            over = self.grammar.between_values();
        }
        fits(over)
    }

    fn slice(&self, (start, end): Range) -> &'a [u8] {
        self.json.get(start..end).unwrap_or_default()
    }

    /// Whether what comes next stands in the last level that leads to a size.
    fn is_followed(&self) -> bool {
        self.level == self.followed
    }

    fn mark(&mut self, mark: u8) -> Result<(), WalkError> {
        match mark {
            b'{' | b'[' => self.open(mark == b'{'),
            b'}' | b']' => self.close(),
            _ => Ok(()),
        }
    }

    fn open(&mut self, object: bool) -> Result<(), WalkError> {
        if self.is_followed() {
            // Which of both leads on from here, if one does.
            let leads = match (self.followed, self.member) {
                (0 | LIST, _) | (TENSOR, Some(Member::Parameters)) => Some(true),
                (TOP, Some(Member::List)) => Some(false),
                // A value of its own.
                (_, Some(_)) => return Err(WalkError::Malformed),
                _ => None,
            };
            if let Some(leads) = leads {
                fits(leads == object)?;
                self.followed += 1;
                self.member = None;
            }
        }
        self.level += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), WalkError> {
        if self.is_followed() {
            if self.followed == TENSOR {
                self.end_tensor()?;
            }
            self.followed -= 1;
            self.member = None;
        }
        self.level -= 1;
        Ok(())
    }

    fn end_tensor(&mut self) -> Result<(), WalkError> {
        self.seen.retain(|member| *member == Member::List);
        let numbers = std::mem::take(&mut self.numbers);
        if let Some(size) = self.size.take() {
            if self.found.len() == MAX_TENSORS {
                return Err(WalkError::TooManyTexts);
            }
            self.found.push(Described { size, numbers });
        }
        Ok(())
    }

    fn name(&mut self, range: Range) -> Result<(), WalkError> {
        if !self.is_followed() {
            return Ok(());
        }
        let name = self.decoded(range)?;
        self.member = match (self.followed, &*name) {
            (TOP, name) if name == self.list => Some(Member::List),
            (TENSOR, b"parameters") => Some(Member::Parameters),
            (TENSOR, b"datatype") => Some(Member::Datatype),
            (PARAMETERS, b"binary_data_size") => Some(Member::Size),
            _ => None,
        };
        if let Some(member) = self.member {
            fits(!self.seen.contains(&member))?;
            self.seen.push(member);
        }
        Ok(())
    }

    /// A string or scalar.
    fn value(&mut self, range: Range) -> Result<(), WalkError> {
        if !self.is_followed() {
            return Ok(());
        }
        match (self.followed, self.member) {
            (TENSOR, Some(Member::Datatype)) => {
                fits(self.slice(range).first() == Some(&b'"'))?;
                self.numbers = are_numbers(&self.decoded(range)?);
            }
            (PARAMETERS, Some(Member::Size)) => self.size = Some(range),
            (TENSOR, Some(Member::Parameters)) => fits(self.slice(range) == b"null")?,
            // The list, one of its tensors, or all of it.
            (0 | LIST, _) | (_, Some(_)) => return Err(WalkError::Malformed),
            _ => {}
        }
        Ok(())
    }

    /// What a string at `range`, which stands in quotes, reads as.
    fn decoded(&self, range: Range) -> Result<Cow<'a, [u8]>, WalkError> {
        let quoted = self.slice(range);
        let content = self.slice((range.0 + 1, range.1.saturating_sub(1)));
        if memchr::memchr(b'\\', content).is_none() {
            return Ok(Cow::Borrowed(content));
        }
        let decoded: String = serde_json::from_slice(quoted).map_err(|_| WalkError::Malformed)?;
        Ok(Cow::Owned(decoded.into_bytes()))
    }
}

fn fits(fits: bool) -> Result<(), WalkError> {
    if fits {
        Ok(())
    } else {
        Err(WalkError::Malformed)
    }
}
