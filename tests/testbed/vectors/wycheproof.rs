//! Wycheproof's files.

use std::path::Path;

use serde_json::Value;

use super::{Case, LeftOut, Source, list, public, read, text};

/// The cases of signatures that get another verdict.
const OTHERWISE: [(u64, LeftOut); 8] = [
    (346, LeftOut::OtherAlgorithm),
    (347, LeftOut::Algorithm),
    (350, LeftOut::OtherAlgorithm),
    (351, LeftOut::Algorithm),
    (367, LeftOut::SameAsValid),
    (370, LeftOut::SameAsValid),
    (372, LeftOut::NotBase64url),
    (373, LeftOut::NotBase64url),
];

/// The signatures whose keys are what is wrong.
const KEYS_OF_SIGNATURES: [(u64, &str); 4] = [
    (353, "a key for the use \"enc\""),
    (354, "a key for the use \"enc\""),
    (355, "\"key_ops\" don't include \"verify\""),
    (356, "\"key_ops\" don't include \"verify\""),
];

/// What is wrong with the keys, or with the signature by good ones.
const KEYS: [(u64, &str); 21] = [
    (1, "a secret in one set with public keys"),
    (3, "signature_invalid"),
    // Its second key has the id of the first, and a secret with bits left over.
    (4, "a key whose \"k\" is missing or not base64url"),
    (6, "a key for the use \"enc\""),
    (7, "a broken generator"),
    (8, "an RSA key of 1024 bits"),
    (9, "public exponent too small"),
    (10, "a longer secret"),
    (11, "a key of this kind for the algorithm \"HS384\""),
    (12, "a key of this kind for the algorithm \"HS512\""),
    (16, "a longer secret"),
    (17, "a longer secret"),
    (18, "a longer secret"),
    (19, "for the algorithm \"ES521\""),
    (20, "for the algorithm \"ES224\""),
    (21, "a key for the use \"enc\""),
    (22, "no point of the curve P-256"),
    (23, "no point of the curve P-384"),
    (24, "a key whose \"n\" is missing"),
    (25, "for the algorithm \"A256GCM\""),
    (26, "for the algorithm \"A256KW\""),
];

/// The JSON Web Signatures.
pub(super) fn signatures(folder: &Path) -> Result<Vec<Case>, String> {
    let file = folder.join("wycheproof/json_web_signature_test.json");
    cases(&file, Source::Signatures, &KEYS_OF_SIGNATURES, &OTHERWISE)
}

/// The JSON Web Keys.
pub(super) fn keys(folder: &Path) -> Result<Vec<Case>, String> {
    let file = folder.join("wycheproof/json_web_key_test.json");
    cases(&file, Source::Keys, &KEYS, &[])
}

fn cases(
    file: &Path,
    source: Source,
    because: &[(u64, &'static str)],
    left_out: &[(u64, LeftOut)],
) -> Result<Vec<Case>, String> {
    let said = |error: String| format!("{}: {error}", file.display());
    let document = read(file)?;
    let (mut cases, mut found) = (Vec::new(), Vec::new());
    for group in list(&document, "/testGroups").map_err(said)? {
        let keys = keys_of(group).ok_or_else(|| said("a group without a key".to_owned()))?;
        for test in list(group, "/tests").map_err(said)? {
            let id = test
                .get("tcId")
                .and_then(Value::as_u64)
                .ok_or_else(|| said("a case without a number".to_owned()))?;
            found.push(id);
            let listed = because.iter().find(|(number, _)| *number == id);
            let otherwise = left_out.iter().find(|(number, _)| *number == id);
            cases.push(Case {
                source,
                name: format!("{id} {}", text(test, "/comment").map_err(said)?),
                keys: keys.clone(),
                token: match test.get("jws") {
                    Some(Value::String(token)) => token.clone(),
                    Some(token) => token.to_string(),
                    None => return Err(said(format!("case {id} has no token"))),
                },
                valid: match text(test, "/result").map_err(said)? {
                    "valid" => true,
                    "invalid" => false,
                    other => return Err(said(format!("case {id} is {other}"))),
                },
                because: listed.map(|(_, because)| *because),
                left_out: otherwise.map(|(_, why)| *why),
            });
        }
    }
    for id in because
        .iter()
        .map(|(id, _)| id)
        .chain(left_out.iter().map(|(id, _)| id))
    {
        if !found.contains(id) {
            return Err(said(format!("no case {id}, which is listed")));
        }
    }
    let told = document.get("numberOfTests").and_then(Value::as_u64);
    if told != u64::try_from(cases.len()).ok() {
        return Err(said(format!("{} cases instead of {told:?}", cases.len())));
    }
    Ok(cases)
}

/// The public key or keys where there are some; a group with a secret has only private ones.
fn keys_of(group: &Value) -> Option<Vec<Value>> {
    let found = group.get("public").or_else(|| group.get("private"))?;
    Some(match found.get("keys").and_then(Value::as_array) {
        Some(set) => set.iter().map(public).collect(),
        None => vec![public(found)],
    })
}
