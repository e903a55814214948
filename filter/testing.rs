//! Keys, tokens and shared memory for unit tests.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmSignature as _};
use serde_json::{Value, json};

use crate::shared::{Shared, SharedError};

type EcSecret = <Es256 as Algorithm>::SigningKey;

pub(crate) fn ec_secret(seed: u8) -> EcSecret {
    EcSecret::from_slice(&[seed; 32]).unwrap()
}

/// The public half of a key as a JSON Web Key with further members.
pub(crate) fn jwk(key: &JsonWebKey<'_>, extra: Value) -> Value {
    let mut value = serde_json::to_value(key).unwrap();
    let members = value.as_object_mut().unwrap();
    members.remove("d");
    members.extend(extra.as_object().unwrap().clone());
    value
}

pub(crate) fn ec_public(seed: u8, id: &str) -> Value {
    jwk(
        &JsonWebKey::from(ec_secret(seed).verifying_key()),
        json!({"kid": id}),
    )
}

/// A compact token over whatever header and claims a test wants.
pub(crate) fn signed<A: Algorithm>(
    algorithm: &A,
    key: &A::SigningKey,
    header: &Value,
    claims: &Value,
) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = algorithm.sign(key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_bytes()))
}

/// The text as gzip (RFC 1952).
pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut sum = !0_u32;
    for byte in text {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(miniz_oxide::deflate::compress_to_vec(text, 6));
    bytes.extend((!sum).to_le_bytes());
    bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    bytes
}

/// What the workers of one test share.
#[derive(Default)]
pub(crate) struct Memory {
    values: Mutex<HashMap<String, (Vec<u8>, u32)>>,
    fault: Fault,
}

/// What is wrong with it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Fault {
    #[default]
    None,
    /// Nothing can be made, read or written.
    Broken,
    /// Somebody else is always faster.
    Contended,
}

impl Memory {
    /// One that has these values, which are empty.
    pub(crate) fn with<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let memory = Self::default();
        for name in names {
            memory.make(name).unwrap();
        }
        memory
    }

    /// One that does nothing.
    pub(crate) fn broken() -> Self {
        Self {
            fault: Fault::Broken,
            ..Self::default()
        }
    }

    /// One in which nobody is ever alone; every value there may be is there.
    pub(crate) fn contended() -> Self {
        Self {
            fault: Fault::Contended,
            ..Self::default()
        }
    }

    pub(crate) fn put(&self, name: &str, value: &[u8]) {
        let mut values = self.values.lock().unwrap();
        let version = values.get(name).map_or(0, |(_, version)| *version);
        values.insert(name.to_owned(), (value.to_vec(), version + 1));
    }

    pub(crate) fn values(&self) -> Vec<Vec<u8>> {
        let values = self.values.lock().unwrap();
        values.values().map(|(value, _)| value.clone()).collect()
    }
}

impl Shared for Memory {
    fn make(&self, name: &str) -> Result<(), SharedError> {
        if self.fault == Fault::Broken {
            return Err(SharedError);
        }
        let mut values = self.values.lock().unwrap();
        values.entry(name.to_owned()).or_insert((Vec::new(), 1));
        Ok(())
    }

    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        match self.fault {
            Fault::Broken => return Err(SharedError),
            Fault::Contended => return Ok((Vec::new(), 1)),
            Fault::None => {}
        }
        let values = self.values.lock().unwrap();
        values.get(name).cloned().ok_or(SharedError)
    }

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        match self.fault {
            Fault::Broken => return Err(SharedError),
            Fault::Contended => return Ok(false),
            Fault::None => {}
        }
        let mut values = self.values.lock().unwrap();
        let value = values.get_mut(name).ok_or(SharedError)?;
        if value.1 != version {
            return Ok(false);
        }
        *value = (bytes.to_vec(), version + 1);
        Ok(true)
    }
}
