//! TYPE numbers and their names, both ways, fast: the reader of zone text asks for each token that may be a type.

use super::field::TypeRow;
use super::table::TYPES;

macro_rules! numbers {
    ($($name:ident = $number:literal),* $(,)?) => {
        $(#[doc = concat!("TYPE number of ", stringify!($name), ".")] pub const $name: u16 = $number;)*

        /// The constants with their names, for the test that holds them against the table.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, u16)] = &[$((stringify!($name), $name)),*];
    };
}

numbers! {
    A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, SIG = 24, KEY = 25, AAAA = 28, LOC = 29, NXT = 30,
    SRV = 33, NAPTR = 35, DNAME = 39, OPT = 41, DS = 43, SSHFP = 44, RRSIG = 46, NSEC = 47, DNSKEY = 48, NSEC3 = 50,
    NSEC3PARAM = 51, TLSA = 52, CDS = 59, CDNSKEY = 60, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, TKEY = 249,
    TSIG = 250, IXFR = 251, AXFR = 252, MAILB = 253, MAILA = 254, ANY = 255, CAA = 257,
}

/// Slots of the hash table of names; a power of two, at least twice the number of rows.
const SLOTS: usize = 256;
/// No name in the table is longer.
const LONGEST: usize = 10;
/// One more than the largest number found by index; the few above are searched for.
const INDEXED: usize = 320;
/// Stands for "no row".
const NONE: u8 = u8::MAX;

static BY_NAME: [u8; SLOTS] = index_names();
static BY_NUMBER: [u8; INDEXED] = index_numbers();

/// The row of a type that has a name.
#[inline]
pub(super) fn row(rtype: u16) -> Option<&'static TypeRow> {
    match BY_NUMBER.get(usize::from(rtype)) {
        Some(&NONE) => None,
        Some(&index) => Some(&TYPES[usize::from(index)]),
        None => {
            TYPES.iter().rev().take_while(|row| usize::from(row.number) >= INDEXED).find(|row| row.number == rtype)
        }
    }
}

/// The names of all types that data of a zone can have, in the order of their numbers.
pub fn mnemonics() -> impl Iterator<Item = &'static str> {
    TYPES.iter().filter(|row| !super::is_meta(row.number)).map(|row| row.mnemonic)
}

/// The number of a type, from its name in any case or from `TYPEnnn` (RFC 3597 §5).
#[must_use]
pub fn type_number(text: &[u8]) -> Option<u16> {
    if text.len() > LONGEST {
        return None;
    }
    let mut slot = hash(text);
    while BY_NAME[slot] != NONE {
        let row = &TYPES[usize::from(BY_NAME[slot])];
        if row.mnemonic.as_bytes().eq_ignore_ascii_case(text) {
            return Some(row.number);
        }
        slot = (slot + 1) % SLOTS;
    }
    unnamed_type_number(text)
}

fn unnamed_type_number(text: &[u8]) -> Option<u16> {
    let (prefix, digits) = text.split_at_checked(4)?;
    if !prefix.eq_ignore_ascii_case(b"TYPE") || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Writes the name of a type, or `TYPEnnn`.
pub fn write_type(rtype: u16, out: &mut String) {
    if let Some(row) = row(rtype) {
        out.push_str(row.mnemonic);
    } else {
        out.push_str("TYPE");
        super::form::write_decimal(rtype.into(), out);
    }
}

/// Whether this type is a question or a part of messages, never data of a zone (RFC 6895 §3.1).
#[must_use]
pub fn is_meta(rtype: u16) -> bool {
    matches!(rtype, 0 | OPT | 128..=255)
}

/// Where the search for a name begins. Clearing bit 5 makes letters equal in both cases.
const fn hash(text: &[u8]) -> usize {
    let mut sum = text.len();
    let mut at = 0;
    while at < text.len() {
        sum = sum.wrapping_mul(37) ^ (text[at] & 0xDF) as usize;
        at += 1;
    }
    sum % SLOTS
}

#[allow(clippy::cast_possible_truncation, reason = "the table is shorter than 255 rows")]
const fn index_names() -> [u8; SLOTS] {
    let mut index = [NONE; SLOTS];
    let mut row = 0;
    while row < TYPES.len() {
        let name = TYPES[row].mnemonic.as_bytes();
        assert!(name.len() <= LONGEST && TYPES.len() * 2 <= SLOTS);
        let mut slot = hash(name);
        while index[slot] != NONE {
            slot = (slot + 1) % SLOTS;
        }
        index[slot] = row as u8;
        row += 1;
    }
    index
}

#[allow(clippy::cast_possible_truncation, reason = "the table is shorter than 255 rows")]
const fn index_numbers() -> [u8; INDEXED] {
    let mut index = [NONE; INDEXED];
    let mut row = 0;
    while row < TYPES.len() {
        let number = TYPES[row].number as usize;
        assert!(row == 0 || TYPES[row - 1].number < TYPES[row].number);
        if number < INDEXED {
            index[number] = row as u8;
        }
        row += 1;
    }
    index
}
