//! Writes a record's line as its neighbours are written: columns, TTL, class, case, relative names.

use std::fmt::Write;
use std::ops::Range;

use super::line::{Line, Part, Spacing, column, pad};
use super::pieces::PieceRecord;
use super::rdata_words;
use super::state::{InheritedTtl, State};
use crate::rdata;

/// Units of TTLs in falling order.
const UNITS: [(u32, char); 5] = [(604_800, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];

/// The neighbours of a line, the nearest first, and what holds where it stands.
pub(super) struct Style<'p> {
    pub(super) neighbours: Vec<Line<'p>>,
    pub(super) state: State,
}

impl Style<'_> {
    /// The line of a record, without its end.
    pub(super) fn line(&self, record: &PieceRecord, leave_owner_blank: bool) -> Vec<u8> {
        let mut line = Vec::new();
        if !leave_owner_blank {
            line.extend_from_slice(self.owner(&record.owner).as_bytes());
        }
        let ttl = self.wants_ttl(record).then(|| self.ttl(record.ttl));
        let data = self.data_words(record.rtype, &record.rdata).join(" ");
        let mut parts: Vec<Part> = self.neighbours.first().map_or(vec![Part::Type], |model| model.order().collect());
        parts.retain(|part| !matches!(part, Part::Ttl | Part::Data));
        if let Some(ttl) = &ttl {
            self.append_ttl(&mut line, ttl, &mut parts);
        }
        for part in parts {
            let word = match part {
                Part::Class => self.word(Part::Class).unwrap_or(b"IN").to_vec(),
                _ => self.type_word(record.rtype).into_bytes(),
            };
            self.append(&mut line, part, &word);
        }
        if !data.is_empty() {
            self.append(&mut line, Part::Data, data.as_bytes());
        }
        line
    }

    /// An owner as others write theirs here.
    pub(super) fn owner(&self, owner: &[u8]) -> String {
        let relative = rdata_words::relative_name(owner, &self.state.origin).filter(|_| self.has_relative_owners());
        relative.unwrap_or_else(|| rdata_words::absolute_name(owner))
    }

    /// RDATA as others write theirs here.
    pub(super) fn data_words(&self, rtype: u16, rdata: &[u8]) -> Vec<String> {
        let origin = &self.state.origin;
        let relative = self.neighbours.iter().find_map(|line| line.has_relative_data(origin));
        if relative.unwrap_or_else(|| self.has_relative_owners()) {
            rdata_words::relative(rtype, rdata, origin)
        } else {
            rdata_words::absolute(rtype, rdata)
        }
    }

    /// A TTL in the notation of others.
    pub(super) fn ttl(&self, seconds: u32) -> String {
        let example = self.neighbours.iter().find_map(|line| line.word(Part::Ttl)).unwrap_or_default();
        write_ttl(seconds, example)
    }

    fn has_relative_owners(&self) -> bool {
        self.neighbours.iter().find_map(|line| line.has_relative_owner(&self.state.origin)).unwrap_or(true)
    }

    /// Where it is needed, and where the neighbour writes one without need.
    fn wants_ttl(&self, record: &PieceRecord) -> bool {
        let is_needed = self.state.ttl_for(record.rtype, &record.rdata) != Some(record.ttl);
        let is_habit = self.neighbours.first().is_some_and(|model| {
            let is_redundant = match self.state.ttl {
                InheritedTtl::Default(seconds) => model.record.ttl == seconds,
                InheritedTtl::Last(_) | InheritedTtl::Nothing => true,
            };
            is_redundant && model.word(Part::Ttl).is_some()
        });
        is_needed || is_habit
    }

    /// Writes the TTL where the nearest neighbour has its own, else before all else that follows the owner, close to it.
    fn append_ttl(&self, line: &mut Vec<u8>, ttl: &str, parts: &mut Vec<Part>) {
        let model = self.neighbours.first();
        let class_first = model.is_some_and(|model| model.order().take(2).eq([Part::Class, Part::Ttl]));
        if class_first && parts.first() == Some(&Part::Class) {
            parts.remove(0);
            self.append(line, Part::Class, self.word(Part::Class).unwrap_or(b"IN"));
        }
        if self.spacing(Part::Ttl).is_some() {
            return self.append(line, Part::Ttl, ttl.as_bytes());
        }
        let next = parts.first().and_then(|part| self.spacing(*part));
        match next {
            Some((spacing, Some(target))) if !spacing.has_tabs() => {
                let start = target.saturating_sub(ttl.len() + 1);
                pad(line, start, false);
            }
            _ if line.is_empty() => line.extend_from_slice(self.leading()),
            Some((spacing, _)) if spacing.has_tabs() => line.push(b'\t'),
            _ => line.push(b' '),
        }
        line.extend_from_slice(ttl.as_bytes());
    }

    fn append(&self, line: &mut Vec<u8>, part: Part, word: &[u8]) {
        match self.spacing(part) {
            Some((spacing, Some(target))) => pad(line, target, spacing.has_tabs()),
            _ if line.is_empty() => line.extend_from_slice(self.leading()),
            Some((spacing, None)) if !spacing.text.is_empty() => line.extend_from_slice(spacing.text),
            _ => line.push(if line.contains(&b'\t') { b'\t' } else { b' ' }),
        }
        line.extend_from_slice(word);
    }

    /// White space before a part, and the column the part stands in where lines keep one.
    fn spacing(&self, part: Part) -> Option<(Spacing<'_>, Option<usize>)> {
        let all: Vec<_> = self.neighbours.iter().filter_map(|line| line.spacing(part)).collect();
        let count = |column| all.iter().filter(|spacing| spacing.to == column).count();
        // The nearest wins a tie, so the search goes from the far end.
        let most = all.iter().rev().max_by_key(|spacing| count(spacing.to))?;
        let example = all.iter().find(|spacing| spacing.to == most.to)?;
        let is_chance =
            example.text == b" " && !all.iter().any(|spacing| spacing.to == most.to && spacing.from != example.from);
        Some((*example, (!is_chance).then_some(most.to)))
    }

    /// White space that stands for an owner.
    fn leading(&self) -> &[u8] {
        self.neighbours.iter().find_map(Line::leading).unwrap_or(b"\t")
    }

    fn word(&self, part: Part) -> Option<&[u8]> {
        self.neighbours.iter().find_map(|line| line.word(part))
    }

    fn type_word(&self, rtype: u16) -> String {
        let mut text = String::new();
        rdata::write_type(rtype, &mut text);
        let lower = self.neighbours.first().and_then(|line| line.word(Part::Type));
        if lower.is_some_and(|word| word.iter().any(u8::is_ascii_lowercase)) {
            text.make_ascii_lowercase();
        }
        text
    }
}

