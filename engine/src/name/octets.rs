//! Octets of names, eight at a time: comparing them without regard to ASCII case is on the way of every answer.

/// Whether two wire names are the same name. Length octets (0..=63) are never ASCII letters, so ignoring case over
/// the whole form is right. Eight octets at a time: this is on the way of every answer.
#[must_use]
#[inline]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (Some(last_of_left), Some(last_of_right)) = (left.last_chunk::<8>(), right.last_chunk::<8>()) else {
        return same_eight(pack(left), pack(right));
    };
    // The last eight may overlap those before them: no rest is left to be looked at.
    let chunks = left.chunks_exact(8).zip(right.chunks_exact(8));
    same_eight(u64::from_le_bytes(*last_of_left), u64::from_le_bytes(*last_of_right))
        && chunks
            .filter_map(|(a, b)| Some((a.first_chunk()?, b.first_chunk()?)))
            .all(|(a, b)| same_eight(u64::from_le_bytes(*a), u64::from_le_bytes(*b)))
}

#[inline]
fn same_eight(left: u64, right: u64) -> bool {
    left == right || lower_case(left) == lower_case(right)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    }
}
