//! The cookbook's files: each signs one text, and shows the result in several forms.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Case, LeftOut, Source, public, read, text};

/// The cases that get another verdict, besides the JSON serializations.
const OTHERWISE: [(&str, LeftOut); 2] = [
    ("4_3.ecdsa_signature compact", LeftOut::Algorithm),
    (
        "4_5.signature_with_detached_content compact",
        LeftOut::DetachedContent,
    ),
];

/// The cases of both RFCs.
pub(super) fn all(folder: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for (part, source) in [("jws", Source::Rfc7520), ("rfc7797", Source::Rfc7797)] {
        let part = folder.join("jose-cookbook").join(part);
        let said = |error: std::io::Error| format!("cannot read {}: {error}", part.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(&part).map_err(said)? {
            files.push(entry.map_err(said)?.path());
        }
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let found = Example::read(&file, source, &name).and_then(|one| one.cases());
            cases.extend(found.map_err(|error| format!("{}: {error}", file.display()))?);
        }
    }
    Ok(cases)
}

struct Example<'a> {
    source: Source,
    name: &'a str,
    document: Value,
    keys: Vec<Value>,
}

impl<'a> Example<'a> {
    fn read(file: &Path, source: Source, name: &'a str) -> Result<Self, String> {
        let document = read(file)?;
        let keys = match document.pointer("/input/key") {
            Some(Value::Array(keys)) => keys.iter().map(public).collect(),
            Some(key) => vec![public(key)],
            None => return Err("no key".to_owned()),
        };
        Ok(Self {
            source,
            name,
            document,
            keys,
        })
    }

    fn cases(&self) -> Result<Vec<Case>, String> {
        let mut cases = Vec::new();
        let output = self.document.get("output").ok_or("no output")?;
        let compact = output.get("compact").and_then(Value::as_str);
        cases.extend(compact.map(|token| self.case("compact", token, &self.keys)));
        for form in ["json", "json_flat"] {
            let token = output.get(form).map(Value::to_string);
            // A set of keys of all kinds is refused before the token is looked at.
            let keys = self.keys.get(..1).unwrap_or_default();
            cases.extend(token.map(|token| self.case(form, &token, keys)));
        }
        // What the compact form of each signature would be, if it has a protected header.
        let signatures = output.pointer("/json/signatures").and_then(Value::as_array);
        for (index, signature) in signatures.into_iter().flatten().enumerate() {
            let Some(header) = signature.get("protected").and_then(Value::as_str) else {
                continue;
            };
            let signature = text(signature, "/signature")?;
            let content = text(&self.document, "/input/payload")?;
            let key = self.keys.get(index).ok_or("fewer keys than signatures")?;
            let encoded = URL_SAFE_NO_PAD.encode(content);
            let mut contents = vec![("encoded", encoded.as_str())];
            if self.source == Source::Rfc7797 {
                contents.push(("unencoded", content));
            }
            for (how, content) in contents {
                let token = format!("{header}.{content}.{signature}");
                if compact != Some(&token) {
                    let name = format!("signature {index} made compact, {how}");
                    cases.push(self.case(&name, &token, core::slice::from_ref(key)));
                }
            }
        }
        Ok(cases)
    }

    fn case(&self, form: &str, token: &str, keys: &[Value]) -> Case {
        let name = format!("{} {form}", self.name);
        let listed = OTHERWISE.iter().find(|(one, _)| *one == name);
        let is_json = token.starts_with('{');
        // Content that is not encoded is refused here whatever its signature.
        let valid = self.source == Source::Rfc7520;
        Case {
            source: self.source,
            keys: keys.to_vec(),
            token: token.to_owned(),
            valid,
            because: (!valid).then_some(match is_json {
                true => "token_malformed",
                false => "token_header_not_supported",
            }),
            left_out: match (valid && is_json, listed) {
                (true, _) => Some(LeftOut::JsonSerialization),
                (false, Some((_, why))) => Some(*why),
                (false, None) => None,
            },
            name,
        }
    }
}
