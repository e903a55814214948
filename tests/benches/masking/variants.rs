//! The Envoys that are compared: the shipped configuration with one worker and no access log, and
//! another filter in each.

use std::fs;
use std::path::PathBuf;

use portcullis::mask::policy::BUILT_IN_DETECTORS;
use serde_json::{Value, json};
use testbed::idp::{AUDIENCE, Idp};
use testbed::mesh::{Builder, Mesh};

use crate::bodies::Workload;

/// Takes each piece of a response's body into its memory and puts it back as it is: what any
/// filter in WebAssembly that can change a body has to pay.
const PASS_THROUGH: &str = r#"(module
    (import "env" "proxy_get_buffer_bytes"
        (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_buffer_bytes"
        (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 600)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 65536)
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
        (if (local.get 1) (then
            (drop (call $get (i32.const 1) (i32.const 0) (local.get 1)
                (i32.const 16) (i32.const 20)))
            (drop (call $set (i32.const 1) (i32.const 0) (local.get 1)
                (i32.load (i32.const 16)) (i32.load (i32.const 20))))))
        i32.const 0))"#;

/// What is often used instead: the whole body is collected, and one pattern replaced in it.
const LUA_WHOLE: &str = r#"
function envoy_on_response(handle)
  local body = handle:body(true)
  local text = body:getBytes(0, body:length())
  body:setBytes((text:gsub("[%w%.%-_%+]+@[%w%-]+%.[%w%.%-]+", "[EMAIL]")))
end
"#;

/// The same on each piece as it passes, which misses what is cut between two.
const LUA_PIECES: &str = r#"
function envoy_on_response(handle)
  for piece in handle:bodyChunks() do
    local text = piece:getBytes(0, piece:length())
    piece:setBytes((text:gsub("[%w%.%-_%+]+@[%w%-]+%.[%w%.%-]+", "[EMAIL]")))
  end
end
"#;

/// An Envoy to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// No filter but the router.
    Bare,
    /// A module that copies the body in and out.
    PassThrough,
    /// `envoy.filters.http.lua` with one pattern, on the whole body.
    LuaWhole,
    /// The same on each piece.
    LuaPieces,
    /// This filter, with no mask: it checks the token, counts, and writes its record.
    Unmasked,
    /// This filter, with every built-in detector.
    Portcullis,
}

impl Variant {
    /// In the order in which they are shown; the first is what the others are compared with.
    pub const ALL: [Self; 6] = [
        Self::Bare,
        Self::PassThrough,
        Self::LuaWhole,
        Self::LuaPieces,
        Self::Unmasked,
        Self::Portcullis,
    ];

    /// The name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::PassThrough => "a module that passes it on",
            Self::LuaWhole => "Lua, one gsub of the whole",
            Self::LuaPieces => "Lua, a gsub of each piece",
            Self::Unmasked => "portcullis, no mask",
            Self::Portcullis => "portcullis, all detectors",
        }
    }

    /// Whether it is of use for such bodies.
    pub fn takes_part(self, workload: Workload) -> bool {
        let streamed = matches!(workload, Workload::Events | Workload::EventByEvent);
        match self {
            Self::LuaWhole => !streamed,
            Self::LuaPieces => streamed,
            _ => true,
        }
    }

    /// What to start, but for the model server.
    ///
    /// # Errors
    /// When a module can't be written.
    pub fn mesh(self, idp: &Idp) -> std::io::Result<Builder> {
        let mesh = Mesh::builder()
            .concurrency(1)
            .without_access_logs()
            .without_cluster("desk_log");
        Ok(match self {
            Self::Bare => mesh.unguarded(),
            Self::PassThrough => mesh.module(pass_through()?),
            Self::LuaWhole => mesh.unguarded().http_filter(lua(LUA_WHOLE)),
            Self::LuaPieces => mesh.unguarded().http_filter(lua(LUA_PIECES)),
            Self::Unmasked => mesh.policy(policy(idp, false)),
            Self::Portcullis => mesh.policy(policy(idp, true)),
        })
    }
}

fn pass_through() -> std::io::Result<PathBuf> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pass_through.wasm");
    fs::write(
        &file,
        wat::parse_str(PASS_THROUGH).map_err(std::io::Error::other)?,
    )?;
    Ok(file)
}

fn lua(code: &str) -> Value {
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": code }
        }
    })
}

fn policy(idp: &Idp, masked: bool) -> Value {
    let rule = if masked {
        json!({ "name": "all", "when": { "operation": ["*", "unknown"] }, "then": "allow", "mask": ["all"] })
    } else {
        json!({ "name": "all", "when": { "operation": ["*", "unknown"] }, "then": "allow" })
    };
    json!({
        "version": 1,
        "identity": {
            "providers": [{
                "name": "corp", "issuer": idp.issuer(), "audiences": [AUDIENCE],
                "keys": { "jwks": idp.jwks() }, "claims": { "groups": "groups" }
            }]
        },
        "masks": { "all": { "detect": *BUILT_IN_DETECTORS } },
        "rules": [rule]
    })
}
