//! Signed tokens that others made, with the verdict that each must get: Wycheproof's JSON Web
//! Signatures and Keys, and the cookbook of RFC 7520 and RFC 7797.
//!
//! The files are not part of the repository. [`FOLDER`] names the folder that holds them.

mod cookbook;
mod report;
mod wycheproof;

use std::path::{Path, PathBuf};
use std::{env, fmt, fs};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub use report::Report;

/// The environment variable that names the folder.
pub const FOLDER: &str = "PORTCULLIS_VECTORS";

/// One token, the keys to judge it by, and the verdict to expect.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where it is from.
    pub source: Source,
    /// What it is called there; of one source, no two are called the same.
    pub name: String,
    /// JSON Web Keys, without their private parts.
    pub keys: Vec<Value>,
    /// The token, whatever its form.
    pub token: String,
    /// Whether its authors say that it is to be accepted.
    pub valid: bool,
    /// What a refusal must say, where not any will do. Where this is `None`, the keys must be
    /// usable.
    pub because: Option<&'static str>,
    /// Why the verdict differs from what its authors say.
    pub left_out: Option<LeftOut>,
}

impl Case {
    /// The algorithm that the token's header names, if it has the compact form and names one.
    #[must_use]
    pub fn algorithm(&self) -> Option<String> {
        let (header, _) = self.token.split_once('.')?;
        let header = URL_SAFE_NO_PAD.decode(header).ok()?;
        let header: Value = serde_json::from_slice(&header).ok()?;
        Some(header.get("alg")?.as_str()?.to_owned())
    }
}

/// Whose case it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Wycheproof's JSON Web Signatures.
    Signatures,
    /// Wycheproof's JSON Web Keys.
    Keys,
    /// RFC 7520, section 4.
    Rfc7520,
    /// RFC 7797, section 4.
    Rfc7797,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signatures => "Wycheproof JWS",
            Self::Keys => "Wycheproof JWK",
            Self::Rfc7520 => "RFC 7520",
            Self::Rfc7797 => "RFC 7797",
        })
    }
}

/// Why a case gets another verdict than its authors expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// ECDSA on P-521, which a policy can't name.
    Algorithm,
    /// The key says that it is for another algorithm than the token's (RFC 7517, section 4.4).
    OtherAlgorithm,
    /// An invalid case whose token and keys are those of a valid one: what was wrong with it was
    /// lost on its way into the file.
    SameAsValid,
    /// A valid case with a character that is not base64url, which RFC 7515, section 5.2 refuses;
    /// nor is the signature over it.
    NotBase64url,
    /// A JSON serialization; a JSON Web Token has none (RFC 7519, section 3).
    JsonSerialization,
    /// The content is sent apart from the token (RFC 7515, appendix F), so nothing is signed
    /// here.
    DetachedContent,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "no policy can name its algorithm",
            Self::OtherAlgorithm => "its key is for another algorithm",
            Self::SameAsValid => "said to be invalid, but the same as a valid case",
            Self::NotBase64url => "said to be valid, but not base64url",
            Self::JsonSerialization => "a JSON serialization, not a compact one",
            Self::DetachedContent => "its content is elsewhere",
        })
    }
}

/// All cases; `None`, and a line on standard error, if nobody said where they are.
///
/// # Errors
/// When a file is missing or is not of the form that it had.
pub fn all() -> Result<Option<Vec<Case>>, String> {
    let Some(folder) = env::var_os(FOLDER).filter(|folder| !folder.is_empty()) else {
        eprintln!("skipped: {FOLDER} does not name the folder that holds the vectors");
        return Ok(None);
    };
    let folder = PathBuf::from(folder);
    let mut cases = wycheproof::signatures(&folder)?;
    cases.extend(wycheproof::keys(&folder)?);
    cases.extend(cookbook::all(&folder)?);
    Ok(Some(cases))
}

fn read(file: &Path) -> Result<Value, String> {
    let shown = file.display();
    let text = fs::read(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{shown}: {error}"))
}

/// The public part of a key. A secret has none, and stays as it is.
fn public(key: &Value) -> Value {
    let mut key = key.clone();
    if let Some(members) = key.as_object_mut()
        && members.get("kty").and_then(Value::as_str) != Some("oct")
    {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            members.remove(private);
        }
    }
    key
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str, String> {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("no text at {path}"))
}

fn list<'a>(value: &'a Value, path: &str) -> Result<&'a [Value], String> {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("no list at {path}"))
}
