//! The parameters of a service (RFC 9460 §2.1, §2.2) as a list: its order, and what one asks of another. The forms of
//! single values stand in `service_value`.

use super::service_value::{self, ALPN, MANDATORY, NO_DEFAULT_ALPN};
use super::text::append_decoded;
use super::{Reason, TOO_SHORT, write_list};
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// Octets before a value: key and length.
const HEADER: usize = 4;

const ALIAS: &str = "stands in a record of priority 0 (an alias), which takes none";

/// A parameter as read, and the number of its token.
struct Param {
    key: u16,
    value: Vec<u8>,
    token: usize,
}

/// Reads parameters up to the end, in any order.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let mut params: Vec<Param> = Vec::new();
    while !reader.is_done() {
        let param = read_param(reader)?;
        if is_alias(reader.rdata()) {
            return Err(reader.fault(ALIAS).with_hint("take the parameters away, or give a priority of 1 or more"));
        }
        if params.iter().any(|earlier| earlier.key == param.key) {
            return Err(reader.fault("has the key of an earlier one"));
        }
        params.push(param);
    }
    params.sort_unstable_by_key(|param| param.key);
    let start = reader.out.len();
    for Param { key, value, .. } in &params {
        let length = u16::try_from(value.len()).map_err(|_| reader.fault("has more than 65535 octets"))?;
        reader.out.extend_from_slice(&key.to_be_bytes());
        reader.out.extend_from_slice(&length.to_be_bytes());
        reader.out.extend_from_slice(value);
    }
    check_together(&reader.out[start..]).map_err(|(key, reason)| {
        let token = params.iter().find(|param| param.key == key).map(|param| param.token);
        FieldError { token, ..FieldError::whole(format!("the parameter {reason}")) }
    })
}

fn read_param(reader: &mut Reader<'_>) -> Result<Param, FieldError> {
    let text = reader.word()?;
    let equals = text.iter().position(|&octet| octet == b'=');
    let (name, value) = equals.map_or((text, &b""[..]), |equals| (&text[..equals], &text[equals + 1..]));
    let key = service_value::key_number(name).ok_or_else(|| {
        let hint = "keys are in lower case; one that has no name is written like key65280";
        reader.fault("has an unknown key").with_hint(hint)
    })?;
    let value = unquoted(value).ok_or_else(|| {
        reader.fault("has a quote out of place").with_hint(r#"quote the whole value: alpn="h2,h3""#)
    })?;
    let mut octets = Vec::new();
    append_decoded(value, &mut octets).ok_or_else(|| reader.fault("has a bad escape"))?;
    // The form keyNNNNN gives the octets themselves, for known keys too (RFC 9460 §2.1).
    let wire = if name.starts_with(b"key") { Some(octets) } else { service_value::read(key, &octets) };
    match wire.filter(|wire| service_value::is_valid(key, wire)) {
        Some(value) => Ok(Param { key, value, token: reader.last_token() }),
        None => Err(reader.fault(service_value::rule(key))),
    }
}

/// The value without the quotes around it; `None` when there is a quote elsewhere.
fn unquoted(text: &[u8]) -> Option<&[u8]> {
    let inner = match text {
        [b'"', inner @ .., b'"'] => inner,
        _ => text,
    };
    let mut escaped = false;
    for &octet in inner {
        if octet == b'"' && !escaped {
            return None;
        }
        escaped = octet == b'\\' && !escaped;
    }
    if escaped && inner.len() < text.len() { None } else { Some(inner) }
}

/// Whether the record is an alias (RFC 9460 §2.4.2).
fn is_alias(rdata: &[u8]) -> bool {
    rdata.starts_with(&[0, 0])
}

/// The parameters of a list, key and value, until one is cut short.
fn each(list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let &[key_high, key_low, high, low, ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, after) = rest[HEADER..].split_at_checked(length)?;
        rest = after;
        Some((u16::from_be_bytes([key_high, key_low]), value))
    })
}

/// What one parameter asks of the others (RFC 9460 §7.1.1, §8): the key at fault and the reason.
fn check_together(list: &[u8]) -> Result<(), (u16, Reason)> {
    let has = |key: u16| each(list).any(|(present, _)| present == key);
    if has(NO_DEFAULT_ALPN) && !has(ALPN) {
        return Err((NO_DEFAULT_ALPN, "no-default-alpn needs alpn beside it"));
    }
    let mandatory = each(list).find(|(key, _)| *key == MANDATORY).map_or(&[][..], |(_, keys)| keys);
    if mandatory.chunks_exact(2).all(|key| has(u16::from_be_bytes([key[0], key[1]]))) {
        return Ok(());
    }
    Err((MANDATORY, "mandatory names a key that the record does not have"))
}

/// Where the list ends: keys ascend, each value is sound, and they fit together.
pub(super) fn end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    let list = &rdata[at..];
    if is_alias(rdata) && !list.is_empty() {
        return Err(ALIAS);
    }
    let mut checked = 0;
    let mut least = 0;
    for (key, value) in each(list) {
        if u32::from(key) < least {
            return Err("stands out of order or twice");
        }
        if !service_value::is_valid(key, value) {
            return Err(service_value::rule(key));
        }
        least = u32::from(key) + 1;
        checked += HEADER + value.len();
    }
    if checked < list.len() {
        return Err(TOO_SHORT);
    }
    check_together(list).map_err(|(_, reason)| reason)?;
    Ok(rdata.len())
}

/// Writes the list.
pub(super) fn write(octets: &[u8], out: &mut String) {
    write_list(each(octets), ' ', out, |(key, value), out| service_value::write(key, value, out));
}
