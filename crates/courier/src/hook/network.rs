//! Where webhooks may go. Anybody who may add a recipient chooses a URL, and the call comes from inside: so
//! it goes to the open internet only, and to private networks that the installation names.
//!
//! Judges addresses. Names are judged by what they resolve to, at the moment of the call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Networks that webhooks may reach beside the open internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    networks: Arc<[IpNet]>,
}

/// An address that webhooks do not go to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} is {kind}, and webhooks do not go there; if one should, name it in the notices file: \
     [hooks] allow = [\"{address}\"]"
)]
pub(crate) struct RefusedAddress {
    address: IpAddr,
    kind: &'static str,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// By its first two groups of 16 bits.
const fn v6(first: u16, second: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), length)
}

/// Of IANA's registry of special addresses. The first that fits names it.
const SPECIAL_V4: [(Ipv4Net, &str); 16] = [
    (v4(127, 0, 0, 0, 8), "an address of this machine"),
    (v4(0, 0, 0, 0, 8), "no address of another machine"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(100, 64, 0, 0, 10), "a private address of a provider"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 88, 99, 0, 24), "reserved for relays"),
    (v4(192, 0, 2, 0, 24), "reserved for documentation"),
    (v4(198, 51, 100, 0, 24), "reserved for documentation"),
    (v4(203, 0, 113, 0, 24), "reserved for documentation"),
    (v4(198, 18, 0, 0, 15), "reserved for benchmarks"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(255, 255, 255, 255, 32), "a broadcast address"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

const SPECIAL_V6: [(Ipv6Net, &str); 7] = [
    (v6(0xfc00, 0, 7), "a private address"),
    (v6(0xfe80, 0, 10), "a link-local address"),
    (v6(0xfec0, 0, 10), "a private address"),
    (v6(0xff00, 0, 8), "a multicast address"),
    (v6(0x2001, 0xdb8, 32), "reserved for documentation"),
    (v6(0x3fff, 0, 20), "reserved for documentation"),
    // Among them Teredo, where an address of IPv4 is hidden.
    (v6(0x2001, 0, 23), "reserved for protocols"),
];

/// All that is given out to machines of the internet.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);
/// Translated into IPv4 on the way.
const NAT64: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 16);

impl Allowed {
    pub(crate) fn networks(networks: Vec<IpNet>) -> Self {
        let networks = networks.into();
        Self { networks }
    }

    /// Whether webhooks may go there.
    pub(crate) fn judge(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let meant = without_disguise(address);
        let Some(kind) = special(meant) else {
            return Ok(());
        };
        let named = |network: &IpNet| network.contains(&address) || network.contains(&meant);
        if self.networks.iter().any(named) {
            return Ok(());
        }
        let address = meant;
        Err(RefusedAddress { address, kind })
    }

    /// What of `found` may be gone to; the refusal of the others if that is nothing.
    pub(super) fn choose(
        &self,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, RefusedAddress> {
        let mut refusal = None;
        let mut chosen = Vec::new();
        for address in found {
            match self.judge(address.ip()) {
                Ok(()) => chosen.push(address),
                Err(error) => refusal = Some(error),
            }
        }
        match refusal {
            Some(refusal) if chosen.is_empty() => Err(refusal),
            _ => Ok(chosen),
        }
    }
}

/// A network or a single address, as people write it.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse().map(|address: IpAddr| address.into());
    text.parse().or_else(|_| address()).ok()
}

/// The address of IPv4 that one of IPv6 stands for.
fn without_disguise(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [.., c, d] = v6.segments();
    let [_, a, b, ..] = v6.segments();
    let pair = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if NAT64.contains(&v6) {
        return pair(c, d).into();
    }
    if SIX_TO_FOUR.contains(&v6) {
        return pair(a, b).into();
    }
    match v6.to_ipv4() {
        // `::` and `::1` are not of the compatible ones.
        Some(v4) if !v6.is_unspecified() && !v6.is_loopback() => v4.into(),
        _ => address,
    }
}

