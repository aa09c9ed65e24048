//! Domain names (RFC 1034 §3.1): wire form, presentation form, order and hash.
//!
//! A name is kept as uncompressed wire octets with the case it was written in; comparison ignores ASCII case
//! (RFC 4343). What does not belong here: compression (`message`) and what a name means (`zone`).

use std::cmp::Ordering;
use std::fmt;

/// Longest wire form of a name, final zero included (RFC 1035 §2.3.4).
pub const MAX_WIRE: usize = 255;
/// Longest label (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;
/// Most labels a name can have, the root label not counted.
pub const MAX_LABELS: usize = 127;

/// Why octets or text are no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Two dots in a row, or a dot at the start.
    EmptyLabel,
    /// A label of more than 63 octets.
    LabelTooLong,
    /// More than 255 octets on the wire.
    NameTooLong,
    /// A backslash at the end, or `\DDD` that is no number from 000 to 255.
    BadEscape,
    /// A relative name where no origin is known.
    NotAbsolute,
    /// The wire form ends before the root label, or holds something that is no label.
    BadWire,
}

impl NameError {
    /// What is wrong, as the middle of a sentence that begins with the name.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::EmptyLabel => "has an empty label (two dots in a row, or a dot at its start)",
            Self::LabelTooLong => "has a label of more than 63 octets",
            Self::NameTooLong => "is longer than 255 octets",
            Self::BadEscape => r"has a bad escape (a backslash takes one character, or three digits up to 255)",
            Self::NotAbsolute => "is relative, but there is no origin to complete it",
            Self::BadWire => "is not a name in wire form",
        }
    }
}

/// A domain name in uncompressed wire form, always absolute, in the case it was written in.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The root, `.`.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Takes exactly one uncompressed wire name.
    ///
    /// # Errors
    /// [`NameError`] when `wire` is anything else, or has octets left over.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        if wire_length(wire)? != wire.len() {
            return Err(NameError::BadWire);
        }
        Ok(Self(wire.into()))
    }

    /// Reads presentation form (RFC 1035 §5.1, RFC 4343 §2.1); without a final dot it is below `origin`.
    ///
    /// # Errors
    /// [`NameError`] saying what is wrong; `NotAbsolute` when `origin` is needed and missing.
    pub fn from_text(text: &[u8], origin: Option<&Name>) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(text.len() + 2);
        append_text(text, origin.map(Name::as_wire), &mut wire)?;
        Ok(Self(wire.into()))
    }

    /// The wire form, final zero included.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// How many labels, the root label not counted.
    #[must_use]
    pub fn label_count(&self) -> usize {
        labels(&self.0).count()
    }

    /// Whether this name is `ancestor` or lies below it.
    #[must_use]
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        is_at_or_below(&self.0, &ancestor.0)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}
impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_text(&self.0, &mut text);
        formatter.write_str(&text)
    }
}
impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Whether two wire names are the same name. Length octets (0..=63) are never ASCII letters, so ignoring case over
/// the whole form is right. Eight octets at a time: this is on the way of every answer.
#[must_use]
#[inline]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (mut left, mut right) = (left, right);
    while let (Some((a, rest_of_left)), Some((b, rest_of_right))) =
        (left.split_first_chunk::<8>(), right.split_first_chunk::<8>())
    {
        if lower_case(u64::from_le_bytes(*a)) != lower_case(u64::from_le_bytes(*b)) {
            return false;
        }
        (left, right) = (rest_of_left, rest_of_right);
    }
    lower_case(pack(left)) == lower_case(pack(right))
}

/// ASCII lower case of eight octets at once: bit 5 is set where the octet is `A`..=`Z`.
#[must_use]
#[inline]
pub fn lower_case(octets: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let low = octets & !HIGH;
    let at_least_a = low + u64::from(0x80 - b'A') * ONES;
    let above_z = low + u64::from(0x7f - b'Z') * ONES;
    let upper = (at_least_a ^ above_z) & HIGH & !octets;
    octets | upper >> 2
}

/// Fewer than eight octets as a number, the first in the lowest place. Two overlapping reads instead of a loop.
#[must_use]
#[inline]
pub fn pack(octets: &[u8]) -> u64 {
    let length = octets.len();
    match (octets.first_chunk::<4>(), octets.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4))
        }
        _ if length == 0 => 0,
        _ => {
            let middle = length / 2;
            u64::from(octets[0])
                | u64::from(octets[middle]) << (8 * middle)
                | u64::from(octets[length - 1]) << (8 * (length - 1))
        }
    }
}

