//! The queries outstanding on one socket, told apart by their IDs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::report::Report;

/// A window of at most 4096 queries. An ID is a slot and, above it, how often the slot was used, so that an answer that
/// comes after its query was given up is not taken for one to the query that has the slot since.
pub struct Window {
    slots: Vec<Slot>,
    free: Vec<u16>,
    /// Slots and when they were asked, oldest first; those answered since are still in it.
    asked: VecDeque<(u16, u16, Instant)>,
    step: u16,
}

#[derive(Clone, Copy)]
struct Slot {
    id: u16,
    asked: Option<Instant>,
}

impl Window {
    /// Room for `size` queries.
    pub fn new(size: usize) -> Self {
        let size = u16::try_from(size).expect("the options allow no more than 4096");
        let slots = (0..size).map(|id| Slot { id, asked: None }).collect();
        let step = size.next_power_of_two();
        Self { slots, free: (0..size).rev().collect(), asked: VecDeque::new(), step }
    }

    /// How many more queries fit.
    pub fn room(&self) -> usize {
        self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    /// Takes a place for a query asked at `now`; gives its ID. There must be room.
    pub fn ask(&mut self, now: Instant) -> u16 {
        let index = self.free.pop().expect("the caller has looked for room");
        let slot = &mut self.slots[usize::from(index)];
        slot.id = slot.id.wrapping_add(self.step);
        slot.asked = Some(now);
        self.asked.push_back((index, slot.id, now));
        slot.id
    }

    /// Counts an answer that came at `now`.
    pub fn answer(&mut self, message: &[u8], now: Instant, report: &mut Report) {
        let Some(index) = self.index_of(message) else {
            report.unexpected += 1;
            return;
        };
        let slot = &mut self.slots[usize::from(index)];
        if let Some(asked) = slot.asked.take() {
            self.free.push(index);
            let nanoseconds = now.saturating_duration_since(asked).as_nanos();
            report.answer(message, u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        }
    }

    /// The slot of the query outstanding that a message answers.
    fn index_of(&self, message: &[u8]) -> Option<u16> {
        let id = u16::from_be_bytes(*message.get(..12)?.first_chunk()?);
        let index = id & (self.step - 1);
        let slot = self.slots.get(usize::from(index))?;
        (slot.id == id && slot.asked.is_some()).then_some(index)
    }

    /// Gives up the queries asked longer than `timeout` before `now`.
    pub fn expire(&mut self, now: Instant, timeout: Duration, report: &mut Report) {
        while let Some(&(index, id, asked)) = self.asked.front() {
            let slot = &mut self.slots[usize::from(index)];
            let outstanding = slot.id == id && slot.asked.is_some();
            if outstanding && now.saturating_duration_since(asked) < timeout {
                return;
            }
            self.asked.pop_front();
            if outstanding {
                slot.asked = None;
                self.free.push(index);
                report.lost += 1;
            }
        }
    }

    /// Gives up all queries outstanding: their connection has broken.
    pub fn lose_all(&mut self, report: &mut Report) {
        let far = Duration::ZERO;
        self.expire(Instant::now(), far, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_to(id: u16) -> Vec<u8> {
        [&id.to_be_bytes()[..], &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
    }

    #[test]
    fn an_answer_frees_its_place_once() {
        let (mut window, mut report, now) = (Window::new(2), Report::new(), Instant::now());
        let id = window.ask(now);
        assert_eq!(window.room(), 1);
        window.answer(&answer_to(id), now, &mut report);
        window.answer(&answer_to(id), now, &mut report);
        assert_eq!((window.room(), report.received, report.unexpected), (2, 1, 1));
    }

    #[test]
    fn a_late_answer_is_not_taken_for_another() {
        let (mut window, mut report, now) = (Window::new(1), Report::new(), Instant::now());
        let late = window.ask(now);
        window.expire(now + Duration::from_secs(2), Duration::from_secs(1), &mut report);
        let id = window.ask(now);
        assert_ne!(late, id);
        window.answer(&answer_to(late), now, &mut report);
        assert_eq!((report.lost, report.received, report.unexpected), (1, 0, 1));
    }

    #[test]
    fn places_that_no_query_has_are_unexpected() {
        let (mut window, mut report) = (Window::new(3), Report::new());
        for message in [answer_to(3), answer_to(0xffff), b"short".to_vec()] {
            window.answer(&message, Instant::now(), &mut report);
        }
        assert_eq!(report.unexpected, 3);
    }
}
