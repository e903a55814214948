//! Signatures and keys that others made: the verdict is the one that they expect.
#![cfg(not(target_arch = "wasm32"))]

use portcullis::identity::section::{Algorithm, InlineKey};
use portcullis::identity::{KeySet, NoNative, verify_jws};
use testbed::vectors::{self, Case, LeftOut, Report};

fn verdict(case: &Case) -> Result<(), String> {
    let mut keys = Vec::new();
    for (index, jwk) in case.keys.iter().enumerate() {
        keys.push(InlineKey {
            path: format!("/keys/{index}"),
            jwk: jwk.clone(),
        });
    }
    let algorithms = Algorithm::NAMES.map(|(_, algorithm)| algorithm);
    let (set, _) = KeySet::inline(&keys, &algorithms).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("keys: {}", problems.join("; "))
    })?;
    verify_jws(&case.token, &set, &algorithms, &NoNative)
        .map_err(|refusal| refusal.code().to_string())
}

#[test]
fn the_verdict_is_the_expected_one() {
    let Some(cases) = vectors::all().unwrap() else {
        return;
    };
    let report = Report::of(&cases, verdict);
    println!("{report}");
    report.check().unwrap();
}

#[test]
fn what_is_left_out_has_the_reason_that_is_told() {
    let Some(cases) = vectors::all().unwrap() else {
        return;
    };
    for case in &cases {
        let algorithm = case.algorithm();
        let has_reason = match case.left_out {
            None => true,
            Some(LeftOut::Algorithm) => {
                algorithm.is_some_and(|name| Algorithm::named(&name).is_none())
            }
            Some(LeftOut::OtherAlgorithm) => {
                algorithm.is_some_and(|name| case.keys.iter().all(|key| key["alg"] != name))
            }
            Some(LeftOut::SameAsValid) => cases
                .iter()
                .any(|other| other.valid && other.token == case.token && other.keys == case.keys),
            Some(LeftOut::NotBase64url) => case.token.contains('?'),
            Some(LeftOut::JsonSerialization) => case.token.starts_with('{'),
            Some(LeftOut::DetachedContent) => case.token.contains(".."),
        };
        assert!(has_reason, "{} {}", case.source, case.name);
    }
}
