//! Response rate limiting (RRL): keeps a name server from being used to flood others with answers to forged queries.
//!
//! The model is BIND's. Identical answers to one network (/24 or /56) share an account: it gains `rate` each second,
//! up to `rate`, and each answer costs one. Below zero the answers are suppressed, and while they keep coming the
//! debt grows to [`WINDOW_SECONDS`] of the rate, so a flood that pauses for a moment does not start anew. Every
//! second suppressed answer is sent truncated instead ("slip"): a real client then comes over TCP, and a victim gets
//! no amplification.
//!
//! Each worker has its own table of fixed size: no lock, no allocation. When a set of the table is full, the account
//! that owes least goes, since forgetting it loses least.

use std::hash::{BuildHasher, RandomState};

use super::ResponseClass;
use super::endpoint::Endpoint;

/// How many seconds of the rate an account can owe.
const WINDOW_SECONDS: i32 = 15;
/// Of the suppressed answers every SLIP-th is sent truncated.
const SLIP: u32 = 2;
/// Accounts that share a cache line; a key has its place in one such set.
const WAYS: usize = 4;
/// Sets in a table: 2 MiB a worker.
const SETS: usize = 1 << 15;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Send it.
    Pass,
    /// Send nothing.
    Drop,
    /// Send a truncated one instead.
    Slip,
}

/// One account. The tag is the part of the key's hash that the set's number does not tell; two keys that share
/// both share an account, which happens once in 2^47.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Account {
    tag: u32,
    second: u32,
    balance: i32,
    suppressed: u32,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set([Account; WAYS]);

/// The accounts of one worker.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: i32,
    secret: u64,
    sets: Box<[Set]>,
}

impl Limiter {
    /// A limiter that lets `rate` (at least 1) identical answers a second pass to one network.
    pub(super) fn new(rate: u32) -> Self {
        // The hash is secret so that nobody can aim at somebody else's account.
        Self::with_secret(rate, RandomState::new().hash_one(SETS))
    }

    fn with_secret(rate: u32, secret: u64) -> Self {
        // Bounded so that a debt of the whole window is a number.
        let rate = i32::try_from(rate).unwrap_or(i32::MAX).clamp(1, i32::MAX / (2 * WINDOW_SECONDS));
        Self { rate, secret, sets: vec![Set::default(); SETS].into_boxed_slice() }
    }

    /// Charges an answer of this class to the network of `peer`. `second` is any clock of whole seconds above 0.
    pub(super) fn judge(&mut self, peer: &Endpoint, class: ResponseClass, second: u32) -> Judgement {
        let (tag, set) = self.hash(network(peer), class);
        let rate = self.rate;
        let account = find(&mut self.sets[set], tag, rate, second);
        account.balance = (account.credited(rate, second) - 1).max(-WINDOW_SECONDS * rate);
        account.second = second;
        if account.balance >= 0 {
            return Judgement::Pass;
        }
        account.suppressed = account.suppressed.wrapping_add(1);
        if account.suppressed % SLIP == 0 { Judgement::Slip } else { Judgement::Drop }
    }

    /// The tag and the set of a key. Two rounds of multiply and fold, keyed: enough for a table whose worst case is a
    /// shared account.
    #[allow(clippy::cast_possible_truncation, reason = "tag and set are parts of the hash")]
    fn hash(&self, network: u64, class: ResponseClass) -> (u32, usize) {
        let what = u64::from(class.key) << 8 | u64::from(class.kind);
        let first = fold(network ^ self.secret, 0x9e37_79b9_7f4a_7c15);
        let hash = fold(first ^ what, self.secret | 1);
        ((hash >> 32) as u32, hash as usize % SETS)
    }
}

impl Account {
    /// The balance with what was gained since it was last charged.
    fn credited(&self, rate: i32, second: u32) -> i32 {
        let age = i32::try_from(second.wrapping_sub(self.second)).unwrap_or(i32::MAX);
        rate.saturating_mul(age).saturating_add(self.balance).min(rate)
    }
}

/// The account with this tag, or a new one in place of the one that owes least.
fn find(set: &mut Set, tag: u32, rate: i32, second: u32) -> &mut Account {
    let known = set.0.iter().position(|account| account.tag == tag && account.second != 0);
    let index = known.unwrap_or_else(|| {
        let least = (0..WAYS).max_by_key(|&way| set.0[way].credited(rate, second)).unwrap_or(0);
        set.0[least] = Account { tag, second, balance: rate, suppressed: 0 };
        least
    });
    &mut set.0[index]
}

