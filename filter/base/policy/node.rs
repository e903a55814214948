//! A value of the policy, where it stands, and what may stand there.
//!
//! Nothing stops at the first problem: a policy with three mistakes is told all three.

use core::cell::RefCell;
use core::time::Duration;

use serde_json::Value;

use super::form::{Form, Kind, Usual};
use super::problem::Problem;
use super::secret::{self, Environment, Resolved};
use super::units;
use super::words::{describe, escape, list_of, type_of};
use crate::glob::Glob;

/// What all nodes of one document share.
pub struct Document<'a> {
    problems: RefCell<Vec<Problem>>,
    environment: &'a Environment<'a>,
}

impl<'a> Document<'a> {
    /// A document whose `${NAME}` are looked up in `environment`.
    #[must_use]
    pub fn new(environment: &'a Environment<'a>) -> Self {
        Self {
            problems: RefCell::new(Vec::new()),
            environment,
        }
    }

    /// All that was found wrong, in the order in which it was found.
    #[must_use]
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// A value, where it stands, and what may stand there. Its readers give `None` for what is not as
/// its form says, and have then noted the problem.
#[derive(Clone)]
pub struct Node<'a> {
    document: &'a Document<'a>,
    pub(super) source: Source<'a>,
    path: String,
    form: &'static Form,
    /// What a message says: for one of several forms, all of them.
    told: &'static Form,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The policy says it.
    Written(&'a Value),
    /// The policy is silent.
    Usual(Usual),
}

impl<'a> Node<'a> {
    /// The whole document.
    #[must_use]
    pub fn root(document: &'a Document<'a>, value: &'a Value, form: &'static Form) -> Self {
        Self {
            document,
            source: Source::Written(value),
            path: String::new(),
            form,
            told: form,
        }
    }

    pub(super) fn child(&self, key: &str, source: Source<'a>, form: &'static Form) -> Self {
        Self {
            document: self.document,
            source,
            path: format!("{}/{}", self.path, escape(key)),
            form,
            told: form,
        }
    }

    /// Where it stands, as a JSON pointer.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What may stand there.
    #[must_use]
    pub fn form(&self) -> &'static Form {
        self.form
    }

