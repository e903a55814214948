//! What runs: Envoy's version, the module's, its VMs, and what Envoy didn't take.

use std::fs::File;
use std::io::Read as _;

use super::Said;
use crate::doctor::guard::Guard;
use crate::doctor::{Finding, Patient, Severity};

/// The oldest Envoy that headers can wait in while a body is judged.
const NEEDED: [u32; 2] = [1, 35];

/// The oldest and the newest Envoy that this version is tested with.
const TESTED: [[u32; 2]; 2] = [[1, 36], [1, 40]];

/// The largest module that is read, in bytes.
const MAX_MODULE_BYTES: u64 = 64 << 20;

/// The module's section with its name and version.
const SECTION: &[u8] = b"portcullis.version";

/// A certificate that ends sooner is told of, in days.
const SOON: u64 = 7;

/// What the filter's names have for labels.
const LABELS: [&str; 5] = ["action", "rule", "code", "detector", "digest"];

pub(super) fn check(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    for refused in &patient.setup.refused {
        findings.push(
            Said {
                of: refused.of.clone(),
                place: refused.place.clone(),
                found: "an update that Envoy refused: what it had before goes on".to_owned(),
                expected: "updates that are taken",
                advice: "Envoy's log says why. A policy with a mistake is one reason: portcullis check tells.",
            }
            .error("update_refused"),
        );
    }
    version(patient, findings);
    machines(patient, findings);
    certificates(patient, findings);
    if !patient.guards.is_empty() {
        bootstrap(patient, findings);
    }
    let mut files = Vec::new();
    for guard in patient.guards {
        module(patient, guard, &mut files, findings);
    }
}

fn version(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let said = patient.envoy.version().unwrap_or_default();
    let mut numbers = said
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
        return;
    };
    let of = || Said {
        of: "Envoy".to_owned(),
        place: "server_info#/version".to_owned(),
        found: format!("version {said}"),
        expected: "an Envoy from 1.36.4 to 1.40",
        advice: "Use one of the versions that Portcullis is tested with.",
    };
    let [oldest, newest] = TESTED;
    if [major, minor] < NEEDED {
        findings.push(of().error("envoy_too_old"));
    } else if [major, minor] < oldest || [major, minor] > newest {
        findings.push(of().note("envoy_untested"));
    }
}

fn machines(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let envoy = patient.envoy;
    for (name, count) in envoy.stats_of("wasm.") {
        let (found, severity, advice) = match name {
            _ if count == 0 => continue,
            _ if name.ends_with(".vm_reload_failure") => (
                "VMs that crashed and could not be loaded anew",
                Severity::Error,
                "Envoy's log says why.",
            ),
            _ if name.ends_with(".vm_reload_success") => (
                "VMs that crashed and were loaded anew",
                Severity::Warning,
                "Envoy's log has the crash. Memory is one reason: compare portcullis_memory_bytes with 1 GiB, \
                 and lower limits.buffers.",
            ),
            "remote_load_fetch_failures" => (
                "attempts to fetch a module that failed",
                Severity::Error,
                "See whether the module's address and its cluster are right.",
            ),
            _ => continue,
        };
        findings.push(
            Said {
                of: "WebAssembly".to_owned(),
                place: format!("stats#wasm.{name}"),
                found: format!("{count} {found}, since Envoy began"),
                expected: "none",
                advice,
            }
            .at(severity, "module_failed"),
        );
    }
}

fn certificates(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let all = patient
        .envoy
        .certs
        .get("certificates")
        .and_then(|one| one.as_array());
    let mut ending = 0_usize;
    let mut least = u64::MAX;
    for one in all.into_iter().flatten() {
        for list in ["ca_cert", "cert_chain"] {
            let chain = one.get(list).and_then(|list| list.as_array());
            for certificate in chain.into_iter().flatten() {
                let days = certificate.get("days_until_expiration");
                // Zero is left out, and large numbers are texts.
                let days = days.map_or(Some(0), |days| match days.as_str() {
                    Some(text) => text.parse().ok(),
                    None => days.as_u64(),
                });
                if let Some(days) = days
                    && days < SOON
                    && certificate.get("expiration_time").is_some()
                {
                    ending = ending.saturating_add(1);
                    least = least.min(days);
                }
            }
        }
    }
    // Meshes hand out certificates for a day, and renew them.
    if ending > 0 && least == 0 {
        findings.push(
            Said {
                of: "certificates".to_owned(),
                place: "certs#/certificates".to_owned(),
                found: format!("{ending} that end within {SOON} days, the first today or earlier"),
                expected: "certificates that are renewed in time",
                advice: "Renew them, unless a mesh does so by itself.",
            }
            .note("certificate_ends"),
        );
    }
}

