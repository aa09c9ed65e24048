//! RDATA on the wire: whether it is sound, field by field.

use super::{MAX_RDATA, types};

/// Checks uncompressed RDATA from outside. Types without a known form take any octets.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the record or one of its values.
pub fn check_wire(rtype: u16, rdata: &[u8]) -> Result<(), &'static str> {
    find_fault(rtype, rdata).map_err(|(_, reason)| reason)
}

/// As [`check_wire`], but the error also has the label of what is at fault.
pub(super) fn find_fault(rtype: u16, rdata: &[u8]) -> Result<(), (&'static str, &'static str)> {
    if rdata.len() > MAX_RDATA {
        return Err(("record", "has more than 65535 octets"));
    }
    let Some(row) = types::row(rtype).filter(|row| !row.fields.is_empty()) else { return Ok(()) };
    let mut at = 0;
    for field in row.fields {
        at = field.form.end(rdata, at).map_err(|reason| (field.label, reason))?;
    }
    if at == rdata.len() { Ok(()) } else { Err(("record", "has octets left over after its last value")) }
}
