//! Splits zone text into entries and tokens (RFC 1035 §5.1): quotes, escapes, comments, parentheses, line ends.
//!
//! The scanner knows octets, never meaning: whether a word is a type or a directive is the reader's business. Every
//! octet string gives entries; what is malformed is noted as a [`Fault`] and stepped over.

use super::token::Token;

/// Longest entry over several lines, in octets. RDATA has at most 65,535 octets, which `\DDD` makes four times as
/// long; the rest is room for comments. The limit keeps the search for a missing parenthesis from reading a whole file
/// again and again.
const LONGEST_ENTRY: usize = 1 << 19;
/// Most tokens of an entry. Even hexadecimal digits that all stand alone are only 131,070; the limit bounds memory.
const MOST_TOKENS: usize = 1 << 18;
/// Most mistakes that are noted of one entry; no report would show more.
const MOST_FAULTS: usize = 1_000;

/// The octets some editors put before UTF-8 text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What an octet means outside quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Blank,
    LineFeed,
    CarriageReturn,
    Comment,
    Quote,
    Escape,
    Open,
    Close,
    Control,
}

static CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Word; 256];
    let mut octet = 0;
    while octet < 0x20 {
        classes[octet] = Class::Control;
        octet += 1;
    }
    classes[0x7f] = Class::Control;
    classes[b' ' as usize] = Class::Blank;
    classes[b'\t' as usize] = Class::Blank;
    classes[b'\n' as usize] = Class::LineFeed;
    classes[b'\r' as usize] = Class::CarriageReturn;
    classes[b';' as usize] = Class::Comment;
    classes[b'"' as usize] = Class::Quote;
    classes[b'\\' as usize] = Class::Escape;
    classes[b'(' as usize] = Class::Open;
    classes[b')' as usize] = Class::Close;
    classes
}

/// What can be wrong before any word is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// A quoted string that does not end on its line.
    UnclosedQuote,
    /// A parenthesis that is open at the end of the text, or for longer than any entry can be.
    UnclosedParenthesis,
    /// A closing parenthesis where none is open.
    StrayParenthesis,
    /// A backslash with nothing after it on its line.
    TrailingBackslash,
    /// A control character outside quotes.
    ControlCharacter,
    /// A carriage return that no line feed follows.
    StrayCarriageReturn,
    /// More tokens than any record or directive can have.
    TooManyTokens,
}

/// One lexical mistake and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Where an entry stands: one record or directive, over as many lines as its parentheses hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its first token, or the parenthesis before that.
    pub(super) start: u32,
    /// One past its last token or closing parenthesis.
    pub(super) end: u32,
    /// Whether its line begins with white space: the owner is that of the record before (RFC 1035 §5.1).
    pub(super) owner_left_blank: bool,
    /// The outermost parenthesis opened last, if the entry goes over several lines.
    pub(super) opening: Option<u32>,
    /// Whether quotes stand inside a word, so that its meaning is still to be settled (see `words`).
    pub(super) has_inner_quote: bool,
}

/// Walks over zone text, entry by entry.
pub(super) struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    line_start: usize,
    depth: usize,
    opening: usize,
    /// First octet of the entry under way and whether it stands at the start of its line.
    first: Option<(usize, bool)>,
    end: usize,
    several_lines: bool,
    has_inner_quote: bool,
    faults: Vec<Fault>,
}

impl<'t> Scanner<'t> {
    /// Begins at `at`, which is taken for the start of a line. `text` has at most `u32::MAX` octets.
    pub(super) fn new(text: &'t [u8], at: usize) -> Self {
        Self {
            text,
            at,
            line_start: at,
            depth: 0,
            opening: 0,
            first: None,
            end: at,
            several_lines: false,
            has_inner_quote: false,
            faults: Vec::new(),
        }
    }

    /// Goes on at `at`, the start of a line.
    pub(super) fn resume(&mut self, at: usize) {
        self.at = at;
        self.line_start = at;
    }

