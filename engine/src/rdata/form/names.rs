//! Domain names inside RDATA: always uncompressed, absolute, and not restricted to what host names are made of.

use super::{Reason, write_list};
use crate::name;
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// How a field holds names.
#[derive(Clone, Copy, Debug)]
pub(in crate::rdata) enum Name {
    /// One, which may be compressed in messages: only in the types of RFC 1035 (RFC 3597 §4).
    Compressible,
    /// One, which is never compressed.
    Plain,
    /// Any number to the end of the RDATA, never compressed.
    Many,
}

impl Name {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        match self {
            Self::Compressible | Self::Plain => read(reader),
            Self::Many => reader.each(read),
        }
    }

    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        match self {
            Self::Compressible | Self::Plain => end(rdata, at),
            Self::Many => {
                let mut at = at;
                while at < rdata.len() {
                    at = end(rdata, at)?;
                }
                Ok(at)
            }
        }
    }

    pub(super) fn write(self, octets: &[u8], out: &mut String) {
        match self {
            Self::Compressible | Self::Plain => name::write_text(octets, out),
            Self::Many => write_list(each(octets), ' ', out, name::write_text),
        }
    }
}

/// Reads one name, relative ones below the origin.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let text = reader.word()?;
    name::append_text(text, Some(reader.origin), reader.out).map_err(|error| reader.fault(error.message()))
}

/// Where the name at `at` ends.
pub(in crate::rdata) fn end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    match name::wire_length(&rdata[at..]) {
        Ok(length) => Ok(at + length),
        Err(error) => Err(error.message()),
    }
}

fn each(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at = end(octets, start).ok()?;
        Some(&octets[start..at])
    })
}
