//! Networks: addresses of machines.

mod ip;
mod mac;

use super::detect::Detect;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "ip" => (Box::new(ip::Ip), "IP"),
        "mac" => (Box::new(mac::Mac), "MAC"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLES: &[super::tests::Table] = &[ip::EXAMPLES, mac::EXAMPLES];
