//! Many keys and many tokens: what a virtual machine needs of memory stays bounded.

use std::ops::Range;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use testbed::envoy::CURRENT;
use testbed::http::raw::Connection;
use testbed::idp::{AUDIENCE, Idp, ManyKeys, now};
use testbed::wait;

use super::{PATIENCE, discovered};
use crate::support::{Guarded, policy};
use crate::vms::Vms;

const KEYS: usize = 1_000;
const TOKENS: usize = 100_000;
const WORKERS: u32 = 8;

/// The most memory that a virtual machine may have, in bytes.
const MAX_MEMORY_BYTES: u64 = 32 * 1024 * 1024;

/// How many threads send, each over so many connections.
const SENDERS: usize = 8;
const CONNECTIONS: usize = 8;

/// What the rule allows.
const MODELS: &str = "/v1/models";

/// One valid token in so many goes on to the model server.
const SERVED: usize = 50;

#[test]
fn memory_stays_bounded_under_many_keys_and_tokens() {
    let idp = Idp::start().unwrap();
    let many = ManyKeys::generate(KEYS);
    idp.publish(many.jwks());
    // Whom no rule allows is refused after the token was checked, at no cost to others.
    let policy = policy(&json!({
        "identity": {"providers": [discovered("idp", &idp.issuer(), &json!({"refresh": "5s"}))]},
        "rules": [{"name": "models", "when": {"operation": ["model.list"]}, "then": "allow"}],
    }));
    let guarded = Guarded::start_with(CURRENT, &policy, |builder| {
        builder
            .alone()
            .concurrency(WORKERS)
            .cluster("idp", idp.port())
    });
    let vms = Vms::of(&guarded.mesh);
    let senders = Senders {
        port: guarded.mesh.port(),
        issuer: idp.issuer(),
        many: &many,
    };
    thread::scope(|scope| {
        let share = TOKENS / SENDERS;
        let threads: Vec<_> = (0..SENDERS)
            .map(|at| {
                let senders = &senders;
                scope.spawn(move || senders.send(at * share..(at + 1) * share))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(guarded.model.begun(), TOKENS / SERVED);

    let gauge = "portcullis_memory_bytes";
    let memory = wait::value(gauge, PATIENCE, || {
        let found = guarded.mesh.stats(gauge).unwrap().into_values().max();
        found.filter(|bytes| *bytes > 0)
    });
    let memory = memory.unwrap();
    eprintln!("largest memory of a virtual machine: {} KiB", memory / 1024);
    assert!(memory < MAX_MEMORY_BYTES, "{memory} bytes");
    vms.all_live(&guarded.mesh);
}

struct Senders<'a> {
    port: u16,
    issuer: String,
    many: &'a ManyKeys,
}

impl Senders<'_> {
    /// Sends each token of a range, and one that is forged of it.
    fn send(&self, numbers: Range<usize>) {
        let mut connections: Vec<Connection> = (0..CONNECTIONS)
            .map(|_| Connection::open(self.port).unwrap())
            .collect();
        let numbers: Vec<usize> = numbers.collect();
        let mut signature = String::new();
        for round in numbers.chunks(CONNECTIONS) {
            let mut forgeries = Vec::new();
            for (number, connection) in round.iter().zip(&mut connections) {
                let token = self.token(*number);
                forgeries.push(forged(*number, &token, &signature));
                signature = token.rsplit_once('.').unwrap().1.to_owned();
                let path = if served(*number) { MODELS } else { "/v1/files" };
                connection.send(request(path, &token).as_bytes()).unwrap();
            }
            for (number, connection) in round.iter().zip(&mut connections) {
                is_answered(connection, if served(*number) { 200 } else { 403 });
            }
            for (token, connection) in forgeries.iter().zip(&mut connections) {
                connection.send(request(MODELS, token).as_bytes()).unwrap();
            }
            for (_, connection) in forgeries.iter().zip(&mut connections) {
                is_answered(connection, 401);
            }
        }
    }

    fn token(&self, number: usize) -> String {
        let claims = json!({
            "iss": self.issuer,
            "sub": format!("person-{number}"),
            "aud": AUDIENCE,
            "iat": now(),
            "exp": now() + 3600,
        });
        self.many.token(number, &claims).unwrap()
    }
}

fn served(number: usize) -> bool {
    number.is_multiple_of(SERVED)
}

fn is_answered(connection: &mut Connection, status: u16) {
    let answer = connection.response().unwrap();
    assert_eq!(answer.status, status, "{}", answer.text());
}

fn request(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: size.test\r\nauthorization: Bearer {token}\r\n\r\n")
}

/// A token that differs from every other, and must be refused: under the signature of the one
/// before, without any, or no token at all.
fn forged(number: usize, token: &str, other: &str) -> String {
    let (text, signature) = token.rsplit_once('.').unwrap();
    let (_, claims) = text.split_once('.').unwrap();
    match number % 10 {
        0 => format!("{claims}.{text}.{signature}"),
        1 => {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
            format!("{header}.{claims}.")
        }
        2 => format!("{text}.{}", URL_SAFE_NO_PAD.encode([7; 64])),
        _ => format!("{text}.{other}"),
    }
}