/// What it is if not an address of the open internet.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => {
            let kind = SPECIAL_V4.iter().find(|(network, _)| network.contains(&v4));
            kind.map(|(_, kind)| *kind)
        }
        IpAddr::V6(v6) if v6.is_loopback() => Some("an address of this machine"),
        IpAddr::V6(v6) => {
            let kind = SPECIAL_V6.iter().find(|(network, _)| network.contains(&v6));
            let other = (!GLOBAL_V6.contains(&v6)).then_some("no address of the internet");
            kind.map(|(_, kind)| *kind).or(other)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(networks: &[&str]) -> Allowed {
        let networks = networks.iter().map(|text| network(text).unwrap());
        Allowed::networks(networks.collect())
    }

    #[test]
    fn only_addresses_of_the_open_internet_are_called() {
        let nothing = Allowed::default();
        for open in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2002:101:101::1",
            "64:ff9b::101:101",
            "::ffff:1.1.1.1",
        ] {
            assert_eq!(nothing.judge(open.parse().unwrap()), Ok(()), "{open}");
        }
        for (special, kind) in [
            ("127.0.0.1", "an address of this machine"),
            ("127.255.255.255", "an address of this machine"),
            ("::1", "an address of this machine"),
            ("0.0.0.0", "no address of another machine"),
            ("::", "no address of the internet"),
            ("10.0.0.1", "a private address"),
            ("172.16.0.1", "a private address"),
            ("172.31.255.255", "a private address"),
            ("192.168.1.1", "a private address"),
            ("100.64.0.1", "a private address of a provider"),
            ("169.254.169.254", "a link-local address"),
            ("192.0.0.8", "reserved for protocols"),
            ("192.0.2.1", "reserved for documentation"),
            ("198.51.100.1", "reserved for documentation"),
            ("203.0.113.1", "reserved for documentation"),
            ("198.19.0.1", "reserved for benchmarks"),
            ("224.0.0.1", "a multicast address"),
            ("255.255.255.255", "a broadcast address"),
            ("240.0.0.1", "reserved"),
            ("fc00::1", "a private address"),
            ("fd12::1", "a private address"),
            ("fe80::1", "a link-local address"),
            ("fec0::1", "a private address"),
            ("ff02::1", "a multicast address"),
            ("2001:db8::1", "reserved for documentation"),
            ("3fff::1", "reserved for documentation"),
            ("2001::1", "reserved for protocols"),
            ("64:ff9b:1::1", "no address of the internet"),
            ("100::1", "no address of the internet"),
            // Disguised.
            ("::ffff:127.0.0.1", "an address of this machine"),
            ("::ffff:10.0.0.1", "a private address"),
            ("::127.0.0.1", "an address of this machine"),
            ("::192.168.0.1", "a private address"),
            ("64:ff9b::169.254.169.254", "a link-local address"),
            ("2002:a00:1::1", "a private address"),
        ] {
            let refused = nothing.judge(special.parse().unwrap());
            assert_eq!(refused.unwrap_err().kind, kind, "{special}");
        }
    }

    #[test]
    fn networks_that_are_named_are_called_all_the_same() {
        let some = allowed(&["10.1.2.0/24", "127.0.0.1", "fd00::/8", "::1"]);
        for (address, is_allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.1.3.3", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd00::1", true),
            ("fc00::1", false),
            ("::1", true),
        ] {
            let judged = some.judge(address.parse().unwrap());
            assert_eq!(judged.is_ok(), is_allowed, "{address}");
        }
    }

    #[test]
    fn a_refusal_names_the_address_and_the_setting() {
        let refused = Allowed::default().judge("::ffff:10.0.0.1".parse().unwrap());
        assert_eq!(
            refused.unwrap_err().to_string(),
            "10.0.0.1 is a private address, and webhooks do not go there; if one should, name it in the \
             notices file: [hooks] allow = [\"10.0.0.1\"]"
        );
    }

    #[test]
    fn of_a_name_only_the_addresses_that_may_be_gone_to_are_used() {
        let found = ["10.0.0.1:0", "1.1.1.1:0"].map(|text| text.parse().unwrap());
        let chosen = Allowed::default().choose(found.into_iter());
        assert_eq!(chosen, Ok(vec![found[1]]));
        let none = Allowed::default().choose(found[..1].iter().copied());
        assert!(none.is_err());
    }
}
