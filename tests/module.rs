//! What the built module asks of its host, how large it is, and which version it says it is.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fs;

use wasmparser::{Parser, Payload};

/// Envoy gives a module these and nothing else.
const HOSTS: [&str; 2] = ["env", "wasi_snapshot_preview1"];

/// In bytes: what a mesh can be asked to hand to each of its proxies. Reading gzip, brotli and zstd
/// takes a quarter of a million of them, half of that for brotli's dictionary; asking people, and knowing what
/// stands at the desk, an eighth of a million.
const LARGEST: usize = 4_325_376;

#[test]
fn the_module_loads_in_any_envoy_and_is_small() {
    let bytes = fs::read(testbed::wasm::build().unwrap()).unwrap();
    assert!(bytes.len() < LARGEST, "{} bytes", bytes.len());
    let (mut asked, mut exports) = (BTreeSet::new(), BTreeSet::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.unwrap();
                    assert!(
                        HOSTS.contains(&import.module),
                        "the module imports {}.{}, which Envoy does not have",
                        import.module,
                        import.name
                    );
                    asked.insert(import.name.to_owned());
                }
            }
            Payload::ExportSection(all) => {
                exports.extend(all.into_iter().map(|one| one.unwrap().name.to_owned()));
            }
            _ => {}
        }
    }
    // That it is the filter at all, for the version of the ABI that Envoy looks for.
    for name in ["proxy_log", "proxy_send_local_response", "clock_time_get"] {
        assert!(asked.contains(name), "{name} is not among {asked:?}");
    }
    for name in [
        "proxy_abi_version_0_2_1",
        "_initialize",
        "proxy_on_request_headers",
        "memory",
    ] {
        assert!(exports.contains(name), "{name} is not among {exports:?}");
    }
}

#[test]
fn the_module_names_its_version_once() {
    let bytes = fs::read(testbed::wasm::build().unwrap()).unwrap();
    let stamps: Vec<&[u8]> = Parser::new(0)
        .parse_all(&bytes)
        .filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) if section.name() == "portcullis.version" => {
                Some(section.data())
            }
            _ => None,
        })
        .collect();
    let version = concat!("portcullis ", env!("CARGO_PKG_VERSION"));
    assert_eq!(stamps, [version.as_bytes()]);
}
