//! Keys, tokens and shared memory for unit tests.

use core::cell::RefCell;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmSignature as _};
use serde_json::{Value, json};

use crate::identity::Board;

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

/// The board of workers that run in one test.
#[derive(Default)]
pub(crate) struct Memory(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl Memory {
    /// Makes values that are not there, as a host does before the first look.
    pub(crate) fn prepare(&self, names: impl IntoIterator<Item = String>) {
        let mut values = self.0.borrow_mut();
        for name in names {
            values.entry(name).or_insert((Vec::new(), 1));
        }
    }

    pub(crate) fn put(&self, name: String, value: &[u8]) {
        self.0.borrow_mut().insert(name, (value.to_vec(), 5));
    }
}

impl Board for Memory {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().get(name).cloned()
    }

    fn swap(&self, name: &str, value: &[u8], change: u32) -> bool {
        match self.0.borrow_mut().get_mut(name) {
            Some((old, number)) if *number == change => {
                *old = value.to_vec();
                *number += 1;
                true
            }
            _ => false,
        }
    }
}