    /// Where it stands: behind the entry given last.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The lexical mistakes of the entry given last, in order of place.
    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Takes the next entry and puts its tokens in place of what `tokens` held; None at the end of the text. An
    /// entry has tokens or faults or both.
    pub(super) fn next_entry(&mut self, tokens: &mut Vec<Token<'t>>) -> Option<Entry> {
        tokens.clear();
        self.faults.clear();
        self.begin();
        loop {
            let Some(&octet) = self.text.get(self.at) else { return self.finish_text(tokens) };
            match CLASSES[usize::from(octet)] {
                Class::Blank => self.at += 1,
                Class::Word | Class::Escape | Class::Control => self.word(tokens),
                Class::LineFeed => {
                    self.at += 1;
                    if let Some(entry) = self.finish_line(tokens) {
                        return Some(entry);
                    }
                }
                Class::Comment => self.at = self.line_end(self.at),
                Class::Quote => self.quoted(tokens),
                Class::Open => self.open(),
                Class::Close => self.close(),
                Class::CarriageReturn => self.carriage_return(),
            }
        }
    }

    fn begin(&mut self) {
        self.depth = 0;
        self.first = None;
        self.several_lines = false;
        self.has_inner_quote = false;
    }

    /// A line has ended, and the line feed is passed.
    #[inline]
    fn finish_line(&mut self, tokens: &[Token<'t>]) -> Option<Entry> {
        if self.depth > 0 {
            self.several_lines = true;
            if self.at - self.entry_start() > LONGEST_ENTRY {
                return Some(self.unclosed());
            }
            return None;
        }
        self.line_start = self.at;
        if tokens.is_empty() && self.faults.is_empty() {
            self.begin();
            return None;
        }
        Some(self.entry())
    }

    fn finish_text(&mut self, tokens: &[Token<'t>]) -> Option<Entry> {
        if self.depth > 0 {
            return Some(self.unclosed());
        }
        if tokens.is_empty() && self.faults.is_empty() { None } else { Some(self.entry()) }
    }

    fn entry(&mut self) -> Entry {
        if self.faults.len() > 1 {
            self.faults.sort_by_key(|fault| fault.start);
        }
        Entry {
            start: offset(self.entry_start()),
            end: offset(self.end),
            owner_left_blank: !matches!(self.first, Some((_, true))),
            opening: if self.several_lines { Some(offset(self.opening)) } else { None },
            has_inner_quote: self.has_inner_quote,
        }
    }

    fn unclosed(&mut self) -> Entry {
        self.several_lines = true;
        self.line_start = self.at;
        self.fault(FaultKind::UnclosedParenthesis, self.opening, self.opening + 1);
        self.entry()
    }

    fn entry_start(&self) -> usize {
        self.first.map_or(self.at, |(start, _)| start)
    }

    #[inline]
    fn mark_first(&mut self) {
        if self.first.is_none() {
            self.first = Some((self.at, self.at == self.line_start));
        }
    }

    fn fault(&mut self, kind: FaultKind, start: usize, end: usize) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { kind, start: offset(start), end: offset(end) });
        }
    }

    /// One unquoted word. Quotes inside it go with it for now, and hide blanks (`alpn="h2,h3"`).
    #[inline]
    fn word(&mut self, tokens: &mut Vec<Token<'t>>) {
        self.mark_first();
        let start = self.at;
        let mut at = start;
        while let Some(&octet) = self.text.get(at) {
            match CLASSES[usize::from(octet)] {
                Class::Word => at += 1,
                Class::Escape => {
                    let Some(after) = self.escape_end(at) else {
                        self.fault(FaultKind::TrailingBackslash, at, at + 1);
                        at += 1;
                        break;
                    };
                    at = after;
                }
                Class::Quote => {
                    self.has_inner_quote = true;
                    at = self.quote_end(at).1;
                }
                Class::Control => {
                    self.control(at);
                    at += 1;
                }
                _ => break,
            }
        }
        self.at = at;
        self.end = at;
        let text = &self.text[start..at];
        self.push(tokens, Token { text, quoted: false, start: offset(start), end: offset(at) });
    }

    #[inline]
    fn push(&mut self, tokens: &mut Vec<Token<'t>>, token: Token<'t>) {
        if tokens.len() < MOST_TOKENS {
            tokens.push(token);
        } else if !self.faults.iter().any(|fault| fault.kind == FaultKind::TooManyTokens) {
            self.fault(FaultKind::TooManyTokens, token.start as usize, token.end as usize);
        }
    }

    fn quoted(&mut self, tokens: &mut Vec<Token<'t>>) {
        self.mark_first();
        let start = self.at;
        let (inner_end, end) = self.quote_end(start);
        let text = &self.text[start + 1..inner_end];
        self.push(tokens, Token { text, quoted: true, start: offset(start), end: offset(end) });
        self.at = end;
        self.end = end;
    }

    /// End of the content of the quoted string that opens at `opening`, and where to go on behind it. A string ends
    /// on its line, as in BIND: otherwise one forgotten quote would swallow the rest of a file.
    fn quote_end(&mut self, opening: usize) -> (usize, usize) {
        let mut at = opening + 1;
        while let Some(&octet) = self.text.get(at) {
            match octet {
                b'"' => return (at, at + 1),
                b'\\' => match self.escape_end(at) {
                    Some(after) => at = after,
                    None => at += 1,
                },
                b'\n' => break,
                _ => at += 1,
            }
        }
        let before_line_feed = at < self.text.len() && at > opening + 1 && self.text[at - 1] == b'\r';
        let end = if before_line_feed { at - 1 } else { at };
        self.fault(FaultKind::UnclosedQuote, opening, end);
        (end, end)
    }

    /// Where the escape at `at` ends; a backslash does not hide a line end. `\DDD` needs no care here, since digits
    /// have no meaning to the scanner.
    fn escape_end(&self, at: usize) -> Option<usize> {
        match &self.text[at + 1..] {
            [] | [b'\n', ..] | [b'\r', b'\n', ..] => None,
            _ => Some(at + 2),
        }
    }

    /// One fault per run of binary rubbish is enough.
    fn control(&mut self, at: usize) {
        if !self.faults.iter().any(|fault| fault.kind == FaultKind::ControlCharacter) {
            self.fault(FaultKind::ControlCharacter, at, at + 1);
        }
    }

    fn open(&mut self) {
        self.mark_first();
        if self.depth == 0 {
            self.opening = self.at;
        }
        self.depth += 1;
        self.at += 1;
        self.end = self.at;
    }

    fn close(&mut self) {
        self.mark_first();
        if self.depth == 0 {
            self.fault(FaultKind::StrayParenthesis, self.at, self.at + 1);
        } else {
            self.depth -= 1;
        }
        self.at += 1;
        self.end = self.at;
    }

    fn carriage_return(&mut self) {
        if !matches!(self.text.get(self.at + 1), Some(b'\n')) {
            self.mark_first();
            let known = self.faults.iter().any(|fault| fault.kind == FaultKind::StrayCarriageReturn);
            if !known {
                self.fault(FaultKind::StrayCarriageReturn, self.at, self.at + 1);
            }
            self.end = self.at + 1;
        }
        self.at += 1;
    }

    fn line_end(&self, from: usize) -> usize {
        line_end(self.text, from)
    }
}

/// Where the line feed of the line around `from` stands, or the end of the text.
pub(super) fn line_end(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|&octet| octet == b'\n').map_or(text.len(), |length| from + length)
}

#[allow(clippy::cast_possible_truncation, reason = "texts of more than u32::MAX octets are refused before scanning")]
fn offset(at: usize) -> u32 {
    at as u32
}
