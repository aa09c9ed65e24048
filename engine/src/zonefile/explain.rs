//! Words for what is wrong with an entry: code, message and hint. No decision about the text is taken here.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::header::{self, Flaw, HeaderError};
use super::report::Report;
use super::scanner::{Entry, FaultKind};
use super::suggest::nearest;
use super::token::Token;
use super::ttl::TtlError;
use crate::name::NameError;
use crate::rdata;

/// A finding without its place.
pub(super) struct Explanation {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Explanation {
    pub(super) fn new(code: &'static str, message: impl Into<String>, hint: &str) -> Self {
        Self { code, message: message.into(), hint: Some(hint.to_owned()) }
    }
}

/// The form of a record, for those who forgot a part of it.
const FORM: &str = "a record is OWNER [TTL] [CLASS] TYPE DATA";
pub(super) const TTL_FORM: &str = "a TTL is a number of seconds, or numbers with the units w, d, h, m, s: 1h30m";
pub(super) const TTL_LIMIT: &str = "the longest TTL is 2147483647 seconds (RFC 2181 §8)";

pub(super) const INCLUDE_FORM: &str =
    "name a file that is there, by its path from the folder of the zone file, inside that folder";

/// How to mend a name.
pub(super) fn name_hint(error: NameError) -> &'static str {
    match error {
        NameError::EmptyLabel => r"remove the dot that is too many; a dot inside a label is written \.",
        NameError::LabelTooLong => "shorten the label, or look for a dot that was forgotten in it",
        NameError::NameTooLong => "shorten the name; was the origin meant to be added to it?",
        NameError::BadEscape => r"for a backslash itself write \\",
        NameError::NotAbsolute => "end the name with a dot",
        NameError::BadWire => "write the name as labels with dots between them",
    }
}

pub(super) fn fault(kind: FaultKind) -> Explanation {
    match kind {
        FaultKind::UnclosedQuote => Explanation::new(
            "unclosed-quote",
            "this quoted string is not closed",
            "add a \" at its end; a string ends on its own line",
        ),
        FaultKind::UnclosedParenthesis => Explanation::new(
            "unclosed-parenthesis",
            "this parenthesis is not closed",
            "add a ) behind the last value of the record",
        ),
        FaultKind::StrayParenthesis => Explanation::new(
            "stray-parenthesis",
            "this parenthesis closes nothing",
            r"remove it, add the ( it belongs to, or write \) for the character",
        ),
        FaultKind::TrailingBackslash => Explanation::new(
            "bad-escape",
            "this backslash stands before the end of the line, which cannot be escaped",
            r"to go on in the next line use parentheses; for a backslash itself write \\",
        ),
        FaultKind::ControlCharacter => Explanation::new(
            "control-character",
            "this is a control character",
            r"remove it, or write it as \DDD, its number in three decimal digits",
        ),
        FaultKind::StrayCarriageReturn => Explanation::new(
            "control-character",
            "this carriage return does not end a line",
            "end lines with a line feed, or with carriage return and line feed",
        ),
        FaultKind::TooManyTokens => Explanation::new(
            "entry-too-long",
            "the line has more values than any record can hold",
            "look for a line end that is missing above",
        ),
    }
}

/// What is wrong with the header of `entry`, which has at least one token.
pub(super) fn header(report: &Report, error: HeaderError, entry: &Entry, tokens: &[Token<'_>]) -> Explanation {
    let word = tokens.get(error.at).map_or(&b""[..], |token| token.text);
    let quoted = report.quote(word, "this word");
    match error.flaw {
        Flaw::TypeMissing => Explanation::new("no-type", "the type of the record is missing", FORM),
        Flaw::NotAType => Explanation {
            code: "unknown-type",
            message: format!("{quoted} is not a record type"),
            hint: (!report.is_confidential()).then(|| type_hint(word, error.at, entry, tokens)),
        },
        Flaw::MetaType => Explanation::new(
            "meta-type",
            format!("{quoted} is a type for queries and messages; no record of a zone can have it"),
            FORM,
        ),
        Flaw::OtherClass => Explanation::new(
            "bad-class",
            format!("{quoted} is a class that is not served"),
            "the only class is IN; write IN, or leave the class out",
        ),
        Flaw::ClassTwice => Explanation::new("class-twice", "the class is written twice", FORM),
        Flaw::TtlTwice => Explanation::new("ttl-twice", "the TTL is written twice", FORM),
        Flaw::BadTtl(TtlError::TooLong) => {
            Explanation::new("bad-ttl", format!("{quoted} is too long for a TTL"), TTL_LIMIT)
        }
        Flaw::BadTtl(TtlError::Malformed) => bad_ttl(&quoted, word),
    }
}

/// A word in the place of the type that begins with a digit is either an odd TTL or data whose type was forgotten.
fn bad_ttl(quoted: &str, word: &[u8]) -> Explanation {
    match address_type(word) {
        Some(hint) => Explanation::new("unknown-type", format!("{quoted} is not a record type"), hint),
        None => Explanation::new("bad-ttl", format!("{quoted} is neither a TTL nor a record type"), TTL_FORM),
    }
}

fn type_hint(word: &[u8], at: usize, entry: &Entry, tokens: &[Token<'_>]) -> String {
    if let Some(hint) = address_type(word) {
        return hint.to_owned();
    }
    if entry.owner_left_blank && at == 0 && header::parse(tokens, 1).is_ok() {
        return "if this is the owner, remove the white space before it".to_owned();
    }
    if !entry.owner_left_blank && is_record_without_owner(tokens) {
        let hint = "the first word of a line is its owner; to go on with the owner above, put white space before it";
        return hint.to_owned();
    }
    if let Some(mnemonic) = nearest(word, rdata::mnemonics()) {
        return format!("did you mean {mnemonic}?");
    }
    FORM.to_owned()
}

fn is_record_without_owner(tokens: &[Token<'_>]) -> bool {
    let root = [0];
    header::parse(tokens, 0).is_ok_and(|header| {
        rdata::read_text(header.rtype, &tokens[header.type_at + 1..], &root, &mut Vec::new()).is_ok()
    })
}

fn address_type(word: &[u8]) -> Option<&'static str> {
    let word = std::str::from_utf8(word).ok()?;
    if word.parse::<Ipv4Addr>().is_ok() {
        Some("write the type A before an IPv4 address")
    } else if word.parse::<Ipv6Addr>().is_ok() {
        Some("write the type AAAA before an IPv6 address")
    } else {
        None
    }
}
