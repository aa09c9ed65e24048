//! The connections of one TCP thread: where they are, in what order they were last active, how many each source has.
//!
//! Every operation takes the same time however many connections there are: slots are found by number, and the order
//! of activity is a list threaded through the slots. There are two orders, since the two kinds of waiting have
//! time-outs of their own: connections that wait for their peer, and those held for a reply of ours.

use std::collections::HashMap;

use super::connection::Connection;

/// Names a connection. A name comes again only after its slot was used two thousand million times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    slot: u32,
    generation: u32,
}

impl Token {
    /// The token as epoll carries it.
    pub(super) fn to_number(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The token epoll carried.
    #[allow(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    pub(super) fn from_number(number: u64) -> Self {
        Self { slot: number as u32, generation: (number >> 32) as u32 }
    }
}

/// Generations are of 31 bits, so that the other half of the numbers epoll carries is free for other uses.
const MAX_GENERATION: u32 = u32::MAX >> 1;

/// Whom a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// For the peer to send or to read.
    ForPeer,
    /// For a reply to a request that was handed over.
    ForReply,
}

/// What limits count: an IPv4 address, or the /64 that one IPv6 host has to itself.
type Source = (usize, [u8; 8]);

fn source_of(connection: &Connection) -> Source {
    let octets = connection.peer().address_octets();
    let significant = octets.len().min(8);
    let mut source = [0; 8];
    source[..significant].copy_from_slice(&octets[..significant]);
    (significant, source)
}

const NOBODY: u32 = u32::MAX;

struct Slot {
    connection: Option<Connection>,
    generation: u32,
    waiting: Waiting,
    active: u64,
    earlier: u32,
    later: u32,
}

/// The ends of one order of activity.
#[derive(Clone, Copy)]
struct Order {
    first: u32,
    last: u32,
}

/// See the head of the file.
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    orders: [Order; 2],
    sources: HashMap<Source, usize>,
}

impl Table {
    pub(super) fn new() -> Self {
        let empty = Order { first: NOBODY, last: NOBODY };
        Self { slots: Vec::new(), free: Vec::new(), orders: [empty; 2], sources: HashMap::new() }
    }

    /// How many connections there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many connections the source of this one has, itself counted only once it is here.
    pub(super) fn count_of_source(&self, connection: &Connection) -> usize {
        self.sources.get(&source_of(connection)).copied().unwrap_or(0)
    }

    /// Takes a connection in, active at `now`.
    pub(super) fn insert(&mut self, connection: Connection, now: u64) -> Token {
        *self.sources.entry(source_of(&connection)).or_default() += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            let (waiting, earlier, later) = (Waiting::ForPeer, NOBODY, NOBODY);
            self.slots.push(Slot { connection: None, generation: 0, waiting, active: 0, earlier, later });
            u32::try_from(self.slots.len() - 1).expect("there are fewer descriptors than u32 counts")
        });
        let place = &mut self.slots[slot as usize];
        place.connection = Some(connection);
        place.waiting = Waiting::ForPeer;
        let token = Token { slot, generation: place.generation };
        self.append(slot, now);
        token
    }

    /// The connection of this name, if it is still here.
    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(token.slot as usize)?;
        if slot.generation == token.generation { slot.connection.as_mut() } else { None }
    }

    /// Takes a connection out.
    pub(super) fn remove(&mut self, token: Token) -> Option<Connection> {
        self.get_mut(token)?;
        self.unlink(token.slot);
        let slot = &mut self.slots[token.slot as usize];
        slot.generation = slot.generation.wrapping_add(1) & MAX_GENERATION;
        let connection = slot.connection.take()?;
        self.free.push(token.slot);
        let source = source_of(&connection);
        if let Some(count) = self.sources.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.sources.remove(&source);
            }
        }
        Some(connection)
    }

    /// Notes that a connection was active at `now` and whom it waits for from then on.
    pub(super) fn note_active(&mut self, token: Token, waiting: Waiting, now: u64) {
        if self.get_mut(token).is_some() {
            self.unlink(token.slot);
            self.slots[token.slot as usize].waiting = waiting;
            self.append(token.slot, now);
        }
    }

    /// The connection that waits longest, and when it was last active.
    pub(super) fn longest(&self, waiting: Waiting) -> Option<(Token, u64)> {
        let slot = self.orders[waiting as usize].first;
        let place = self.slots.get(slot as usize)?;
        Some((Token { slot, generation: place.generation }, place.active))
    }

    fn append(&mut self, slot: u32, now: u64) {
        let order = &mut self.orders[self.slots[slot as usize].waiting as usize];
        let earlier = std::mem::replace(&mut order.last, slot);
        if earlier == NOBODY {
            order.first = slot;
        } else {
            self.slots[earlier as usize].later = slot;
        }
        let place = &mut self.slots[slot as usize];
        (place.earlier, place.later, place.active) = (earlier, NOBODY, now);
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { waiting, earlier, later, .. } = self.slots[slot as usize];
        let order = &mut self.orders[waiting as usize];
        if earlier == NOBODY {
            order.first = later;
        } else {
            self.slots[earlier as usize].later = later;
        }
        if later == NOBODY {
            order.last = earlier;
        } else {
            self.slots[later as usize].earlier = earlier;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::super::connection::tests::pair;
    use super::*;

    /// A table with connections that were active at 0, 1, 2 and so on, their tokens, and the peers' ends.
    fn table_of(count: u64) -> (Table, Vec<Token>, Vec<TcpStream>) {
        let mut table = Table::new();
        let (tokens, peers) = (0..count)
            .map(|now| {
                let (connection, peer) = pair();
                (table.insert(connection, now), peer)
            })
            .unzip();
        (table, tokens, peers)
    }

    #[test]
    fn a_name_does_not_pass_to_the_next_connection_in_the_slot() {
        let (mut table, tokens, _peers) = table_of(1);
        assert!(table.remove(tokens[0]).is_some());
        let (connection, _peer) = pair();
        let next = table.insert(connection, 1);
        assert!(table.get_mut(tokens[0]).is_none() && table.remove(tokens[0]).is_none());
        assert!(table.get_mut(next).is_some());
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_name_survives_its_way_through_epoll() {
        let token = Token { slot: 7, generation: MAX_GENERATION };
        assert_eq!(Token::from_number(token.to_number()), token);
    }

    #[test]
    fn the_order_is_that_of_activity() {
        let (mut table, tokens, _peers) = table_of(4);
        table.note_active(tokens[0], Waiting::ForPeer, 4);
        table.remove(tokens[2]);
        table.note_active(tokens[3], Waiting::ForReply, 5);
        let mut order = Vec::new();
        while let Some((token, active)) = table.longest(Waiting::ForPeer) {
            order.push((token, active));
            table.remove(token);
        }
        assert_eq!(order, [(tokens[1], 1), (tokens[0], 4)]);
        assert_eq!(table.longest(Waiting::ForReply), Some((tokens[3], 5)));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_source_is_counted_while_it_has_connections() {
        let (mut table, tokens, _peers) = table_of(2);
        let (newcomer, _peer) = pair();
        assert_eq!(table.count_of_source(&newcomer), 2);
        for token in tokens {
            table.remove(token);
        }
        assert_eq!(table.count_of_source(&newcomer), 0);
    }
}
