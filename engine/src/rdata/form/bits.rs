//! Sets of numbers as bits, to the end of the RDATA: the record types of NSEC and its kin, and the ports of WKS.

use super::mnemonics::SERVICES;
use super::numbers::{decimal_u16, write_decimal};
use super::{Reason, TOO_SHORT, write_list};
use crate::rdata::reader::Reader;
use crate::rdata::{FieldError, type_number, write_type};

/// What the numbers are and how their bits are laid out.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Bits {
    /// Record types in windows (RFC 4034 §4.1.2).
    Types,
    /// Record types up to 127 in one run (RFC 2535 §5.2).
    OldTypes,
    /// Ports in one run (RFC 1035 §3.4.2).
    Ports,
}

/// Octets in the largest window: 256 types (RFC 4034 §4.1.2).
const WINDOW: usize = 32;
/// The largest type that an NXT record can list (RFC 2535 §5.2).
const LAST_OLD_TYPE: u16 = 127;

impl Bits {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        let mut numbers = Vec::new();
        while !reader.is_done() {
            let text = reader.word()?;
            numbers.push(self.number(text).ok_or_else(|| reader.fault(self.rule()))?);
        }
        numbers.sort_unstable();
        match self {
            Self::Types => append_windows(&numbers, reader.out),
            Self::OldTypes | Self::Ports => append_run(&numbers, reader.out),
        }
        Ok(())
    }

    fn number(self, text: &[u8]) -> Option<u16> {
        match self {
            Self::Types => type_number(text).filter(|rtype| *rtype != 0),
            Self::OldTypes => type_number(text).filter(|rtype| (1..=LAST_OLD_TYPE).contains(rtype)),
            Self::Ports => decimal_u16(text).or_else(|| SERVICES.number(text)),
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Types => "must be names of record types, or TYPE and a number",
            Self::OldTypes => "must be names of record types with numbers from 1 to 127",
            Self::Ports => SERVICES.rule,
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        let bits = &rdata[at..];
        match self {
            Self::Types => check_windows(bits)?,
            // The first bit stands for another format (RFC 2535 §5.2).
            Self::OldTypes if has_bit_zero(bits) => return Err("are in an unknown format"),
            Self::OldTypes => check_run(bits, LAST_OLD_TYPE)?,
            Self::Ports => check_run(bits, u16::MAX)?,
        }
        Ok(rdata.len())
    }

    pub(super) fn write(self, octets: &[u8], out: &mut String) {
        match self {
            Self::Types => write_list(in_windows(octets), ' ', out, write_type),
            Self::OldTypes => write_list(in_run(octets), ' ', out, write_type),
            Self::Ports => write_list(in_run(octets), ' ', out, |port, out| write_decimal(port.into(), out)),
        }
    }
}

/// Appends sorted types as windows.
fn append_windows(types: &[u16], out: &mut Vec<u8>) {
    for window in types.chunk_by(|left, right| left >> 8 == right >> 8) {
        let [high, last] = window[window.len() - 1].to_be_bytes();
        let used = last / 8 + 1;
        out.extend_from_slice(&[high, used]);
        let start = out.len();
        out.resize(start + usize::from(used), 0);
        for rtype in window {
            set(&mut out[start..], usize::from(rtype & 0xFF));
        }
    }
}

/// Appends sorted numbers as one run.
fn append_run(numbers: &[u16], out: &mut Vec<u8>) {
    let start = out.len();
    let used = numbers.last().map_or(0, |&last| usize::from(last) / 8 + 1);
    out.resize(start + used, 0);
    for &number in numbers {
        set(&mut out[start..], number.into());
    }
}

/// Bits are counted from the highest of the first octet.
fn set(bits: &mut [u8], number: usize) {
    bits[number / 8] |= 0x80 >> (number % 8);
}

fn has_bit_zero(bits: &[u8]) -> bool {
    bits.first().is_some_and(|first| first & 0x80 != 0)
}

/// The numbers of one run.
fn in_run(bits: &[u8]) -> impl Iterator<Item = u16> {
    (0..=u16::MAX).take(bits.len() * 8).filter(|&number| {
        let number = usize::from(number);
        bits[number / 8] & (0x80 >> (number % 8)) != 0
    })
}

/// The numbers of all windows, which have been checked.
fn in_windows(octets: &[u8]) -> impl Iterator<Item = u16> {
    windows(octets).flat_map(|(window, bits)| in_run(bits).map(move |low| u16::from(window) << 8 | low))
}

/// Windows and their bits, until one is cut short.
fn windows(octets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let &[window, length, ref after @ ..] = rest else { return None };
        let (bits, after) = after.split_at_checked(length.into())?;
        rest = after;
        Some((window, bits))
    })
}

/// Windows ascend, none is empty, and none ends in a zero octet (RFC 4034 §4.1.2).
fn check_windows(octets: &[u8]) -> Result<(), Reason> {
    let mut checked = 0;
    let mut least = 0;
    for (window, bits) in windows(octets) {
        if u16::from(window) < least {
            return Err("have windows out of order");
        }
        if window == 0 && has_bit_zero(bits) {
            return Err("have the bit of type 0 set");
        }
        if bits.is_empty() || bits.len() > WINDOW {
            return Err("have a window of a wrong length");
        }
        if bits.last() == Some(&0) {
            return Err("have a window that ends in a zero octet");
        }
        least = u16::from(window) + 1;
        checked += 2 + bits.len();
    }
    if checked == octets.len() { Ok(()) } else { Err(TOO_SHORT) }
}

fn check_run(bits: &[u8], last: u16) -> Result<(), Reason> {
    if bits.len() * 8 > usize::from(last) + 1 {
        return Err("have more bits than there are numbers");
    }
    if bits.last() == Some(&0) { Err("end in a zero octet") } else { Ok(()) }
}
