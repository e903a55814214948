//! What a mask does besides looking for detectors' matches.

use super::coverage::Coverage;
use super::fields::FieldRules;

/// What becomes of a body that is only a part of one (206, or a `content-range`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartialContent {
    /// It is refused: a match may begin in another part.
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
    /// What becomes of a part of a body.
    pub partial_content: PartialContent,
    /// Whether text is looked for in base64 too.
    pub base64: bool,
    /// Whether the names of JSON members are matched too.
    pub keys: bool,
    /// Which parts of a body are covered.
    pub coverage: Coverage,
}
