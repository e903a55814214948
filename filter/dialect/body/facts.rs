//! What a body says that rules and quotas ask for, and why that can't be told.

use base::operation::Model;

/// What is known of a request from its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The operation, where the body names it and not the route.
    pub operation: Option<&'static str>,
    /// The model that is asked for.
    pub model: Model,
    /// Names of more models that may take part.
    pub others: Vec<String>,
    /// How many predictions are asked for, at least 1; `None` if that can't be told.
    pub items: Option<u64>,
    /// The tool that is called.
    pub tool: Option<String>,
    /// Whether some of the text that reaches the model can't be read.
    pub unread: bool,
}

/// Why no facts could be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsError {
    /// The body isn't what its route takes. The text says where, and quotes nothing of it but names
    /// of members.
    Malformed(String),
    /// This version can't read this kind of body.
    NotReadable(&'static str),
}

/// The longest name of a model or tool, in bytes: it is kept as long as the request waits.
const MAX_NAME_BYTES: usize = 4096;

/// What is no name of a model.
const NO_NAME: &str = "\u{fffd}";

/// More models than a request names.
const MAX_OTHERS: usize = 32;

/// A name of a model, if it is one; nothing for an empty one.
pub(in crate::dialect) fn model(name: &str) -> Result<Option<String>, FactsError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(malformed(
            "The name of the model is longer than 4096 bytes.",
        ));
    }
    if !has_sound_ends(name) {
        return Err(malformed(
            "The name of the model has a blank at an end, or a control character.",
        ));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// Whether a name is the same to servers that cut off blanks, byte order marks (JavaScript's `trim`
/// takes one for a blank) or what stands behind a control character.
#[must_use]
pub fn has_sound_ends(name: &str) -> bool {
    let blank = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
    name.trim_matches(blank) == name && !name.chars().any(char::is_control)
}

pub(in crate::dialect) fn malformed(message: &str) -> FactsError {
    FactsError::Malformed(message.to_owned())
}

/// A name that is one for some servers and none for others.
pub(in crate::dialect) fn other_case(name: &str) -> FactsError {
    let shown: String = name.chars().take(64).collect();
    FactsError::Malformed(format!(
        "The body has a member {shown:?}, which differs from a known one in case only."
    ))
}

/// What members say, whatever a body is written in.
#[derive(Debug)]
pub(in crate::dialect) struct Found {
    pub(in crate::dialect) model: Option<String>,
    /// Names of more models that take part.
    pub(in crate::dialect) others: Vec<String>,
    pub(in crate::dialect) operation: Option<&'static str>,
    pub(in crate::dialect) tool: Option<String>,
    /// How many answers each input gets; the largest.
    pub(in crate::dialect) times: u64,
    /// How many inputs there are; the most.
    pub(in crate::dialect) lists: u64,
    /// Whether the number of predictions can't be told.
    pub(in crate::dialect) uncounted: bool,
    /// The first thing that is not what the route takes. The text is read to its end all the same:
    /// that it can't be read goes before what its members are.
    pub(in crate::dialect) wrong: Option<FactsError>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            model: None,
            others: Vec::new(),
            operation: None,
            tool: None,
            times: 1,
            lists: 1,
            uncounted: false,
            wrong: None,
        }
    }
}

impl Found {
    pub(in crate::dialect) fn wrong(&mut self, message: &str) {
        self.wrong.get_or_insert_with(|| malformed(message));
    }

    pub(in crate::dialect) fn error(&mut self, error: FactsError) {
        self.wrong.get_or_insert(error);
    }

    /// A name of a model. Of two, the server may take either.
    pub(in crate::dialect) fn model(&mut self, name: &str) {
        match model(name) {
            Ok(None) => {}
            Ok(Some(name)) if self.model.as_ref().is_none_or(|known| *known == name) => {
                self.model = Some(name);
            }
            Ok(Some(_)) => self.wrong("The body names two models."),
            Err(error) => self.error(error),
        }
    }

    /// A name of a model that takes part besides. Whatever is no name is none that is asked for.
    pub(in crate::dialect) fn other(&mut self, name: &str) {
        let name = match model(name) {
            Ok(None) => return,
            Ok(Some(name)) => name,
            Err(_) => NO_NAME.to_owned(),
        };
        if self.others.contains(&name) {
            return;
        }
        if self.others.len() >= MAX_OTHERS {
            self.wrong("The body names too many models.");
        } else {
            self.others.push(name);
        }
    }

    /// A gateway takes names with commas between them for as many models.
    pub(in crate::dialect) fn take_list_apart(&mut self) {
        let list = self.model.clone().unwrap_or_default();
        if list.contains(',') {
            list.split(',').for_each(|name| self.other(name.trim()));
        }
    }

    pub(in crate::dialect) fn times(&mut self, number: u64) {
        self.times = self.times.max(number);
    }

    pub(in crate::dialect) fn list(&mut self, items: u64) {
        self.lists = self.lists.max(items);
    }

    pub(in crate::dialect) fn tool(&mut self, name: &str) {
        if name.len() > MAX_NAME_BYTES {
            self.wrong("The name of the tool is longer than 4096 bytes.");
        } else {
            self.tool = Some(name.to_owned());
        }
    }

    /// An operation that the body names. Of a batch, each must ask for the same: a rule speaks of
    /// the request as a whole.
    pub(in crate::dialect) fn operation(&mut self, operation: &'static str) {
        if self.operation.is_some_and(|known| known != operation) {
            self.wrong("The calls of the batch ask for different operations.");
        }
        self.operation = Some(operation);
    }

    /// The largest of what is declared and what is there.
    pub(in crate::dialect) fn items(&self) -> u64 {
        self.lists.saturating_mul(self.times).max(1)
    }
}
