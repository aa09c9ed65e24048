//! Compression of names (RFC 1035 §4.1.4): which suffix of a name is in a message already, and where.
//!
//! Names are compared from their ends, eight octets at a time, with the few names written before: a message has a
//! handful of them, and nearly all end like the question's. Nothing is hashed and nothing is copied.

use smallvec::SmallVec;

use crate::name::{self, lower_case};

/// How many names can be remembered. What comes after these is compressed against them alone.
const REMEMBERED: usize = 32;
/// Pointers have 14 bits.
const MAX_POINTER: usize = 0x3fff;

/// A name in two parts, of which the first may be empty and only the second ends in the root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'n> {
    pub(super) first: &'n [u8],
    pub(super) second: &'n [u8],
}

/// A name that stands in the message: its first `literal` octets as they are, then a pointer or the root.
#[derive(Clone, Copy, Debug)]
struct Known<'n> {
    name: Parts<'n>,
    at: usize,
    literal: usize,
}

/// The names of a message.
#[derive(Default)]
pub(super) struct Names<'n>(SmallVec<[Known<'n>; REMEMBERED]>);

/// What to write of a name: so many octets of it, then a pointer to where the rest stands, or the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) literal: usize,
    pub(super) pointer: Option<usize>,
}

impl<'n> Names<'n> {
    /// How many are remembered.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        self.0.truncate(count);
    }

    /// Notes that the first `literal` octets of a name stand at octet `at` of the message.
    #[inline]
    pub(super) fn remember(&mut self, name: Parts<'n>, at: usize, literal: usize) {
        if self.0.len() < REMEMBERED && at <= MAX_POINTER {
            self.0.push(Known { name, at, literal });
        }
    }

    /// Where this very piece of memory stands: addresses are owned by names that were written as targets before.
    #[inline]
    pub(super) fn place(&self, name: Parts<'_>) -> Option<usize> {
        self.0.iter().find(|known| name.is(known.name)).map(|known| known.at)
    }

    /// Finds the longest suffix of a name that is there.
    pub(super) fn plan(&self, name: Parts<'_>) -> Plan {
        // All but the root, which is as short as it gets.
        let mut plan = Plan { literal: name.len().saturating_sub(1), pointer: None };
        if plan.literal == 0 {
            return plan;
        }
        for known in &self.0 {
            // One octet tells that nothing longer than what is found can be here: a set of MX has many names alike.
            if plan.pointer.is_some() && !name.same_octet(known.name, name.len() - plan.literal) {
                continue;
            }
            let shared = name.shared_suffix(known.name);
            if name.len() - shared < plan.literal
                && let Some((literal, at)) = known.find(name, shared, plan.literal)
            {
                plan = Plan { literal, pointer: Some(at) };
                if literal == 0 {
                    break;
                }
            }
        }
        plan
    }
}

impl Known<'_> {
    /// The longest suffix of `name` that begins before octet `before` and at a label of both names, which share their
    /// last `shared` octets; and where it stands.
    #[inline]
    fn find(&self, name: Parts<'_>, shared: usize, before: usize) -> Option<(usize, usize)> {
        let mut start = name.label_at_or_after(0, name.len() - shared);
        while start < before {
            let (Some(mine), rest) = (self.name.len().checked_sub(name.len() - start), start) else { return None };
            // What this name's own pointer leads to was remembered with another name.
            if mine < self.literal && self.name.label_at_or_after(0, mine) == mine && self.at + mine <= MAX_POINTER {
                return Some((start, self.at + mine));
            }
            start = name.label_at_or_after(rest, rest + 1);
        }
        None
    }
}

impl<'n> Parts<'n> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    /// The first label that begins at octet `least` or later; `from` is where a label before that begins.
    #[inline]
    fn label_at_or_after(&self, from: usize, least: usize) -> usize {
        let mut at = from;
        while at < least && at < self.first.len() {
            at += 1 + usize::from(self.first[at]);
        }
        while at < least {
            at += 1 + usize::from(self.second[at - self.first.len()]);
        }
        at
    }

    /// Whether the octets of both names that have `behind` octets behind them are the same, case aside.
    #[inline]
    fn same_octet(&self, other: Parts<'_>, behind: usize) -> bool {
        match (self.octet_before(behind), other.octet_before(behind)) {
            (Some(mine), Some(theirs)) => mine.eq_ignore_ascii_case(&theirs),
            _ => false,
        }
    }

    #[inline]
    fn octet_before(&self, behind: usize) -> Option<u8> {
        match self.second.len().checked_sub(behind + 1) {
            Some(at) => Some(self.second[at]),
            None => Some(self.first[self.len().checked_sub(behind + 1)?]),
        }
    }

    /// Whether both are the same pieces of memory.
    #[inline]
    fn is(&self, other: Parts<'_>) -> bool {
        let no_first = self.first.is_empty() && other.first.is_empty();
        (no_first || std::ptr::eq(self.first, other.first)) && std::ptr::eq(self.second, other.second)
    }

    /// How many octets at their ends two names share, case aside.
    #[inline]
    fn shared_suffix(self, other: Parts<'_>) -> usize {
        let (mut left, mut right, mut sum) = (self, other, 0);
        loop {
            let length = left.second.len().min(right.second.len());
            let same = shared(left.last(length), right.last(length));
            sum += same;
            if same < length || length == 0 {
                return sum;
            }
            left = left.without_last(length);
            right = right.without_last(length);
        }
    }

    #[inline]
    fn last(&self, length: usize) -> &'n [u8] {
        &self.second[self.second.len() - length..]
    }

    #[inline]
    fn without_last(&self, length: usize) -> Self {
        let rest = &self.second[..self.second.len() - length];
        if rest.is_empty() { Self { first: &[], second: self.first } } else { Self { second: rest, ..*self } }
    }
}

