//! What may stand where in the policy, said once, as data.
//!
//! Each section describes itself with a [`Form`]. Reading, messages, the JSON Schema and the
//! policy's reference all come from that one description, so that they can't tell different
//! stories.

use core::time::Duration;

use super::units::{self, MAX_MILLISECONDS};
use super::words::{list_of, list_of_all};

/// What may stand at one place.
#[derive(Debug)]
pub struct Form {
    /// Its name among the schema's definitions, for what stands in several places or holds itself.
    pub name: Option<&'static str>,
    /// What it is.
    pub kind: Kind,
    /// Whether no message may show what stands there.
    pub hidden: bool,
}

/// What a value is.
#[derive(Debug)]
pub enum Kind {
    /// An object with these keys and no others.
    Object {
        /// In the order in which the reference lists them.
        keys: &'static [Key],
        /// What must be there besides the keys that are required.
        presence: Presence,
    },
    /// An object whose keys are names that the policy chooses.
    Map {
        /// What the names are, in words: `the quota's name`.
        names: &'static str,
        /// What stands under each name.
        of: &'static Form,
        /// Names that have a meaning of their own.
        keys: &'static [Key],
        /// Whether there may be no name at all.
        may_be_empty: bool,
    },
    /// A list.
    List {
        /// What each item is.
        of: &'static Form,
        /// Whether it may be empty.
        may_be_empty: bool,
    },
    /// A string that is not empty.
    Text {
        /// What it must be, in words, as the end of a message: `a string`.
        expected: &'static str,
        /// A regular expression (ECMA-262) that every good one fits, for the schema.
        pattern: Option<&'static str>,
    },
    /// A string in which `${NAME}` stands for a variable of the VM's environment. What it holds is
    /// never shown.
    Secret,
    /// A whole number within these bounds, both included.
    Whole {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// A size such as `8MiB`.
    Size {
        /// The least, in bytes.
        min: u64,
        /// The greatest, in bytes.
        max: u64,
    },
    /// A duration such as `30s`.
    Duration {
        /// The least, in milliseconds.
        min: u64,
        /// The greatest, in milliseconds.
        max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these strings.
    Names(&'static [&'static str]),
    /// The first of these whose JSON type matches the value's.
    Either(&'static [&'static Form]),
    /// Any JSON value.
    Json,
}

/// Which keys of an object must be there.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    /// Those that are required.
    Free,
    /// At least one key of any name.
    NotEmpty,
    /// Exactly one of these.
    One(&'static [&'static str]),
    /// At least one of these.
    Some(&'static [&'static str]),
}

/// One key of an object.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What it is for: one sentence, or a few, for the schema and the reference.
    pub about: &'static str,
    /// What stands under it.
    pub form: &'static Form,
    /// Whether it may be left out, and what that means.
    pub need: Need,
}

/// Whether a key may be left out.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// It must be there.
    Required,
    /// It may be left out, and nothing takes its place.
    Optional,
    /// Without it, this holds.
    Usual(Usual),
    /// This version has nothing that does what it says, and refuses it by these words.
    Later(&'static str),
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug)]
pub enum Usual {
    /// This string: a name, a size, a duration.
    Text(&'static str),
    /// This number.
    Whole(u64),
    /// This flag.
    Flag(bool),
    /// An object without keys, all of which are then as usual.
    Empty,
    /// What these words say; the section's code knows it.
    Words(&'static str),
}

impl Key {
    /// Whether this version refuses it.
    #[must_use]
    pub const fn is_later(&self) -> bool {
        matches!(self.need, Need::Later(_))
    }

    const fn new(name: &'static str, about: &'static str, form: &'static Form, need: Need) -> Self {
        Self {
            name,
            // The filter itself explains nothing, so the module need not carry it.
            about: if cfg!(target_arch = "wasm32") {
                ""
            } else {
                about
            },
            form,
            need,
        }
    }

    /// A key that must be there.
    #[must_use]
    pub const fn required(name: &'static str, about: &'static str, form: &'static Form) -> Self {
        Self::new(name, about, form, Need::Required)
    }

    /// A key without which nothing of its kind is done.
    #[must_use]
    pub const fn optional(name: &'static str, about: &'static str, form: &'static Form) -> Self {
        Self::new(name, about, form, Need::Optional)
    }

    /// A key without which `usual` holds.
    #[must_use]
    pub const fn usually(
        name: &'static str,
        usual: Usual,
        about: &'static str,
        form: &'static Form,
    ) -> Self {
        Self::new(name, about, form, Need::Usual(usual))
    }

    /// A key that this version refuses: `what` is said to be missing.
    #[must_use]
    pub const fn later(name: &'static str, what: &'static str) -> Self {
        Self::new(name, "", &ANY_JSON, Need::Later(what))
    }
}

/// Forms hold each other no deeper than this, but for those that hold themselves.
const MAX_FORM_DEPTH: usize = 8;

/// Any JSON value.
pub static ANY_JSON: Form = Form::of(Kind::Json);
/// Any string that is not empty.
pub static TEXT: Form = Form::text("a string");
/// A list of strings.
pub static TEXTS: Form = Form::list(&TEXT);
/// A string in which `*` stands for any run of characters.
pub static GLOB: Form = Form::text("a string, in which * stands for any characters").named("glob");
/// A list of globs, any of which will do.
pub static GLOBS: Form = Form::list(&GLOB);
/// `true` or `false`.
pub static FLAG: Form = Form::of(Kind::Flag);
/// A value that may hold a secret.
pub static SECRET: Form = Form::of(Kind::Secret).named("secret");
/// A cluster of Envoy's.
pub static CLUSTER: Form = Form::text("the name of a cluster in Envoy's configuration");

impl Form {
    /// A form without a name.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self {
            name: None,
            hidden: matches!(kind, Kind::Secret),
            kind,
        }
    }

