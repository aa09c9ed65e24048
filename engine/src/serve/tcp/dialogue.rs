//! What is said on a connection: messages are taken out of what was read, answered, and the answers sent together.
//!
//! A peer may send many messages at once (RFC 7766 §6.2.1.1): those that came in one read are answered in one write.
//! A peer that does not read its answers gets no more of them: its messages wait, and then its socket.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::connection::{CONGESTED, Connection, Moved};
use super::frames::{self, Frame, PREFIX};
use super::mailbox::{Mailbox, ReplyPath};
use super::table::Token;
use crate::serve::counters::{Counter, Tally};
use crate::serve::handover::{Handover, Request};
use crate::serve::tap::{Seen, Stage, Tap};
use crate::serve::{Responder, Verdict};

/// The longest message.
const MAX_MESSAGE: usize = u16::MAX as usize;
/// Octets taken in one read.
const INPUT: usize = 64 * 1024;
/// Room for the answers to one read: they are sent when [`CONGESTED`] octets are composed, so one more always fits.
const OUTPUT: usize = CONGESTED + PREFIX + MAX_MESSAGE;

/// What epoll has said of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// Reset by the peer, or failed.
    pub(super) broken: bool,
}

/// What becomes of a connection that was attended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A message came or began, or the peer has read something: its time-out starts anew.
    Active,
    /// Nothing that counts as activity, such as a few more octets of a message.
    Quiet,
    /// It is to be closed.
    Over,
}

/// The connection is to be closed.
struct Over;

/// The memory to work in, and what the thread's connections share.
pub(super) struct Desk {
    input: Box<[u8]>,
    answers: Answers,
}

/// The answers composed for one connection, to be sent together.
struct Answers {
    room: Box<[u8]>,
    used: usize,
    tally: Tally,
    tap: Tap,
    handover: Arc<Handover>,
    mailbox: Arc<Mailbox>,
}

impl Desk {
    pub(super) fn new(tally: Tally, handover: Arc<Handover>, mailbox: Arc<Mailbox>) -> Self {
        let room = vec![0; OUTPUT].into_boxed_slice();
        let tap = handover.taps().tap();
        let answers = Answers { room, used: 0, tally, tap, handover, mailbox };
        Self { input: vec![0; INPUT].into_boxed_slice(), answers }
    }

    pub(super) fn tally(&mut self) -> &mut Tally {
        &mut self.answers.tally
    }

    /// Does what a connection is ready for.
    pub(super) fn attend<R: Responder>(
        &mut self,
        connection: &mut Connection,
        token: Token,
        ready: Ready,
        responder: &mut R,
    ) -> Outcome {
        let Ok(active) = self.exchange(connection, token, ready, responder) else { return Outcome::Over };
        self.answers.settle(connection, 0);
        match (connection.is_finished(), active) {
            (true, _) => Outcome::Over,
            (false, true) => Outcome::Active,
            (false, false) => Outcome::Quiet,
        }
    }

    /// Writes and reads as far as possible; says whether that was any activity.
    fn exchange<R: Responder>(
        &mut self,
        connection: &mut Connection,
        token: Token,
        ready: Ready,
        responder: &mut R,
    ) -> Result<bool, Over> {
        if ready.broken {
            return Err(Over);
        }
        let mut active = false;
        if ready.writable && connection.unsent() > 0 {
            active |= self.write(connection, token, responder)?;
        }
        if ready.readable && connection.may_read() {
            active |= self.read(connection, token, responder)?;
        }
        Ok(active)
    }

    /// Sends a message that another thread has composed.
    pub(super) fn forward(&mut self, connection: &mut Connection, framed: &[u8]) -> Outcome {
        let moved = connection.send(framed);
        self.answers.settle(connection, framed.len());
        if moved == Moved::Broken { Outcome::Over } else { Outcome::Active }
    }

    /// Sends what waits, and goes on with the messages that waited for it.
    fn write<R: Responder>(
        &mut self,
        connection: &mut Connection,
        token: Token,
        responder: &mut R,
    ) -> Result<bool, Over> {
        match connection.send_waiting() {
            Moved::Octets(_) => {}
            Moved::Blocked => return Ok(false),
            Moved::Broken => return Err(Over),
        }
        self.answers.answer_kept(connection, token, responder)?;
        Ok(true)
    }

    /// Reads once and answers what is whole.
    fn read<R: Responder>(
        &mut self,
        connection: &mut Connection,
        token: Token,
        responder: &mut R,
    ) -> Result<bool, Over> {
        let received = match connection.read(&mut self.input) {
            Moved::Octets(0) => {
                self.note_end(connection);
                return Ok(false);
            }
            Moved::Blocked => return Ok(false),
            Moved::Octets(count) => &self.input[..count],
            Moved::Broken => return Err(Over),
        };
        if connection.has_unanswered() {
            let mut kept = connection.take_unanswered();
            kept.extend_from_slice(received);
            connection.keep_unanswered(kept);
            return self.answers.answer_kept(connection, token, responder);
        }
        let answered = self.answers.answer_all(connection, token, received, responder)?;
        connection.keep_unanswered(received[answered..].to_vec());
        // Something was whole, or else something began.
        Ok(true)
    }

