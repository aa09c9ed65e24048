//! Where a packet comes from or goes to, in the form the kernel uses.
//!
//! The octets are those of `sockaddr_in` and `sockaddr_in6`, so no conversion happens between receiving a query and
//! sending its answer. What does not belong here: deciding who may do what.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Octets of a `sockaddr_in6`, the longer of the two forms.
const LENGTH: usize = 28;
/// Octets of a `sockaddr_in`.
const LENGTH_V4: usize = 16;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "families are small numbers")]
const FAMILY_V4: u16 = libc::AF_INET as u16;
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "families are small numbers")]
const FAMILY_V6: u16 = libc::AF_INET6 as u16;

/// An address and port: `sockaddr_in` or `sockaddr_in6`, told apart by the family in the first two octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C, align(4))]
pub struct Endpoint([u8; LENGTH]);

impl Endpoint {
    /// No address at all: what a slot holds before the kernel has filled it.
    pub(super) const EMPTY: Self = Self([0; LENGTH]);

    /// Whether this is an IPv4 endpoint; IPv4-mapped IPv6 addresses do not occur, since sockets are IPv6-only.
    #[must_use]
    pub fn is_v4(&self) -> bool {
        u16::from_ne_bytes([self.0[0], self.0[1]]) == FAMILY_V4
    }

    /// The port; 0 is one nobody can be answered at.
    #[must_use]
    pub fn port(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }

    /// The octets of the address in network order: 4 or 16.
    #[must_use]
    pub fn address_octets(&self) -> &[u8] {
        if self.is_v4() { &self.0[4..8] } else { &self.0[8..24] }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.socket_address().ip()
    }

    /// The same in the form of the standard library.
    #[must_use]
    pub fn socket_address(&self) -> SocketAddr {
        let octets = &self.0;
        if self.is_v4() {
            let address = Ipv4Addr::new(octets[4], octets[5], octets[6], octets[7]);
            return SocketAddrV4::new(address, self.port()).into();
        }
        let mut address = [0; 16];
        address.copy_from_slice(&octets[8..24]);
        let scope = u32::from_ne_bytes([octets[24], octets[25], octets[26], octets[27]]);
        SocketAddrV6::new(Ipv6Addr::from(address), self.port(), 0, scope).into()
    }

    /// How many octets the kernel is to read or may write.
    pub(super) fn length(&self) -> usize {
        if self.is_v4() { LENGTH_V4 } else { LENGTH }
    }

    /// The address family, as `socket` wants it.
    pub(super) fn family(&self) -> i32 {
        if self.is_v4() { libc::AF_INET } else { libc::AF_INET6 }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        let mut octets = [0; LENGTH];
        octets[2..4].copy_from_slice(&address.port().to_be_bytes());
        let family = match address {
            SocketAddr::V4(v4) => {
                octets[4..8].copy_from_slice(&v4.ip().octets());
                FAMILY_V4
            }
            SocketAddr::V6(v6) => {
                octets[8..24].copy_from_slice(&v6.ip().octets());
                octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                FAMILY_V6
            }
        };
        octets[0..2].copy_from_slice(&family.to_ne_bytes());
        Self(octets)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket_address().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_address_it_was_made_from() {
        for text in ["192.0.2.1:53", "0.0.0.0:0", "[2001:db8::1]:5353", "[fe80::1%7]:53"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Endpoint::from(address).socket_address(), address);
        }
    }

    #[test]
    fn address_octets_are_in_network_order() {
        let v4 = Endpoint::from("192.0.2.1:53".parse::<SocketAddr>().unwrap());
        assert_eq!(v4.address_octets(), [192, 0, 2, 1]);
        let v6 = Endpoint::from("[2001:db8::1]:53".parse::<SocketAddr>().unwrap());
        assert_eq!(v6.address_octets()[..4], [0x20, 0x01, 0x0d, 0xb8]);
    }
}
