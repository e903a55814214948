//! What clients read from PEM files.

use std::path::Path;

use ureq::tls::{Certificate, PemItem, PrivateKey, parse_pem};

/// The longest file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The certificates in a file.
///
/// # Errors
/// It can't be read, or has none; with the file's name.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in items(path)? {
        if let PemItem::Certificate(certificate) = item {
            found.push(certificate);
        }
    }
    match found.is_empty() {
        true => Err(lacks(path, "certificate")),
        false => Ok(found),
    }
}

/// The private key in a file.
///
/// # Errors
/// It can't be read, or has none; with the file's name.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKey<'static>, String> {
    let keys = items(path)?.into_iter().filter_map(|item| match item {
        PemItem::PrivateKey(key) => Some(key),
        _ => None,
    });
    keys.into_iter()
        .next()
        .ok_or_else(|| lacks(path, "private key"))
}

fn items(path: &Path) -> Result<Vec<PemItem<'static>>, String> {
    let said = |why: String| format!("{}: {why}", path.display());
    let file = std::fs::File::open(path).map_err(|error| said(error.to_string()))?;
    let text = crate::policy::read_from(file, MAX_BYTES).map_err(said)?;
    let items = parse_pem(text.as_bytes()).collect::<Result<_, _>>();
    items.map_err(|error| said(error.to_string()))
}

fn lacks(path: &Path, what: &str) -> String {
    format!("{}: found no {what}, expected one (PEM)", path.display())
}
