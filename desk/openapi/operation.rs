//! One thing that can be called.

use serde_json::{Map, Value, json};

use super::refused::{Refused, refusals};
use super::schemas::{SchemaOf, Schemas, put};
use super::who::Who;

/// One thing that can be called.
pub(super) struct Operation {
    /// Its name in clients that are generated.
    pub id: &'static str,
    /// `get`, `post` or `delete`.
    pub method: &'static str,
    /// The path, with `{id}`.
    pub path: &'static str,
    /// Who may call.
    pub who: Who,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to know.
    pub description: &'static str,
    /// What stands in the query.
    pub query: &'static [Parameter],
    /// What is sent.
    pub request: Option<Sent>,
    /// What comes back.
    pub answer: Answered,
    /// What else may come back, besides what may anywhere.
    pub refused: &'static [Refused],
}

/// A parameter of the query.
pub(super) struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its schema.
    pub schema: fn() -> Value,
    /// One that is right.
    pub example: fn() -> Value,
}

/// A value that is right, and its name.
pub(super) type Example = (&'static str, fn() -> Value);

/// The body of a request.
pub(super) struct Sent {
    /// Whether it may be left out.
    pub optional: bool,
    /// What it looks like.
    pub schema: SchemaOf,
    /// Some that are right, by their names.
    pub examples: &'static [Example],
}

/// The body of an answer.
pub(super) struct Answered {
    /// The status.
    pub status: u16,
    /// What it says.
    pub description: &'static str,
    /// What it looks like: one of these. None without a body.
    pub schemas: &'static [SchemaOf],
    /// Some that are right, by their names.
    pub examples: &'static [Example],
}

impl Operation {
    /// The operation as the document has it.
    pub(super) fn write(&self, schemas: &mut Schemas) -> Value {
        let mut parameters = Vec::new();
        if self.path.contains("{id}") {
            parameters.push(json!({
                "name": "id",
                "in": "path",
                "required": true,
                "description": "The id, as the service gave it.",
                "schema": { "type": "string", "maxLength": 64 },
            }));
        }
        parameters.extend(self.query.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "in": "query",
                "description": parameter.description,
                "schema": (parameter.schema)(),
                "example": (parameter.example)(),
            })
        }));
        let tag = match self.who {
            Who::Filter | Who::Either => "filters",
            Who::Reviewer => "reviewers",
        };
        let security = match self.who {
            Who::Reviewer => json!([{ "key": [] }]),
            Who::Filter | Who::Either => json!([{ "key": [] }, { "certificate": [] }]),
        };
        let mut written = json!({
            "operationId": self.id,
            "tags": [tag],
            "summary": self.summary,
            "description": self.description,
            "security": security,
            "responses": self.responses(schemas),
        });
        if !parameters.is_empty() {
            put(&mut written, "parameters", json!(parameters));
        }
        if let Some(sent) = &self.request {
            put(
                &mut written,
                "requestBody",
                json!({
                    "required": !sent.optional,
                    "content": content(schemas.read(sent.schema), sent.examples),
                }),
            );
        }
        written
    }

    fn responses(&self, schemas: &mut Schemas) -> Map<String, Value> {
        let answer = &self.answer;
        let mut all = refusals(self.who, self.request.is_some(), self.refused, schemas);
        let each: Vec<Value> = answer
            .schemas
            .iter()
            .map(|one| schemas.written(*one))
            .collect();
        let mut response = json!({ "description": answer.description });
        if let [one] = each.as_slice() {
            put(
                &mut response,
                "content",
                content(one.clone(), answer.examples),
            );
        } else if !each.is_empty() {
            put(
                &mut response,
                "content",
                content(json!({ "anyOf": each }), answer.examples),
            );
        }
        all.insert(answer.status.to_string(), response);
        all
    }
}

/// A body of JSON.
fn content(schema: Value, examples: &[Example]) -> Value {
    let examples = examples.iter();
    let examples: Map<String, Value> = examples
        .map(|(name, value)| ((*name).to_owned(), json!({ "value": value() })))
        .collect();
    json!({ "application/json": { "schema": schema, "examples": examples } })
}