    /// The same form with a name among the schema's definitions.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same form, of which no message may show a value.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Whether something in it may not be shown: what stands in the wrong place is as secret as in
    /// the right one.
    #[must_use]
    pub fn holds_hidden(&self) -> bool {
        self.holds_hidden_below(MAX_FORM_DEPTH)
    }

    fn holds_hidden_below(&self, depth: usize) -> bool {
        // A form that holds itself has been looked at long before.
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let of_keys = || {
            let mut keys = self.keys().iter();
            keys.any(|key| key.form.holds_hidden_below(depth))
        };
        self.hidden
            || match &self.kind {
                Kind::Object { .. } => of_keys(),
                Kind::Map { of, .. } => of.holds_hidden_below(depth) || of_keys(),
                Kind::List { of, .. } => of.holds_hidden_below(depth),
                Kind::Either(forms) => forms.iter().any(|form| form.holds_hidden_below(depth)),
                _ => false,
            }
    }

    /// An object with these keys.
    #[must_use]
    pub const fn object(keys: &'static [Key]) -> Self {
        Self::object_with(Presence::Free, keys)
    }

    /// An object with these keys, of which some must be there.
    #[must_use]
    pub const fn object_with(presence: Presence, keys: &'static [Key]) -> Self {
        Self::of(Kind::Object { keys, presence })
    }

    /// An object whose keys are names that the policy chooses.
    #[must_use]
    pub const fn map(names: &'static str, of: &'static Form) -> Self {
        Self::of(Kind::Map {
            names,
            of,
            keys: &[],
            may_be_empty: true,
        })
    }

    /// As [`Self::map`], with at least one name.
    #[must_use]
    pub const fn map_of_some(names: &'static str, of: &'static Form) -> Self {
        Self::of(Kind::Map {
            names,
            of,
            keys: &[],
            may_be_empty: false,
        })
    }

    /// A list of these, with at least one.
    #[must_use]
    pub const fn list(of: &'static Form) -> Self {
        Self::of(Kind::List {
            of,
            may_be_empty: false,
        })
    }

    /// A list of these, which may be empty.
    #[must_use]
    pub const fn list_or_none(of: &'static Form) -> Self {
        Self::of(Kind::List {
            of,
            may_be_empty: true,
        })
    }

    /// A string that is what the words say.
    #[must_use]
    pub const fn text(expected: &'static str) -> Self {
        Self::of(Kind::Text {
            expected,
            pattern: None,
        })
    }

    /// A string that fits a regular expression.
    #[must_use]
    pub const fn text_like(expected: &'static str, pattern: &'static str) -> Self {
        Self::of(Kind::Text {
            expected,
            pattern: Some(pattern),
        })
    }

    /// A whole number within these bounds.
    #[must_use]
    pub const fn whole(min: u64, max: u64) -> Self {
        Self::of(Kind::Whole { min, max })
    }

    /// A size within these bounds, in bytes.
    #[must_use]
    pub const fn size(min: u64, max: u64) -> Self {
        Self::of(Kind::Size { min, max })
    }

    /// A duration within these bounds.
    #[must_use]
    pub const fn duration(min: Duration, max: Duration) -> Self {
        Self::of(Kind::Duration {
            min: units::milliseconds(min),
            max: units::milliseconds(max),
        })
    }

    /// One of these strings.
    #[must_use]
    pub const fn names(names: &'static [&'static str]) -> Self {
        Self::of(Kind::Names(names))
    }

    /// The first of these whose JSON type matches a value's.
    #[must_use]
    pub const fn either(forms: &'static [&'static Self]) -> Self {
        Self::of(Kind::Either(forms))
    }

    /// What must stand there, in words, as the end of a message.
    #[must_use]
    pub fn expected(&self) -> String {
        match &self.kind {
            Kind::Object { keys, .. } => {
                let required = keys.iter().filter(|key| matches!(key.need, Need::Required));
                let names: Vec<&str> = required.map(|key| key.name).collect();
                match names.as_slice() {
                    [] => "an object".to_owned(),
                    names => format!("an object with {}", list_of_all(names)),
                }
            }
            Kind::Map { .. } => "an object".to_owned(),
            Kind::List { .. } => "a list".to_owned(),
            Kind::Text { expected, .. } => (*expected).to_owned(),
            Kind::Secret => "a string".to_owned(),
            Kind::Whole { min, max } if min == max => min.to_string(),
            Kind::Whole { min, max: u64::MAX } => format!("a whole number, {min} or more"),
            Kind::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Size { min, max } => format!(
                "a size such as \"8MiB\" (units B, KiB, MiB, GiB), from {} to {}",
                units::show_size(*min),
                units::show_size(*max)
            ),
            Kind::Duration { min, max } => {
                let until = match *max {
                    MAX_MILLISECONDS => " on".to_owned(),
                    max => format!(" to {}", units::show_milliseconds(max)),
                };
                format!(
                    "a duration such as \"30s\" (units ms, s, m, h, d), from {}{until}",
                    units::show_milliseconds(*min)
                )
            }
            Kind::Flag => "true or false".to_owned(),
            Kind::Names(names) => list_of(names),
            Kind::Either(forms) => {
                let all: Vec<String> = forms.iter().map(|form| form.expected()).collect();
                all.join(", or ")
            }
            Kind::Json => "a JSON value".to_owned(),
        }
    }

    /// The keys of an object, or the names of a map that have a meaning of their own.
    #[must_use]
    pub fn keys(&self) -> &'static [Key] {
        match &self.kind {
            Kind::Object { keys, .. } | Kind::Map { keys, .. } => keys,
            _ => &[],
        }
    }
}
