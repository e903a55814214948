//! What a mask does besides looking for detectors' matches.

use base::policy::{Form, Object};

use super::coverage::{Coverage, read_coverage};
use super::fields::{FieldRules, read_fields};
use super::headers::read_headers;
use super::pass::{Passing, read_pass};

/// What becomes of a body that is only a part of one (206).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartialContent {
    /// It is refused: a match may begin in another part.
    #[default]
    Refuse,
    /// It passes unmasked.
    Pass,
}

/// What becomes of an exchange that turns into a session, such as a web socket: nothing that is said
/// in it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrades {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes unmasked.
    Pass,
}

/// What a mask does besides looking for detectors' matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// What happens to single fields, whatever is in them.
    pub fields: FieldRules,
    /// What may pass unread.
    pub pass: Passing,
    /// What becomes of a part of a body.
    pub partial_content: PartialContent,
    /// What becomes of a session.
    pub upgrades: Upgrades,
    /// Headers of an answer that are masked, by their names in lower case.
    pub headers: Vec<String>,
    /// Whether text is looked for in base64 too.
    pub base64: bool,
    /// Whether the names of JSON members are matched too.
    pub keys: bool,
    /// Which parts of a body are covered.
    pub coverage: Coverage,
}

/// `"partial_content"` and `"upgrades"` of a mask; `refuse` stands first.
pub(super) static REFUSE_OR_PASS: Form = Form::names(&["refuse", "pass"]);

/// What a mask says besides its detectors. What is wrong is taken for what it is unless said.
pub(super) fn read_options(mask: &Object<'_>) -> Options {
    let fields = mask.get("fields");
    let pass = mask.get("pass");
    let headers = mask.get("headers");
    let (coverage, names) = read_coverage(mask);
    Options {
        fields: fields.map(|node| read_fields(&node)).unwrap_or_default(),
        pass: pass.map(|node| read_pass(&node)).unwrap_or_default(),
        partial_content: match mask.name("partial_content") {
            Some(1) => PartialContent::Pass,
            _ => PartialContent::Refuse,
        },
        upgrades: match mask.name("upgrades") {
            Some(1) => Upgrades::Pass,
            _ => Upgrades::Refuse,
        },
        headers: headers.map(|node| read_headers(&node)).unwrap_or_default(),
        base64: mask.flag("base64").unwrap_or_default(),
        keys: mask.flag("keys").unwrap_or_default() || names,
        coverage,
    }
}
