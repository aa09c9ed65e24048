//! Names in messages, possibly compressed (RFC 1035 §4.1.4).

use crate::name::{MAX_LABEL, MAX_WIRE};

/// Appends the name at `at` in uncompressed form and returns where it ends in the message; None if it is malformed.
///
/// A pointer must lead to before the part it belongs to: nothing can loop, and nothing sound looks otherwise.
pub fn read(message: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let start = out.len();
    let (mut at, mut part, mut end) = (at, at, None);
    loop {
        let length = *message.get(at)?;
        match length {
            0 => {
                out.push(0);
                return (out.len() - start <= MAX_WIRE).then(|| end.unwrap_or(at + 1));
            }
            0xc0.. => {
                let target = usize::from(u16::from_be_bytes([length & 0x3f, *message.get(at + 1)?]));
                if target >= part {
                    return None;
                }
                end.get_or_insert(at + 2);
                (at, part) = (target, target);
            }
            _ if usize::from(length) <= MAX_LABEL => {
                let next = at + 1 + usize::from(length);
                out.extend_from_slice(message.get(at..next)?);
                if out.len() - start > MAX_WIRE {
                    return None;
                }
                at = next;
            }
            _ => return None,
        }
    }
}

/// Where the possibly compressed name at `at` ends. Pointers are not followed: for those who look at the rest alone.
#[must_use]
#[inline]
pub fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0..=0xff => return (at + 2 <= message.len()).then_some(at + 2),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(message: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
        let mut out = Vec::new();
        read(message, at, &mut out).map(|end| (out, end))
    }

    #[test]
    fn pointers_are_followed_backwards_only() {
        let message = b"\x03org\x00\x07example\xc0\x00\x03www\xc0\x05\xc0\x06\xc0\x19";
        assert_eq!(at(message, 15), Some((b"\x03www\x07example\x03org\x00".to_vec(), 21)));
        assert_eq!(at(message, 21), None, "points into the name before, which is a label's inside");
        assert_eq!(at(message, 23), None, "points forward");
        assert_eq!(at(b"\xc0\x00", 0), None, "points at itself");
        assert_eq!(at(b"\x03or", 0), None, "ends early");
    }

    proptest! {
        #[test]
        fn any_octets_give_a_sound_name_or_none(octets in prop::collection::vec(any::<u8>(), 0..400), start in 0_usize..400) {
            if let Some((name, _)) = at(&octets, start) {
                prop_assert_eq!(crate::name::wire_length(&name), Ok(name.len()));
            }
        }
    }
}
