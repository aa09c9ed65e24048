//! Addresses of every kind: IP, hardware, locators, and those of networks long gone.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::octets::{Hex, digit, write_hex};
use super::{Reason, fixed, rest};
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// How an address looks.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Address {
    /// Four octets.
    Ipv4,
    /// Sixteen octets.
    Ipv6,
    /// Eight octets as four groups of hexadecimal digits (RFC 6742 §2.1).
    Locator,
    /// So many octets, written `xx-xx-…` (RFC 7043).
    Eui(usize),
    /// To the end of the RDATA: a network service access point, `0x` and hexadecimal with dots (RFC 1706).
    Nsap,
    /// To the end of the RDATA: an ATM address, `+` and digits or hexadecimal with dots.
    Atma,
}

impl Address {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        match self {
            Self::Ipv4 => read_ipv4(reader),
            Self::Ipv6 => read_ipv6(reader),
            Self::Locator => read_locator(reader),
            Self::Eui(length) => read_eui(reader, length),
            Self::Nsap => read_nsap(reader),
            Self::Atma => read_atma(reader),
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        match self {
            Self::Ipv4 => fixed(rdata, at, 4),
            Self::Ipv6 => fixed(rdata, at, 16),
            Self::Locator => fixed(rdata, at, 8),
            Self::Eui(length) => fixed(rdata, at, length),
            Self::Nsap => rest(rdata, at, 1),
            Self::Atma => atma_end(rdata, at),
        }
    }

    pub(super) fn write(self, octets: &[u8], out: &mut String) {
        match self {
            Self::Ipv4 => write_ipv4(octets, out),
            Self::Ipv6 => write_ipv6(octets, out),
            Self::Locator => write_groups(octets, 2, ':', out),
            Self::Eui(_) => write_groups(octets, 1, '-', out),
            Self::Nsap => {
                out.push_str("0x");
                write_hex(octets, out);
            }
            Self::Atma => write_atma(octets, out),
        }
    }
}

/// Reads an IP address from its usual text.
pub(super) fn parse<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Reads an IPv4 address.
pub(super) fn read_ipv4(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let text = reader.word()?;
    let Some(address) = parse::<Ipv4Addr>(text) else {
        let error = reader.fault_of("an IPv4 address has four numbers from 0 to 255");
        let is_ipv6 = parse::<Ipv6Addr>(text).is_some();
        return Err(if is_ipv6 {
            error.with_hint("this is an IPv6 address; those of hosts stand in AAAA records")
        } else {
            error.with_hint("an address looks like 192.0.2.1")
        });
    };
    reader.out.extend_from_slice(&address.octets());
    Ok(())
}

/// Reads an IPv6 address.
pub(super) fn read_ipv6(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let text = reader.word()?;
    let Some(address) = parse::<Ipv6Addr>(text) else {
        let error = reader.fault_of("an IPv6 address has eight groups of hexadecimal digits, or fewer and one ::");
        let is_ipv4 = parse::<Ipv4Addr>(text).is_some();
        return Err(if is_ipv4 {
            error.with_hint("this is an IPv4 address; those of hosts stand in A records")
        } else {
            error.with_hint("an address looks like 2001:db8::1")
        });
    };
    reader.out.extend_from_slice(&address.octets());
    Ok(())
}

fn read_locator(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let text = reader.word()?;
    let mut count = 0;
    for group in text.split(|&octet| octet == b':') {
        let value = group.iter().try_fold(0_u16, |value, &octet| Some(value << 4 | u16::from(digit(octet)?)));
        let value = value.filter(|_| (1..=4).contains(&group.len()));
        reader.out.extend_from_slice(&value.ok_or_else(|| bad_locator(reader))?.to_be_bytes());
        count += 1;
    }
    if count == 4 { Ok(()) } else { Err(bad_locator(reader)) }
}

fn bad_locator(reader: &Reader<'_>) -> FieldError {
    reader.fault("must have four groups of one to four hexadecimal digits, like 2001:0db8:1140:1000")
}

fn read_eui(reader: &mut Reader<'_>, length: usize) -> Result<(), FieldError> {
    let text = reader.word()?;
    let start = reader.out.len();
    let whole = text.split(|&octet| octet == b'-').all(|pair| {
        let &[high, low] = pair else { return false };
        let octet = digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low);
        reader.out.extend(octet);
        octet.is_some()
    });
    if whole && reader.out.len() - start == length {
        return Ok(());
    }
    let rule = format!("must have {length} octets in hexadecimal with hyphens between, like 00-00-5e-00-53-2a");
    Err(reader.fault(&rule))
}

fn read_nsap(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let text = reader.word()?;
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"));
    let outcome = digits.and_then(|digits| append_dotted_hex(digits, reader.out));
    outcome.ok_or_else(|| reader.fault("must begin with 0x and go on in hexadecimal; dots may stand in it"))
}

/// The first octet of an ATM address in hexadecimal.
const AESA: u8 = 0;
/// The first octet of an ATM address in digits.
const E164: u8 = 1;

fn read_atma(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let text = reader.word()?;
    let outcome = if let Some(digits) = text.strip_prefix(b"+") {
        reader.out.push(E164);
        append_dotted_digits(digits, reader.out)
    } else {
        reader.out.push(AESA);
        append_dotted_hex(text, reader.out)
    };
    outcome.ok_or_else(|| reader.fault("must be a plus sign and digits, or hexadecimal; dots may stand in it"))
}

/// Appends at least one octet; dots between the digits are left out.
fn append_dotted_hex(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let mut hex = Hex::default();
    for part in text.split(|&octet| octet == b'.') {
        hex.feed(part, out)?;
    }
    hex.finish()?;
    (out.len() > start).then_some(())
}

/// Appends at least one digit as it is; dots between them are left out.
fn append_dotted_digits(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.extend(text.iter().filter(|&&octet| octet != b'.'));
    are_digits(&out[start..]).then_some(())
}

fn are_digits(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(u8::is_ascii_digit)
}

fn atma_end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    match &rdata[at..] {
        [AESA, _, ..] => Ok(rdata.len()),
        [E164, digits @ ..] if are_digits(digits) => Ok(rdata.len()),
        _ => Err("has an unknown format or no digits"),
    }
}

/// Writes four octets as an IPv4 address.
pub(super) fn write_ipv4(octets: &[u8], out: &mut String) {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{}", Ipv4Addr::from(octets));
    }
}

/// Writes sixteen octets as an IPv6 address (RFC 5952).
pub(super) fn write_ipv6(octets: &[u8], out: &mut String) {
    if let Ok(octets) = <[u8; 16]>::try_from(octets) {
        let _ = write!(out, "{}", Ipv6Addr::from(octets));
    }
}

/// Writes octets in lower-case hexadecimal, `group` of them together.
fn write_groups(octets: &[u8], group: usize, separator: char, out: &mut String) {
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 && at % group == 0 {
            out.push(separator);
        }
        let _ = write!(out, "{octet:02x}");
    }
}

fn write_atma(octets: &[u8], out: &mut String) {
    if let [E164, digits @ ..] = octets {
        out.push('+');
        out.extend(digits.iter().map(|&digit| char::from(digit)));
    } else {
        write_hex(&octets[1..], out);
    }
}