/// Length of the uncompressed wire name at the start of `octets`.
///
/// # Errors
/// `BadWire` when it does not end or holds a pointer, `NameTooLong` over 255 octets.
pub fn wire_length(octets: &[u8]) -> Result<usize, NameError> {
    let mut at = 0;
    loop {
        let length = usize::from(*octets.get(at).ok_or(NameError::BadWire)?);
        if length > MAX_LABEL {
            return Err(NameError::BadWire);
        }
        at += 1 + length;
        if at > MAX_WIRE {
            return Err(NameError::NameTooLong);
        }
        if length == 0 {
            return Ok(at);
        }
    }
}

/// The labels of a wire name from left to right, without length octets and without the root label.
pub fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let (&length, after) = rest.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, after) = after.split_at_checked(usize::from(length))?;
        rest = after;
        Some(label)
    })
}

/// Whether wire name `name` is wire name `ancestor` or lies below it.
#[must_use]
pub fn is_at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(ancestor.len()) else { return false };
    // The suffix must begin at a label, not inside one.
    let mut at = 0;
    while at < start {
        at += 1 + usize::from(name[at]);
    }
    at == start && same(&name[start..], ancestor)
}

/// Canonical order of DNS names (RFC 4034 §6.1): right-most label first, octets compared in lower case.
#[must_use]
pub fn canonical_order(left: &[u8], right: &[u8]) -> Ordering {
    let mut left_starts = [0_u8; MAX_LABELS + 1];
    let mut right_starts = [0_u8; MAX_LABELS + 1];
    let mut left_count = label_starts(left, &mut left_starts);
    let mut right_count = label_starts(right, &mut right_starts);
    while left_count > 0 && right_count > 0 {
        left_count -= 1;
        right_count -= 1;
        let a = label_at(left, left_starts[left_count]);
        let b = label_at(right, right_starts[right_count]);
        let order = a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase));
        if order != Ordering::Equal {
            return order;
        }
    }
    left_count.cmp(&right_count)
}

/// Notes where each label of `wire` begins (its length octet) and returns how many labels there are.
pub fn label_starts(wire: &[u8], starts: &mut [u8; MAX_LABELS + 1]) -> usize {
    let (mut at, mut count) = (0_usize, 0);
    while at < wire.len() && wire[at] != 0 && count < MAX_LABELS {
        #[allow(clippy::cast_possible_truncation, reason = "a name has at most 255 octets")]
        {
            starts[count] = at as u8;
        }
        count += 1;
        at += 1 + usize::from(wire[at]);
    }
    count
}

fn label_at(wire: &[u8], start: u8) -> &[u8] {
    let start = usize::from(start);
    &wire[start + 1..start + 1 + usize::from(wire[start])]
}

/// Reads presentation form and appends the wire form to `out`; on an error `out` is as it was.
///
/// # Errors
/// As [`Name::from_text`].
pub fn append_text(text: &[u8], origin: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    let outcome = append_text_unchecked(text, origin, out);
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

fn append_text_unchecked(text: &[u8], origin: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    if text == b"@" {
        out.extend_from_slice(origin.ok_or(NameError::NotAbsolute)?);
        return Ok(());
    }
    if text == b"." {
        out.push(0);
        return Ok(());
    }
    if text.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    let mut length_at = out.len();
    out.push(0);
    let mut at = 0;
    let mut absolute = false;
    while at < text.len() {
        match text[at] {
            b'.' => {
                close_label(out, length_at)?;
                at += 1;
                if at == text.len() {
                    absolute = true;
                    break;
                }
                length_at = out.len();
                out.push(0);
            }
            b'\\' => {
                let (octet, used) = unescape(&text[at..]).ok_or(NameError::BadEscape)?;
                out.push(octet);
                at += used;
            }
            octet => {
                out.push(octet);
                at += 1;
            }
        }
    }
    if absolute {
        out.push(0);
    } else {
        close_label(out, length_at)?;
        out.extend_from_slice(origin.ok_or(NameError::NotAbsolute)?);
    }
    if out.len() - start > MAX_WIRE { Err(NameError::NameTooLong) } else { Ok(()) }
}

fn close_label(out: &mut [u8], length_at: usize) -> Result<(), NameError> {
    match out.len() - length_at - 1 {
        0 => Err(NameError::EmptyLabel),
        #[allow(clippy::cast_possible_truncation, reason = "the pattern bounds it")]
        length @ 1..=MAX_LABEL => {
            out[length_at] = length as u8;
            Ok(())
        }
        _ => Err(NameError::LabelTooLong),
    }
}

/// The octet that the escape at the start of `text` stands for, and how many characters the escape takes.
#[must_use]
pub fn unescape(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
            let value = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
            Some((u8::try_from(value).ok()?, 4))
        }
        [b'\\', b'0'..=b'9', ..] => None,
        [b'\\', octet, ..] => Some((*octet, 2)),
        _ => None,
    }
}

