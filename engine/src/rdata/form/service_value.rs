//! The values of service parameters (RFC 9460 §7, §8; RFC 9461 §5; RFC 9540 §4; RFC 9953 §3), one form per key.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::addresses::{parse, write_ipv4, write_ipv6};
use super::numbers::{decimal_u16, from_octets, write_decimal};
use super::octets::{decode_base64, write_base64};
use super::text::write_quoted;
use super::write_list;

/// The key that lists keys a client must understand.
pub(super) const MANDATORY: u16 = 0;
/// The key that lists protocols.
pub(super) const ALPN: u16 = 1;
/// The key that takes the default protocol away.
pub(super) const NO_DEFAULT_ALPN: u16 = 2;

/// The form of a value.
#[derive(Clone, Copy)]
enum Form {
    /// Other keys.
    Keys,
    /// Strings of 1 to 255 octets; at least so many.
    Strings(usize),
    /// Nothing.
    Empty,
    /// A port.
    Port,
    /// IPv4 addresses.
    Ipv4s,
    /// IPv6 addresses.
    Ipv6s,
    /// Octets in base64.
    Base64,
    /// A URI template with the variable `dns`.
    Template,
    /// Numbers of two octets, none twice.
    Numbers,
    /// Any octets.
    Octets,
}

/// Name, form and rule of each key; its number is its place.
const KEYS: &[(&str, Form, &str)] = &[
    ("mandatory", Form::Keys, "mandatory must list other keys, none twice, with commas between"),
    ("alpn", Form::Strings(1), "alpn must list protocols of 1 to 255 octets with commas between, like h2,h3"),
    ("no-default-alpn", Form::Empty, "no-default-alpn takes no value"),
    ("port", Form::Port, "port must be a number from 0 to 65535"),
    ("ipv4hint", Form::Ipv4s, "ipv4hint must list IPv4 addresses with commas between"),
    ("ech", Form::Base64, "ech must be written in base64"),
    ("ipv6hint", Form::Ipv6s, "ipv6hint must list IPv6 addresses with commas between"),
    ("dohpath", Form::Template, "dohpath must be a path with the variable dns, like /dns-query{?dns}"),
    ("ohttp", Form::Empty, "ohttp takes no value"),
    ("tls-supported-groups", Form::Numbers, "tls-supported-groups must list numbers up to 65535, none twice"),
    ("docpath", Form::Strings(0), "docpath must list path segments of 1 to 255 octets with commas between"),
];

fn form(key: u16) -> Form {
    KEYS.get(usize::from(key)).map_or(Form::Octets, |&(_, form, _)| form)
}

/// What the value of this key must be, as a sentence.
pub(super) fn rule(key: u16) -> &'static str {
    KEYS.get(usize::from(key)).map_or("takes any octets", |&(_, _, rule)| rule)
}

/// The number of a key: a registered name, or `keyNNNNN` without leading zeros.
pub(super) fn key_number(name: &[u8]) -> Option<u16> {
    if let Some(known) = KEYS.iter().position(|(known, _, _)| known.as_bytes() == name) {
        return u16::try_from(known).ok();
    }
    let digits = name.strip_prefix(b"key")?;
    if digits.len() > 1 && digits[0] == b'0' {
        return None;
    }
    decimal_u16(digits)
}

fn write_key(key: u16, out: &mut String) {
    if let Some((name, _, _)) = KEYS.get(usize::from(key)) {
        out.push_str(name);
    } else {
        out.push_str("key");
        write_decimal(key.into(), out);
    }
}

/// The wire form of a value from its text, whose character-string escapes are decoded. What this lets through,
/// [`is_valid`] still has to judge.
pub(super) fn read(key: u16, text: &[u8]) -> Option<Vec<u8>> {
    match form(key) {
        Form::Keys => {
            let mut keys = each_item(text).map(key_number).collect::<Option<Vec<_>>>()?;
            keys.sort_unstable();
            Some(keys.into_iter().flat_map(u16::to_be_bytes).collect())
        }
        Form::Strings(_) => read_strings(text),
        Form::Empty | Form::Template | Form::Octets => Some(text.to_vec()),
        Form::Port => Some(decimal_u16(text)?.to_be_bytes().to_vec()),
        Form::Ipv4s => read_items(text, |item| parse(item).map(|address: Ipv4Addr| address.octets())),
        Form::Ipv6s => read_items(text, |item| parse(item).map(|address: Ipv6Addr| address.octets())),
        Form::Base64 => {
            let mut octets = Vec::new();
            decode_base64(text, &mut octets).map(|()| octets)
        }
        Form::Numbers => read_items(text, |item| decimal_u16(item).map(u16::to_be_bytes)),
    }
}

