use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use serde_json::{Value, json};

use super::rsa::is_roca;
use super::{Key, KeySet};
use crate::identity::section::{Algorithm, InlineKey};
use crate::testing::{ec_public, jwk};

/// The generator of P-384 (FIPS 186-4, D.1.2.4), a point like any other.
const P384_GENERATOR: [(&str, &str); 2] = [
    (
        "x",
        "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
    ),
    (
        "y",
        "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    ),
];

fn inline(keys: &[Value]) -> Result<KeySet, Vec<String>> {
    let keys: Vec<InlineKey> = keys
        .iter()
        .map(|jwk| InlineKey {
            path: "/k".to_owned(),
            jwk: jwk.clone(),
        })
        .collect();
    KeySet::inline(&keys).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The same number with padding, with zeros in front of it, and with both.
fn spelled(number: &Value) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    let bytes = URL_SAFE_NO_PAD.decode(number.as_str().unwrap()).unwrap();
    let longer = |zeros| [vec![0; zeros], bytes.clone()].concat();
    let mut all = vec![URL_SAFE.encode(&bytes)];
    all.extend((1..4).map(|zeros| URL_SAFE_NO_PAD.encode(longer(zeros))));
    all.extend((1..4).map(|zeros| URL_SAFE.encode(longer(zeros))));
    all
}

fn rsa_public(id: &str) -> Value {
    use base64::Engine as _;
    // Odd, and of 2048 bits: more is not asked of a modulus.
    let modulus = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([0x91; 256]);
    json!({"kty": "RSA", "kid": id, "n": modulus, "e": "AQAB"})
}

fn secret(length: usize, extra: Value) -> Value {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![7; length]);
    let mut jwk = json!({"kty": "oct", "k": text});
    jwk.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    jwk
}

#[test]
fn a_secret_is_at_least_as_long_as_the_hash() {
    let algorithms = |length| {
        Key::compile(&secret(length, json!({})))
            .map(|key| key.algorithms)
            .unwrap_or_default()
    };
    assert_eq!(algorithms(31), []);
    assert_eq!(algorithms(32), [Algorithm::Hs256]);
    assert_eq!(algorithms(48), [Algorithm::Hs256, Algorithm::Hs384]);
    assert_eq!(algorithms(64).len(), 3);
    assert!(Key::compile(&secret(48, json!({"alg": "HS512"}))).is_err());
    let key = Key::compile(&secret(64, json!({"alg": "HS512"}))).unwrap();
    assert_eq!(key.algorithms, [Algorithm::Hs512]);
    assert!(!format!("{key:?}").contains('7'));
}

#[test]
fn ids_are_unique_and_secrets_are_alone() {
    let twice = inline(&[ec_public(1, "a"), ec_public(2, "a")]).unwrap_err();
    assert!(twice[0].contains("same \"kid\""), "{twice:?}");
    let mixed = inline(&[ec_public(1, "a"), secret(32, json!({"kid": "b"}))]).unwrap_err();
    assert!(mixed[0].contains("a secret in one set"), "{mixed:?}");
    assert_eq!(
        inline(&[ec_public(1, "a"), ec_public(2, "b")])
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn of_a_published_set_what_cannot_be_used_is_left_out() {
    let mut encryption = ec_public(3, "c");
    encryption["use"] = json!("enc");
    let mut svid = ec_public(4, "d");
    svid["use"] = json!("jwt-svid");
    let document = json!({"keys": [
        ec_public(1, "a"),
        ec_public(1, "a"),
        ec_public(2, "twice"),
        ec_public(3, "twice"),
        encryption,
        svid,
        secret(32, json!({"kid": "s"})),
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-521"},
        {"kty": "XYZ"},
        7,
    ]});
    let set = KeySet::published(document.to_string().as_bytes(), &KeySet::default()).unwrap();
    let mut ids: Vec<&str> = set.named.keys().map(String::as_str).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "d"]);
}

