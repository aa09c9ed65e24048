//! Domain names (RFC 1034 §3.1): wire form, presentation form, order and hash.
//!
//! A name is kept as uncompressed wire octets with the case it was written in; comparison ignores ASCII case
//! (RFC 4343). What does not belong here: compression (`message`) and what a name means (`zone`).

mod octets;
mod text;

use std::cmp::Ordering;
use std::fmt;

pub use octets::{lower_case, pack, same};
pub use text::{append_text, unescape, write_decimal_escape, write_text};

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