#[allow(clippy::cast_possible_truncation, reason = "the two halves of the product are what is wanted")]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// The network a peer counts for: /24 of IPv4, /56 of IPv6, in one number.
fn network(peer: &Endpoint) -> u64 {
    let octets = peer.address_octets();
    let (family, prefix) = if octets.len() == 4 { (4, &octets[..3]) } else { (6, &octets[..7]) };
    prefix.iter().fold(family, |number, &octet| number << 8 | u64::from(octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const CLASS: ResponseClass = ResponseClass { kind: 1, key: 77 };

    fn limiter(rate: u32) -> Limiter {
        Limiter::with_secret(rate, 0x0123_4567_89ab_cdef)
    }

    fn peer(address: &str) -> Endpoint {
        Endpoint::from(SocketAddr::new(address.parse().unwrap(), 5353))
    }

    fn passed(limiter: &mut Limiter, from: &str, class: ResponseClass, second: u32, count: usize) -> usize {
        let verdicts = (0..count).map(|_| limiter.judge(&peer(from), class, second));
        verdicts.filter(|&verdict| verdict == Judgement::Pass).count()
    }

    #[test]
    fn as_many_as_the_rate_pass_in_a_second() {
        assert_eq!(passed(&mut limiter(5), "192.0.2.1", CLASS, 1, 20), 5);
    }

    #[test]
    fn every_second_suppressed_answer_slips() {
        let mut limiter = limiter(1);
        let verdicts: Vec<_> = (0..5).map(|_| limiter.judge(&peer("192.0.2.1"), CLASS, 1)).collect();
        assert_eq!(verdicts, [Judgement::Pass, Judgement::Drop, Judgement::Slip, Judgement::Drop, Judgement::Slip]);
    }

    #[test]
    fn a_network_shares_one_account() {
        let mut limiter = limiter(2);
        assert_eq!(passed(&mut limiter, "192.0.2.1", CLASS, 1, 2), 2);
        assert_eq!(passed(&mut limiter, "192.0.2.200", CLASS, 1, 2), 0);
        assert_eq!(passed(&mut limiter, "192.0.3.1", CLASS, 1, 2), 2);
        assert_eq!(passed(&mut limiter, "2001:db8::1", CLASS, 1, 2), 2);
        assert_eq!(passed(&mut limiter, "2001:db8:0:ff::1", CLASS, 1, 2), 0);
        assert_eq!(passed(&mut limiter, "2001:db8:0:100::1", CLASS, 1, 2), 2);
    }

    #[test]
    fn other_answers_have_other_accounts() {
        let mut limiter = limiter(1);
        for class in [CLASS, ResponseClass { kind: 2, ..CLASS }, ResponseClass { key: 78, ..CLASS }] {
            assert_eq!(passed(&mut limiter, "192.0.2.1", class, 1, 3), 1);
        }
    }

    #[test]
    fn a_quiet_second_restores_the_rate() {
        let mut limiter = limiter(5);
        passed(&mut limiter, "192.0.2.1", CLASS, 1, 5);
        assert_eq!(passed(&mut limiter, "192.0.2.1", CLASS, 2, 20), 5);
    }

    #[test]
    fn a_flood_is_owed_for_no_longer_than_the_window() {
        let mut limiter = limiter(5);
        passed(&mut limiter, "192.0.2.1", CLASS, 1, 1000);
        assert_eq!(passed(&mut limiter, "192.0.2.1", CLASS, 10, 1), 0);
        assert_eq!(passed(&mut limiter, "192.0.2.1", CLASS, 27, 1), 1);
    }

    #[test]
    fn a_full_set_forgets_the_account_that_owes_least() {
        let mut set = Set::default();
        for (tag, balance) in [(1, -9), (2, 3), (3, -2), (4, 0)] {
            let account = find(&mut set, tag, 5, 1);
            account.balance = balance;
        }
        find(&mut set, 5, 5, 1);
        let mut tags: Vec<_> = set.0.iter().map(|account| account.tag).collect();
        tags.sort_unstable();
        assert_eq!(tags, [1, 3, 4, 5]);
    }

    #[test]
    fn the_highest_rate_does_not_overflow() {
        assert_eq!(passed(&mut limiter(u32::MAX), "192.0.2.1", CLASS, u32::MAX, 3), 3);
    }
}
