//! Numbers of one to eight octets, plain or with a notation of their own.

use std::fmt::Write;

use super::mnemonics::Mnemonics;
use super::{Reason, fixed, time};
use crate::rdata::reader::Reader;
use crate::rdata::{FieldError, type_number, write_type};

/// What a number means and how it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Number {
    /// One octet.
    U8,
    /// Two octets.
    U16,
    /// Four octets.
    U32,
    /// Eight octets.
    U64,
    /// Seconds in four octets; text also takes units (`1h30m`).
    Period,
    /// A point in time in four octets; text is `YYYYMMDDHHMMSS` or seconds (RFC 4034 §3.2).
    Timestamp,
    /// A TYPE number.
    Type,
    /// A number that has names.
    Mnemonic(&'static Mnemonics),
}

impl Number {
    const fn width(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::Type => 2,
            Self::U32 | Self::Period | Self::Timestamp => 4,
            Self::U64 => 8,
            Self::Mnemonic(mnemonics) => mnemonics.width,
        }
    }

    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        let text = reader.word()?;
        let largest = u64::MAX >> (64 - 8 * self.width());
        let value = match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => decimal(text, largest),
            Self::Period => time::period(text).map(u64::from),
            Self::Timestamp => time::timestamp(text).map(u64::from),
            Self::Type => type_number(text).map(u64::from),
            Self::Mnemonic(mnemonics) => decimal(text, largest).or_else(|| mnemonics.number(text).map(u64::from)),
        };
        let value = value.ok_or_else(|| self.fault(reader, largest))?;
        reader.out.extend_from_slice(&value.to_be_bytes()[8 - self.width()..]);
        Ok(())
    }

    fn fault(self, reader: &Reader<'_>, largest: u64) -> FieldError {
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => {
                reader.fault(&format!("must be a number from 0 to {largest}"))
            }
            Self::Period => reader
                .fault(&format!("must be a time in seconds, at most {largest}"))
                .with_hint("units w, d, h, m and s are known: 1h30m"),
            Self::Timestamp => reader.fault("must be a time in UTC like 20261122093000, or seconds since 1970"),
            Self::Type => reader.fault("must be the name of a record type, or TYPE and its number"),
            Self::Mnemonic(mnemonics) => reader.fault(mnemonics.rule),
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        fixed(rdata, at, self.width())
    }

    pub(super) fn write(self, octets: &[u8], out: &mut String) {
        let value = from_octets(octets);
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::Period => write_decimal(value, out),
            Self::Timestamp => time::write_timestamp(value, out),
            Self::Type => write_type(u16::try_from(value).unwrap_or_default(), out),
            Self::Mnemonic(mnemonics) => match mnemonics.name(value) {
                Some(name) => out.push_str(name),
                None => write_decimal(value, out),
            },
        }
    }
}

/// A number of at most `largest`, digits only.
pub(in crate::rdata) fn decimal(text: &[u8], largest: u64) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &octet in text {
        if !octet.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(octet - b'0'))?;
    }
    (value <= largest).then_some(value)
}

/// A number of at most 65535, digits only.
pub(super) fn decimal_u16(text: &[u8]) -> Option<u16> {
    u16::try_from(decimal(text, u64::MAX)?).ok()
}

/// Writes a number.
pub(in crate::rdata) fn write_decimal(value: u64, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// The number that up to eight octets spell.
pub(super) fn from_octets(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet))
}
