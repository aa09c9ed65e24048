//! Giving memory back to the system: with `serve::sys` the only file with `unsafe`.

#![allow(unsafe_code)]

/// Gives back what is free. The allocator keeps it otherwise, and a reading leaves much: its text, and the records of
/// a zone before they are in pages.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: malloc_trim() takes no pointers, and may be called from any thread.
        let _ = unsafe { libc::malloc_trim(0) };
    }
}
