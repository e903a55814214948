//! Signatures and keys that others made, judged inside Envoy: with its cryptography, and without.
//! The module that judges them has the filter's code for keys and signatures, and none for claims,
//! which those tokens don't have.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::http::{Client, Request};
use testbed::mesh::Mesh;
use testbed::vectors::{self, Case, Report};
use testbed::wasm;

use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(foreign_signatures_get_the_verdict_that_their_authors_expect);

/// What the host covers of what the cases have.
const COVERED: [&str; 4] = ["ES256", "RS256", "RS384", "RS512"];

fn foreign_signatures_get_the_verdict_that_their_authors_expect(version: &str) {
    let Some(cases) = vectors::all().unwrap() else {
        return;
    };
    let mesh = Mesh::builder()
        .version(Some(version))
        .module(wasm::signature_module().unwrap())
        .start()
        .unwrap();
    let vms = Vms::of(&mesh);
    let client = Client::http1(mesh.port()).unwrap();

    let mut verified = BTreeSet::new();
    let report = Report::of(&cases, |case| {
        let (verdict, times) = ask(&client, case, true);
        let algorithm = case.algorithm().unwrap_or_default();
        if covers(case) {
            // No verdict about a signature is the filter's own, but that two numbers which are out
            // of range are none.
            let judged = match &verdict {
                Ok(()) => true,
                Err(code) => code == "signature_invalid" && algorithm != "ES256",
            };
            assert!(times > 0 || !judged, "{} {}", case.source, case.name);
        } else {
            assert_eq!(times, 0, "{} {}", case.source, case.name);
        }
        if times > 0 {
            verified.insert((algorithm, case.source, case.name.clone()));
        }
        verdict
    });
    println!("with the host's cryptography\n{report}");
    report.check().unwrap();
    let algorithms: BTreeSet<&str> = verified.iter().map(|(one, ..)| one.as_str()).collect();
    assert!(algorithms.iter().eq(&COVERED), "{algorithms:?}");
    println!("the host verified {} of them", verified.len());

    let report = Report::of(&cases, |case| {
        let (verdict, times) = ask(&client, case, false);
        assert_eq!(times, 0, "{} {}", case.source, case.name);
        verdict
    });
    println!("without it\n{report}");
    report.check().unwrap();
    vms.all_live(&mesh);
}

/// Whether the case is for the host.
fn covers(case: &Case) -> bool {
    let algorithm = case.algorithm();
    algorithm.is_some_and(|name| COVERED.contains(&name.as_str()))
}

/// Has a case judged. Gives how many times the host verified, too.
fn ask(client: &Client, case: &Case, host: bool) -> (Result<(), String>, u64) {
    let body = json!({"keys": case.keys, "token": case.token, "host": host});
    let answer = client.send(Request::post("/").json(&body)).unwrap();
    let found = answer.json();
    let verdict = match (answer.status, &found["refused"]) {
        (200, Value::Null) => Ok(()),
        (403, Value::String(why)) => Err(why.clone()),
        (status, _) => panic!("{}: {status} {}", case.name, answer.text()),
    };
    (verdict, found["host"].as_u64().unwrap())
}