/// Writes a wire name in presentation form, always with its final dot.
pub fn write_text(wire: &[u8], out: &mut String) {
    let before = out.len();
    for label in labels(wire) {
        for &octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                    out.push('\\');
                    out.push(char::from(octet));
                }
                b'!'..=b'~' => out.push(char::from(octet)),
                _ => write_decimal_escape(octet, out),
            }
        }
        out.push('.');
    }
    if out.len() == before {
        out.push('.');
    }
}

/// Writes `\DDD` (RFC 1035 §5.1).
pub fn write_decimal_escape(octet: u8, out: &mut String) {
    out.push('\\');
    for divisor in [100, 10, 1] {
        out.push(char::from(b'0' + octet / divisor % 10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::from_text(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn relative_names_end_in_the_origin() {
        let origin = name("example.org.");
        assert_eq!(Name::from_text(b"www", Some(&origin)).unwrap().to_string(), "www.example.org.");
        assert_eq!(Name::from_text(b"@", Some(&origin)).unwrap(), origin);
    }

    #[test]
    fn escapes_are_decoded_and_written_again() {
        let escaped = name(r"0\04725.2.0.192.in-addr.arpa.");
        assert_eq!(labels(escaped.as_wire()).next().unwrap(), b"0/25");
        assert_eq!(name(r#"a\.b\\\"\000.c."#).to_string(), r#"a\.b\\\"\000.c."#);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, error) in [
            ("a..b.", NameError::EmptyLabel),
            (".a.", NameError::EmptyLabel),
            ("", NameError::EmptyLabel),
            (r"a\256.", NameError::BadEscape),
            (r"a\", NameError::BadEscape),
            (r"a\1.", NameError::BadEscape),
            ("a", NameError::NotAbsolute),
        ] {
            assert_eq!(Name::from_text(text.as_bytes(), None).unwrap_err(), error, "{text}");
        }
        assert_eq!(Name::from_text(&[b'a'; 64], Some(&Name::root())).unwrap_err(), NameError::LabelTooLong);
        let long = "a.".repeat(128);
        assert_eq!(Name::from_text(long.as_bytes(), None).unwrap_err(), NameError::NameTooLong);
    }

    #[test]
    fn a_suffix_inside_a_label_is_no_ancestor() {
        assert!(name("a.example.").is_at_or_below(&name("EXAMPLE.")));
        assert!(!name("anexample.").is_at_or_below(&name("example.")));
        // The octets of "1example" end like a label "example" would, but the border is wrong.
        assert!(!is_at_or_below(b"\x08\x07example\x00", b"\x07example\x00"));
    }

    #[test]
    fn canonical_order_is_that_of_rfc_4034_section_6_1() {
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            r"\001.z.example.",
            "*.z.example.",
            r"\200.z.example.",
        ];
        for pair in sorted.windows(2) {
            let order = canonical_order(name(pair[0]).as_wire(), name(pair[1]).as_wire());
            assert_eq!(order, Ordering::Less, "{} < {}", pair[0], pair[1]);
        }
    }

    proptest! {
        #[test]
        fn lower_case_is_that_of_ascii(octets in any::<[u8; 8]>()) {
            let expected = u64::from_le_bytes(octets.map(|octet| octet.to_ascii_lowercase()));
            prop_assert_eq!(lower_case(u64::from_le_bytes(octets)), expected);
        }

        #[test]
        fn packing_puts_each_octet_in_its_place(octets in prop::collection::vec(any::<u8>(), 0..8)) {
            let mut padded = [0; 8];
            padded[..octets.len()].copy_from_slice(&octets);
            prop_assert_eq!(pack(&octets), u64::from_le_bytes(padded));
        }

        #[test]
        fn same_ignores_case_and_nothing_else(left in prop::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>()) {
            prop_assert!(same(&left, &left.to_ascii_uppercase()));
            if !left.is_empty() {
                let mut right = left.clone();
                let at = at.index(left.len());
                right[at] ^= 1;
                prop_assert!(!same(&left, &right));
            }
        }

        #[test]
        fn text_and_wire_are_inverse(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..8)) {
            let mut wire = Vec::new();
            for label in &parts {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend_from_slice(label);
            }
            wire.push(0);
            let made = Name::from_wire(&wire).unwrap();
            let read = Name::from_text(made.to_string().as_bytes(), None).unwrap();
            prop_assert_eq!(read.as_wire(), &wire[..]);
        }

        #[test]
        fn any_text_gives_a_name_or_an_error(text in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(made) = Name::from_text(&text, Some(&Name::root())) {
                prop_assert_eq!(wire_length(made.as_wire()), Ok(made.as_wire().len()));
            }
        }
    }
}
