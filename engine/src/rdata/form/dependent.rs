//! Fields whose form an earlier field of the same record decides: gateways, keys, HIP, A6.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::addresses::{parse, read_ipv4, read_ipv6, write_ipv4, write_ipv6};
use super::numbers::{Number, write_decimal};
use super::octets::{read_base64, read_base64_word, read_hex_word, write_base64, write_hex};
use super::{EMPTY, Reason, fixed, names, rest};
use crate::name;
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// What stands in such a field.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Dependent {
    /// What the type in octet 1, under this mask, says: nothing, an address, a name (RFC 4025 §2.3, RFC 8777 §4.2).
    Gateway(u8),
    /// To the end of the RDATA: a key in base64, which may only be absent if the bits of `mask` in that octet are
    /// those of `absent`.
    PublicKey { octet: usize, mask: u8, absent: u8 },
    /// The upper bit of the octet that `RelayType` completes; a value of its own in text (RFC 8777 §4.2.2).
    DiscoveryFlag,
    /// The lower seven bits of that octet.
    RelayType,
    /// The four octets a HIP record begins with: two lengths and the algorithm; text has the algorithm alone.
    HipAlgorithm,
    /// The host identity tag, as long as octet 0 says (RFC 8005 §5).
    HipTag,
    /// The public key, as long as octets 2 and 3 say.
    HipKey,
    /// How many bits of an address another name gives, 0 to 128 (RFC 2874 §3.1).
    A6Prefix,
    /// The other bits; there are none when the prefix is the whole address.
    A6Suffix,
    /// The name that gives the prefix, unless that is empty.
    A6Name,
}

/// The octet that holds the gateway type, in IPSECKEY and AMTRELAY alike.
const GATEWAY_TYPE_AT: usize = 1;
/// Octets of an IPv6 address.
const IPV6_OCTETS: usize = 16;
/// Most bits of a prefix.
const MAX_PREFIX: u8 = 128;

const BAD_PREFIX: Reason = "must be a number from 0 to 128";

impl Dependent {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        match self {
            Self::Gateway(mask) => read_gateway(reader, mask),
            Self::PublicKey { octet, mask, absent } if reader.is_done() && reader.rdata()[octet] & mask == absent => {
                Ok(())
            }
            Self::PublicKey { .. } => read_base64(reader),
            Self::DiscoveryFlag => read_discovery_flag(reader),
            Self::RelayType => read_relay_type(reader),
            Self::HipAlgorithm => read_hip_algorithm(reader),
            Self::HipTag => read_hip_tag(reader),
            Self::HipKey => read_hip_key(reader),
            Self::A6Prefix => read_a6_prefix(reader),
            Self::A6Suffix => read_a6_suffix(reader),
            Self::A6Name if reader.rdata()[0] == 0 => Ok(()),
            Self::A6Name => names::read(reader),
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        match self {
            Self::Gateway(mask) => match Gateway::of(rdata, mask)? {
                Gateway::Absent => Ok(at),
                Gateway::Ipv4 => fixed(rdata, at, 4),
                Gateway::Ipv6 => fixed(rdata, at, IPV6_OCTETS),
                Gateway::Name => names::end(rdata, at),
            },
            Self::PublicKey { octet, mask, absent } => rest(rdata, at, usize::from(rdata[octet] & mask != absent)),
            Self::DiscoveryFlag => Ok(at),
            Self::HipAlgorithm => fixed(rdata, at, 4),
            Self::HipTag if rdata[0] == 0 => Err(EMPTY),
            Self::HipTag => fixed(rdata, at, rdata[0].into()),
            Self::HipKey if rdata[2..4] == [0, 0] => Err(EMPTY),
            Self::HipKey => fixed(rdata, at, u16::from_be_bytes([rdata[2], rdata[3]]).into()),
            Self::A6Prefix if rdata.first().is_some_and(|&prefix| prefix > MAX_PREFIX) => Err(BAD_PREFIX),
            Self::RelayType | Self::A6Prefix => fixed(rdata, at, 1),
            Self::A6Suffix => a6_suffix_end(rdata, at),
            Self::A6Name if rdata[0] == 0 => Ok(at),
            Self::A6Name => names::end(rdata, at),
        }
    }

    pub(super) fn write(self, rdata: &[u8], place: Range<usize>, out: &mut String) {
        let octets = &rdata[place.clone()];
        match self {
            Self::Gateway(mask) => match Gateway::of(rdata, mask) {
                Ok(Gateway::Ipv4) => write_ipv4(octets, out),
                Ok(Gateway::Ipv6) => write_ipv6(octets, out),
                Ok(Gateway::Name) => name::write_text(octets, out),
                Ok(Gateway::Absent) | Err(_) => out.push('.'),
            },
            // This field has no octet of its own; the next has it.
            Self::DiscoveryFlag => write_decimal((rdata[place.end] >> 7).into(), out),
            Self::RelayType => write_decimal((octets[0] & 0x7F).into(), out),
            Self::HipAlgorithm => write_decimal(octets[1].into(), out),
            Self::HipTag => write_hex(octets, out),
            Self::HipKey | Self::PublicKey { .. } => write_base64(octets, out),
            Self::A6Prefix => write_decimal(octets[0].into(), out),
            Self::A6Suffix | Self::A6Name if octets.is_empty() => {}
            Self::A6Suffix => write_a6_suffix(octets, out),
            Self::A6Name => name::write_text(octets, out),
        }
    }

