//! What is read of certificates (RFC 5280). Whether a client's may be believed has been decided before.

use std::sync::Arc;

use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The most names that are taken of one certificate.
const MAX_NAMES: usize = 64;

/// Whom a client's certificate names: the URIs and DNS names that stand in it as subject alternative names
/// (RFC 5280, 4.2.1.6). Empty for a client without a certificate. Requests on such a connection carry it as an
/// extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertifiedNames(Arc<[String]>);

impl CertifiedNames {
    /// These names.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self(names.into())
    }

    /// The names; those of DNS in lower case.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The URIs and DNS names that a certificate is for. None if it can't be read.
pub(super) fn names(der: &[u8]) -> CertifiedNames {
    let Ok(certificate) = Certificate::from_der(der) else {
        return CertifiedNames::default();
    };
    let Ok(Some((_, names))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
        return CertifiedNames::default();
    };
    let names = names.0.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        _ => None,
    });
    CertifiedNames::new(names.take(MAX_NAMES).collect())
}

/// When a certificate ends, in seconds since 1970. `None` if it can't be read.
pub(super) fn expires(der: &[u8]) -> Option<u64> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate.tbs_certificate.validity.not_after;
    Some(end.to_unix_duration().as_secs())
}
