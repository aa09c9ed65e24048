//! How long the signatures of a zone hold: a question of its operator, no part of any answer.

use super::Zone;
use super::page::{Node, Rrset};
use crate::rdata::types;

impl Zone {
    /// When the first of its signatures expires, in seconds since 1970; None if the apex is not signed.
    ///
    /// Moments in signatures count modulo 2³² (RFC 4034 §3.1.5): meant are those nearest to `now`.
    #[must_use]
    pub fn earliest_expiration(&self, now: i64) -> Option<i64> {
        signatures(self.apex_node()).next()?;
        let moments = self.nodes().flat_map(signatures).flat_map(|rrset| rrset.rdatas()).filter_map(expiration);
        moments.map(|moment| now + distance(now, moment)).min()
    }
}

fn signatures(node: Node<'_>) -> impl Iterator<Item = Rrset<'_>> + use<'_> {
    node.rrsets().filter(|rrset| rrset.rtype == types::RRSIG)
}

/// Behind the type covered (2 octets), algorithm (1), labels (1) and original TTL (4).
fn expiration(rdata: &[u8]) -> Option<u32> {
    rdata.get(8..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "modulo 2³²")]
fn distance(now: i64, moment: u32) -> i64 {
    i64::from(moment.wrapping_sub(now as u32) as i32)
}
