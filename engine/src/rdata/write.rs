//! RDATA to text: by the fields of the type, or in the form that fits every type.

use super::form::{write_decimal, write_hex};
use super::{types, wire};

/// Writes RDATA in its canonical text form: one line, names absolute, strings quoted. What has no such form, or does
/// not pass [`super::check_wire`], is written as RFC 3597 §5 has it (`\# 4 C0000201`).
pub fn write_text(rtype: u16, rdata: &[u8], out: &mut String) {
    let start = out.len();
    if write_fields(rtype, rdata, out).is_none() || out.len() == start {
        out.truncate(start);
        write_generic(rdata, out);
    }
}

/// `None` when the type or this RDATA has no text form of its own; then `out` may hold a beginning.
fn write_fields(rtype: u16, rdata: &[u8], out: &mut String) -> Option<()> {
    let fields = types::row(rtype)?.fields;
    wire::check_wire(rtype, rdata).ok()?;
    let start = out.len();
    let mut at = 0;
    for field in fields {
        let end = field.form.end(rdata, at).ok()?;
        let before = out.len();
        if before > start {
            out.push(' ');
        }
        let separated = out.len();
        field.form.write(rdata, at..end, out)?;
        if out.len() == separated {
            out.truncate(before);
        }
        at = end;
    }
    Some(())
}

fn write_generic(rdata: &[u8], out: &mut String) {
    out.push_str(r"\# ");
    write_decimal(rdata.len() as u64, out);
    if !rdata.is_empty() {
        out.push(' ');
        write_hex(rdata, out);
    }
}