    /// Tells those who hold requests of a connection that its peer sends nothing more.
    pub(super) fn note_end(&self, connection: &Connection) {
        if let Some(backlog) = connection.backlog().filter(|_| connection.is_held()) {
            backlog.end();
            self.answers.handover.announce_end();
        }
    }
}

impl Answers {
    /// Answers what is whole of the octets kept in the connection; says whether anything was.
    fn answer_kept<R: Responder>(
        &mut self,
        connection: &mut Connection,
        token: Token,
        responder: &mut R,
    ) -> Result<bool, Over> {
        let kept = connection.take_unanswered();
        let answered = self.answer_all(connection, token, &kept, responder)?;
        // Copied so that a short rest does not keep the memory of all that stood before it.
        connection.keep_unanswered(if answered == 0 { kept } else { kept[answered..].to_vec() });
        Ok(answered > 0)
    }

    /// Answers the whole messages in `octets`, until the peer is congested; gives how many octets these took.
    fn answer_all<R: Responder>(
        &mut self,
        connection: &mut Connection,
        token: Token,
        octets: &[u8],
        responder: &mut R,
    ) -> Result<usize, Over> {
        self.used = 0;
        let mut rest = octets;
        while !connection.is_congested() {
            match frames::first(rest) {
                Frame::Partial => break,
                Frame::Empty => {
                    self.tally.add(Counter::TcpEmptyFrames, 1);
                    self.flush(connection)?;
                    return Err(Over);
                }
                Frame::Message(message, following) => {
                    self.answer(connection, token, message, responder);
                    rest = following;
                }
            }
            if connection.unsent() + self.used >= CONGESTED {
                self.flush(connection)?;
            }
        }
        self.flush(connection)?;
        Ok(octets.len() - rest.len())
    }

    /// Answers one message, into the room.
    fn answer<R: Responder>(&mut self, connection: &mut Connection, token: Token, message: &[u8], responder: &mut R) {
        self.tally.add(Counter::TcpQueries, 1);
        if connection.is_encrypted() {
            self.tally.add(Counter::TlsQueries, 1);
        }
        let asked = self.tap.asked();
        let start = self.used + PREFIX;
        let room = &mut self.room[start..start + MAX_MESSAGE];
        match responder.respond(message, connection.transport(), connection.peer(), room) {
            Verdict::Answer { length, exempt, labels, .. } => {
                self.tally.asked(labels, exempt);
                self.tally.answered(labels);
                self.room[self.used..start].copy_from_slice(&frames::prefix(length));
                self.used = start + length;
                self.tally.add(Counter::TcpAnswers, 1);
                self.put_down(connection, asked, message, Stage::Settled, Some(start));
            }
            // It may itself be an answer, to what was sent by whoever keeps the connection.
            Verdict::Silence if connection.is_held() => self.hand_over(connection, token, message, asked),
            Verdict::Silence => {
                self.tally.add(Counter::MalformedSilent, 1);
                self.put_down(connection, asked, message, Stage::Settled, None);
            }
            Verdict::HandOver => self.hand_over(connection, token, message, asked),
        }
    }

    /// Shows a query to who listens, with the answer that was composed in the room from `start` on.
    #[inline]
    fn put_down(
        &mut self,
        connection: &Connection,
        asked: Option<NonZeroU64>,
        query: &[u8],
        stage: Stage,
        start: Option<usize>,
    ) {
        let Some(asked) = asked else { return };
        let (transport, peer, local) = (connection.transport(), connection.peer(), connection.local());
        let answer = start.map(|start| &self.room[start..self.used]);
        self.tap.put(&Seen { stage, transport, asked, peer, local, query, answer });
    }

    fn hand_over(&mut self, connection: &mut Connection, token: Token, message: &[u8], asked: Option<NonZeroU64>) {
        let mailbox = &self.mailbox;
        let queued = self.handover.offer(|| {
            let path = ReplyPath::new(Arc::clone(mailbox), token, connection.hold());
            let (peer, transport) = (*connection.peer(), connection.transport());
            Request::tcp(message, peer, connection.local(), transport, path).noted(asked)
        });
        self.tally.add(if queued { Counter::HandedOver } else { Counter::HandoverDropped }, 1);
        let stage = if queued { Stage::HandedOver } else { Stage::Settled };
        self.put_down(connection, asked, message, stage, None);
    }

    /// Sends the answers composed so far.
    fn flush(&mut self, connection: &mut Connection) -> Result<(), Over> {
        let used = std::mem::take(&mut self.used);
        if used == 0 {
            return Ok(());
        }
        if connection.send(&self.room[..used]) == Moved::Broken { Err(Over) } else { Ok(()) }
    }

    /// Tells those who reply over this connection how much waits, and when it has room again.
    fn settle(&self, connection: &mut Connection, posted: usize) {
        if connection.settle(posted) {
            self.handover.announce_room();
        }
    }
}
