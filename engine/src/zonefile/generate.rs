//! `$GENERATE range lhs [ttl] [class] type rhs`: one record per number of a range, as in BIND.
//!
//! `lhs` and `rhs` are templates, see `template`. In BIND `rhs` is one word or one quoted string, which is read as if
//! the quotes were not there; here it may also be several words.

use super::explain::{self, Explanation};
use super::header::{self, Header};
use super::reader::{File, Reader};
use super::scanner::{Entry, Scanner};
use super::template::Template;
use super::token::Token;
use super::words;
use crate::name;
use crate::rdata;
use crate::record::{Record, Span};

/// Most records that one directive makes: all reverse names of a /16.
const MOST_RECORDS: u32 = 1 << 16;
/// Most octets that all directives of a reading make, where a record counts as `LEAST_COST` at least.
const MOST_OCTETS: usize = 1 << 28;
const LEAST_COST: usize = 64;

/// Index of the first token behind directive, range and owner.
pub(super) const HEADER_AT: usize = 3;

const EXAMPLE: &str = "$GENERATE 1-100 host-$ A 192.0.2.$";

/// `start-stop/step`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) step: u32,
}

/// What one directive repeats.
struct Pattern<'a> {
    header: Header,
    owner: Template<'a>,
    owner_place: Span,
    data: Template<'a>,
    data_place: Span,
    place: Span,
}

/// Space used again for each record.
#[derive(Default)]
struct Scratch {
    owner_text: Vec<u8>,
    /// Wire form.
    owner: Vec<u8>,
    data_text: Vec<u8>,
}

impl Reader<'_> {
    /// Reads the `$GENERATE` directive in `tokens`, whose first it is.
    pub(super) fn generate(&mut self, file: &File<'_>, entry: &Entry, tokens: &[Token<'_>]) {
        let Some(arguments) = self.arguments(file, tokens, 4, usize::MAX, EXAMPLE) else { return };
        let Some(range) = self.range(file, &arguments[0]) else { return };
        let header = match header::parse(arguments, HEADER_AT - 1) {
            Ok(header) => header,
            Err(error) => {
                let explanation = explain::header(&self.report, error, entry, arguments);
                return self.report_at(file.span(&arguments[error.at]), explanation);
            }
        };
        let words = &arguments[header.type_at + 1..];
        let data_place = file.span_of_all(words).unwrap_or_else(|| file.span(&arguments[header.type_at]));
        let owner_place = file.span(&arguments[1]);
        let data = joined(words);
        let templates = (Template::parse(arguments[1].text), Template::parse(&data));
        for (template, place) in [(&templates.0, owner_place), (&templates.1, data_place)] {
            if let Err(message) = template {
                let hint = "a placeholder is $ or ${OFFSET,WIDTH,BASE} with base d, o, x, X, n or N";
                self.report_at(place, Explanation::new("bad-generate", *message, hint));
            }
        }
        if let (Ok(owner), Ok(data)) = templates {
            let place = file.span_of_entry(entry);
            self.repeat(range, &Pattern { header, owner, owner_place, data, data_place, place });
        }
    }

    fn range(&mut self, file: &File<'_>, word: &Token<'_>) -> Option<Range> {
        let Some(range) = parse_range(word.text) else {
            let message = format!("{} is not a range", self.report.quote(word.text, "this word"));
            let hint = "a range is START-STOP or START-STOP/STEP, with numbers from 0 to 2147483647";
            self.report_at(file.span(word), Explanation::new("bad-generate", message, hint));
            return None;
        };
        if (range.last - range.first) / range.step >= MOST_RECORDS {
            let message = format!("the range has more than {MOST_RECORDS} numbers");
            let hint = "write several $GENERATE lines";
            self.report_at(file.span(word), Explanation::new("bad-generate", message, hint));
            return None;
        }
        Some(range)
    }

    /// Makes the records, up to the first that has a mistake: the others would have the same.
    fn repeat(&mut self, range: Range, pattern: &Pattern<'_>) {
        let mut scratch = Scratch::default();
        let step = usize::try_from(range.step).unwrap_or(usize::MAX);
        for number in (range.first..=range.last).step_by(step) {
            if let Err((place, message)) = self.generate_one(number, pattern, &mut scratch) {
                let message =
                    if self.report.is_confidential() { message } else { format!("for number {number}: {message}") };
                let hint = "$ stands for the number: end the range before it, or mend the pattern".to_owned();
                self.report.error("bad-generate", place, message, Some(hint));
                return;
            }
            self.generated_octets += LEAST_COST.max(scratch.owner_text.len() + scratch.data_text.len());
            if self.generated_octets > MOST_OCTETS {
                let message = format!("the $GENERATE lines make more than {} MiB of text", MOST_OCTETS >> 20);
                self.report.error("generate-size", pattern.place, message, None);
                return;
            }
            let ttl = self.ttl(&pattern.header, pattern.place);
            let (rtype, rdata, span) = (pattern.header.rtype, &self.rdata, pattern.place);
            self.sink.record(&Record { owner: &scratch.owner, ttl, rtype, rdata, span });
        }
    }

    /// Reads one record into `scratch` and `self.rdata`; the error is a place and what is wrong there.
    fn generate_one(
        &mut self,
        number: u32,
        pattern: &Pattern<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), (Span, String)> {
        let at_owner = |message: String| (pattern.owner_place, message);
        let at_data = |message: String| (pattern.data_place, message);
        let text = &mut scratch.owner_text;
        pattern.owner.expand(number, text).map_err(|message| at_owner(message.to_owned()))?;
        scratch.owner.clear();
        name::append_text(text, Some(&self.origin), &mut scratch.owner).map_err(|error| {
            at_owner(format!("{} {}", self.report.quote(text, "the owner name"), error.message()))
        })?;
        let text = &mut scratch.data_text;
        pattern.data.expand(number, text).map_err(|message| at_data(message.to_owned()))?;
        self.generated_data(pattern.header.rtype, text).map_err(at_data)
    }

    fn generated_data(&mut self, rtype: u16, text: &[u8]) -> Result<(), String> {
        let mut tokens = Vec::new();
        let mut scanner = Scanner::new(text, 0);
        let entry = scanner.next_entry(&mut tokens);
        if let Some(fault) = scanner.faults().first() {
            return Err(explain::fault(fault.kind).message);
        }
        if entry.is_some_and(|entry| entry.has_inner_quote) {
            tokens = words::settle_fields(&tokens, rtype);
        }
        self.rdata.clear();
        rdata::read_text(rtype, &tokens, &self.origin, &mut self.rdata).map_err(|error| error.message)
    }
}

