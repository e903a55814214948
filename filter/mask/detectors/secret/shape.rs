//! Tokens that are known by their parts rather than by a prefix.
//!
//! Sources: Discord, "Authentication" (a snowflake in base64, a time, a signature); Telegram,
//! "Authorizing your bot"; HCP Terraform, "API tokens"; Microsoft Entra, client secrets.
//!
//! Validation: each part's characters and length.
//! Whole: no letter or digit next to it.
//!
//! Bound: the longest form of each part, and one byte.

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, alphanumeric, base64url, hit};

/// A part of a token.
enum Part {
    Literal(&'static [u8]),
    /// So many of a class, whatever follows.
    Take(fn(u8) -> bool, usize),
    /// All of a class that follow, from so many to so many.
    Run(fn(u8) -> bool, usize, usize),
}

/// A token's name, its label and its parts.
pub(super) struct Shape {
    first: fn(u8) -> bool,
    parts: &'static [Part],
}

const DISCORD: Shape = Shape {
    // A digit in base64.
    first: |byte| matches!(byte, b'M'..=b'O'),
    parts: &[
        Part::Run(base64url, 23, 28),
        Part::Literal(b"."),
        Part::Run(base64url, 6, 6),
        Part::Literal(b"."),
        Part::Run(base64url, 27, 38),
    ],
};

const TELEGRAM: Shape = Shape {
    first: |byte| byte.is_ascii_digit(),
    parts: &[
        Part::Run(|byte| byte.is_ascii_digit(), 8, 10),
        Part::Literal(b":"),
        Part::Run(base64url, 35, 35),
    ],
};

const TERRAFORM: Shape = Shape {
    first: alphanumeric,
    parts: &[
        Part::Take(alphanumeric, 14),
        Part::Literal(b".atlasv1."),
        Part::Run(base64url, 60, 80),
    ],
};

const ENTRA: Shape = Shape {
    first: entra,
    parts: &[
        Part::Take(entra, 3),
        Part::Take(|byte| byte.is_ascii_digit(), 1),
        Part::Literal(b"Q~"),
        Part::Run(entra, 31, 34),
    ],
};

fn entra(byte: u8) -> bool {
    base64url(byte) || matches!(byte, b'.' | b'~')
}

/// The token of a built-in detector's name, and its label.
pub(super) fn built_in(name: &str) -> Option<(Shape, &'static str)> {
    Some(match name {
        "secret.discord_token" => (DISCORD, "DISCORD_TOKEN"),
        "secret.telegram_token" => (TELEGRAM, "TELEGRAM_TOKEN"),
        "secret.terraform_token" => (TERRAFORM, "TERRAFORM_TOKEN"),
        "secret.entra_secret" => (ENTRA, "ENTRA_SECRET"),
        _ => return None,
    })
}

impl Detect for Shape {
    fn starts(&self, first: u8) -> Start {
        if (self.first)(first) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let mut index = 0;
        for part in self.parts {
            let (fits, len) = match part {
                Part::Literal(text) => (window.literal(index, text)?, text.len()),
                Part::Take(class, count) => (window.run(index, *count, class)? == *count, *count),
                Part::Run(class, least, most) => {
                    let len = window.run(index, most + 1, class)?;
                    ((*least..=*most).contains(&len), len)
                }
            };
            if !fits {
                return Err(Miss::No);
            }
            index += len;
        }
        if window.word_at(index)? {
            return Err(Miss::No);
        }
        Ok(hit(index))
    }

    fn run(&self) -> usize {
        let shortest = |part: &Part| match part {
            Part::Literal(text) => text.len(),
            Part::Take(_, count) | Part::Run(_, count, _) => *count,
        };
        self.parts.iter().map(shortest).sum()
    }

    fn bound(&self) -> usize {
        let longest = |part: &Part| match part {
            Part::Literal(text) => text.len(),
            Part::Take(_, count) => *count,
            Part::Run(_, _, most) => *most,
        };
        self.parts.iter().map(longest).sum::<usize>() + 2
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!(
            "MTIzNDU2Nzg5MDEyMzQ1Njc4",
            ".Gabcde.0123456789abcdefghijABCDEFGHIJ-_01!"
        ),
        "[DISCORD_TOKEN]!",
    ),
    (
        concat!("bot 1234567890:", "AAabcdefghijklmnopqrstuvwxyz-_01234"),
        "bot [TELEGRAM_TOKEN]",
    ),
    (
        concat!(
            "0123456789abcd.",
            "atlasv1.0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ012345"
        ),
        "[TERRAFORM_TOKEN]",
    ),
    (
        concat!("x=abc8", "Q~0123456789abcdefghijABCDEFGHIJ012"),
        "x=[ENTRA_SECRET]",
    ),
    (
        concat!(
            "MTIzNDU2Nzg5MDEyMzQ1Njc4",
            ".Gabcd.0123456789abcdefghijABCDEFGHIJ"
        ),
        concat!(
            "MTIzNDU2Nzg5MDEyMzQ1Njc4",
            ".Gabcd.0123456789abcdefghijABCDEFGHIJ"
        ),
    ),
    (
        concat!("1234567890:", "AAabcdefghijklmnopqrstuvwxyz-_01234x"),
        concat!("1234567890:", "AAabcdefghijklmnopqrstuvwxyz-_01234x"),
    ),
    ("0123456789abcd.atlasv1.x", "0123456789abcd.atlasv1.x"),
    ("abc8Q~0123", "abc8Q~0123"),
];
