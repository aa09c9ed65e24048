//! Zone transfers as messages (RFC 5936, RFC 1995): writing them from zones, reading them into zones.
//!
//! No socket, no signature, no decision who may have what: that is Python's part.

pub mod incoming;
pub mod outgoing;
#[cfg(test)]
mod tests;
