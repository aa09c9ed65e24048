//! Wake-ups between threads: a counter the waiting side can poll.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use super::sys;

/// A flag with a file descriptor that is readable while it is raised.
#[derive(Debug)]
pub(super) struct Event(File);

impl Event {
    pub(super) fn new() -> io::Result<Self> {
        sys::event_counter().map(|descriptor| Self(descriptor.into()))
    }

    /// Raises the flag; raising it twice is raising it once.
    pub(super) fn raise(&self) {
        settled((&self.0).write(&1u64.to_ne_bytes()));
    }

    /// Lowers the flag, whether it was raised or not.
    pub(super) fn lower(&self) {
        settled((&self.0).read(&mut [0; 8]));
    }
}

/// The two results the kernel can give: done, or "would block" because the counter is full (the flag is up) or zero
/// (the flag is down), which is what was asked for.
fn settled(result: io::Result<usize>) {
    match result {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => unreachable!("an event counter of this process cannot fail: {error}"),
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
