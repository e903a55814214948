//! An authority of TLS certificates, for tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    SanType,
};

/// An authority whose certificates are trusted where a test says so.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(name: &str) -> Result<Self, String> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        CertifiedIssuer::self_signed(params, key()?)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// Its own certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names: with a colon they are URIs, as numbers addresses, else names of DNS.
    ///
    /// # Errors
    /// When a name is none.
    pub fn issue(&self, names: &[&str]) -> Result<Issued, String> {
        let (uris, others): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| name.contains(':'));
        let others: Vec<String> = others.into_iter().map(str::to_owned).collect();
        let failed = |error: rcgen::Error| error.to_string();
        let mut params = CertificateParams::new(others).map_err(failed)?;
        for uri in uris {
            let uri = uri.try_into().map_err(failed)?;
            params.subject_alt_names.push(SanType::URI(uri));
        }
        let key = key()?;
        let certificate = params.signed_by(&key, &self.0).map_err(failed)?;
        Ok(Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn key() -> Result<KeyPair, String> {
    KeyPair::generate().map_err(|error| error.to_string())
}
