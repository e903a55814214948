//! What the concerns of the filter share, below all of them: nothing here knows what an exchange is.
//!
//! | here | what it is |
//! |---|---|
//! | `bytes` | comparison that is fast in WebAssembly, and hex |
//! | `json` | strict JSON, as a tree and as events |
//! | `multipart`, `urlencoded` | strict forms, read as every server reads them; `forms` is what both share |
//! | `wire` | Protocol Buffers' wire format and gRPC's frames |
//! | `glob`, `url`, `time` | globs, addresses, times as text |
//! | `sort` | sorting in one compiled copy |
//! | `policy` | describes and reads sections of the policy |
//! | `code`, `identity`, `operation`, `shape` | types in which concerns speak to each other |

pub mod bytes;
pub mod code;
pub mod forms;
pub mod glob;
pub mod identity;
pub mod json;
pub mod multipart;
pub mod operation;
pub mod policy;
pub mod shape;
pub mod sort;
pub mod time;
pub mod url;
pub mod urlencoded;
pub mod usage;
pub mod wire;
