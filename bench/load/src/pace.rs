//! When to ask: as much as the window allows, or at a rate; until a time or a count is reached, or we are told to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::options::{Options, Span};

/// See the head of the file.
pub struct Pace {
    started: Instant,
    span: Span,
    rate: Option<f64>,
    told_to_end: Arc<AtomicBool>,
}

impl Pace {
    /// Begins now.
    pub fn new(options: &Options) -> Self {
        let told_to_end = Arc::new(AtomicBool::new(false));
        if options.until_closed {
            let told = Arc::clone(&told_to_end);
            thread::spawn(move || {
                // However reading ends, nobody is there any more to say anything else.
                let _ended = io::copy(&mut io::stdin().lock(), &mut io::sink());
                told.store(true, Ordering::Relaxed);
            });
        }
        Self { started: Instant::now(), span: options.span, rate: options.rate, told_to_end }
    }

    /// How many queries may be asked at `now`, `sent` having been asked; none when all were.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both are far below 2^52")]
    pub fn allowance(&self, now: Instant, sent: u64) -> Option<u64> {
        if self.told_to_end.load(Ordering::Relaxed) {
            return None;
        }
        let elapsed = now.saturating_duration_since(self.started);
        let left = match self.span {
            Span::Time(span) if elapsed >= span => return None,
            Span::Time(_) => u64::MAX,
            Span::Count(count) if sent >= count => return None,
            Span::Count(count) => count - sent,
        };
        let due = self.rate.map_or(u64::MAX, |rate| ((elapsed.as_secs_f64() * rate) as u64 + 1).saturating_sub(sent));
        Some(left.min(due))
    }

    /// How long to wait for answers before looking at the clock again.
    pub fn nap(&self) -> Duration {
        let most = Duration::from_millis(1);
        self.rate.map_or(most, |rate| most.min(Duration::from_secs_f64(1.0 / rate)))
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
