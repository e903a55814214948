//! Whom to trust where a model server is reached by TLS. Envoy has no authorities of its own, and none
//! is trusted unless it is told a file, so it is told the one that is read here too.

use std::path::{Path, PathBuf};

use ureq::tls::RootCerts;

use crate::pem;

/// Where systems keep the authorities that they trust: Debian and Alpine, Fedora, SUSE, macOS.
const PLACES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file with the authorities: the one that is named, the one that OpenSSL's variable names, or the system's.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, String> {
    let file = match named {
        Some(named) => named.to_owned(),
        None => {
            let variable = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
            let mut places = variable.into_iter().chain(PLACES.map(PathBuf::from));
            places.find(|place| place.is_file()).ok_or_else(|| {
                format!(
                    "found no file with the authorities that this system trusts (looked at {}), expected one: \
                     --ca FILE",
                    PLACES.join(", ")
                )
            })?
        }
    };
    // Envoy runs in another folder.
    std::path::absolute(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The authorities in a file.
pub(super) fn roots(file: &Path) -> Result<RootCerts, String> {
    Ok(RootCerts::new_with_certs(&pem::certificates(file)?))
}
