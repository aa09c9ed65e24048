//! A bounded queue of octets between one writer, which must not wait, and one reader.
//!
//! The memory is words that both sides reach at the same time, so no `unsafe` is needed: what is written is seen by the
//! reader once the count of words written says so. What does not belong here: when something is put down, and by whom.

use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::Transport;
use super::tap::{Exchange, Seen, Stage};

/// Octets of each ring: room for thousands of exchanges of the usual length.
const ROOM: usize = 1 << 20;
/// Octets that are moved at once.
const WORD: usize = size_of::<u64>();
/// A power of two, so that places are found by a mask.
const WORDS: usize = ROOM / WORD;
/// Words in front of the octets of query and answer: see [`Ring::put`].
const HEAD: usize = 8;

/// See the head of the file. `written` and `read` count words and only grow, so that a full ring differs from an empty
/// one.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Ring {
    words: OnceLock<Box<[AtomicU64]>>,
    written: AtomicUsize,
    put: AtomicU64,
    lost: AtomicU64,
    read: Lined<AtomicUsize>,
}

/// On cache lines of its own: what the reader writes must not take the writer's lines away.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lined<T>(T);

impl<T> Deref for Lined<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl Ring {
    /// Gives it its memory, if it has none. What is put before that is lost, and not counted.
    pub(super) fn allocate(&self) {
        self.words.get_or_init(|| iter::repeat_with(|| AtomicU64::new(0)).take(WORDS).collect());
    }

    /// Puts an exchange into it, or counts that there was no room. There must be no other writer.
    ///
    /// A record is, in words: its length in words, stage, transport, families; both times; both addresses; ports and
    /// lengths; then the octets of query and answer, each filled up to a whole word.
    pub(super) fn put(&self, seen: &Seen<'_>, told: u64) {
        let Some(words) = self.words.get() else { return };
        let answer = seen.answer.unwrap_or_default();
        let length = HEAD + seen.query.len().div_ceil(WORD) + answer.len().div_ceil(WORD);
        let at = self.written.load(Ordering::Relaxed);
        if WORDS - at.wrapping_sub(self.read.load(Ordering::Acquire)) < length {
            add_one(&self.lost);
            return;
        }
        let mut place = Place { words, at };
        for word in head(seen, told, length, answer.len()) {
            place.put(word);
        }
        place.put_octets(seen.query);
        place.put_octets(answer);
        add_one(&self.put);
        self.written.store(at.wrapping_add(length), Ordering::Release);
    }

    /// Takes the oldest exchange. There must be no other reader.
    pub(super) fn take(&self) -> Option<Exchange> {
        let words = self.words.get()?;
        let at = self.read.load(Ordering::Relaxed);
        if self.written.load(Ordering::Acquire) == at {
            return None;
        }
        let word = |index: usize| words[at.wrapping_add(index) & (WORDS - 1)].load(Ordering::Relaxed);
        let ([length, stage, transport, families], lengths) = (quarters(word(0)), quarters(word(7)));
        let [peer_port, local_port, asked_length, answer_length] = lengths;
        let query = octets(HEAD, asked_length, word);
        let answer = octets(HEAD + query.len().div_ceil(WORD), answer_length, word);
        let exchange = Exchange {
            stage: STAGES[usize::from(stage)],
            transport: TRANSPORTS[usize::from(transport & !ANSWERED)],
            asked: word(1),
            told: word(2),
            peer: SocketAddr::new(address(families & PEER_V4 != 0, word(3), word(4)), peer_port),
            local: SocketAddr::new(address(families & LOCAL_V4 != 0, word(5), word(6)), local_port),
            query,
            answer: (transport & ANSWERED != 0).then_some(answer),
        };
        self.read.store(at.wrapping_add(usize::from(length)), Ordering::Release);
        Some(exchange)
    }

    /// How many were put into it, and how many found no room.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.put.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }
}

const STAGES: [Stage; 4] = [Stage::Settled, Stage::HandedOver, Stage::Answered, Stage::Continued];
const TRANSPORTS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];
const ANSWERED: u16 = 1 << 8;
const PEER_V4: u16 = 1;
const LOCAL_V4: u16 = 2;

fn head(seen: &Seen<'_>, told: u64, length: usize, answer_length: usize) -> [u64; HEAD] {
    let is_answered = if seen.answer.is_some() { ANSWERED } else { 0 };
    let peer_family = if seen.peer.is_v4() { PEER_V4 } else { 0 };
    let local_family = if seen.local.is_ipv4() { LOCAL_V4 } else { 0 };
    let (peer, local) = (halves(seen.peer.address()), halves(seen.local.ip()));
    let transport = seen.transport as u16 | is_answered;
    [
        word_of([short(length), seen.stage as u16, transport, peer_family | local_family]),
        seen.asked.get(),
        told,
        peer.0,
        peer.1,
        local.0,
        local.1,
        word_of([seen.peer.port(), seen.local.port(), short(seen.query.len()), short(answer_length)]),
    ]
}

/// Messages have at most 65535 octets, and so records far fewer words.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn word_of(quarters: [u16; 4]) -> u64 {
    quarters.into_iter().fold(0, |word, quarter| word << 16 | u64::from(quarter))
}

#[allow(clippy::cast_possible_truncation, reason = "the quarters are what is wanted")]
fn quarters(word: u64) -> [u16; 4] {
    [48, 32, 16, 0].map(|shift| (word >> shift) as u16)
}

/// An address as two words; IPv4 in the first half of the first.
fn halves(address: IpAddr) -> (u64, u64) {
    match address {
        IpAddr::V4(address) => (u64::from(address.to_bits()), 0),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            #[allow(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
            ((bits >> 64) as u64, bits as u64)
        }
    }
}

