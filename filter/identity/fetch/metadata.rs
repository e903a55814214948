//! A provider's metadata (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

use serde_json::Value;

use base::json;
use base::url::Url;

/// Where the key set of `issuer` is.
///
/// # Errors
/// Why the document can't be used. One that names another issuer is another provider's
/// (Discovery 1.0, section 4.3).
pub(super) fn key_set(document: &[u8], issuer: &str) -> Result<Url, String> {
    let document = json::parse_published(document).map_err(|error| error.to_string())?;
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let found = text("issuer").unwrap_or_default();
    if found != issuer {
        let found: String = found.chars().take(200).collect();
        return Err(format!(
            "found the issuer {found:?} in the metadata, expected {issuer:?}"
        ));
    }
    let uri = text("jwks_uri").unwrap_or_default();
    Url::parse(uri).ok_or_else(|| {
        let uri: String = uri.chars().take(200).collect();
        format!("found the \"jwks_uri\" {uri:?} in the metadata, expected an http or https URL")
    })
}

#[cfg(test)]
mod tests {
    use super::key_set;

    #[test]
    fn the_key_set_of_the_right_issuer_is_taken() {
        let document = br#"{"issuer":"https://idp/a","jwks_uri":"https://keys/a"}"#;
        assert_eq!(
            key_set(document, "https://idp/a").unwrap().authority,
            "keys"
        );
        for issuer in ["https://idp", "https://idp/a/", "https://IDP/a", ""] {
            let error = key_set(document, issuer).unwrap_err();
            assert!(error.contains("\"https://idp/a\""), "{error}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let document = "\u{feff}{\"issuer\":\"i\",\"jwks_uri\":\"https://keys/\"}";
        assert!(key_set(document.as_bytes(), "i").is_ok());
    }

    #[test]
    fn a_document_without_a_key_set_is_refused() {
        for document in [
            r#"{"issuer":"i"}"#,
            r#"{"issuer":"i","jwks_uri":"file:///etc/passwd"}"#,
            r#"{"issuer":"i","issuer":"j","jwks_uri":"https://keys/"}"#,
            "<html>",
            "",
        ] {
            assert!(key_set(document.as_bytes(), "i").is_err(), "{document}");
        }
    }
}
