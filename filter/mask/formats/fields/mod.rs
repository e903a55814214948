//! Rules for single fields: what is taken out, replaced or rounded whatever is in it.
//!
//! They are carried out before anything is matched, on JSON as it streams ([`Editor`]) and on the
//! JSON of events and lines.

mod editor;
mod number;
mod rules;

#[cfg(test)]
mod tests;

pub(super) use editor::{Editor, edit, edit_part};
pub(crate) use rules::Fields;
