//! `portcullis token mint --dev`: a token of the development issuer.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::issuer::{Issuer, KEY_FILE};
use crate::check::Report;

/// The longest that a token is good for, in seconds. Policies that `portcullis init` writes accept
/// no more.
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// Random bytes in a token's id.
const ID_BYTES: usize = 12;

/// The arguments of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with the issuer's key.
    pub folder: PathBuf,
    /// Who the caller is.
    pub subject: String,
    /// The caller's groups.
    pub groups: Vec<String>,
    /// How long the token is good for, such as `1h`.
    pub lasts: String,
}

/// Prints a token. The status is 0, or 2 when there is no key or an argument is wrong.
#[must_use]
pub fn mint(options: &Options) -> Report {
    match token(options) {
        Ok(token) => Report {
            output: format!("{token}\n"),
            error: String::new(),
            status: 0,
        },
        Err(error) => Report {
            output: String::new(),
            error: format!("portcullis: {error}\n"),
            status: 2,
        },
    }
}

fn token(options: &Options) -> Result<String, String> {
    let lasts = crate::review::seconds(&options.lasts)
        .map_err(|expected| format!("--for {:?}: {expected}", options.lasts))?;
    if lasts > MAX_SECONDS {
        return Err(format!(
            "--for {:?}: found more than a day, expected at most 24h",
            options.lasts
        ));
    }
    if options.subject.is_empty() {
        return Err("--subject: found nothing, expected a name".to_owned());
    }
    let issuer = Issuer::read(&options.folder.join(KEY_FILE))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut id = [0; ID_BYTES];
    getrandom::fill(&mut id).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(issuer.sign(&json!({
        "iss": issuer.issuer,
        "aud": issuer.audience,
        "sub": options.subject,
        "groups": options.groups,
        "iat": now,
        "exp": now.saturating_add(lasts),
        "jti": URL_SAFE_NO_PAD.encode(id),
    })))
}