fn each_item(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&octet| octet == b',')
}

fn read_items<const LENGTH: usize>(text: &[u8], read: impl Fn(&[u8]) -> Option<[u8; LENGTH]>) -> Option<Vec<u8>> {
    let items = each_item(text).map(read).collect::<Option<Vec<_>>>()?;
    Some(items.concat())
}

/// Reads a list in which `\,` stands for a comma and `\\` for a backslash (RFC 9460 appendix A.1).
fn read_strings(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let mut strings = vec![Vec::new()];
    let mut octets = text.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b',' => strings.push(Vec::new()),
            b'\\' => strings.last_mut()?.push(*octets.next().filter(|octet| b",\\".contains(octet))?),
            _ => strings.last_mut()?.push(octet),
        }
    }
    let mut out = Vec::new();
    for string in strings {
        out.push(u8::try_from(string.len()).ok()?);
        out.extend(string);
    }
    Some(out)
}

/// Whether these octets are a value of this key.
pub(super) fn is_valid(key: u16, octets: &[u8]) -> bool {
    let of_groups = |length: usize| !octets.is_empty() && octets.len() % length == 0;
    match form(key) {
        Form::Keys => of_groups(2) && is_ascending(octets) && octets[..2] != MANDATORY.to_be_bytes(),
        Form::Strings(least) => strings(octets).is_some_and(|strings| strings.len() >= least),
        Form::Empty => octets.is_empty(),
        Form::Port => octets.len() == 2,
        Form::Ipv4s => of_groups(4),
        Form::Ipv6s => of_groups(16),
        Form::Base64 => !octets.is_empty(),
        Form::Template => is_template(octets),
        Form::Numbers => of_groups(2) && has_no_double(octets),
        Form::Octets => true,
    }
}

fn numbers(octets: &[u8]) -> impl Iterator<Item = u16> {
    octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

fn is_ascending(octets: &[u8]) -> bool {
    numbers(octets).is_sorted_by(|left, right| left < right)
}

fn has_no_double(octets: &[u8]) -> bool {
    let mut sorted: Vec<_> = numbers(octets).collect();
    sorted.sort_unstable();
    sorted.is_sorted_by(|left, right| left < right)
}

/// The strings of a list, if none is empty or cut short.
fn strings(octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    let mut rest = octets;
    while let Some((&length, after)) = rest.split_first() {
        let (string, after) = after.split_at_checked(length.into()).filter(|_| length > 0)?;
        found.push(string);
        rest = after;
    }
    Some(found)
}

/// Whether this is a path in UTF-8 with an expression that has the variable `dns` (RFC 9461 §5, RFC 6570).
fn is_template(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else { return false };
    let mut expressions = text.split('{').skip(1).filter_map(|after| after.split_once('}'));
    text.starts_with('/')
        && expressions.any(|(expression, _)| {
            let variables = expression.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
            variables.split(',').any(|variable| variable == "dns")
        })
}

/// Writes a parameter whose value is valid.
pub(super) fn write(key: u16, octets: &[u8], out: &mut String) {
    write_key(key, out);
    if octets.is_empty() {
        return;
    }
    out.push('=');
    match form(key) {
        Form::Keys => write_list(numbers(octets), ',', out, write_key),
        Form::Port => write_decimal(from_octets(octets), out),
        Form::Numbers => write_list(numbers(octets), ',', out, |number, out| write_decimal(number.into(), out)),
        Form::Ipv4s => write_list(octets.chunks_exact(4), ',', out, write_ipv4),
        Form::Ipv6s => write_list(octets.chunks_exact(16), ',', out, write_ipv6),
        Form::Base64 => write_base64(octets, out),
        Form::Strings(_) => write_string(&list(octets), out),
        Form::Empty | Form::Template | Form::Octets => write_string(octets, out),
    }
}

/// Strings with commas between; commas and backslashes in them are escaped.
fn list(octets: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for (count, string) in strings(octets).unwrap_or_default().into_iter().enumerate() {
        if count > 0 {
            text.push(b',');
        }
        for &octet in string {
            if b",\\".contains(&octet) {
                text.push(b'\\');
            }
            text.push(octet);
        }
    }
    text
}

/// Writes octets as they are if nothing in them means anything to a reader of zone text, else in quotes.
fn write_string(octets: &[u8], out: &mut String) {
    if octets.iter().all(|octet| octet.is_ascii_graphic() && !b"\"\\;()".contains(octet)) {
        out.extend(octets.iter().map(|&octet| char::from(octet)));
    } else {
        write_quoted(octets, out);
    }
}