    /// Whether this field of `rdata`, which is not empty, is a domain name.
    pub(in crate::rdata) fn is_name(self, rdata: &[u8]) -> bool {
        match self {
            Self::Gateway(mask) => matches!(Gateway::of(rdata, mask), Ok(Gateway::Name)),
            Self::A6Name => true,
            _ => false,
        }
    }
}

/// What a gateway is (RFC 4025 §2.3, RFC 8777 §4.2.3).
enum Gateway {
    Absent,
    Ipv4,
    Ipv6,
    Name,
}

impl Gateway {
    /// What the fields before the gateway announce.
    fn of(rdata: &[u8], mask: u8) -> Result<Self, Reason> {
        match rdata.get(GATEWAY_TYPE_AT).map(|octet| octet & mask) {
            Some(0) => Ok(Self::Absent),
            Some(1) => Ok(Self::Ipv4),
            Some(2) => Ok(Self::Ipv6),
            Some(3) => Ok(Self::Name),
            _ => Err("has an unknown type; known are 0 for none, 1 for IPv4, 2 for IPv6, 3 for a name"),
        }
    }
}

fn read_gateway(reader: &mut Reader<'_>, mask: u8) -> Result<(), FieldError> {
    match Gateway::of(reader.rdata(), mask) {
        Ok(Gateway::Absent) if reader.word()? == b"." => Ok(()),
        Ok(Gateway::Absent) => Err(reader.fault("must be a dot, because its type is 0")),
        Ok(Gateway::Ipv4) => read_ipv4(reader),
        Ok(Gateway::Ipv6) => read_ipv6(reader),
        Ok(Gateway::Name) => names::read(reader),
        Err(reason) => {
            reader.word()?;
            Err(reader.fault(reason))
        }
    }
}

fn read_discovery_flag(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let octet = match reader.word()? {
        b"0" => 0,
        b"1" => 0x80,
        _ => return Err(reader.fault("must be 0 or 1")),
    };
    reader.out.push(octet);
    Ok(())
}

fn read_relay_type(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let flag = reader.out.pop().unwrap_or_default();
    Number::U8.read(reader)?;
    match reader.out.last_mut() {
        Some(octet) if *octet < 0x80 => {
            *octet |= flag;
            Ok(())
        }
        _ => Err(reader.fault("must be a number from 0 to 127")),
    }
}

/// The lengths beside the algorithm follow with their fields.
fn read_hip_algorithm(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    reader.out.push(0);
    Number::U8.read(reader)?;
    reader.out.extend_from_slice(&[0, 0]);
    Ok(())
}

fn read_hip_tag(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let length = read_hex_word(reader)?;
    reader.rdata()[0] = u8::try_from(length).map_err(|_| reader.fault("must have at most 255 octets"))?;
    Ok(())
}

fn read_hip_key(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let length = read_base64_word(reader)?;
    let length = u16::try_from(length).map_err(|_| reader.fault("must have at most 65535 octets"))?;
    reader.rdata()[2..4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn read_a6_prefix(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    Number::U8.read(reader)?;
    if reader.rdata()[0] > MAX_PREFIX { Err(reader.fault(BAD_PREFIX)) } else { Ok(()) }
}

/// The suffix is written as a whole address, of which the bits of the prefix do not count.
fn read_a6_suffix(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let prefix = reader.rdata()[0];
    let Some(mask) = u128::MAX.checked_shr(prefix.into()) else { return Ok(()) };
    let text = reader.word()?;
    let address = parse::<Ipv6Addr>(text).ok_or_else(|| reader.fault("must be an IPv6 address"))?;
    let bits = mask & u128::from(address);
    reader.out.extend_from_slice(&bits.to_be_bytes()[usize::from(prefix) / 8..]);
    Ok(())
}

/// The bits that pad the suffix to whole octets are zero (RFC 2874 §3.1).
fn a6_suffix_end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    let prefix = rdata[0];
    let end = fixed(rdata, at, IPV6_OCTETS - usize::from(prefix) / 8)?;
    let padding = !(u8::MAX >> (prefix % 8));
    match rdata[at..end].first() {
        Some(first) if first & padding != 0 => Err("has bits set in its padding"),
        _ => Ok(end),
    }
}

fn write_a6_suffix(octets: &[u8], out: &mut String) {
    let mut address = [0; IPV6_OCTETS];
    address[IPV6_OCTETS - octets.len()..].copy_from_slice(octets);
    write_ipv6(&address, out);
}
