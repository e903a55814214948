//! Whose connection it is, as far as an address tells.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One who connects: an IPv4 address, or the first 64 bits of an IPv6 address, of which everybody has as many as
/// they like. Requests carry it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(Address);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Address {
    Old(Ipv4Addr),
    New([u16; 4]),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        // An IPv4 address that comes in through an IPv6 socket is the same one.
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Address::Old(address),
            IpAddr::V6(address) => Address::New(network(address)),
        })
    }
}

fn network(address: Ipv6Addr) -> [u16; 4] {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_source_and_a_mapped_address_that_of_ipv4() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
