//! What negative answers carry of a zone, kept composed: its SOA with the TTL that they may be cached for (RFC 2308 §3),
//! for an answer to be copied.

use super::{SoaFacts, Zone};
use crate::message::ready::Ready;
use crate::rdata::types;

/// The SOA, without and with what signs it.
pub(super) struct Negative {
    plain: Ready,
    signed: Option<Box<Ready>>,
}

impl Negative {
    pub(super) fn of(zone: &Zone, facts: SoaFacts) -> Option<Self> {
        let (soa, signatures) = zone.node(zone.apex_hash, &[])?.signed_rrset(types::SOA)?;
        let apex = zone.apex.as_wire();
        // More than one is an error of the zone, which is found later; all of them might be too many for a message.
        let first = soa.rdatas().take(1);
        let mut records: Vec<_> = first.map(|rdata| (types::SOA, facts.negative_ttl, rdata)).collect();
        let plain = Ready::of_apex(apex, &records);
        let signed = signatures.map(|signatures| {
            records.extend(signatures.rdatas().map(|rdata| (types::RRSIG, facts.negative_ttl, rdata)));
            Box::new(Ready::of_apex(apex, &records))
        });
        Some(Self { plain, signed })
    }

    /// The records for a client that wants signatures, or none.
    #[inline]
    pub(super) fn records(&self, dnssec_ok: bool) -> &Ready {
        self.signed.as_deref().filter(|_| dnssec_ok).unwrap_or(&self.plain)
    }
}