/// How many octets at their ends two runs of equal length share, ASCII case aside.
#[inline]
fn shared(left: &[u8], right: &[u8]) -> usize {
    let first = (left.first_chunk::<8>(), right.first_chunk::<8>());
    let (mut left, mut right, mut sum) = (left, right, 0);
    while let (Some((rest_of_left, a)), Some((rest_of_right, b))) =
        (left.split_last_chunk::<8>(), right.split_last_chunk::<8>())
    {
        if a != b {
            let difference = lower_case(u64::from_le_bytes(*a)) ^ lower_case(u64::from_le_bytes(*b));
            if difference != 0 {
                // The last octet stands highest.
                return sum + difference.leading_zeros() as usize / 8;
            }
        }
        (left, right, sum) = (rest_of_left, rest_of_right, sum + 8);
    }
    if left.is_empty() {
        return sum;
    }
    // Fewer than eight are left; where there were more, they are read with some that are known to be the same.
    let (a, b) = match first {
        (Some(a), Some(b)) => (u64::from_le_bytes(*a), u64::from_le_bytes(*b)),
        _ => (name::pack(left), name::pack(right)),
    };
    let difference = (lower_case(a) ^ lower_case(b)) << (64 - 8 * left.len());
    sum + left.len().min(difference.leading_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(name: &[u8]) -> Parts<'_> {
        Parts { first: &[], second: name }
    }

    fn planned(known: &[(&[u8], usize)], name: &[u8]) -> (usize, Option<usize>) {
        let mut names = Names::default();
        for &(name, at) in known {
            let plan = names.plan(whole(name));
            names.remember(whole(name), at, plan.literal);
        }
        let plan = names.plan(whole(name));
        (plan.literal, plan.pointer)
    }

    const WWW: &[u8] = b"\x03www\x07example\x03org\x00";

    #[test]
    fn the_longest_suffix_that_is_there_is_pointed_at() {
        assert_eq!(planned(&[(WWW, 12)], b"\x02ns\x07EXAMPLE\x03org\x00"), (3, Some(16)));
        assert_eq!(planned(&[(WWW, 12)], WWW), (0, Some(12)));
        assert_eq!(planned(&[(WWW, 12)], b"\x03com\x00"), (4, None));
        assert_eq!(
            planned(&[(WWW, 12), (b"\x01a\x02ns\x07example\x03org\x00", 40)], b"\x02ns\x07example\x03org\x00"),
            { (0, Some(42)) }
        );
    }

    #[test]
    fn the_root_is_never_pointed_at() {
        assert_eq!(planned(&[(WWW, 12)], b"\x00"), (0, None));
    }

    #[test]
    fn octets_that_look_alike_but_are_no_labels_are_not_pointed_at() {
        let hidden = b"\x05x\x03org\x00";
        assert_eq!(planned(&[(hidden, 12)], b"\x03org\x00"), (4, None));
        assert_eq!(planned(&[(b"\x03org\x00", 12)], hidden), (6, None));
        // The longest run of octets ends inside a label here, a shorter one at a label.
        assert_eq!(planned(&[(b"\x04\x03com\x03org\x00", 12)], b"\x03com\x03org\x00"), (4, Some(17)));
    }

    #[test]
    fn nothing_beyond_a_pointers_reach_is_pointed_at() {
        assert_eq!(planned(&[(WWW, MAX_POINTER - 3)], b"\x03org\x00"), (4, None));
        assert_eq!(planned(&[(WWW, MAX_POINTER + 1)], WWW), (WWW.len() - 1, None));
    }

    proptest! {
        #[test]
        fn shared_octets_are_counted_from_the_end(left in prop::collection::vec(0_u8..4, 0..30), right in prop::collection::vec(0_u8..4, 0..30)) {
            let length = left.len().min(right.len());
            let (left, right) = (&left[left.len() - length..], &right[right.len() - length..]);
            let expected = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(shared(left, right), expected);
        }

        #[test]
        fn where_a_name_is_split_does_not_matter(cut in 0_usize..3, other in 0_usize..3) {
            let starts = [0, 4, 12];
            let split = |at: usize| Parts { first: &WWW[..starts[at]], second: &WWW[starts[at]..] };
            prop_assert_eq!(split(cut).shared_suffix(split(other)), WWW.len());
            let mut names = Names::default();
            names.remember(split(cut), 12, WWW.len() - 1);
            prop_assert_eq!(names.plan(split(other)), Plan { literal: 0, pointer: Some(12) });
        }
    }
}