#[test]
fn keys_that_stay_are_the_same_keys() {
    let set = |seeds: &[(u8, &str)]| {
        let keys: Vec<Value> = seeds
            .iter()
            .map(|(seed, id)| ec_public(*seed, id))
            .collect();
        json!({ "keys": keys }).to_string()
    };
    let before = KeySet::published(set(&[(1, "a"), (2, "b")]).as_bytes(), &KeySet::default());
    let before = before.unwrap();
    let stays = std::rc::Rc::downgrade(&before.keys[0]);
    let goes = std::rc::Rc::downgrade(&before.keys[1]);
    // The same id with another key is another key.
    let after = KeySet::published(set(&[(1, "a"), (3, "b")]).as_bytes(), &before).unwrap();
    drop(before);
    assert_eq!(after.len(), 2);
    assert_eq!(stays.strong_count(), 1);
    assert_eq!(goes.strong_count(), 0);
}

#[test]
fn the_mark_of_the_broken_generator_is_seen() {
    // Every power of 65537 has it.
    assert!(is_roca(&65_537_u128.pow(3).to_be_bytes()));
    assert!(is_roca(&1_u8.to_be_bytes()));
    assert!(!is_roca(&2_u8.to_be_bytes()));
    assert!(!is_roca(&(65_537_u128.pow(3) + 2).to_be_bytes()));
}

#[test]
fn a_point_is_on_its_curve() {
    for curve in ["P-256", "P-384"] {
        let mut key = ec_public(1, "a");
        key["crv"] = json!(curve);
        key["y"] = key["x"].clone();
        let refused = inline(&[key]).unwrap_err();
        let expected = format!("no point of the curve {curve}");
        assert!(refused[0].contains(&expected), "{refused:?}");
    }
}

#[test]
fn a_number_is_the_same_with_padding_and_with_zeros_in_front() {
    let mut p384 = json!({"kty": "EC", "crv": "P-384", "kid": "c"});
    for (name, value) in P384_GENERATOR {
        p384[name] = json!(value);
    }
    for (key, names) in [
        (rsa_public("a"), ["n", "e"]),
        (ec_public(1, "b"), ["x", "y"]),
        (p384, ["x", "y"]),
    ] {
        let usual = Key::compile(&key).unwrap();
        for name in names {
            for spelled in spelled(&key[name]) {
                let mut other = key.clone();
                other[name] = json!(spelled);
                let other = Key::compile(&other).unwrap_or_else(|why| panic!("{name}: {why:?}"));
                assert!(other.is_same(&usual), "{name}: {spelled}");
            }
        }
    }
}

#[test]
fn a_coordinate_that_lost_its_zeros_is_the_same() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    // One key in 128 has a coordinate that begins with a zero.
    let (key, name, bytes) = (0..=u16::MAX)
        .map(|seed| {
            let secret = [&[1; 30][..], &seed.to_be_bytes()].concat();
            let secret =
                <Es256 as jwt_compact::Algorithm>::SigningKey::from_slice(&secret).unwrap();
            jwk(&JsonWebKey::from(secret.verifying_key()), json!({}))
        })
        .find_map(|key| {
            ["x", "y"].into_iter().find_map(|name| {
                let bytes = URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
                (bytes[0] == 0).then(|| (key.clone(), name, bytes))
            })
        })
        .unwrap();
    let mut short = key.clone();
    short[name] = json!(URL_SAFE_NO_PAD.encode(&bytes[1..]));
    let short = Key::compile(&short).unwrap();
    assert!(short.is_same(&Key::compile(&key).unwrap()));
}

#[test]
fn what_is_no_number_is_none() {
    for (name, value) in [
        ("x", json!("")),
        ("x", json!("A+/=")),
        ("x", json!("AQ===")),
        ("y", json!(7)),
        ("y", Value::Null),
    ] {
        let mut key = ec_public(1, "a");
        key[name] = value.clone();
        assert!(Key::compile(&key).is_err(), "{name}: {value}");
    }
}

#[test]
fn a_published_set_may_begin_with_a_byte_order_mark() {
    let document = format!("\u{feff}{}", json!({"keys": [ec_public(1, "a")]}));
    let set = KeySet::published(document.as_bytes(), &KeySet::default()).unwrap();
    assert_eq!(set.len(), 1);
    let twice = format!("\u{feff}{document}");
    assert!(KeySet::published(twice.as_bytes(), &KeySet::default()).is_err());
}
