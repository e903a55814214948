//! Keys and tokens that announce themselves by a prefix.
//!
//! Sources: each issuer's description of its formats, named beside its row. What a row asks
//! for is the least that every generation of the issuer's tokens has.
//!
//! Validation: the prefix and as many characters as the shortest token has.
//! Whole: no letter or digit in front; a token of fixed length has none behind either.
//!
//! Bound: the prefix, the shortest token, and one byte. A token of open length is certain
//! by then, and what follows of it is masked as it arrives, however long it is.
//!
//! Each file has the rows of one kind of issuer. To add a token, add its prefix to a row, or a
//! row, whose name goes into the list of built-in detectors, and an example.

mod ai;
mod chat;
mod cloud;
mod code;
mod payment;
mod row;
mod service;

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window};
use row::{Form, Length};

/// A family of tokens.
pub(super) struct Token {
    forms: &'static [Form],
}

/// The family of a built-in detector's name, and its label.
pub(super) fn built_in(name: &str) -> Option<(Token, &'static str)> {
    let tables = [
        cloud::ROWS,
        code::ROWS,
        chat::ROWS,
        payment::ROWS,
        ai::ROWS,
        service::ROWS,
    ];
    let mut rows = tables.into_iter().flatten();
    let row = rows.find(|row| row.name == name)?;
    Some((Token { forms: row.forms }, row.label))
}

impl Detect for Token {
    fn starts(&self, first: u8) -> Start {
        let mut prefixes = self.forms.iter().flat_map(|form| form.prefixes);
        if prefixes.any(|prefix| prefix.as_bytes().first() == Some(&first)) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        for form in self.forms {
            match form.find(window) {
                Err(Miss::No) => {}
                answer => return answer,
            }
        }
        Err(Miss::No)
    }

    fn run(&self) -> usize {
        let shortest = |form: &Form| {
            let prefix = form.prefixes.iter().map(|prefix| prefix.len()).min();
            let (Length::Exactly(count) | Length::From(count, _)) = form.length;
            prefix.unwrap_or(0) + count
        };
        self.forms.iter().map(shortest).min().unwrap_or(1)
    }

    fn bound(&self) -> usize {
        let longest = |form: &Form| {
            let prefix = form.prefixes.iter().map(|prefix| prefix.len()).max();
            let (Length::Exactly(count) | Length::From(count, _)) = form.length;
            prefix.unwrap_or(0) + count + 1
        };
        self.forms.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[crate::detectors::tests::Table] = &[
    ai::EXAMPLES,
    chat::EXAMPLES,
    cloud::EXAMPLES,
    code::EXAMPLES,
    payment::EXAMPLES,
    service::EXAMPLES,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Shorter ones without a digit would not be looked at.
    #[test]
    fn every_token_has_twenty_characters_or_a_digit() {
        let tables = [
            ai::ROWS,
            chat::ROWS,
            cloud::ROWS,
            code::ROWS,
            payment::ROWS,
            service::ROWS,
        ];
        for form in tables.into_iter().flatten().flat_map(|row| row.forms) {
            let (Length::Exactly(count) | Length::From(count, _)) = form.length;
            for prefix in form.prefixes {
                let digit = prefix.bytes().any(|b| b.is_ascii_digit());
                assert!(digit || prefix.len() + count >= 20, "{prefix}");
            }
        }
    }
}
