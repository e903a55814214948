//! The Model Context Protocol over HTTP
//! (<https://modelcontextprotocol.io/specification>).

use serde_json::json;

use super::{ApiError, Dialect, Written, none_in_code, none_in_stream};

/// JSON-RPC's error. The id of the call is not known here: none is allowed to be null.
pub static DIALECT: Dialect = Dialect {
    name: "mcp",
    routes: include_str!(concat!(env!("OUT_DIR"), "/mcp.txt")),
    layout: &[include_str!(concat!(env!("OUT_DIR"), "/mcp.layout"))],
    body: none_in_code,
    header: None,
    model_headers: &[],
    escaped_slashes: false,
    error,
    in_stream: none_in_stream,
};

fn error(error: &ApiError<'_>) -> Written {
    /// In the range that JSON-RPC 2.0 leaves to servers.
    const REFUSED: i32 = -32_001;
    Written::json(&json!({
        "jsonrpc": "2.0",
        "id": null,
        "error": {"code": REFUSED, "message": error.message, "data": {"code": error.code.name()}},
    }))
}
