//! JSON-RPC 2.0, as the Model Context Protocol uses it
//! (<https://modelcontextprotocol.io/specification>): the method says what is asked for.

use base::operation::UNKNOWN;

/// What a method asks for.
pub(super) fn operation(method: &str) -> &'static str {
    match method {
        "tools/call" => "tool.call",
        "resources/read" => "file.read",
        "tools/list"
        | "initialize"
        | "ping"
        | "resources/list"
        | "resources/templates/list"
        | "resources/subscribe"
        | "resources/unsubscribe"
        | "prompts/list"
        | "prompts/get"
        | "completion/complete"
        | "logging/setLevel" => "tool.list",
        method if method.starts_with("notifications/") => "tool.list",
        _ => UNKNOWN,
    }
}
