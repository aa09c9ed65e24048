//! Reads entries into records: owner, TTL and class with their defaults (RFC 1035 §5.1, RFC 2308 §4).
//!
//! After a mistake reading goes on with the next entry, so that one reading finds all mistakes of a file. Directives
//! live in `directive`, `include` and `generate`, the search for a place to go on in `recovery`.

use super::Includes;
use super::Settings;
use super::explain::{self, Explanation};
use super::generate;
use super::header::{self, Header};
use super::recovery;
use super::report::{Mark, Report};
use super::scanner::{BYTE_ORDER_MARK, Entry, FaultKind, Scanner};
use super::token::Token;
use super::ttl;
use super::words;
use crate::name;
use crate::rdata::{self, types};
use crate::record::{EntryStart, Record, RecordSink, Span};

/// What is known of the owner that a line beginning with white space takes over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// No record came before.
    None,
    /// The record before had a bad owner, which was reported.
    Bad,
    /// `Reader::owner_wire` holds it.
    Known,
}

/// A file that was opened by `$INCLUDE`.
pub(super) struct Included {
    pub(super) name: String,
    /// Empty while the file is being read.
    pub(super) text: Vec<u8>,
}

/// The state of a reading, shared by all its files.
pub(super) struct Reader<'r> {
    pub(super) includes: &'r mut dyn Includes,
    pub(super) sink: &'r mut dyn RecordSink,
    pub(super) report: Report,
    /// Files opened so far, the zone file not counted.
    pub(super) included: Vec<Included>,
    /// Octets of all of them.
    pub(super) included_octets: usize,
    /// Names of the files under way, the outermost first.
    pub(super) under_way: Vec<String>,
    /// Octets that `$GENERATE` has made so far.
    pub(super) generated_octets: usize,
    /// Wire form.
    pub(super) origin: Vec<u8>,
    /// From `$TTL`, or the minimum of a SOA without TTL.
    pub(super) default_ttl: Option<u32>,
    /// The TTL written last.
    pub(super) last_ttl: Option<u32>,
    pub(super) owner: Owner,
    /// Wire form.
    pub(super) owner_wire: Vec<u8>,
    pub(super) rdata: Vec<u8>,
    warned_of_last_ttl: bool,
}

/// One file under way.
pub(super) struct File<'t> {
    pub(super) number: u16,
    pub(super) text: &'t [u8],
    /// The text that `Reader::owner_wire` was read from, so that a repeated owner need not be read again. None when
    /// the origin or the owner changed otherwise.
    pub(super) owner_text: Option<&'t [u8]>,
}

impl File<'_> {
    pub(super) fn span(&self, token: &Token<'_>) -> Span {
        Span { file: self.number, start: token.start, end: token.end }
    }

    pub(super) fn span_of_entry(&self, entry: &Entry) -> Span {
        Span { file: self.number, start: entry.start, end: entry.end }
    }

    /// From the first to the last of `tokens`; None without any.
    pub(super) fn span_of_all(&self, tokens: &[Token<'_>]) -> Option<Span> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        Some(Span { file: self.number, start: first.start, end: last.end })
    }
}

impl<'r> Reader<'r> {
    pub(super) fn new(
        file: &str,
        origin: &name::Name,
        settings: Settings,
        includes: &'r mut dyn Includes,
        sink: &'r mut dyn RecordSink,
    ) -> Self {
        Self {
            includes,
            sink,
            report: Report::new(settings.confidential),
            included: Vec::new(),
            included_octets: 0,
            under_way: vec![file.to_owned()],
            generated_octets: 0,
            origin: origin.as_wire().to_vec(),
            default_ttl: settings.default_ttl,
            last_ttl: None,
            owner: Owner::None,
            owner_wire: Vec::new(),
            rdata: Vec::new(),
            warned_of_last_ttl: false,
        }
    }

