//! The forms a field can take, in text and on the wire: one module for each family of forms.
//!
//! A family knows how its forms are read, where they end on the wire (and whether they are sound), and how they are
//! written. It does not know which record types use them. What [`Form::end`] accepts, [`Form::write`] can write, and
//! [`Form::read`] makes the same octets of it again.

mod addresses;
mod bits;
mod dependent;
mod location;
mod mnemonics;
mod names;
mod numbers;
mod octets;
mod prefixes;
mod service;
mod service_value;
mod text;
mod time;

use std::ops::Range;

use super::FieldError;
use super::reader::Reader;

pub(super) use addresses::Address;
pub(super) use bits::Bits;
pub(super) use dependent::Dependent;
pub(super) use mnemonics::{
    CERTIFICATE_TYPES, DIGEST_TYPES, DS_DIGESTS, DSYNC_SCHEMES, IP_PROTOCOLS, KEY_PROTOCOLS, NSEC3_HASHES,
    SECURITY_ALGORITHMS, SSHFP_DIGESTS, TLSA_DIGESTS, ZONEMD_DIGESTS,
};
pub(super) use names::{Name, end as name_end};
pub(super) use numbers::{Number, decimal, write_decimal};
pub(super) use octets::{Hex, Octets, write_hex};
pub(super) use text::{Text, end as string_end};

/// Why octets are not what a field wants: the end of a sentence that begins with the field's label.
pub(super) type Reason = &'static str;

const EMPTY: Reason = "is empty";
const TOO_SHORT: Reason = "ends too early";

/// How one field looks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Domain names.
    Name(Name),
    /// Numbers of one to eight octets.
    Number(Number),
    /// Addresses that are no list.
    Address(Address),
    /// Character strings and their kin.
    Text(Text),
    /// Octets written in hexadecimal, base32 or base64.
    Octets(Octets),
    /// Sets of numbers.
    Bits(Bits),
    /// What an earlier field of the record decides.
    Dependent(Dependent),
    /// A place on Earth (RFC 1876), to the end of the RDATA.
    Location,
    /// Address prefixes (RFC 3123), to the end of the RDATA.
    Prefixes,
    /// Parameters of a service (RFC 9460 §2.1, §2.2), to the end of the RDATA.
    ServiceParams,
}

impl Form {
    /// Reads tokens and appends the wire form.
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<(), FieldError> {
        match self {
            Self::Name(form) => form.read(reader),
            Self::Number(form) => form.read(reader),
            Self::Address(form) => form.read(reader),
            Self::Text(form) => form.read(reader),
            Self::Octets(form) => form.read(reader),
            Self::Bits(form) => form.read(reader),
            Self::Dependent(form) => form.read(reader),
            Self::Location => location::read(reader),
            Self::Prefixes => prefixes::read(reader),
            Self::ServiceParams => service::read(reader),
        }
    }

    /// Checks the field that begins at `at`, which is at most the length of `rdata`, and tells where it ends. The
    /// fields before it have been checked.
    pub(super) fn end(self, rdata: &[u8], at: usize) -> Result<usize, Reason> {
        match self {
            Self::Name(form) => form.end(rdata, at),
            Self::Number(form) => form.end(rdata, at),
            Self::Address(form) => form.end(rdata, at),
            Self::Text(form) => form.end(rdata, at),
            Self::Octets(form) => form.end(rdata, at),
            Self::Bits(form) => form.end(rdata, at),
            Self::Dependent(form) => form.end(rdata, at),
            Self::Location => location::end(rdata, at),
            Self::Prefixes => prefixes::end(rdata, at),
            Self::ServiceParams => service::end(rdata, at),
        }
    }

    /// Writes the field at `place`, which has been checked. `None` when these octets have no text form; then `out`
    /// may have grown. A field that is left out writes nothing.
    pub(super) fn write(self, rdata: &[u8], place: Range<usize>, out: &mut String) -> Option<()> {
        let octets = &rdata[place.clone()];
        match self {
            Self::Name(form) => form.write(octets, out),
            Self::Number(form) => form.write(octets, out),
            Self::Address(form) => form.write(octets, out),
            Self::Text(form) => form.write(octets, out),
            Self::Octets(form) => form.write(octets, out),
            Self::Bits(form) => form.write(octets, out),
            Self::Dependent(form) => form.write(rdata, place, out),
            Self::Location => location::write(octets, out)?,
            Self::Prefixes => prefixes::write(octets, out)?,
            Self::ServiceParams => service::write(octets, out),
        }
        Some(())
    }

    /// Whether a record can end before this field.
    pub(super) fn is_optional(self) -> bool {
        match self {
            Self::Name(form) => matches!(form, Name::Many),
            Self::Text(form) => matches!(form, Text::Optional),
            Self::Octets(form) => matches!(form, Octets::OptionalBase64),
            Self::Dependent(form) => {
                matches!(form, Dependent::PublicKey { .. } | Dependent::A6Suffix | Dependent::A6Name)
            }
            Self::Bits(_) | Self::Prefixes | Self::ServiceParams => true,
            Self::Number(_) | Self::Address(_) | Self::Location => false,
        }
    }

    /// Whether there can be a domain name in this field.
    pub(super) fn may_hold_name(self) -> bool {
        match self {
            Self::Name(_) => true,
            Self::Dependent(form) => matches!(form, Dependent::Gateway(_) | Dependent::A6Name),
            _ => false,
        }
    }
}

/// The end of a field of `length` octets.
fn fixed(rdata: &[u8], at: usize, length: usize) -> Result<usize, Reason> {
    if rdata.len() - at < length { Err(TOO_SHORT) } else { Ok(at + length) }
}

/// The end of a field that takes all that is left, which must be `least` octets or more.
fn rest(rdata: &[u8], at: usize, least: usize) -> Result<usize, Reason> {
    if rdata.len() - at < least { Err(EMPTY) } else { Ok(rdata.len()) }
}

/// Writes each of `items`, with `separator` between.
fn write_list<T>(items: impl Iterator<Item = T>, separator: char, out: &mut String, write: impl Fn(T, &mut String)) {
    for (count, item) in items.enumerate() {
        if count > 0 {
            out.push(separator);
        }
        write(item, out);
    }
}