/// The text that the words of `rhs` stand for.
fn joined(words: &[Token<'_>]) -> Vec<u8> {
    if let [word] = words {
        return if word.quoted { without_quotes(word.text) } else { word.text.to_vec() };
    }
    let mut text = Vec::new();
    for word in words {
        if !text.is_empty() {
            text.push(b' ');
        }
        let quote: &[u8] = if word.quoted { b"\"" } else { b"" };
        text.extend_from_slice(quote);
        text.extend_from_slice(word.text);
        text.extend_from_slice(quote);
    }
    text
}

/// The content of a quoted string, to be read as if it had not been quoted: `\"` was an escape for its sake only.
fn without_quotes(text: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\\', b'"', rest @ ..] => {
                content.push(b'"');
                rest
            }
            [b'\\', octet, rest @ ..] => {
                content.extend_from_slice(&[b'\\', *octet]);
                rest
            }
            [octet, rest @ ..] => {
                content.push(*octet);
                rest
            }
            [] => return content,
        };
    }
}

pub(super) fn parse_range(word: &[u8]) -> Option<Range> {
    let (ends, step) = match word.iter().position(|&octet| octet == b'/') {
        Some(slash) => (&word[..slash], parse_number(&word[slash + 1..])?),
        None => (word, 1),
    };
    let hyphen = ends.iter().position(|&octet| octet == b'-')?;
    let (first, last) = (parse_number(&ends[..hyphen])?, parse_number(&ends[hyphen + 1..])?);
    (first <= last && step > 0).then_some(Range { first, last, step })
}

fn parse_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number <= i32::MAX.unsigned_abs()).then_some(number)
}
