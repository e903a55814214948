use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::json;

use super::Cache;
use crate::identity::Identity;
use crate::identity::checks::Lifetime;
use crate::identity::key::Key;
use crate::testing::ec_public;
use base::identity::Kind;

const NOW: u64 = 1_800_000_000;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn identity(subject: &str, groups: usize) -> Rc<Identity> {
    Rc::new(Identity {
        provider: "corp".to_owned(),
        issuer: "https://idp".to_owned(),
        subject: subject.to_owned(),
        kind: Kind::Person,
        client: None,
        token: None,
        groups: vec!["g".repeat(500); groups],
        email: None,
        expires: Duration::ZERO,
        claims: BTreeMap::new(),
    })
}

fn lifetime(expires: u64) -> Lifetime {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": "i", "audiences": ["a"], "leeway": "10s",
            "keys": {"jwks": {"keys": []}},
        }]},
        "rules": [{"name": "all", "then": "allow"}],
    });
    let policy = crate::policy::load(&policy.to_string(), &|_| None).unwrap();
    let claims = json!({"exp": expires, "nbf": NOW});
    Lifetime::of(&policy.identity.providers[0], claims.as_object().unwrap()).unwrap()
}

fn key() -> Rc<Key> {
    Rc::new(Key::compile(&ec_public(1, "a")).unwrap())
}

#[test]
fn an_entry_lives_as_long_as_its_token() {
    let mut cache = Cache::new(10, [1; 16]);
    let key = key();
    let digest = cache.digest("token");
    assert!(cache.get(digest, at(NOW)).is_none());
    cache.insert(digest, &identity("jane", 0), lifetime(NOW + 60), &key);
    assert_eq!(cache.get(digest, at(NOW)).unwrap().subject, "jane");
    assert!(cache.get(digest, at(NOW + 69)).is_some());
    assert!(cache.get(digest, at(NOW + 70)).is_none());
    // A clock that goes back does not make it valid before its time.
    assert!(cache.get(digest, at(NOW - 11)).is_none());
    assert!(cache.get(cache.digest("tokem"), at(NOW)).is_none());
}

#[test]
fn an_entry_dies_with_its_key() {
    let mut cache = Cache::new(10, [1; 16]);
    let key = key();
    let digest = cache.digest("token");
    cache.insert(digest, &identity("jane", 0), lifetime(NOW + 60), &key);
    drop(key);
    assert!(cache.get(digest, at(NOW)).is_none());
}

#[test]
fn entries_in_use_stay_and_the_others_go() {
    let mut cache = Cache::new(100, [1; 16]);
    let key = key();
    let used = cache.digest("used");
    cache.insert(used, &identity("used", 0), lifetime(NOW + 60), &key);
    for number in 0..10_000 {
        let digest = cache.digest(&number.to_string());
        cache.insert(digest, &identity("x", 0), lifetime(NOW + 60), &key);
        assert!(cache.get(used, at(NOW)).is_some(), "after {number}");
        assert!(cache.young.len() + cache.old.len() <= 100);
    }
    assert!(cache.get(cache.digest("0"), at(NOW)).is_none());
    assert!(cache.get(cache.digest("9999"), at(NOW)).is_some());
}

#[test]
fn large_entries_are_bounded_by_their_bytes() {
    let mut cache = Cache::new(60_000, [1; 16]);
    let key = key();
    for number in 0..200 {
        let digest = cache.digest(&number.to_string());
        // About half a megabyte each.
        cache.insert(digest, &identity("x", 1000), lifetime(NOW + 60), &key);
        assert!(cache.young.len() + cache.old.len() <= 8, "after {number}");
    }
    let digest = cache.digest("huge");
    cache.insert(digest, &identity("x", 10_000), lifetime(NOW + 60), &key);
    assert!(
        cache.get(digest, at(NOW)).is_none(),
        "larger than half of all"
    );
}

#[test]
fn the_digest_depends_on_the_key_of_the_cache() {
    let (one, other) = (Cache::new(10, [1; 16]), Cache::new(10, [2; 16]));
    assert_ne!(one.digest("token"), other.digest("token"));
    assert_eq!(one.digest("token"), Cache::new(5, [1; 16]).digest("token"));
}