fn address(is_v4: bool, first: u64, second: u64) -> IpAddr {
    if is_v4 {
        #[allow(clippy::cast_possible_truncation, reason = "only half of the word is used")]
        Ipv4Addr::from_bits(first as u32).into()
    } else {
        Ipv6Addr::from_bits(u128::from(first) << 64 | u128::from(second)).into()
    }
}

/// Where the next word goes.
struct Place<'ring> {
    words: &'ring [AtomicU64],
    at: usize,
}

impl Place<'_> {
    #[inline]
    fn put(&mut self, word: u64) {
        self.words[self.at & (WORDS - 1)].store(word, Ordering::Relaxed);
        self.at = self.at.wrapping_add(1);
    }

    #[inline]
    fn put_octets(&mut self, octets: &[u8]) {
        let mut whole = octets.chunks_exact(WORD);
        for chunk in &mut whole {
            self.put(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        let rest = whole.remainder();
        if !rest.is_empty() {
            let mut word = [0; WORD];
            word[..rest.len()].copy_from_slice(rest);
            self.put(u64::from_le_bytes(word));
        }
    }
}

fn octets(start: usize, length: u16, word: impl Fn(usize) -> u64) -> Box<[u8]> {
    let length = usize::from(length);
    let words = (0..length.div_ceil(WORD)).flat_map(|index| word(start + index).to_le_bytes());
    words.take(length).collect()
}

/// Without a locked instruction, since there is one writer.
fn add_one(cell: &AtomicU64) {
    cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use proptest::prelude::*;

    use super::super::endpoint::Endpoint;
    use super::*;

    fn exchange(query: &[u8], answer: Option<&[u8]>) -> Exchange {
        Exchange {
            stage: Stage::Answered,
            transport: Transport::Tls,
            asked: 7,
            told: 9,
            peer: "[2001:db8::1]:4242".parse().unwrap(),
            local: "192.0.2.53:53".parse().unwrap(),
            query: query.into(),
            answer: answer.map(Into::into),
        }
    }

    fn put(ring: &Ring, exchange: &Exchange) {
        let seen = Seen {
            stage: exchange.stage,
            transport: exchange.transport,
            asked: NonZeroU64::new(exchange.asked).unwrap(),
            peer: &Endpoint::from(exchange.peer),
            local: exchange.local,
            query: &exchange.query,
            answer: exchange.answer.as_deref(),
        };
        ring.put(&seen, exchange.told);
    }

    fn ring() -> Ring {
        let ring = Ring::default();
        ring.allocate();
        ring
    }

    #[test]
    fn without_memory_nothing_is_kept_and_nothing_fails() {
        let ring = Ring::default();
        put(&ring, &exchange(b"query", None));
        assert_eq!((ring.take(), ring.counts()), (None, (0, 0)));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_the_rest_is_whole() {
        let ring = ring();
        let long = exchange(&vec![1; 65535], Some(&vec![2; 65535]));
        (0..20).for_each(|_| put(&ring, &long));
        let (kept, lost) = ring.counts();
        assert!(kept >= 7 && kept + lost == 20, "{kept} {lost}");
        for _ in 0..kept {
            assert_eq!(ring.take(), Some(long.clone()));
        }
        assert_eq!(ring.take(), None);
        put(&ring, &long);
        assert_eq!(ring.take(), Some(long), "there is room again");
    }

    #[test]
    fn a_reader_beside_the_writer_gets_whole_exchanges_in_their_order() {
        let (ring, done) = (ring(), AtomicBool::new(false));
        let taken = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut taken = Vec::new();
                loop {
                    let is_last = done.load(Ordering::Acquire);
                    taken.extend(iter::from_fn(|| ring.take()));
                    if is_last {
                        return taken;
                    }
                }
            });
            for number in 0..20_000u32 {
                let octets = number.to_be_bytes().repeat(1 + number as usize % 50);
                put(&ring, &exchange(&octets, Some(&octets)));
            }
            done.store(true, Ordering::Release);
            reader.join().unwrap()
        });
        let (kept, lost) = ring.counts();
        assert_eq!((taken.len() as u64, kept + lost), (kept, 20_000));
        let mut next = 0;
        for exchange in taken {
            let number = u32::from_be_bytes(exchange.query[..4].try_into().unwrap());
            assert!(number >= next && exchange.query.len() == 4 * (1 + number as usize % 50), "{number}");
            assert_eq!(exchange.answer, Some(exchange.query));
            next = number + 1;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_comes_out_is_what_went_in(
            exchanges in proptest::collection::vec(
                (0..4usize, 0..3usize, any::<(bool, bool, (u64, u64), (u64, u64), u16, u16)>(),
                 1..=u64::MAX, any::<u64>(),
                 proptest::collection::vec(any::<u8>(), 0..600),
                 proptest::option::of(proptest::collection::vec(any::<u8>(), 0..600))),
                1..40,
            )
        ) {
            let ring = ring();
            let place = |is_v4, halves: (u64, u64), port| {
                let first = if is_v4 { halves.0 & 0xffff_ffff } else { halves.0 };
                SocketAddr::new(address(is_v4, first, halves.1), port)
            };
            for (stage, transport, (peer_v4, local_v4, peer, local, peer_port, local_port), asked, told, query, answer)
                in exchanges
            {
                let exchange = Exchange {
                    stage: STAGES[stage],
                    transport: TRANSPORTS[transport],
                    asked,
                    told,
                    peer: place(peer_v4, peer, peer_port),
                    local: place(local_v4, local, local_port),
                    query: query.into(),
                    answer: answer.map(Into::into),
                };
                put(&ring, &exchange);
                prop_assert_eq!(ring.take(), Some(exchange));
            }
        }
    }
}
