//! Octets written in letters and digits: hexadecimal and base64, which may be spread over several tokens, and base32.

use data_encoding::{BASE32_DNSSEC, BASE32HEX_NOPAD, BASE64, HEXUPPER};

use super::mnemonics::Digests;
use super::{EMPTY, Reason, rest, text};
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// How octets are written and bounded.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Octets {
    /// To the end of the RDATA, in hexadecimal.
    Hex,
    /// To the end of the RDATA: a digest in hexadecimal, whose length an earlier field decides.
    Digest(&'static Digests),
    /// To the end of the RDATA, in base64.
    Base64,
    /// To the end of the RDATA, in base64, or nothing.
    OptionalBase64,
    /// To the end of the RDATA, in base64, or `-` for nothing.
    DashBase64,
    /// Behind a length octet, in hexadecimal, or `-` for nothing (RFC 5155 §3.3).
    Salt,
    /// Behind a length octet, in base32hex without padding (RFC 5155 §3.3); an earlier field decides its length.
    Hash(&'static Digests),
}

impl Octets {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        match self {
            Self::Hex => read_hex(reader),
            Self::Digest(digests) => read_digest(reader, digests),
            Self::OptionalBase64 if reader.is_done() => Ok(()),
            Self::DashBase64 if reader.skip_dash() => Ok(()),
            Self::Base64 | Self::OptionalBase64 | Self::DashBase64 => read_base64(reader),
            Self::Salt => read_salt(reader),
            Self::Hash(digests) => read_hash(reader, digests),
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        match self {
            Self::Hex | Self::Base64 => rest(rdata, at, 1),
            Self::Digest(digests) if digests.accept(rdata, rdata.len() - at) => Ok(rdata.len()),
            Self::Digest(_) => Err(WRONG_LENGTH),
            Self::OptionalBase64 | Self::DashBase64 => Ok(rdata.len()),
            Self::Salt => text::end(rdata, at),
            Self::Hash(digests) => match text::end(rdata, at)? {
                end if digests.accept(rdata, end - at - 1) => Ok(end),
                _ => Err(WRONG_LENGTH),
            },
        }
    }

    pub(super) fn write(self, octets: &[u8], out: &mut String) {
        match self {
            Self::Hex | Self::Digest(_) => write_hex(octets, out),
            Self::DashBase64 if octets.is_empty() => out.push('-'),
            Self::Base64 | Self::OptionalBase64 | Self::DashBase64 => write_base64(octets, out),
            Self::Salt if octets.len() == 1 => out.push('-'),
            Self::Salt => write_hex(&octets[1..], out),
            Self::Hash(_) => BASE32HEX_NOPAD.encode_append(&octets[1..], out),
        }
    }
}

const NOT_HEX: &str = "must be written in hexadecimal: digits and the letters A to F";
const ODD_HEX: &str = "has an odd number of hexadecimal digits";
const NOT_BASE64: &str = "must be written in base64: letters, digits, + and /";
const NOT_BASE32: &str = "must be written in base32hex: digits and the letters A to V, without padding";
const CUT_BASE64: &str = "ends in the middle of its base64";
const WRONG_LENGTH: Reason = "has another length than its type asks for";
const OVER_255: &str = "must have at most 255 octets";

/// Reads hexadecimal piece by piece.
#[derive(Default)]
pub(in crate::rdata) struct Hex {
    half: Option<u8>,
}

impl Hex {
    /// Appends what `text` completes; `None` when it holds anything but digits.
    pub(in crate::rdata) fn feed(&mut self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        for &octet in text {
            let digit = digit(octet)?;
            match self.half.take() {
                Some(high) => out.push(high << 4 | digit),
                None => self.half = Some(digit),
            }
        }
        Some(())
    }

    /// `None` when a digit is left over.
    pub(in crate::rdata) fn finish(self) -> Option<()> {
        if self.half.is_none() { Some(()) } else { None }
    }
}

/// The value of a hexadecimal digit.
pub(super) fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// Reads base64 (RFC 4648 §4) piece by piece. Padding is required and the bits it leaves must be zero, so that there
/// is one text for any octets.
#[derive(Default)]
struct Base64 {
    bits: u32,
    count: u8,
    padding: u8,
}

/// Marks what is no digit of base64.
const NO_SEXTET: u8 = u8::MAX;
static SEXTETS: [u8; 256] = index_sextets();

#[allow(clippy::cast_possible_truncation, reason = "there are 64 digits")]
const fn index_sextets() -> [u8; 256] {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut index = [NO_SEXTET; 256];
    let mut value = 0;
    while value < digits.len() {
        index[digits[value] as usize] = value as u8;
        value += 1;
    }
    index
}

/// The three octets of four digits; `None` when they are not all digits.
fn whole_group(group: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = group.map(|octet| SEXTETS[usize::from(octet)]);
    (a.max(b).max(c).max(d) != NO_SEXTET).then_some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

impl Base64 {
    /// Appends what `text` completes; `None` when it holds anything that has no place there.
    fn feed(&mut self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut rest = text;
        while let Some((group, after)) = rest.split_first_chunk().filter(|_| self.count == 0 && self.padding == 0) {
            let Some(octets) = whole_group(*group) else { break };
            out.extend_from_slice(&octets);
            rest = after;
        }
        for &octet in rest {
            if octet == b'=' {
                self.padding += 1;
                if self.count < 2 || self.count + self.padding > 4 {
                    return None;
                }
                continue;
            }
            let sextet = SEXTETS[usize::from(octet)];
            if sextet == NO_SEXTET || self.padding > 0 {
                return None;
            }
            self.bits = self.bits << 6 | u32::from(sextet);
            self.count += 1;
            if self.count == 4 {
                out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                *self = Self::default();
            }
        }
        Some(())
    }

    /// Appends the octets of the last, padded group; `None` when it is not complete.
    fn finish(self, out: &mut Vec<u8>) -> Option<()> {
        let unused = match (self.count, self.padding) {
            (0, 0) => return Some(()),
            (2, 2) => 4,
            (3, 1) => 2,
            _ => return None,
        };
        if self.bits & ((1 << unused) - 1) != 0 {
            return None;
        }
        let octets = (self.bits >> unused).to_be_bytes();
        out.extend_from_slice(&octets[octets.len() - usize::from(self.count) + 1..]);
        Some(())
    }
}

/// Feeds all tokens that are left, at least one.
fn read_rest(
    reader: &mut Reader<'_>,
    mut feed: impl FnMut(&[u8], &mut Vec<u8>) -> Option<()>,
    rule: &str,
) -> Result<(), FieldError> {
    loop {
        let text = reader.word()?;
        feed(text, reader.out).ok_or_else(|| reader.fault(rule))?;
        if reader.is_done() {
            return Ok(());
        }
    }
}

/// Reads hexadecimal up to the end, at least one octet.
fn read_hex(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let start = reader.out.len();
    let mut hex = Hex::default();
    read_rest(reader, |text, out| hex.feed(text, out), NOT_HEX)?;
    hex.finish().ok_or_else(|| reader.fault(ODD_HEX))?;
    require_octet(reader, start)
}

/// Reads base64 up to the end, at least one octet.
pub(super) fn read_base64(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let start = reader.out.len();
    let mut base64 = Base64::default();
    read_rest(reader, |text, out| base64.feed(text, out), NOT_BASE64)?;
    base64.finish(reader.out).ok_or_else(|| reader.fault(CUT_BASE64))?;
    require_octet(reader, start)
}

fn require_octet(reader: &Reader<'_>, start: usize) -> Result<(), FieldError> {
    if reader.out.len() == start { Err(reader.fault(EMPTY)) } else { Ok(()) }
}

/// Reads one token of hexadecimal; returns how many octets it has.
pub(super) fn read_hex_word(reader: &mut Reader<'_>) -> Result<usize, FieldError> {
    let start = reader.out.len();
    let mut hex = Hex::default();
    let text = reader.word()?;
    hex.feed(text, reader.out).ok_or_else(|| reader.fault(NOT_HEX))?;
    hex.finish().ok_or_else(|| reader.fault(ODD_HEX))?;
    require_octet(reader, start)?;
    Ok(reader.out.len() - start)
}

/// Reads one token of base64; returns how many octets it has.
pub(super) fn read_base64_word(reader: &mut Reader<'_>) -> Result<usize, FieldError> {
    let start = reader.out.len();
    let text = reader.word()?;
    let mut base64 = Base64::default();
    base64.feed(text, reader.out).ok_or_else(|| reader.fault(NOT_BASE64))?;
    base64.finish(reader.out).ok_or_else(|| reader.fault(CUT_BASE64))?;
    require_octet(reader, start)?;
    Ok(reader.out.len() - start)
}

fn read_digest(reader: &mut Reader<'_>, digests: &Digests) -> Result<(), FieldError> {
    let start = reader.out.len();
    read_hex(reader)?;
    check_length(reader, digests, reader.out.len() - start)
}

fn check_length(reader: &mut Reader<'_>, digests: &Digests, length: usize) -> Result<(), FieldError> {
    if digests.accept(reader.rdata(), length) {
        return Ok(());
    }
    let (expected, least) = match digests.expected(reader.rdata()) {
        Some(length) => (length, ""),
        None => (digests.least, "at least "),
    };
    Err(reader.fault(&format!("of this type must have {least}{expected} octets, this one has {length}")))
}

fn read_salt(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let length_at = reader.out.len();
    reader.out.push(0);
    if reader.skip_dash() {
        return Ok(());
    }
    let length = read_hex_word(reader)?;
    reader.out[length_at] = u8::try_from(length).map_err(|_| reader.fault(OVER_255))?;
    Ok(())
}

fn read_hash(reader: &mut Reader<'_>, digests: &Digests) -> Result<(), FieldError> {
    let text = reader.word()?;
    let length = BASE32_DNSSEC.decode_len(text.len()).map_err(|_| reader.fault(NOT_BASE32))?;
    reader.out.push(u8::try_from(length).map_err(|_| reader.fault(OVER_255))?);
    let start = reader.out.len();
    reader.out.resize(start + length, 0);
    BASE32_DNSSEC.decode_mut(text, &mut reader.out[start..]).map_err(|_| reader.fault(NOT_BASE32))?;
    check_length(reader, digests, length)
}

/// Appends the octets of one piece of base64; on `None`, `out` may have grown.
pub(super) fn decode_base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut base64 = Base64::default();
    base64.feed(text, out)?;
    base64.finish(out)
}

/// Writes hexadecimal in upper case.
pub(in crate::rdata) fn write_hex(octets: &[u8], out: &mut String) {
    HEXUPPER.encode_append(octets, out);
}

/// Writes base64.
pub(super) fn write_base64(octets: &[u8], out: &mut String) {
    BASE64.encode_append(octets, out);
}
