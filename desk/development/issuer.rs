//! The issuer's key, in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use portcullis::identity::section::{KeySource, Provider};
use portcullis::policy::{Policy, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The file, in the folder that `portcullis init` makes.
pub const KEY_FILE: &str = "development-issuer.key.json";

/// What every development issuer's address begins with. `.invalid` is nobody's (RFC 2606).
const ADDRESS: &str = "https://portcullis-development.invalid/";

/// What the id of every development key begins with.
const KEY_ID: &str = "portcullis-development-";

/// Whom its tokens are for.
const AUDIENCE: &str = "portcullis-development";

/// The longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 16 << 10;

/// Random bytes in an issuer's name.
const NAME_BYTES: usize = 8;

/// An issuer of tokens, with its private key.
pub struct Issuer {
    /// Its `iss`.
    pub issuer: String,
    /// The audience of its tokens.
    pub audience: String,
    key_id: String,
    key: SigningKey,
}

/// The file's form.
#[derive(Serialize, Deserialize)]
struct Written {
    what: String,
    issuer: String,
    audience: String,
    kid: String,
    kty: String,
    crv: String,
    d: String,
}

impl Issuer {
    /// One with a fresh key.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn new() -> Result<Self, String> {
        let mut seed = [0; 32];
        let mut name = [0; NAME_BYTES];
        for bytes in [&mut seed[..], &mut name[..]] {
            getrandom::fill(bytes).map_err(|error| format!("no random bytes: {error}"))?;
        }
        let name = URL_SAFE_NO_PAD.encode(name);
        Ok(Self {
            issuer: format!("{ADDRESS}{name}"),
            audience: AUDIENCE.to_owned(),
            key_id: format!("{KEY_ID}{name}"),
            key: SigningKey::from_bytes(&seed),
        })
    }

    /// The public key (RFC 8037), for a policy.
    #[must_use]
    pub fn public(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes()),
        })
    }

    /// A token with these claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.key_id, "typ": "JWT"});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Writes the key to a file that its owner alone may read.
    ///
    /// # Errors
    /// It can't be written, or is there already and may not be replaced.
    pub fn write(&self, file: &Path, replace: bool) -> io::Result<()> {
        let written = Written {
            what: "The private key of an issuer for development. Whoever reads it can be anybody \
                   to a policy that trusts it: never let one in production do so."
                .to_owned(),
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            kid: self.key_id.clone(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            d: URL_SAFE_NO_PAD.encode(self.key.to_bytes()),
        };
        let text = serde_json::to_string_pretty(&written)?;
        if replace {
            // The mode of a file that is there would stay as it is.
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let mut opened = for_its_owner().open(file)?;
        writeln!(opened, "{text}")
    }

    /// Reads the key from a file.
    ///
    /// # Errors
    /// It can't be read, others may read it, or it holds something else; with the file's name and
    /// nothing of what it holds.
    pub fn read(file: &Path) -> Result<Self, String> {
        let said = |why: &str| format!("{}: {why}", file.display());
        let opened = File::open(file).map_err(|error| {
            said(&format!(
                "{error}. A development issuer is made by portcullis init"
            ))
        })?;
        must_be_private(&opened).map_err(|why| said(&why))?;
        let text = crate::policy::read_from(opened, MAX_FILE_BYTES).map_err(|why| said(&why))?;
        let expected = "found something else, expected a key that portcullis init made";
        let written: Written = serde_json::from_str(&text).map_err(|_| said(expected))?;
        let seed = URL_SAFE_NO_PAD.decode(&written.d).ok();
        let seed: Option<[u8; 32]> = seed.and_then(|bytes| bytes.try_into().ok());
        let seed = seed.ok_or_else(|| said(expected))?;
        if !written.issuer.starts_with(ADDRESS) || !written.kid.starts_with(KEY_ID) {
            return Err(said(expected));
        }
        Ok(Self {
            issuer: written.issuer,
            audience: written.audience,
            key_id: written.kid,
            key: SigningKey::from_bytes(&seed),
        })
    }
}

#[cfg(unix)]
fn for_its_owner() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn for_its_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(unix)]
fn must_be_private(file: &File) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.metadata().map_err(|error| error.to_string())?;
    let mode = mode.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(format!("found mode {mode:03o}, expected 600")),
    }
}

#[cfg(not(unix))]
fn must_be_private(_: &File) -> Result<(), String> {
    Ok(())
}

/// Whether a provider is a development issuer, by its address or the id of one of its keys.
#[must_use]
pub fn is_development(provider: &Provider) -> bool {
    let key = match &provider.keys {
        KeySource::Inline(keys) => keys.iter().any(|key| {
            let id = key.jwk.get("kid").and_then(Value::as_str);
            id.is_some_and(|id| id.starts_with(KEY_ID))
        }),
        KeySource::Fetched(_) => false,
    };
    key || provider.issuer.starts_with(ADDRESS)
}

/// The development issuers in a policy, as problems.
#[must_use]
pub fn problems(policy: &Policy) -> Vec<Problem> {
    let providers = policy.identity.providers.iter().enumerate();
    providers
        .filter(|(_, provider)| is_development(provider))
        .map(|(index, _)| Problem {
            path: format!("/identity/providers/{index}"),
            found: "an issuer for development, whose key lies in a folder".to_owned(),
            expected: "an identity provider".to_owned(),
        })
        .collect()
}
