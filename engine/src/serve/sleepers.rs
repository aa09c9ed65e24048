//! Threads that sleep until a datagram comes, and the one that wakes them now and then.
//!
//! Each could wake by itself, by a time-out of its receiving call. But then the kernel starts a timer whenever it falls
//! asleep, and stops it when it is woken: 3 to 5 % of what a query costs where they come one by one.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::server::spawn;
use super::sys;

/// How long a thread may sleep before its responder is refreshed, so that old data does not stay for want of queries.
const LONGEST_SLEEP: Duration = Duration::from_millis(200);
/// How often threads that are to end are woken: one that was about to sleep has not noticed.
const PRESSING: Duration = Duration::from_millis(2);

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    waker: Option<JoinHandle<()>>,
}

impl Sleepers {
    /// Takes care of this thread too.
    pub(super) fn add(&mut self, thread: JoinHandle<()>) {
        lock(&self.threads).push(thread);
    }

    /// Wakes the threads now and then, until `retire` is set; then until they have ended. To be called before they start.
    pub(super) fn keep_awake(&mut self, retire: Arc<AtomicBool>) -> io::Result<()> {
        sys::allow_interruption()?;
        let threads = Arc::clone(&self.threads);
        let waker = spawn("oakroot-waker".to_owned(), move || {
            while !retire.load(Ordering::Acquire) {
                thread::park_timeout(LONGEST_SLEEP);
                lock(&threads).iter().for_each(sys::interrupt);
            }
            end(&threads);
        })?;
        self.waker = Some(waker);
        Ok(())
    }

    /// Lets the threads see at once that they are to end.
    pub(super) fn hurry(&self) {
        if let Some(waker) = &self.waker {
            waker.thread().unpark();
        }
    }

    /// Waits until they have ended, as they were told to.
    pub(super) fn join(self) {
        if let Some(waker) = self.waker {
            waker.thread().unpark();
            drop(waker.join());
        }
        end(&self.threads);
    }
}

/// Wakes the threads until all of them have ended.
fn end(threads: &Mutex<Vec<JoinHandle<()>>>) {
    let mut threads = lock(threads);
    while threads.iter().any(|thread| !thread.is_finished()) {
        threads.iter().for_each(sys::interrupt);
        thread::sleep(PRESSING);
    }
    // A panic was printed by its thread; there is nothing left to do for it.
    for thread in threads.drain(..) {
        drop(thread.join());
    }
}

/// A panic while the lock was held cannot have left the list half changed.
fn lock(threads: &Mutex<Vec<JoinHandle<()>>>) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
    threads.lock().unwrap_or_else(PoisonError::into_inner)
}
