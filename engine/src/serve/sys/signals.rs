//! Signals: kept away from the threads that serve, but for one that interrupts the system call in which a thread sleeps.

use std::io;
use std::mem::zeroed;
use std::os::unix::thread::JoinHandleExt;
use std::ptr;
use std::thread::JoinHandle;

use libc::c_int;

use super::checked;

/// What interrupts. It tells of urgent data, which nobody who serves DNS asks for, and is ignored by who does not heed it.
const INTERRUPTION: c_int = libc::SIGURG;

extern "C" fn do_nothing(_signal: c_int) {}

/// Keeps signals away from the calling thread, so that they reach the one that handles them; but for [`interrupt`].
pub(in crate::serve) fn block_signals() {
    // SAFETY: a zeroed sigset_t is valid memory for sigfillset, which fills it before the others use it; none of them
    // can fail with these arguments.
    unsafe {
        let mut most: libc::sigset_t = zeroed();
        libc::sigfillset(&raw mut most);
        libc::sigdelset(&raw mut most, INTERRUPTION);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const most, ptr::null_mut());
    }
}

/// Lets [`interrupt`] have its effect in this process, whoever starts it.
pub(in crate::serve) fn allow_interruption() -> io::Result<()> {
    // SAFETY: all zeroes are a sigaction without flags and with an empty mask: without SA_RESTART the interrupted call
    // ends. The handler touches nothing, so it may run at any time.
    let result = unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = do_nothing as *const () as libc::sighandler_t;
        libc::sigaction(INTERRUPTION, &raw const action, ptr::null_mut())
    };
    checked(result).map(drop)
}

/// Ends the system call in which the thread sleeps, if it does: one that is about to sleep notices nothing.
pub(in crate::serve) fn interrupt(thread: &JoinHandle<()>) {
    // SAFETY: a thread that nobody has joined has a valid identity, though it may have ended; joining takes the handle.
    let _has_ended = unsafe { libc::pthread_kill(thread.as_pthread_t(), INTERRUPTION) };
}
