//! Tokens whose keys are fetched.

use core::time::Duration;

use jwt_compact::alg::Es256;
use serde_json::{Value, json};

use super::NOW;
use crate::identity::{KeyAnswer, NoNative, Refusal, Unverified, Verifier};
use crate::policy;
use crate::shared::Shared as _;
use crate::testing::{Memory, ec_public, ec_secret, signed};

struct Bench {
    verifier: Verifier,
    memory: Memory,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        let policy = json!({
            "version": 1,
            "identity": {"providers": [{
                "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
                "keys": {"jwks_uri": {"uri": "https://idp/keys", "cluster": "idp"}},
            }]},
            "rules": [{"name": "all", "then": "allow"}],
        });
        let policy = policy::load(&policy.to_string(), &|_| None).unwrap();
        let verifier = Verifier::new(&policy.identity, Some([9; 32])).unwrap();
        let memory = Memory::default();
        for name in verifier.shared_names() {
            memory.make(&name).unwrap();
        }
        Self {
            verifier,
            memory,
            now: Duration::from_secs(NOW),
        }
    }

    fn wait(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// Looks after the keys; gives whether the provider is asked.
    fn tend(&self) -> bool {
        !self
            .verifier
            .tend(self.now, &self.memory)
            .requests
            .is_empty()
    }

    fn publish(&self, keys: &[Value]) -> bool {
        let document = json!({ "keys": keys }).to_string();
        self.verifier
            .answered(
                0,
                Ok(Some(KeyAnswer {
                    status: 200,
                    coding: b"",
                    body: document.as_bytes(),
                })),
                self.now,
                &self.memory,
            )
            .renewed
    }

    fn verify(&self, token: &str, arrived: Duration) -> Result<String, Unverified> {
        self.verifier
            .verify(token, arrived, self.now, &NoNative)
            .map(|identity| identity.subject.clone())
    }
}

fn token(seed: u8, id: &str) -> String {
    signed(
        &Es256,
        &ec_secret(seed),
        &json!({"alg": "ES256", "kid": id}),
        &json!({"iss": "https://idp", "aud": "inference", "sub": id, "exp": NOW + 6000}),
    )
}

const WAIT: Unverified = Unverified::Wait(Duration::from_secs(5));

#[test]
fn before_the_first_keys_requests_wait_and_not_for_ever() {
    let mut bench = Bench::new();
    let arrived = bench.now;
    let token = token(1, "a");
    assert_eq!(bench.verify(&token, arrived), Err(WAIT));
    assert!(bench.tend());
    bench.wait(4999);
    assert_eq!(bench.verify(&token, arrived), Err(WAIT));
    bench.wait(1);
    assert_eq!(
        bench.verify(&token, arrived),
        Err(Refusal::KeysUnavailable.into())
    );
    assert!(bench.publish(&[ec_public(1, "a")]));
    assert_eq!(bench.verify(&token, arrived), Ok("a".to_owned()));
}

#[test]
fn a_new_key_costs_one_wait_and_a_made_up_one_too() {
    let mut bench = Bench::new();
    assert!(bench.tend());
    bench.publish(&[ec_public(1, "a")]);
    bench.wait(60_000);
    let arrived = bench.now;
    assert_eq!(bench.verify(&token(2, "b"), arrived), Err(WAIT));
    assert_eq!(bench.verify(&token(3, "made up"), arrived), Err(WAIT));
    assert!(bench.tend());
    bench.wait(20);
    assert!(bench.publish(&[ec_public(1, "a"), ec_public(2, "b")]));
    assert_eq!(bench.verify(&token(2, "b"), arrived), Ok("b".to_owned()));
    let unknown = Err(Refusal::UnknownKey.into());
    assert_eq!(bench.verify(&token(3, "made up"), arrived), unknown);
    // Who comes again with it doesn't wait again, for a while.
    bench.wait(1000);
    assert_eq!(bench.verify(&token(3, "made up"), bench.now), unknown);
    bench.wait(10_000);
    assert_eq!(bench.verify(&token(3, "made up"), bench.now), Err(WAIT));
}

#[test]
fn a_forged_signature_or_a_wrong_algorithm_asks_for_no_keys() {
    let mut bench = Bench::new();
    assert!(bench.tend());
    bench.publish(&[ec_public(1, "a")]);
    bench.wait(10_000);
    assert_eq!(
        bench.verify(&token(2, "a"), bench.now),
        Err(Refusal::SignatureInvalid.into())
    );
    let claims = json!({"iss": "https://idp", "aud": "inference", "sub": "x", "exp": NOW + 60});
    let symmetric = signed(
        &Es256,
        &ec_secret(1),
        &json!({"alg": "HS256", "kid": "b"}),
        &claims,
    );
    assert_eq!(
        bench.verify(&symmetric, bench.now),
        Err(Refusal::AlgorithmNotAllowed.into())
    );
    assert!(!bench.tend());
}

#[test]
fn a_kept_token_goes_with_its_key() {
    let mut bench = Bench::new();
    assert!(bench.tend());
    bench.publish(&[ec_public(1, "a"), ec_public(2, "b")]);
    let (one, other) = (token(1, "a"), token(2, "b"));
    for _ in 0..2 {
        assert_eq!(bench.verify(&one, bench.now), Ok("a".to_owned()));
        assert_eq!(bench.verify(&other, bench.now), Ok("b".to_owned()));
    }
    bench.wait(300_000);
    assert!(bench.tend());
    bench.publish(&[ec_public(2, "b")]);
    bench.wait(1);
    assert_eq!(bench.verify(&one, bench.now), Err(WAIT));
    assert_eq!(bench.verify(&other, bench.now), Ok("b".to_owned()));
}

/// What a provider may publish in which there is no key for anybody.
fn nothing_usable() -> [Vec<Value>; 4] {
    [
        vec![],
        vec![json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"})],
        vec![json!({"kty": "oct", "k": "A".repeat(43)}), Value::Null],
        vec![ec_public(1, "a"), ec_public(2, "a")],
    ]
}

#[test]
fn a_set_without_a_key_is_not_the_callers_fault() {
    for keys in nothing_usable() {
        let mut bench = Bench::new();
        let arrived = bench.now;
        assert_eq!(bench.verify(&token(1, "a"), arrived), Err(WAIT));
        assert!(bench.tend());
        bench.wait(20);
        assert!(!bench.publish(&keys));
        assert_eq!(bench.verify(&token(1, "a"), arrived), Err(WAIT));
        bench.wait(5000);
        let refused = Err(Refusal::KeysUnavailable.into());
        assert_eq!(bench.verify(&token(1, "a"), arrived), refused, "{keys:?}");
    }
}

#[test]
fn a_set_without_a_key_leaves_the_last_good_one_in_place() {
    for keys in nothing_usable() {
        let mut bench = Bench::new();
        assert!(bench.tend());
        bench.publish(&[ec_public(1, "a")]);
        bench.wait(300_000);
        assert!(bench.tend());
        assert!(!bench.publish(&keys));
        assert_eq!(bench.verify(&token(1, "a"), bench.now), Ok("a".to_owned()));
    }
}
