//! Certificates and keys from files, and the configuration that they make.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::certificate;
use super::failure::TlsFailure;
use crate::config;

/// The largest file of certificates or keys, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What the files say.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) http: Arc<ServerConfig>,
    pub(super) grpc: Arc<ServerConfig>,
    /// When the desk's certificate ends, in seconds since 1970.
    pub(super) expires: u64,
}

/// The files' contents.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Reads the files.
///
/// # Errors
/// Names the file that can't be read.
pub(super) fn read(files: &config::Tls) -> Result<Material, TlsFailure> {
    Ok(Material {
        certificate: contents(&files.certificate)?,
        key: contents(&files.key)?,
        client_ca: files.client_ca.as_deref().map(contents).transpose()?,
    })
}

fn contents(path: &Path) -> Result<Vec<u8>, TlsFailure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
        .map_err(|error| TlsFailure(format!("{} can't be read: {error}", path.display())))?;
    Ok(bytes)
}

impl Material {
    /// The configurations that these contents make.
    ///
    /// # Errors
    /// Names the file that is wrong; never quotes it.
    pub(super) fn load(&self, files: &config::Tls) -> Result<Loaded, TlsFailure> {
        let chain = certificates(&self.certificate, &files.certificate)?;
        let leaf = chain.first().and_then(|leaf| certificate::expires(leaf));
        let expires = leaf.ok_or_else(|| {
            let path = files.certificate.display();
            TlsFailure(format!(
                "{path}: found a first certificate of no known form"
            ))
        })?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| {
            let path = files.key.display();
            TlsFailure(format!("{path}: found no private key, expected one (PEM)"))
        })?;
        let provider = Arc::new(default_provider());
        let wrong = |error: rustls::Error| {
            let (certificate, key) = (files.certificate.display(), files.key.display());
            TlsFailure(format!("{certificate} and {key} don't fit: {error}"))
        };
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?;
        let builder = match self.verifier(files)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut http = builder.with_single_cert(chain, key).map_err(wrong)?;
        http.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut grpc = http.clone();
        grpc.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Loaded {
            http: Arc::new(http),
            grpc: Arc::new(grpc),
            expires,
        })
    }

    fn verifier(
        &self,
        files: &config::Tls,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsFailure> {
        let (Some(bytes), Some(path)) = (&self.client_ca, &files.client_ca) else {
            return Ok(None);
        };
        let unfit = |error: &dyn std::fmt::Display| {
            TlsFailure(format!("{}: found no authority: {error}", path.display()))
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(bytes, path)? {
            roots.add(certificate).map_err(|error| unfit(&error))?;
        }
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = match files.client_certificate {
            config::ClientCertificate::Required => verifier,
            config::ClientCertificate::Optional => verifier.allow_unauthenticated(),
        };
        verifier.build().map(Some).map_err(|error| unfit(&error))
    }
}

/// All certificates of a file: at least one.
fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFailure> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| {
        let path = path.display();
        TlsFailure(format!("{path}: found no certificates, expected PEM"))
    })
}
