//! RDATA by itself: as octets, and as a text that is the same for all that means the same.

use super::scanner::Scanner;
use super::words;
use crate::name;
use crate::rdata::{self, FieldError};

/// Reads RDATA and writes it in its canonical text form, its names in lower case (RFC 4343 §3).
///
/// # Errors
/// What is wrong with the text.
pub fn rdata(rtype: u16, text: &[u8]) -> Result<String, FieldError> {
    let mut wire = octets(rtype, text)?;
    let names: Vec<_> = rdata::names(rtype, &wire).collect();
    for field in names {
        wire[field.start..field.end].make_ascii_lowercase();
    }
    let mut written = String::new();
    rdata::write_text(rtype, &wire, &mut written);
    Ok(written)
}

/// Reads RDATA, its names absolute with or without their final dot, and gives its octets.
///
/// # Errors
/// What is wrong with the text.
pub fn octets(rtype: u16, text: &[u8]) -> Result<Vec<u8>, FieldError> {
    let mut tokens = Vec::new();
    Scanner::new(text, 0).next_entry(&mut tokens);
    let mut wire = Vec::new();
    rdata::read_text(rtype, &words::settle_fields(&tokens, rtype), name::Name::root().as_wire(), &mut wire)?;
    Ok(wire)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdata::types;

    #[test]
    fn octets_keep_the_case_of_names() {
        assert_eq!(octets(types::MX, b"10 Mail").unwrap(), b"\0\x0a\x04Mail\0");
        assert!(octets(types::MX, b"Mail").is_err());
    }

    #[test]
    fn what_means_the_same_has_one_text() {
        for (rtype, text, canonical) in [
            (types::MX, "10 MAIL.example.org.", "10 mail.example.org."),
            (types::MX, r"\# 5 000A 0161 00", "10 a."),
            (types::TXT, "Words", "\"Words\""),
            (types::AAAA, "2001:DB8:0::1", "2001:db8::1"),
            (65280, r"\# 0", r"\# 0"),
        ] {
            assert_eq!(rdata(rtype, text.as_bytes()).unwrap(), canonical);
        }
        assert!(rdata(types::A, br"\# 0").is_err());
        assert!(rdata(types::A, b"192.0.2").is_err());
    }
}
