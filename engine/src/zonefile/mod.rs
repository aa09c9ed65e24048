//! Reads master files (RFC 1035 §5) into records and diagnostics.
pub mod token;
