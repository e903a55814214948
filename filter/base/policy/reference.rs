//! A form as a page for people, in Markdown.

use core::fmt::Write as _;

use super::form::{Form, Key, Kind, Need, Presence, Usual};
use super::units::{show_milliseconds, show_size};
use super::words::list_of_all;

/// Writes what stands under the keys of a form: a part for each object, with a table of its keys.
#[must_use]
pub fn reference(form: &'static Form) -> String {
    let mut page = Page {
        text: String::new(),
        told: Vec::new(),
    };
    page.object("", form);
    page.text
}

struct Page {
    text: String,
    /// The forms that have a part already, by their names.
    told: Vec<&'static str>,
}

impl Page {
    fn object(&mut self, path: &str, form: &'static Form) {
        let shown = if path.is_empty() { "/" } else { path };
        if form.name.is_some_and(|name| self.told.contains(&name)) {
            return;
        }
        self.told.extend(form.name);
        let _ = writeln!(self.text, "## `{shown}`\n");
        if let Some(note) = note(form) {
            let _ = writeln!(self.text, "{note}\n");
        }
        let keys = || {
            let keys = form.keys().iter();
            keys.filter(|key| !key.is_later())
        };
        if keys().next().is_some() {
            self.text
                .push_str("| key | value | without it | what it is for |\n|---|---|---|---|\n");
        }
        for key in keys() {
            let _ = writeln!(
                self.text,
                "| `{}` | {} | {} | {} |",
                key.name,
                cell(&value(key.form)),
                cell(&without(key)),
                cell(key.about)
            );
        }
        self.text.push('\n');
        for key in keys() {
            self.inner(&format!("{path}/{}", key.name), key.form);
        }
        if let Kind::Map { of, .. } = &form.kind {
            self.inner(&format!("{path}/NAME"), of);
        }
    }

    /// Parts for the objects that a value is, or holds.
    fn inner(&mut self, path: &str, form: &'static Form) {
        match &form.kind {
            Kind::Object { .. } | Kind::Map { .. } => self.object(path, form),
            Kind::List { of, .. } => self.inner(&format!("{path}/0"), of),
            Kind::Either(forms) => {
                for form in *forms {
                    self.inner(path, form);
                }
            }
            _ => {}
        }
    }
}

/// What a table's cell can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn note(form: &Form) -> Option<String> {
    match &form.kind {
        Kind::Map { names, of, .. } => Some(format!(
            "Each key is {names}; under it stands {}.",
            value(of)
        )),
        Kind::Object { presence, .. } => match presence {
            Presence::Free => None,
            Presence::NotEmpty => Some("At least one key must be there.".to_owned()),
            Presence::One(names) => Some(format!(
                "Exactly one of {} must be there.",
                list_of_all(names)
            )),
            Presence::Some(names) => Some(format!(
                "At least one of {} must be there.",
                list_of_all(names)
            )),
        },
        _ => None,
    }
}

fn value(form: &Form) -> String {
    match &form.kind {
        Kind::List { of, .. } => format!("a list, each item {}", value(of)),
        Kind::Size { min, max } => {
            format!("a size from {} to {}", show_size(*min), show_size(*max))
        }
        Kind::Duration { min, max } => format!(
            "a duration from {} to {}",
            show_milliseconds(*min),
            show_milliseconds(*max)
        ),
        Kind::Secret => {
            "a string, in which `${NAME}` stands for a variable of the VM's environment".to_owned()
        }
        Kind::Either(forms) => {
            let all: Vec<String> = forms.iter().map(|form| value(form)).collect();
            all.join(", or ")
        }
        _ => form.expected(),
    }
}

fn without(key: &Key) -> String {
    match key.need {
        Need::Required => "required".to_owned(),
        Need::Optional | Need::Later(_) => "-".to_owned(),
        Need::Usual(Usual::Text(text)) => format!("`{text:?}`"),
        Need::Usual(Usual::Whole(number)) => format!("`{number}`"),
        Need::Usual(Usual::Flag(flag)) => format!("`{flag}`"),
        Need::Usual(Usual::Empty) => "what its keys say".to_owned(),
        Need::Usual(Usual::Words(words)) => words.to_owned(),
    }
}
