//! The policy that is written.

use serde_json::{Value, json};

use super::server::Server;
use crate::development::Issuer;

/// A policy as text: people edit it, so it has its lines where they would put them.
pub(super) fn text(issuer: &Issuer, server: &Server, credential: Option<&str>) -> String {
    let upstream = credential.map_or_else(String::new, |variable| {
        let value = json!({"header": "authorization", "value": format!("Bearer ${{{variable}}}")});
        format!("\n  \"upstream\": {{ \"credential\": {value} }},\n")
    });
    let asks = match server.kind.has_prompts() {
        true => PROMPTS,
        false => "",
    };
    let probing = match server.kind.has_prompts() {
        true => PATTERNS,
        false => "",
    };
    format!(
        r#"{{
  "version": 1,

  "identity": {{
    "providers": [
      {{
        "name": "development",
        "issuer": {issuer},
        "audiences": [{audience}],
        "keys": {{
          "jwks": {{
            "keys": [
              {key}
            ]
          }}
        }},
        "claims": {{ "subject": "sub", "groups": "groups" }},
        "max_lifetime": "24h"
      }}
    ]
  }},
{upstream}{probing}
  "masks": {{
    "pii": {{ "detect": ["email", "credit_card", "iban", "us_ssn", "secret.*"], "style": "label" }}
  }},

  "quotas": {{
    "per-person": {{ "by": ["subject"], "count": "requests", "limit": 60, "per": "1m" }}
  }},

  "rules": [
{asks}    {{
      "name": "no-changes-of-models",
      "when": {{ "operation": ["model.export", "model.load", "model.unload", "model.delete", "model.tune"] }},
      "then": "deny",
      "message": "Models are not handed out or changed here."
    }},
    {{
      "name": "engineers",
      "when": {{
        "group": ["engineers"],
        "operation": ["inference.*", "embedding.*", "rerank", "model.list", "health"]
      }},
      "then": "allow",
      "quota": ["per-person"],
      "mask": ["pii"]
    }}
  ],
  "otherwise": "deny"
}}
"#,
        issuer = Value::from(issuer.issuer.as_str()),
        audience = Value::from(issuer.audience.as_str()),
        key = issuer.public(),
    )
}

const PATTERNS: &str = r#"
  "patterns": {
    "probing": { "any_of": ["(?i)ignore (all )?previous instructions"] }
  },
"#;

const PROMPTS: &str = r#"    {
      "name": "probing-prompts",
      "when": { "operation": ["inference.*"], "prompt": ["probing"] },
      "then": "deny",
      "message": "This prompt is not allowed."
    },
"#;
