//! Who is at the other end of a line, as far as a request tells.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who sent a request: evidence only where a browser sent it (rule 20), never a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// The client's own address, past the proxies that are trusted; nothing when it is not known.
    pub address: Option<IpAddr>,
    /// The value of the cookie `referral_code`, unchecked; nothing where another site made the browser ask.
    pub cookie: Option<String>,
}

/// Whoever has one address of a household has them all: the address itself for IPv4, its /64 for IPv6.
pub const fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// The network of an address: its /24 for IPv4, its /56 for IPv6 (rule 20).
pub const fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8)),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 72 << 72)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_what_they_share() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(at("192.0.2.77")), at("192.0.2.0"));
        assert_eq!(network(at("::ffff:192.0.2.77")), at("192.0.2.0"));
        assert_eq!(network(at("2001:db8:0:1ff::1")), at("2001:db8:0:100::"));
        assert_eq!(household(at("192.0.2.77")), at("192.0.2.77"));
        assert_eq!(household(at("2001:db8:0:1ff:1:2:3:4")), at("2001:db8:0:1ff::"));
    }
}