    /// Reads one file from end to end, or until no more errors would be reported.
    pub(super) fn read_file(&mut self, number: u16, text: &[u8]) {
        if let Some(start) = self.start_of_text(number, text) {
            self.read_entries(number, text, start);
        }
    }

    /// As [`Self::read_file`], from `start`, which is the start of a line.
    pub(super) fn read_entries(&mut self, number: u16, text: &[u8], start: usize) {
        let mut file = File { number, text, owner_text: None };
        let mut scanner = Scanner::new(text, start);
        let mut tokens = Vec::new();
        while !self.report.is_full() {
            let Some(entry) = scanner.next_entry(&mut tokens) else { break };
            let mark = self.report.mark();
            if entry.has_inner_quote && scanner.faults().is_empty() {
                tokens = self.settled(&file, &entry, &tokens);
            }
            self.announce(&file, &entry, &tokens);
            if scanner.faults().is_empty() && !is_directive(&tokens) {
                self.record_entry(&mut file, &mut scanner, &entry, &tokens, mark);
            } else {
                self.uncommon_entry(&mut file, &mut scanner, &entry, &tokens);
            }
        }
    }

    fn announce(&mut self, file: &File<'_>, entry: &Entry, tokens: &[Token<'_>]) {
        let directive = tokens.first().filter(|_| is_directive(tokens)).map(|token| token.text);
        let owner = (self.owner == Owner::Known).then_some(&self.owner_wire[..]);
        self.sink.entry(&EntryStart {
            span: file.span_of_entry(entry),
            directive,
            origin: &self.origin,
            default_ttl: self.default_ttl,
            last_ttl: self.last_ttl,
            owner,
        });
    }

    /// Where the text begins behind a byte order mark; None when it is no text to be read.
    fn start_of_text(&mut self, number: u16, text: &[u8]) -> Option<usize> {
        let at_start = |length: u32| Span { file: number, start: 0, end: length };
        if u32::try_from(text.len()).is_err() {
            let hint = Some("split it, and join the parts with $INCLUDE".to_owned());
            self.report.error("file-too-large", at_start(0), "the file has more than 4 GiB", hint);
            return None;
        }
        if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            let hint = Some("save it as UTF-8 or ASCII".to_owned());
            self.report.error("not-text", at_start(2), "the file is written in UTF-16", hint);
            return None;
        }
        if !text.starts_with(BYTE_ORDER_MARK) {
            return Some(0);
        }
        let hint = Some("save the file without it; other servers take it for a part of the first name".to_owned());
        self.report.warning("byte-order-mark", at_start(3), "the file begins with a byte order mark", hint);
        Some(BYTE_ORDER_MARK.len())
    }

    /// The tokens with quotes inside words taken as their type wants it.
    #[cold]
    fn settled<'t>(&mut self, file: &File<'_>, entry: &Entry, tokens: &[Token<'t>]) -> Vec<Token<'t>> {
        let first = if is_directive(tokens) { generate::HEADER_AT } else { usize::from(!entry.owner_left_blank) };
        let settled = words::settle(tokens, first);
        if let Some((_, part)) = tokens.iter().zip(&settled).find(|(token, part)| token != part) {
            let hint = "put white space before the quote, or write \\\" for the character".to_owned();
            let message = "a quote inside a word begins a new string";
            self.report.warning("quote-in-word", file.span(part), message, Some(hint));
        }
        settled
    }

    fn record_entry<'t>(
        &mut self,
        file: &mut File<'t>,
        scanner: &mut Scanner<'t>,
        entry: &Entry,
        tokens: &[Token<'t>],
        mark: Mark,
    ) {
        if self.record(file, entry, tokens) {
            return;
        }
        self.report.sort_since(mark);
        let Some(opening) = entry.opening else { return };
        // A parenthesis forgotten here and closed in a later record would make one absurd record of several.
        if let Some(line) = recovery::next_record(file.text, opening, scanner.position(), true, &self.origin) {
            self.report.forget_since(mark, opening);
            self.fault(file, FaultKind::UnclosedParenthesis, opening, opening + 1);
            scanner.resume(line);
        }
    }

    /// A directive, or an entry with lexical mistakes.
    #[cold]
    fn uncommon_entry<'t>(
        &mut self,
        file: &mut File<'t>,
        scanner: &mut Scanner<'t>,
        entry: &Entry,
        tokens: &[Token<'t>],
    ) {
        if scanner.faults().is_empty() {
            return self.directive(file, entry, tokens);
        }
        let mark = self.report.mark();
        let is_open = scanner.faults().iter().any(|fault| fault.kind == FaultKind::UnclosedParenthesis);
        let next = entry.opening.and_then(|opening| {
            recovery::next_record(file.text, opening, scanner.position(), !is_open, &self.origin)
        });
        // What stands behind the next record will be found again when that is read.
        let is_ours = |start: u32| next.is_none_or(|next| (start as usize) < next);
        let mut has_open_quote = false;
        for fault in scanner.faults().iter().filter(|fault| is_ours(fault.start)) {
            has_open_quote |= fault.kind == FaultKind::UnclosedQuote;
            if fault.kind != FaultKind::UnclosedParenthesis {
                self.fault(file, fault.kind, fault.start, fault.end);
            }
        }
        // A string that was not closed may well have swallowed the parenthesis.
        if let Some(opening) = entry.opening.filter(|_| (is_open || next.is_some()) && !has_open_quote) {
            self.fault(file, FaultKind::UnclosedParenthesis, opening, opening + 1);
        }
        if !entry.owner_left_blank && !tokens.is_empty() && !is_directive(tokens) {
            self.owner(file, entry, tokens);
        }
        self.report.sort_since(mark);
        if let Some(line) = next {
            scanner.resume(line);
        }
    }

    fn fault(&mut self, file: &File<'_>, kind: FaultKind, start: u32, end: u32) {
        self.report_at(Span { file: file.number, start, end }, explain::fault(kind));
    }

    pub(super) fn report_at(&mut self, span: Span, explanation: Explanation) {
        self.report.error(explanation.code, span, explanation.message, explanation.hint);
    }

    /// Reads one record and hands it on; false when it has a mistake.
    fn record<'t>(&mut self, file: &mut File<'t>, entry: &Entry, tokens: &[Token<'t>]) -> bool {
        let mut is_sound = self.owner(file, entry, tokens);
        let first = usize::from(!entry.owner_left_blank);
        let header = match header::parse(tokens, first) {
            Ok(header) => header,
            Err(error) => {
                let explanation = explain::header(&self.report, error, entry, tokens);
                self.report_at(file.span(&tokens[error.at]), explanation);
                return false;
            }
        };
        let fields = &tokens[header.type_at + 1..];
        self.rdata.clear();
        if let Err(error) = rdata::read_text(header.rtype, fields, &self.origin, &mut self.rdata) {
            self.bad_rdata(file, error, &tokens[header.type_at], fields);
            is_sound = false;
        }
        let ttl = self.ttl(&header, file.span(&tokens[header.type_at]));
        if is_sound {
            let span = file.span_of_entry(entry);
            let record = Record { owner: &self.owner_wire, ttl, rtype: header.rtype, rdata: &self.rdata, span };
            self.sink.record(&record);
        }
        is_sound
    }

    /// Makes `owner_wire` the owner of the entry; false when it has none.
    #[inline]
    fn owner<'t>(&mut self, file: &mut File<'t>, entry: &Entry, tokens: &[Token<'t>]) -> bool {
        if entry.owner_left_blank {
            if self.owner == Owner::None {
                self.no_owner(file.span(&tokens[0]));
            }
            return self.owner == Owner::Known;
        }
        let text = tokens[0].text;
        if file.owner_text == Some(text) {
            return true;
        }
        self.owner_wire.clear();
        if let Err(error) = name::append_text(text, Some(&self.origin), &mut self.owner_wire) {
            self.bad_owner(file, tokens, error);
            return false;
        }
        self.owner = Owner::Known;
        file.owner_text = Some(text);
        if header::is_internet_class(text) {
            self.owner_like_class(file, tokens);
        }
        true
    }

    #[cold]
    fn no_owner(&mut self, span: Span) {
        let hint = "begin the line with the owner; @ stands for the origin itself".to_owned();
        let message = "the line begins with white space, but there is no owner above that it could go on with";
        self.report.error("no-owner", span, message, Some(hint));
        self.owner = Owner::Bad;
    }

    #[cold]
    fn bad_owner(&mut self, file: &mut File<'_>, tokens: &[Token<'_>], error: name::NameError) {
        file.owner_text = None;
        self.owner = Owner::Bad;
        let message = format!("{} {}", self.report.quote(tokens[0].text, "the owner name"), error.message());
        let hint = explain::name_hint(error).to_owned();
        self.report.error("bad-name", file.span(&tokens[0]), message, Some(hint));
    }

    #[cold]
    fn owner_like_class(&mut self, file: &File<'_>, tokens: &[Token<'_>]) {
        let lacks_class = header::parse(tokens, 1).is_ok_and(|header| header.class_at.is_none());
        if lacks_class {
            let hint = "put white space before it to make it the class of the owner above".to_owned();
            let message = "the class is taken for an owner name here, since it begins the line";
            self.report.warning("class-as-owner", file.span(&tokens[0]), message, Some(hint));
        }
    }

    #[cold]
    fn bad_rdata(&mut self, file: &File<'_>, error: rdata::FieldError, word: &Token<'_>, fields: &[Token<'_>]) {
        let at_fault = error.token.and_then(|token| fields.get(token)).map(|token| file.span(token));
        let span = at_fault.or_else(|| file.span_of_all(fields)).unwrap_or_else(|| file.span(word));
        self.report.error("bad-rdata", span, error.message, error.hint);
    }

    /// The TTL of a record, by the rules of BIND: written; else `$TTL`; else the one written last (RFC 1035 §5.1);
    /// else, for a SOA, its minimum, which then counts as `$TTL`. Asked after the RDATA was read.
    #[inline]
    pub(super) fn ttl(&mut self, header: &Header, place: Span) -> u32 {
        match (header.ttl, self.default_ttl) {
            (Some(seconds), _) => {
                self.last_ttl = Some(seconds);
                seconds
            }
            (None, Some(seconds)) => seconds,
            (None, None) => self.ttl_without_default(header, place),
        }
    }

    #[cold]
    fn ttl_without_default(&mut self, header: &Header, place: Span) -> u32 {
        let hint = Some("put a line like `$TTL 3600` before the first record".to_owned());
        if let Some(seconds) = self.last_ttl {
            if !self.warned_of_last_ttl {
                self.warned_of_last_ttl = true;
                let message = "no TTL here and no $TTL above: records like this get the TTL written last";
                self.report.warning("no-ttl", place, message, hint);
            }
            return seconds;
        }
        let minimum = self.rdata.last_chunk().map(|&octets| u32::from_be_bytes(octets));
        if let Some(minimum) = minimum.filter(|_| header.rtype == types::SOA) {
            let seconds = minimum.min(ttl::LONGEST);
            let message = "no TTL here and no $TTL above: the minimum of the SOA is the TTL of records without one";
            self.report.warning("no-ttl", place, message, hint);
            self.default_ttl = Some(seconds);
            return seconds;
        }
        // A broken SOA was reported; its missing minimum is no second mistake.
        if header.rtype != types::SOA {
            self.report.error("no-ttl", place, "the record has no TTL, and there is no $TTL above", hint);
        }
        self.default_ttl = Some(0);
        0
    }
}

fn is_directive(tokens: &[Token<'_>]) -> bool {
    matches!(tokens.first(), Some(token) if token.text.first() == Some(&b'$') && !token.quoted)
}
