//! A model that repeats what it was asked.

use serde_json::Value;

/// How the prompt is repeated.
#[derive(Debug, Clone)]
pub struct Echo {
    size: usize,
    change: fn(&str) -> String,
}

impl Echo {
    /// As it came, in pieces of so many characters, at least one, where it is streamed.
    #[must_use]
    pub fn pieces(size: usize) -> Self {
        Self {
            size: size.max(1),
            change: str::to_owned,
        }
    }

    /// Changed, as models change what they repeat.
    #[must_use]
    pub fn changed(self, change: fn(&str) -> String) -> Self {
        Self { change, ..self }
    }

    /// What is said to the request with this body: its last message, or its prompt.
    pub(super) fn answer(&self, body: &Value) -> Vec<String> {
        let last = body["messages"].as_array().and_then(|all| all.last());
        let said = last.map_or(&body["prompt"], |message| &message["content"]);
        let text = (self.change)(said.as_str().unwrap_or_default());
        let characters: Vec<char> = text.chars().collect();
        characters
            .chunks(self.size)
            .map(|piece| piece.iter().collect())
            .collect()
    }
}