/// Writes a TTL in the notation of another: with units where that has some.
pub(super) fn write_ttl(seconds: u32, example: &[u8]) -> String {
    if seconds == 0 || !example.iter().any(u8::is_ascii_alphabetic) {
        return seconds.to_string();
    }
    let mut text = String::new();
    let mut rest = seconds;
    for (unit, letter) in UNITS {
        if rest >= unit {
            let _ = write!(text, "{}{letter}", rest / unit);
            rest %= unit;
        }
    }
    if example.iter().any(u8::is_ascii_uppercase) {
        text.make_ascii_uppercase();
    }
    text
}

/// Puts `word` in the place of a word, and lets what follows keep its column where white space allows.
pub(super) fn exchange(text: &[u8], place: Range<usize>, word: &[u8]) -> Vec<u8> {
    let line_start = text[..place.start].iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
    let mut line = [&text[line_start..place.start], word].concat();
    let rest = &text[place.end..];
    let blanks = rest.iter().take_while(|octet| is_blank(**octet)).count();
    let is_wide = blanks > 1 || rest.starts_with(b"\t");
    if is_wide && !matches!(rest[blanks..], [] | [b'\n' | b'\r', ..]) {
        pad(&mut line, column(&text[line_start..place.end + blanks]), rest[..blanks].contains(&b'\t'));
        line.extend_from_slice(&rest[blanks..]);
    } else {
        line.extend_from_slice(rest);
    }
    [&text[..line_start], &line].concat()
}

