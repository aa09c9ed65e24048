//! The local address of a datagram on a socket that is bound to the unspecified address.
//!
//! A query must be answered from the address it was sent to (RFC 1035 §7.3, RFC 2181 §4). The kernel tells that
//! address in a control message, `IP_PKTINFO` or `IPV6_PKTINFO`, and takes it back in the same form when sending.

use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets before the data of a control message. `cmsghdr` needs no padding at its end on any Linux.
const HEADER: usize = size_of::<libc::cmsghdr>();
/// Octets of `in6_pktinfo`, the longer of the two kinds of data.
const DATA_V6: usize = size_of::<libc::in6_pktinfo>();
/// Octets of `in_pktinfo`.
const DATA_V4: usize = size_of::<libc::in_pktinfo>();

/// Room for one control message with its data, as the kernel lays it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub(super) struct PacketInfo([u8; LENGTH]);

const LENGTH: usize = (HEADER + DATA_V6).next_multiple_of(8);

impl PacketInfo {
    /// What a slot holds before the kernel has filled it.
    pub(super) const EMPTY: Self = Self([0; LENGTH]);

    fn is_v4(&self) -> bool {
        let level = size_of::<usize>();
        self.0[level..level + 4] == libc::IPPROTO_IP.to_ne_bytes()
    }

    /// Octets the control message takes (`CMSG_LEN`).
    pub(super) fn length(&self) -> usize {
        HEADER + if self.is_v4() { DATA_V4 } else { DATA_V6 }
    }

    /// The local address the datagram came to.
    pub(super) fn address(&self) -> IpAddr {
        if self.is_v4() {
            // in_pktinfo: interface, local address, destination of the header. The two addresses differ for a
            // broadcast, which is no address to answer from.
            let octets: [u8; 4] = std::array::from_fn(|index| self.0[HEADER + 4 + index]);
            return Ipv4Addr::from(octets).into();
        }
        let octets: [u8; 16] = std::array::from_fn(|index| self.0[HEADER + index]);
        Ipv6Addr::from(octets).into()
    }

    /// The same without the interface the query came in by: the routing table decides where the answer leaves
    /// (asymmetric routes are lawful). A link-local peer carries its interface in its own address.
    pub(super) fn for_answer(mut self) -> Self {
        let interface = HEADER + if self.is_v4() { 0 } else { 16 };
        self.0[interface..interface + 4].fill(0);
        self
    }
}