    /// The value as it is written.
    #[must_use]
    pub fn value(&self) -> Option<&'a Value> {
        match self.source {
            Source::Written(value) => Some(value),
            Source::Usual(_) => None,
        }
    }

    /// Notes a problem in words of its own.
    #[inline(never)]
    pub fn problem(&self, found: impl Into<String>, expected: impl Into<String>) {
        self.document.problems.borrow_mut().push(Problem {
            path: self.path.clone(),
            found: found.into(),
            expected: expected.into(),
        });
    }

    /// Notes that the value is not what these words say.
    #[inline(never)]
    pub fn expected(&self, expected: impl Into<String>) {
        self.problem(self.shown(), expected);
    }

    /// Notes that the value is not what its form says.
    #[inline(never)]
    pub fn wrong(&self) {
        self.expected(self.told.expected());
    }

    /// Refuses a value whose machinery this version doesn't have.
    pub fn not_in_this_version(&self, what: &str) {
        self.problem(
            format!("{what}, which this version of Portcullis does not have yet"),
            "nothing of the kind",
        );
    }

    fn shown(&self) -> String {
        match self.source {
            Source::Written(value) if self.told.holds_hidden() => type_of(value).to_owned(),
            Source::Written(value) => describe(value),
            Source::Usual(_) => "nothing".to_owned(),
        }
    }

    fn or_wrong<T>(&self, read: Option<T>) -> Option<T> {
        if read.is_none() {
            self.wrong();
        }
        read
    }

    /// Which of several forms the value has by its type, and the value as that.
    #[must_use]
    #[inline(never)]
    pub fn pick(&self) -> Option<(usize, Self)> {
        let Kind::Either(forms) = &self.form.kind else {
            self.wrong();
            return None;
        };
        let found = forms
            .iter()
            .enumerate()
            .find(|(_, form)| self.is_of_type(form));
        let (index, form) = self.or_wrong(found)?;
        let mut picked = self.clone();
        picked.form = form;
        Some((index, picked))
    }

    fn is_of_type(&self, form: &Form) -> bool {
        let value = match self.source {
            Source::Written(value) => value,
            Source::Usual(usual) => {
                return match usual {
                    Usual::Empty => matches!(form.kind, Kind::Object { .. } | Kind::Map { .. }),
                    Usual::Whole(_) => matches!(form.kind, Kind::Whole { .. }),
                    Usual::Flag(_) => matches!(form.kind, Kind::Flag),
                    Usual::Text(_) => is_text(form),
                    Usual::Words(_) => false,
                };
            }
        };
        match form.kind {
            Kind::Object { .. } | Kind::Map { .. } => value.is_object(),
            Kind::List { .. } => value.is_array(),
            Kind::Whole { .. } => value.is_number(),
            Kind::Flag => value.is_boolean(),
            Kind::Json | Kind::Either(_) => true,
            _ => is_text(form) && value.is_string(),
        }
    }

    /// The items of a list.
    #[must_use]
    #[inline(never)]
    pub fn items(&self) -> Vec<Self> {
        let (Some(Value::Array(items)), Kind::List { of, may_be_empty }) =
            (self.value(), &self.form.kind)
        else {
            self.wrong();
            return Vec::new();
        };
        if items.is_empty() && !may_be_empty {
            self.problem("an empty list", "at least one item");
        }
        let items = items.iter().enumerate();
        items
            .map(|(index, value)| self.child(&index.to_string(), Source::Written(value), of))
            .collect()
    }

    /// A string.
    #[must_use]
    #[inline(never)]
    pub fn text(&self) -> Option<&'a str> {
        let text = self.as_text();
        if text == Some("") {
            let expected = match self.form.kind {
                Kind::Text { expected, .. } => expected,
                _ => "a string",
            };
            self.problem("an empty string", expected);
            return None;
        }
        self.or_wrong(text)
    }

    fn as_text(&self) -> Option<&'a str> {
        match self.source {
            Source::Written(value) => value.as_str(),
            Source::Usual(Usual::Text(text)) => Some(text),
            Source::Usual(_) => None,
        }
    }

    /// A string as what `parse` makes of it.
    #[must_use]
    #[inline(never)]
    pub fn parsed<T>(&self, parse: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let text = self.text()?;
        self.or_wrong(parse(text))
    }

    /// A list of strings.
    #[must_use]
    #[inline(never)]
    pub fn texts(&self) -> Vec<String> {
        let items = self.items();
        items
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect()
    }

    /// A list of globs.
    #[must_use]
    #[inline(never)]
    pub fn globs(&self) -> Vec<Glob> {
        self.texts().iter().map(|text| Glob::new(text)).collect()
    }

    /// A whole number within its form's bounds.
    #[must_use]
    #[inline(never)]
    pub fn whole(&self) -> Option<u64> {
        let number = match self.source {
            Source::Written(value) => value.as_u64(),
            Source::Usual(Usual::Whole(number)) => Some(number),
            Source::Usual(_) => None,
        };
        let Kind::Whole { min, max } = self.form.kind else {
            return self.or_wrong(None);
        };
        self.or_wrong(number.filter(|number| (min..=max).contains(number)))
    }

    /// A size within its form's bounds, in bytes.
    #[must_use]
    #[inline(never)]
    pub fn size(&self) -> Option<u64> {
        let Kind::Size { min, max } = self.form.kind else {
            return self.or_wrong(None);
        };
        let size = self.as_text().and_then(units::parse_size);
        self.or_wrong(size.filter(|size| (min..=max).contains(size)))
    }

    /// A duration within its form's bounds.
    #[must_use]
    #[inline(never)]
    pub fn duration(&self) -> Option<Duration> {
        let Kind::Duration { min, max } = self.form.kind else {
            return self.or_wrong(None);
        };
        let duration = self.as_text().and_then(units::parse_duration);
        let duration = duration.filter(|duration| (min..=max).contains(duration));
        self.or_wrong(duration.map(Duration::from_millis))
    }

    /// `true` or `false`.
    #[must_use]
    #[inline(never)]
    pub fn flag(&self) -> Option<bool> {
        let flag = match self.source {
            Source::Written(value) => value.as_bool(),
            Source::Usual(Usual::Flag(flag)) => Some(flag),
            Source::Usual(_) => None,
        };
        self.or_wrong(flag)
    }

    /// The place of a string among its form's names.
    #[must_use]
    #[inline(never)]
    pub fn name(&self) -> Option<usize> {
        let Kind::Names(names) = self.form.kind else {
            return self.or_wrong(None);
        };
        let text = self.as_text();
        self.or_wrong(text.and_then(|text| names.iter().position(|name| *name == text)))
    }

    /// The place of a string among names that are defined elsewhere.
    #[must_use]
    #[inline(never)]
    pub fn known(&self, names: &[String]) -> Option<usize> {
        let text = self.as_text();
        let found = text.and_then(|text| names.iter().position(|name| name == text));
        if found.is_none() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.expected(match names.as_slice() {
                [] => "a name that the policy defines, and it defines none".to_owned(),
                names => list_of(names),
            });
        }
        found
    }

    /// The places of a list's strings among names that are defined elsewhere.
    #[must_use]
    #[inline(never)]
    pub fn all_known(&self, names: &[String]) -> Vec<usize> {
        let items = self.items();
        items.iter().filter_map(|item| item.known(names)).collect()
    }

    /// A string in which `${NAME}` is replaced by what the VM's environment has under that name.
    /// What it holds may be a secret and is never part of a problem.
    #[must_use]
    #[inline(never)]
    pub fn secret(&self) -> Option<String> {
        self.resolved().map(|resolved| resolved.text)
    }

    /// The same, which besides tells the variables' values.
    #[must_use]
    #[inline(never)]
    pub fn resolved(&self) -> Option<Resolved> {
        let Some(Value::String(text)) = self.value() else {
            let found = self.value().map_or("nothing", type_of);
            self.problem(found, "a string");
            return None;
        };
        match secret::resolve(text, self.document.environment) {
            Ok(resolved) => Some(resolved),
            Err(wrong) => {
                self.problem(wrong.found, wrong.expected);
                None
            }
        }
    }
}

fn is_text(form: &Form) -> bool {
    matches!(
        form.kind,
        Kind::Text { .. }
            | Kind::Secret
            | Kind::Size { .. }
            | Kind::Duration { .. }
            | Kind::Names(_)
    )
}
