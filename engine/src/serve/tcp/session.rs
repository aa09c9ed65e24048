//! The TLS of one connection: octets of the network in and out, octets of messages out and in.
//!
//! Everything it has to send goes to the caller's output at once, so that a connection has one queue, of one kind of
//! octets, whether it is encrypted or not. What it does not know: when a socket is ready, limits, time-outs.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::connection::Moved;
use crate::serve::tls::ALPN;

/// See the head of the file.
pub(super) struct Session(ServerConnection);

impl Session {
    /// The session of a connection that was just accepted; None if there is no memory or randomness for it.
    pub(super) fn new(config: Arc<ServerConfig>) -> Option<Self> {
        let mut session = ServerConnection::new(config).ok()?;
        // Its queue is emptied after each call, and how much may wait is the connection's business.
        session.set_buffer_limit(None);
        Some(Self(session))
    }

    /// Reads once. What came decrypted always fits into 64 KiB, since all of it is taken each time. `Blocked` also
    /// when what came held no message. What is to be sent for it, in a handshake or as an alert, goes to `output`.
    pub(super) fn read(&mut self, mut stream: &TcpStream, into: &mut [u8], output: &mut Vec<u8>) -> Moved {
        let moved = self.0.read_tls(&mut stream).into();
        if !matches!(moved, Moved::Octets(_)) {
            return moved;
        }
        let processed = self.0.process_new_packets();
        self.empty_into(output);
        if processed.is_err() {
            return Moved::Broken;
        }
        match self.0.reader().read(into) {
            // Many peers close without saying so in TLS. The lengths of messages tell whether one is whole.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Moved::Octets(0),
            result => result.into(),
        }
    }

    /// Encrypts octets of messages.
    pub(super) fn seal(&mut self, octets: &[u8], output: &mut Vec<u8>) {
        let sealed = self.0.writer().write_all(octets);
        debug_assert!(sealed.is_ok(), "a queue without limit takes everything: {sealed:?}");
        self.empty_into(output);
    }

    /// Says that nothing more will come.
    pub(super) fn close(&mut self, output: &mut Vec<u8>) {
        self.0.send_close_notify();
        self.empty_into(output);
    }

    /// Whether messages can be exchanged.
    pub(super) fn is_established(&self) -> bool {
        !self.0.is_handshaking()
    }

    /// Whether both sides have agreed to speak DNS here (ALPN).
    pub(super) fn is_for_dns(&self) -> bool {
        self.0.alpn_protocol() == Some(ALPN)
    }

    fn empty_into(&mut self, output: &mut Vec<u8>) {
        while self.0.wants_write() {
            let written = self.0.write_tls(output);
            debug_assert!(written.is_ok(), "a vector takes everything: {written:?}");
            if written.is_err() {
                return;
            }
        }
    }
}
