//! Lists of address prefixes (RFC 3123): `1:192.168.32.0/21 !1:192.168.38.0/28`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::addresses::{parse, write_ipv4, write_ipv6};
use super::numbers::{decimal, decimal_u16, write_decimal};
use super::{Reason, TOO_SHORT};
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// Octets before the address: family, prefix length, and the length of the address.
const HEADER: usize = 4;
/// The upper bit beside the length of the address.
const NEGATION: u8 = 0x80;

const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// One prefix as it stands on the wire.
struct Item<'a> {
    family: u16,
    prefix: u8,
    negated: bool,
    /// Without the zero octets at its end.
    address: &'a [u8],
}

/// Reads prefixes up to the end.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    reader.each(|reader| {
        let text = reader.word()?;
        append_item(text, reader.out).ok_or_else(|| {
            reader.fault(
                "must be written like 1:192.0.2.0/24 for IPv4 and 2:2001:db8::/32 for IPv6, or with a ! before",
            )
        })
    })
}

fn append_item(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (negation, text) = text.strip_prefix(b"!").map_or((0, text), |text| (NEGATION, text));
    let colon = text.iter().position(|&octet| octet == b':')?;
    let slash = text.iter().rposition(|&octet| octet == b'/')?;
    let address = text.get(colon + 1..slash)?;
    let family = decimal_u16(&text[..colon])?;
    let octets = match family {
        IPV4 => parse::<Ipv4Addr>(address)?.octets().to_vec(),
        IPV6 => parse::<Ipv6Addr>(address)?.octets().to_vec(),
        _ => return None,
    };
    let prefix = u8::try_from(decimal(&text[slash + 1..], octets.len() as u64 * 8)?).ok()?;
    let used = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    out.extend_from_slice(&family.to_be_bytes());
    out.extend_from_slice(&[prefix, negation | u8::try_from(used).ok()?]);
    out.extend_from_slice(&octets[..used]);
    Some(())
}

/// Where the list ends. Families other than IP are not defined; any octets will do.
pub(super) fn end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    let mut rest = &rdata[at..];
    while !rest.is_empty() {
        let (item, after) = split(rest).ok_or(TOO_SHORT)?;
        let most = match item.family {
            IPV4 => 4,
            IPV6 => 16,
            _ => usize::from(u8::MAX),
        };
        if item.address.len() > most || usize::from(item.prefix) > most * 8 {
            return Err("have one that is longer than an address");
        }
        if item.address.last() == Some(&0) {
            return Err("have an address that ends in a zero octet");
        }
        rest = after;
    }
    Ok(rdata.len())
}

fn split(octets: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let &[high, low, prefix, length, ..] = octets else { return None };
    let (address, after) = octets[HEADER..].split_at_checked(usize::from(length & !NEGATION))?;
    let family = u16::from_be_bytes([high, low]);
    Some((Item { family, prefix, negated: length & NEGATION != 0, address }, after))
}

/// Writes the list; `None` when it holds a family without a text form.
pub(super) fn write(octets: &[u8], out: &mut String) -> Option<()> {
    let mut rest = octets;
    while let Some((item, after)) = split(rest) {
        if rest.len() < octets.len() {
            out.push(' ');
        }
        write_item(&item, out)?;
        rest = after;
    }
    Some(())
}

fn write_item(item: &Item<'_>, out: &mut String) -> Option<()> {
    if item.negated {
        out.push('!');
    }
    write_decimal(item.family.into(), out);
    out.push(':');
    match item.family {
        IPV4 => write_ipv4(&padded::<4>(item.address), out),
        IPV6 => write_ipv6(&padded::<16>(item.address), out),
        _ => return None,
    }
    out.push('/');
    write_decimal(item.prefix.into(), out);
    Some(())
}

/// The whole address; what is left out on the wire is zero.
fn padded<const LENGTH: usize>(address: &[u8]) -> [u8; LENGTH] {
    std::array::from_fn(|at| address.get(at).copied().unwrap_or_default())
}
