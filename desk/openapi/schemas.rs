//! The schemas of what goes over the wire, from the types that read and write it.

use schemars::generate::{Contract, SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// What a filter's question must have besides what its type wants: questions that are asked ahead of need have
/// the same type, and lack it.
pub(super) const ASKED: &[&str] = &[
    "asker",
    "exchange",
    "method",
    "path",
    "policy",
    "rule_digest",
];

/// Collects the schemas that are used.
pub(super) struct Schemas {
    /// Of what the service reads.
    read: SchemaGenerator,
    /// Of what it writes.
    written: SchemaGenerator,
}

/// Gives the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type; a reference, where the type has a name.
pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Schemas {
    pub(super) fn new() -> Self {
        let generator = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            });
            settings.into_generator()
        };
        Self {
            read: generator(Contract::Deserialize),
            written: generator(Contract::Serialize),
        }
    }

    /// The schema of what the service reads.
    pub(super) fn read(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.read).to_value()
    }

    /// The schema of what it writes.
    pub(super) fn written(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.written).to_value()
    }

    /// All of them by their names. Of a type that is read and written, what is written counts: it is the
    /// narrower one.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        all.extend(self.written.take_definitions(true));
        if let Some(required) = all
            .get_mut("Question")
            .and_then(|question| question.get_mut("required"))
            .and_then(Value::as_array_mut)
        {
            required.extend(ASKED.iter().copied().map(Value::from));
        }
        all
    }
}

/// Adds a member to an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
