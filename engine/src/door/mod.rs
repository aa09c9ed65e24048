//! The one door to Python: `oakroot._engine`.
//!
//! Thin wrappers only: conversions, and letting go of the interpreter while the engine works. `src/oakroot/_engine.pyi`
//! is the contract; stubtest holds this module to it. No decision about DNS is made here.

#![allow(clippy::needless_pass_by_value, reason = "arguments from Python arrive as owned values")]

mod ahead;
mod catalogue;
mod document;
mod findings;
mod message;
mod names;
mod reading;
mod server;
mod tap;
mod transfer;
mod zone;

use pyo3::prelude::*;

/// The Rust engine of Oakroot.
#[pymodule]
#[pyo3(name = "_engine")]
mod engine {
    #[pymodule_export]
    use super::ahead::ReadingZones;
    #[pymodule_export]
    use super::catalogue::Catalogue;
    #[pymodule_export]
    use super::document::{Document, EditError};
    #[pymodule_export]
    use super::findings::Diagnostic;
    #[pymodule_export]
    use super::message::{canonical_rdata, message_layout, read_message_records, type_number, wire_rdata};
    #[pymodule_export]
    use super::reading::{
        Marks, Record, find_serial, give_back_memory, read_records, read_zone, read_zone_with_marks, reread_zone,
    };
    #[pymodule_export]
    use super::server::{Request, Server, adopt_cookie_secret, cookie_secret};
    #[pymodule_export]
    use super::tap::Exchange;
    #[pymodule_export]
    use super::transfer::{Incoming, Outgoing, TransferError};
    #[pymodule_export]
    use super::zone::Zone;
}
