//! `show --body`: what a record keeps of a body, byte for byte.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis::record::age::{self, Identity};
use serde::Deserialize;

use super::list::find;
use super::{Failed, RIGHT, Status, WRONG, open};

/// Which body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The request's.
    Request,
    /// The response's.
    Response,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

#[derive(Deserialize)]
struct Record {
    bodies: Option<Bodies>,
}

#[derive(Deserialize)]
struct Bodies {
    to: Option<String>,
    request: Option<Body>,
    response: Option<Body>,
}

#[derive(Deserialize)]
struct Body {
    left_out: Option<String>,
    #[serde(default)]
    parts: Vec<Part>,
    age: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    base64: Option<String>,
}

/// Writes what the record with this id keeps of a body. What was kept raw is opened with the identities
/// in a file as `age-keygen` writes it.
///
/// # Errors
/// The ledger can't be read, nothing is kept of that body, or it can't be opened.
pub fn body(
    folder: &Path,
    id: &str,
    which: Direction,
    identities: Option<&PathBuf>,
    out: &mut dyn Write,
) -> Status {
    let Some((_, entry)) = find(&open(folder)?, id)? else {
        return Ok(WRONG);
    };
    let record: Record = serde_json::from_slice(&entry.bytes)
        .map_err(|_| Failed::new(format!("record {id}: found no record's JSON, expected one")))?;
    let name = which.name();
    let nothing =
        |why: &str| Failed::new(format!("record {id} keeps nothing of its {name}: {why}"));
    let bodies = record
        .bodies
        .ok_or_else(|| nothing("its policy keeps no bodies"))?;
    let to = bodies.to;
    let body = match which {
        Direction::Request => bodies.request,
        Direction::Response => bodies.response,
    };
    let body = body.ok_or_else(|| nothing("there was none, or nobody read it"))?;
    if let Some(why) = body.left_out {
        return Err(nothing(&format!(
            "{why:?} (schema/record.schema.json says what that is)"
        )));
    }
    let Some(sealed) = body.age else {
        for part in body.parts {
            match (part.text, part.base64) {
                (Some(text), _) => out.write_all(text.as_bytes())?,
                (None, Some(base64)) => out.write_all(&decode(&base64)?)?,
                (None, None) => return Err(Failed::new("found a part that says nothing")),
            }
        }
        return Ok(RIGHT);
    };
    let to = to.unwrap_or_default();
    let Some(file) = identities else {
        return Err(Failed::new(format!(
            "the {name} of record {id} is sealed to {to}: say --identity FILE, with the key of that recipient"
        )));
    };
    let plain = age::open(&read(file)?, &decode(&sealed)?).map_err(|why| {
        Failed::new(format!(
            "the {name} of record {id}, which is sealed to {to}, can't be opened: {why}"
        ))
    })?;
    out.write_all(&plain)?;
    Ok(RIGHT)
}

fn decode(base64: &str) -> Result<Vec<u8>, Failed> {
    BASE64
        .decode(base64)
        .map_err(|_| Failed::new("found a part that is no base64"))
}

fn read(file: &Path) -> Result<Vec<Identity>, Failed> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failed::new(format!("{}: {error}", file.display())))?;
    Identity::read_file(&text).ok_or_else(|| {
        Failed::new(format!(
            "{}: expected identities of age, AGE-SECRET-KEY-1..., a line each, and comments behind #",
            file.display()
        ))
    })
}
