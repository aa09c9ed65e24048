//! The queries to ask: a file of lines becomes messages, ready but for their IDs.

use std::fs;

use crate::options::Options;

/// Types people ask for by name; the others are written `TYPE123` (RFC 3597 §5).
const TYPES: [(&str, u16); 24] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("HINFO", 13),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("LOC", 29),
    ("SRV", 33),
    ("NAPTR", 35),
    ("DNAME", 39),
    ("DS", 43),
    ("SSHFP", 44),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("ANY", 255),
    ("CAA", 257),
];

/// Messages in one array, given out in turn.
pub struct Queries {
    octets: Vec<u8>,
    ends: Vec<usize>,
    next: usize,
}

impl Queries {
    /// Reads the file of the options.
    pub fn load(options: &Options) -> Result<Self, String> {
        let path = options.queries.display();
        let text = fs::read_to_string(&options.queries).map_err(|error| format!("{path}: {error}"))?;
        let mut queries = Self { octets: Vec::new(), ends: Vec::new(), next: 0 };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let message = message(line, options).map_err(|fault| format!("{path}:{number}: {fault}"))?;
            queries.octets.extend_from_slice(&message);
            queries.ends.push(queries.octets.len());
        }
        if queries.ends.is_empty() { Err(format!("{path}: no query in it")) } else { Ok(queries) }
    }

    /// The next query; after the last comes the first.
    pub fn next(&mut self) -> &[u8] {
        let start = if self.next == 0 { 0 } else { self.ends[self.next - 1] };
        let end = self.ends[self.next];
        self.next = (self.next + 1) % self.ends.len();
        &self.octets[start..end]
    }
}

fn message(line: &str, options: &Options) -> Result<Vec<u8>, String> {
    if let Some(digits) = line.strip_prefix("hex:") {
        return from_hex(digits.trim());
    }
    let mut words = line.split_whitespace();
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err("neither `NAME TYPE` nor `hex:`".into());
    };
    let mut message =
        vec![0, 0, u8::from(options.recursion), 0, 0, 1, 0, 0, 0, 0, 0, u8::from(options.edns.is_some())];
    append_name(name, &mut message)?;
    message.extend_from_slice(&type_number(kind)?.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    if let Some(size) = options.edns {
        // RFC 6891 §6.1.2: root, OPT, payload size, extended rcode, version, flags, no options.
        message.extend_from_slice(&[0, 0, 41]);
        message.extend_from_slice(&size.to_be_bytes());
        message.extend_from_slice(&[0, 0, if options.dnssec { 0x80 } else { 0 }, 0, 0, 0]);
    }
    Ok(message)
}

fn from_hex(digits: &str) -> Result<Vec<u8>, String> {
    if !digits.is_ascii() || digits.len() % 2 != 0 || digits.len() < 24 {
        return Err("a message is at least 12 octets of two hexadecimal digits each".into());
    }
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).map_err(|error| format!("{pair}: {error}"))).collect()
}

fn type_number(text: &str) -> Result<u16, String> {
    let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|&(_, number)| number);
    let other = || text.to_ascii_uppercase().strip_prefix("TYPE")?.parse().ok();
    known.or_else(other).ok_or_else(|| format!("{text}: no type known here; write TYPE and its number"))
}

/// Appends the wire form of a name (RFC 1035 §5.1 for the escapes); all names are absolute.
fn append_name(text: &str, message: &mut Vec<u8>) -> Result<(), String> {
    let start = message.len();
    if text != "." {
        let mut octets = text.strip_suffix('.').unwrap_or(text).bytes();
        let mut label = Vec::new();
        while let Some(octet) = octets.next() {
            match octet {
                b'.' => append_label(&std::mem::take(&mut label), message)?,
                b'\\' => label.push(escaped(&mut octets).ok_or("a bad escape")?),
                plain => label.push(plain),
            }
        }
        append_label(&label, message)?;
    }
    message.push(0);
    if message.len() - start > 255 { Err("a name of more than 255 octets".into()) } else { Ok(()) }
}

fn append_label(label: &[u8], message: &mut Vec<u8>) -> Result<(), String> {
    let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length));
    message.push(length.ok_or("a label is of 1 to 63 octets")?);
    message.extend_from_slice(label);
    Ok(())
}

fn escaped(octets: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = octets.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digits = [first, octets.next()?, octets.next()?];
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(extra: &str) -> Options {
        let line = format!("--server 127.0.0.1:53 --queries none {extra}");
        Options::parse(line.split_whitespace().map(str::to_owned)).unwrap()
    }

    #[test]
    fn a_line_becomes_a_query() {
        let expected = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x1c\0\x01";
        assert_eq!(message("www.example.org. aaaa", &options("")).unwrap(), expected);
    }

    #[test]
    fn flags_and_opt_are_set_as_asked() {
        let expected = b"\0\0\x01\0\0\x01\0\0\0\0\0\x01\0\0\x06\0\x01\0\0\x29\x10\0\0\0\x80\0\0\0";
        assert_eq!(message(". SOA", &options("--edns 4096 --dnssec --recursion")).unwrap(), expected);
    }

    #[test]
    fn escapes_and_unknown_types_are_read() {
        let query = message(r"a\.b\032c TYPE65280", &options("")).unwrap();
        assert_eq!(query[12..], *b"\x05a.b c\0\xff\0\0\x01");
    }

    #[test]
    fn whole_messages_are_taken_as_they_are() {
        assert_eq!(message("hex:000102030405060708090a0bff", &options("")).unwrap()[12..], [0xff]);
    }

    #[test]
    fn what_is_no_query_is_refused() {
        let long = format!("{} A", "a".repeat(64));
        for line in ["www.example.org", "a b c", "a..b A", "hex:00", r"a\2 A", "a NOTYPE", &long] {
            assert!(message(line, &options("")).is_err(), "{line}");
        }
    }
}
