//! Whether the filter's virtual machines live: one that trapped takes every stream of its worker
//! with it.

use testbed::mesh::{Mesh, Stats};

/// The virtual machines of an Envoy when it had just started.
pub struct Vms(Stats);

impl Vms {
    /// Remembers how many there are, and how many there have ever been.
    pub fn of(mesh: &Mesh) -> Self {
        Self(counts(mesh))
    }

    /// Fails if one has ended since.
    pub fn all_live(&self, mesh: &Mesh) {
        let log = mesh.log();
        // What V8 says of a trap, and what the filter says of a panic.
        for sign in ["Uncaught RuntimeError", "[critical]", "panicked"] {
            assert!(!log.contains(sign), "{sign} in Envoy's log:\n{log}");
        }
        assert_eq!(counts(mesh), self.0, "Envoy's log:\n{log}");
    }
}

/// How many virtual machines live and have ever been made, and what became of reloads.
fn counts(mesh: &Mesh) -> Stats {
    let mut stats = mesh.stats("wasm.").unwrap();
    stats.retain(|name, _| !name.starts_with("wasmcustom."));
    assert!(
        stats.keys().any(|name| name.ends_with(".created")),
        "Envoy no longer counts virtual machines: {stats:?}"
    );
    stats
}