/// Puts `word` and white space before the word at `at`, which keeps its column where white space allows.
pub(super) fn put_before(text: &[u8], at: usize, word: &str) -> Vec<u8> {
    let gap = text[..at].iter().rev().take_while(|octet| is_blank(**octet)).count();
    let blanks = &text[at - gap..at];
    let taken = match blanks.last() {
        Some(b'\t') if gap > 1 && word.len() < 8 => 1,
        Some(b' ') if gap > word.len() + 1 && !blanks.contains(&b'\t') => word.len() + 1,
        _ => 0,
    };
    let after: &[u8] = if blanks.last() == Some(&b'\t') { b"\t" } else { b" " };
    [&text[..at - taken], word.as_bytes(), after, &text[at..]].concat()
}

/// Writes an owner into a line that leaves it blank.
pub(super) fn give_owner(text: &[u8], owner: &str) -> Vec<u8> {
    let blanks = text.iter().take_while(|octet| is_blank(**octet)).count();
    let mut line = owner.as_bytes().to_vec();
    pad(&mut line, column(&text[..blanks]), text[..blanks].contains(&b'\t'));
    line.extend_from_slice(&text[blanks..]);
    line
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttls_are_written_in_the_notation_of_others() {
        for (seconds, example, written) in [
            (3600, "60", "3600"),
            (3600, "1d", "1h"),
            (5400, "2H", "1H30M"),
            (0, "1h", "0"),
            (694_861, "1h", "1w1d1h1m1s"),
        ] {
            assert_eq!(write_ttl(seconds, example.as_bytes()), written);
        }
    }

    #[test]
    fn what_follows_a_word_keeps_its_column() {
        for (line, place, word, written) in [
            ("a 60  A 192.0.2.1", 2..4, "3600", "a 3600 A 192.0.2.1"),
            ("a A 192.0.2.1    ; web", 4..13, "192.0.2.100", "a A 192.0.2.100  ; web"),
            ("a A 192.0.2.1 ; web", 4..13, "192.0.2.100", "a A 192.0.2.100 ; web"),
            ("a\t60\tA", 2..4, "3600", "a\t3600\tA"),
            ("a A 192.0.2.1  \n", 4..13, "192.0.2.2", "a A 192.0.2.2  \n"),
            ("a SOA b c (\n  1   ; serial\n", 14..15, "10", "a SOA b c (\n  10  ; serial\n"),
        ] {
            assert_eq!(exchange(line.as_bytes(), place, word.as_bytes()), written.as_bytes());
        }
    }

    #[test]
    fn a_word_is_put_before_another_into_white_space_if_there_is_some() {
        for (line, at, written) in [
            ("a A 192.0.2.1", 2, "a 300 A 192.0.2.1"),
            ("a       A 192.0.2.1", 8, "a   300 A 192.0.2.1"),
            ("a\tA 192.0.2.1", 2, "a\t300\tA 192.0.2.1"),
            ("a\t\tA 192.0.2.1", 3, "a\t300\tA 192.0.2.1"),
        ] {
            assert_eq!(put_before(line.as_bytes(), at, "300"), written.as_bytes());
        }
    }

    #[test]
    fn an_owner_is_written_into_the_white_space_that_stood_for_it() {
        for (line, written) in [
            ("        A 192.0.2.1", "www     A 192.0.2.1"),
            ("\tA 192.0.2.1", "www\tA 192.0.2.1"),
            (" A 192.0.2.1", "www A 192.0.2.1"),
        ] {
            assert_eq!(give_owner(line.as_bytes(), "www"), written.as_bytes());
        }
    }
}
