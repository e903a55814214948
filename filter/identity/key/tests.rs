use jwt_compact::alg::Es256;
use jwt_compact::jwk::JsonWebKey;
use serde_json::{Value, json};

use super::rsa::is_roca;
use super::{Key, KeySet};
use crate::identity::section::{Algorithm, InlineKey};
use crate::testing::{ec_public, jwk};
use base::policy::Problem;

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

/// The keys' ids and the warnings, or what is wrong.
type Compiled = Result<(Vec<Option<String>>, Vec<String>), Vec<String>>;

fn inline(keys: &[Value], algorithms: &[Algorithm]) -> Compiled {
    let keys: Vec<InlineKey> = keys
        .iter()
        .enumerate()
        .map(|(place, jwk)| InlineKey {
            path: format!("/{place}"),
            jwk: jwk.clone(),
        })
        .collect();
    let told = |all: Vec<Problem>| all.iter().map(ToString::to_string).collect();
    match KeySet::inline(&keys, algorithms) {
        Ok((set, warnings)) => Ok((
            set.ids().map(|id| id.map(str::to_owned)).collect(),
            told(warnings),
        )),
        Err(problems) => Err(told(problems)),
    }
}

fn public(keys: &[Value]) -> Compiled {
    inline(keys, &[Algorithm::Rs256, Algorithm::Es256])
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
    // Odd, and of 2048 bits: more is not asked of a modulus.
    json!({"kty": "RSA", "kid": id, "n": base64_of(&[0x91; 256]), "e": "AQAB"})
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn secret(length: usize, extra: Value) -> Value {
    let mut jwk = json!({"kty": "oct", "k": base64_of(&vec![7; length])});
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
fn secrets_and_public_keys_are_not_in_one_set() {
    let all = Algorithm::NAMES.map(|(_, algorithm)| algorithm);
    let keys = [ec_public(1, "a"), secret(32, json!({"kid": "b"}))];
    let mixed = inline(&keys, &all).unwrap_err();
    assert_eq!(mixed.len(), 1);
    assert!(mixed[0].starts_with("/1: found a secret in one set with public keys"));
    assert!(inline(&[keys[1].clone()], &all).is_ok());
}

/// What providers publish besides keys for signatures, with the words that tell of it.
fn unusable() -> Vec<(Value, &'static str)> {
    let with = |mut key: Value, name: &str, value: &str| {
        key[name] = json!(value);
        key
    };
    let weak = base64_of(&[0x91; 128]);
    vec![
        (
            json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA", "kid": "u"}),
            "kind \"AKP\"",
        ),
        (
            json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
            "curve \"P-521\"",
        ),
        (
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            "curve \"X25519\"",
        ),
        (with(rsa_public("u"), "use", "enc"), "the use \"enc\""),
        (with(rsa_public("u"), "alg", "RSA-OAEP"), "\"RSA-OAEP\""),
        (with(ec_public(9, "u"), "alg", "ECDH-ES"), "\"ECDH-ES\""),
        (
            json!({"kty": "RSA", "n": weak, "e": "AQAB"}),
            "an RSA key of 1024 bits",
        ),
        (json!({"kty": "RSA", "e": "AQAB"}), "\"n\" is missing"),
        (secret(32, json!({"kid": "u"})), "a secret"),
        (secret(1, json!({})), "a secret shorter"),
        (json!({}), "kind \"none\""),
        (json!({"kid": 7, "kty": "RSA"}), "\"n\" is missing"),
        (Value::Null, "something that is no object"),
        (json!("hunter2"), "something that is no object"),
        (json!(7), "something that is no object"),
        (json!([]), "something that is no object"),
    ]
}

#[test]
fn what_cannot_be_used_is_ignored_and_the_others_work() {
    for (key, words) in unusable() {
        let keys = [ec_public(1, "a"), key.clone(), ec_public(2, "b")];
        let (ids, warnings) = public(&keys).unwrap();
        assert_eq!(ids, [Some("a".to_owned()), Some("b".to_owned())], "{key}");
        let [warning] = warnings.as_slice() else {
            panic!("{key}: {warnings:?}");
        };
        assert!(warning.starts_with("/1: found "), "{warning}");
        assert!(warning.contains(words), "{warning}");
        assert!(
            warning.contains(", which is ignored, expected "),
            "{warning}"
        );
        assert!(!warning.contains("hunter2"), "{warning}");
        let document = json!({ "keys": keys }).to_string();
        let set = KeySet::published(document.as_bytes(), &KeySet::default()).unwrap();
        assert_eq!(
            set.ids().collect::<Vec<_>>(),
            [Some("a"), Some("b")],
            "{key}"
        );
    }
}

#[test]
fn a_set_of_which_nothing_can_be_used_says_why_for_each_key() {
    let (keys, words): (Vec<_>, Vec<_>) = unusable().into_iter().unzip();
    let problems = public(&keys).unwrap_err();
    assert_eq!(problems.len(), words.len());
    for (place, (problem, words)) in problems.iter().zip(words).enumerate() {
        assert!(
            problem.starts_with(&format!("/{place}: found ")),
            "{problem}"
        );
        assert!(problem.contains(words), "{problem}");
        assert!(!problem.contains("ignored"), "{problem}");
    }
    let document = json!({ "keys": keys }).to_string();
    let why = KeySet::published(document.as_bytes(), &KeySet::default()).unwrap_err();
    let first = "found 16 keys, of which none can be used (the first is a key of kind \"AKP\"";
    assert!(why.starts_with(first), "{why}");
    // There is nothing to be said of no keys.
    assert_eq!(public(&[]).unwrap(), (vec![], vec![]));
}

#[test]
fn of_two_keys_with_one_id_neither_is_used() {
    let keys = [ec_public(1, "a"), ec_public(2, "t"), ec_public(3, "t")];
    let (ids, warnings) = public(&keys).unwrap();
    assert_eq!(ids, [Some("a".to_owned())]);
    for (warning, path) in warnings.iter().zip(["/1: ", "/2: "]) {
        assert!(warning.starts_with(path), "{warning}");
        assert!(warning.contains("the same \"kid\""), "{warning}");
    }
    assert_eq!(warnings.len(), 2);
    assert_eq!(public(&keys[1..]).unwrap_err().len(), 2);
    // A key that is there twice is one; and RFC 7517, section 4.5, has one id for keys of two kinds.
    let keys = [ec_public(1, "a"), ec_public(1, "a"), rsa_public("a")];
    let (ids, warnings) = public(&keys).unwrap();
    assert_eq!((ids.len(), warnings.len()), (2, 0));
}

#[test]
fn what_no_published_set_has_is_a_mistake() {
    let mut private = ec_public(2, "b");
    private["d"] = json!("AQ");
    let problems = public(&[ec_public(1, "a"), private]).unwrap_err();
    assert_eq!(problems, ["/1: found a private key, expected a public key"]);
    let keys = [
        secret(32, json!({"kid": "a"})),
        secret(31, json!({"kid": "b"})),
    ];
    let problems = inline(&keys, &[Algorithm::Hs256]).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("/1: found a secret shorter than 32 bytes"));
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
        let refused = public(&[key]).unwrap_err();
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
