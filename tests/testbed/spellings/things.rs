//! What is asked for, as the references of its vendors write it.
#![allow(clippy::indexing_slicing, reason = "a JSON object takes any name")]

use serde_json::{Value, json};

/// A request in its one form, and what it asks for.
#[derive(Debug)]
pub struct Thing {
    /// Its name; no two have the same.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path in its normal form.
    pub path: &'static str,
    /// The query, if there is one.
    pub query: &'static str,
    /// The authority.
    pub host: &'static str,
    /// The body, a JSON object; empty if there is none.
    pub body: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// The model, if one is named.
    pub model: Option<&'static str>,
    /// By what rules know it.
    pub place: Place,
}

/// By what a rule knows a thing, besides its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing else.
    Nowhere,
    /// The model, which stands in the path.
    Path,
    /// The model, which stands in the query as `model`.
    Query,
    /// The model, which is the body's first member `model`.
    Body,
    /// The host, whatever is asked for there.
    Host,
}

/// Another name of each thing's model.
pub const ALIAS: &str = "the-usual";

/// The group of callers who may ask for all but the thing.
pub const KEPT_OUT: &str = "kept-out";

/// The group of callers who may ask for the thing and nothing else.
pub const LET_IN: &str = "let-in";

/// What the name of the rule begins with that denies the thing.
pub const NOT: &str = "not-";

/// The rule that allows the same callers everything else.
pub const REST: &str = "rest";

/// The rule that allows nothing but the thing.
pub const EXACT: &str = "exact";

impl Thing {
    /// The path with its query.
    #[must_use]
    pub fn target(&self) -> String {
        match self.query {
            "" => self.path.to_owned(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// The sections of a policy that denies the thing to callers in [`KEPT_OUT`], and nothing else;
    /// and that allows it to those in [`LET_IN`], and nothing else.
    #[must_use]
    pub fn sections(&self) -> Value {
        let when = |group: &str| {
            let mut when = json!({"group": [group]});
            if self.place == Place::Host {
                when["host"] = json!([self.host]);
                when["operation"] = json!(["*", "unknown"]);
            } else {
                when["operation"] = json!([self.operation]);
            }
            if self.place != Place::Host
                && let Some(model) = self.model
            {
                when["model"] = json!([model]);
            }
            when
        };
        let mut sections = json!({"rules": [
            {"name": format!("{NOT}{}", self.name), "when": when(KEPT_OUT), "then": "deny"},
            {
                "name": REST,
                "when": {"group": [KEPT_OUT], "operation": ["*", "unknown"]},
                "then": "allow",
            },
            {"name": EXACT, "when": when(LET_IN), "then": "allow"},
        ]});
        if let Some(model) = self.model {
            sections["models"] = json!({
                model: {"aliases": [ALIAS], "case": "any", "default": true},
            });
        }
        sections
    }
}

const PLAIN: Thing = Thing {
    name: "",
    method: "POST",
    path: "",
    query: "",
    host: "models.test",
    body: "",
    operation: "",
    model: None,
    place: Place::Nowhere,
};

/// All of them.
pub static THINGS: &[Thing] = &[
    Thing {
        name: "kserve-unload",
        path: "/v2/repository/models/prod-1/unload",
        body: "{}",
        operation: "model.unload",
        model: Some("prod-1"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "openai-delete",
        method: "DELETE",
        path: "/v1/models/ft:prod-2",
        operation: "model.delete",
        model: Some("ft:prod-2"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "openai-delete-of-two-segments",
        method: "DELETE",
        path: "/v1/models/acme/prod-3",
        operation: "model.delete",
        model: Some("acme/prod-3"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "weights",
        method: "GET",
        path: "/files/llama.safetensors",
        operation: "model.export",
        ..PLAIN
    },
    Thing {
        name: "hub-resolve",
        method: "GET",
        path: "/prod-4/resolve/main/config.json",
        operation: "model.export",
        model: Some("prod-4"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "hub-resolve-of-two-segments",
        method: "GET",
        path: "/acme/llama/resolve/main/model.onnx",
        operation: "model.export",
        ..PLAIN
    },
    Thing {
        name: "kserve-infer",
        path: "/v2/models/prod-5/infer",
        body: r#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1.5]}]}"#,
        operation: "inference.generate",
        model: Some("prod-5"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "gemini-generate",
        path: "/v1beta/models/prod-6:generateContent",
        body: r#"{"contents":[{"parts":[{"text":"hello"}]}]}"#,
        operation: "inference.chat",
        model: Some("prod-6"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "azure-chat",
        path: "/openai/deployments/prod-7/chat/completions",
        query: "api-version=2024-10-21",
        body: r#"{"messages":[{"role":"user","content":"hello"}]}"#,
        operation: "inference.chat",
        model: Some("prod-7"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "tensorflow-predict",
        path: "/v1/models/prod-8:predict",
        body: r#"{"instances":[[1.5]]}"#,
        operation: "inference.generate",
        model: Some("prod-8"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "bedrock-invoke",
        path: "/model/acme.prod-9-v1:0/invoke",
        body: r#"{"messages":[{"role":"user","content":"hello"}]}"#,
        operation: "inference.generate",
        model: Some("acme.prod-9-v1:0"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "bedrock-invoke-by-arn",
        path: "/model/arn:aws:bedrock:eu-1:1:profile%2Fprod-10/invoke",
        body: r#"{"messages":[{"role":"user","content":"hello"}]}"#,
        operation: "inference.generate",
        model: Some("arn:aws:bedrock:eu-1:1:profile/prod-10"),
        place: Place::Path,
        ..PLAIN
    },
    Thing {
        name: "qdrant-scroll",
        path: "/collections/prod/points/scroll",
        body: r#"{"limit":10,"with_vector":true}"#,
        operation: "data.export",
        ..PLAIN
    },
    Thing {
        name: "llama-delete",
        method: "DELETE",
        path: "/models",
        query: "model=prod-11",
        operation: "model.delete",
        model: Some("prod-11"),
        place: Place::Query,
        ..PLAIN
    },
    Thing {
        name: "openai-chat",
        path: "/v1/chat/completions",
        body: r#"{"model":"prod-12","messages":[{"role":"user","content":"hello"}]}"#,
        operation: "inference.chat",
        model: Some("prod-12"),
        place: Place::Body,
        ..PLAIN
    },
    Thing {
        name: "openai-embeddings",
        path: "/v1/embeddings",
        body: r#"{"model":"acme/prod-13","input":"hello"}"#,
        operation: "embedding.create",
        model: Some("acme/prod-13"),
        place: Place::Body,
        ..PLAIN
    },
    Thing {
        name: "anthropic-messages",
        path: "/v1/messages",
        body: r#"{"model":"prod-14","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}"#,
        operation: "inference.chat",
        model: Some("prod-14"),
        place: Place::Body,
        ..PLAIN
    },
    Thing {
        name: "ollama-chat",
        path: "/api/chat",
        body: r#"{"model":"prod-15:latest","messages":[{"role":"user","content":"hello"}]}"#,
        operation: "inference.chat",
        model: Some("prod-15:latest"),
        place: Place::Body,
        ..PLAIN
    },
    Thing {
        name: "ollama-delete",
        method: "DELETE",
        path: "/api/delete",
        body: r#"{"model":"prod-16"}"#,
        operation: "model.delete",
        model: Some("prod-16"),
        place: Place::Body,
        ..PLAIN
    },
    Thing {
        name: "admin-host",
        method: "GET",
        path: "/v1/models",
        host: "admin.internal.test",
        operation: "model.list",
        place: Place::Host,
        ..PLAIN
    },
];