fn bootstrap(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let Some(bootstrap) = &patient.setup.bootstrap else {
        return;
    };
    if let Some(socket) = bootstrap.at(&["admin", "address", "socket_address"])
        && socket
            .text("address")
            .is_some_and(|ip| matches!(ip, "0.0.0.0" | "::"))
    {
        findings.push(
            Said {
                of: "Envoy".to_owned(),
                place: socket.shown(),
                found: "the admin port on all addresses: who reaches it can read credentials and stop Envoy"
                    .to_owned(),
                expected: "127.0.0.1",
                advice: "Bind it to loopback, or have a network policy keep others away.",
            }
            .warning("admin_open"),
        );
    }
    let tags = bootstrap
        .get("stats_config")
        .map(|at| at.items("stats_tags"));
    let tags = tags.unwrap_or_default();
    let named: Vec<&str> = tags.iter().filter_map(|tag| tag.text("tag_name")).collect();
    if LABELS.iter().any(|label| !named.contains(label)) {
        findings.push(
            Said {
                of: "Envoy".to_owned(),
                place: bootstrap.shown(),
                found:
                    "no stats_tags for the filter's labels: in Prometheus they stand in the names"
                        .to_owned(),
                expected: "tags for action, rule, code, detector and digest",
                advice: "Copy stats_config from envoy/plain/envoy.yaml.",
            }
            .note("labels_missing"),
        );
    }
}

/// The module's version, where its file can be read from here.
fn module<'a>(
    patient: &Patient<'a>,
    guard: &'a Guard<'a>,
    seen: &mut Vec<&'a str>,
    findings: &mut Vec<Finding>,
) {
    let local = guard.vm().and_then(|vm| vm.at(&["code", "local"]));
    let Some(name) = local.as_ref().and_then(|local| local.text("filename")) else {
        return;
    };
    if !patient.envoy.is_here || !patient.calls || !name.starts_with('/') || seen.contains(&name) {
        return;
    }
    seen.push(name);
    let mut bytes = Vec::new();
    let read = File::open(name).map(|file| file.take(MAX_MODULE_BYTES).read_to_end(&mut bytes));
    if !matches!(read, Ok(Ok(_))) {
        return;
    }
    let ours = env!("CARGO_PKG_VERSION");
    let said = version_in(&bytes);
    if said.as_deref() != Some(ours) {
        findings.push(
            Said {
                of: guard.shown(),
                place: local.map(|at| at.shown()).unwrap_or_default(),
                found: match said {
                    Some(said) => format!("a module of version {said}"),
                    None => "a module that doesn't say its version: none of Portcullis".to_owned(),
                },
                expected: concat!("version ", env!("CARGO_PKG_VERSION"), ", as this program"),
                advice: "What is said here of the policy is said by this version. Use one version of both.",
            }
            .warning("module_version"),
        );
    }
}

/// The version in a module's custom section, which says `portcullis 0.1.0`.
fn version_in(module: &[u8]) -> Option<String> {
    let mut rest = module.get(8..)?;
    while let Some((id, behind)) = rest.split_first() {
        let (size, behind) = number(behind)?;
        let (section, next) = behind.split_at_checked(size)?;
        rest = next;
        if *id != 0 {
            continue;
        }
        let (length, name) = number(section)?;
        let (name, content) = name.split_at_checked(length)?;
        if name == SECTION {
            let text = str::from_utf8(content).ok()?;
            return text.split_whitespace().next_back().map(str::to_owned);
        }
    }
    None
}

/// A number in LEB128, and what follows.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        let shift = u32::try_from(index).ok()?.checked_mul(7)?;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index.checked_add(1)?..)?));
        }
    }
    None
}
