//! DNS messages as octets: reading queries, writing responses. What is answered is decided in `answer`.

mod compress;
pub mod cookie;
pub mod edns;
pub mod layout;
pub mod name;
pub mod query;
pub mod ready;
pub mod writer;

/// Octets of a header (RFC 1035 §4.1.1).
pub const HEADER: usize = 12;

/// Response codes (RFC 6895 §2.3) that the engine gives.
pub mod rcode {
    /// No error.
    pub const NOERROR: u16 = 0;
    /// The query could not be read.
    pub const FORMERR: u16 = 1;
    /// Ours, but not available.
    pub const SERVFAIL: u16 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u16 = 3;
    /// This opcode is not known here.
    pub const NOTIMP: u16 = 4;
    /// Not for this server.
    pub const REFUSED: u16 = 5;
    /// A DNAME made the name too long.
    pub const YXDOMAIN: u16 = 6;
    /// EDNS version not known (extended).
    pub const BADVERS: u16 = 16;
}

/// Header flags in the two octets behind the id.
pub mod flag {
    /// Response.
    pub const QR: u16 = 0x8000;
    /// Authoritative answer.
    pub const AA: u16 = 0x0400;
    /// Truncated.
    pub const TC: u16 = 0x0200;
    /// Recursion desired.
    pub const RD: u16 = 0x0100;
}
