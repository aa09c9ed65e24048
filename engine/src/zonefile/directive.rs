//! Directives: `$ORIGIN` and `$INCLUDE` (RFC 1035 §5.1), `$TTL` (RFC 2308 §4), and BIND's `$GENERATE`.

use super::explain::{self, Explanation, TTL_FORM, TTL_LIMIT};
use super::reader::{File, Reader};
use super::scanner::Entry;
use super::suggest::nearest;
use super::token::Token;
use super::ttl::{self, TtlError};
use crate::name;

const KNOWN: [&str; 4] = ["$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE"];

/// Whether the first of `tokens` is a directive of ours.
pub(super) fn is_known(tokens: &[Token<'_>]) -> bool {
    tokens.first().is_some_and(|token| !token.quoted && find(token.text).is_some())
}

fn find(word: &[u8]) -> Option<&'static str> {
    KNOWN.into_iter().find(|name| word.eq_ignore_ascii_case(name.as_bytes()))
}

impl Reader<'_> {
    /// Carries out the directive in `tokens`, which has at least one token.
    pub(super) fn directive<'t>(&mut self, file: &mut File<'t>, entry: &Entry, tokens: &[Token<'t>]) {
        let name = find(tokens[0].text);
        if entry.owner_left_blank && name.is_some() {
            // BIND looks for a record here, so the line means different things to different servers.
            let hint = "remove the white space before it".to_owned();
            let message = "a directive stands at the start of its line";
            self.report.error("indented-directive", file.span(&tokens[0]), message, Some(hint));
        }
        match name {
            Some("$ORIGIN") => self.origin_directive(file, tokens),
            Some("$TTL") => self.ttl_directive(file, tokens),
            Some("$INCLUDE") => self.include(file, tokens),
            Some(_) => self.generate(file, entry, tokens),
            None => self.unknown_directive(file, &tokens[0]),
        }
    }

    fn unknown_directive(&mut self, file: &File<'_>, token: &Token<'_>) {
        let message = format!("{} is not a directive", self.report.quote(token.text, "this word"));
        let hint = match nearest(token.text, KNOWN) {
            Some(name) if !self.report.is_confidential() => format!("did you mean {name}?"),
            _ => format!(r"the directives are {}; a name that begins with $ is written \$", KNOWN.join(", ")),
        };
        self.report.error("unknown-directive", file.span(token), message, Some(hint));
    }

    fn origin_directive(&mut self, file: &mut File<'_>, tokens: &[Token<'_>]) {
        let Some([word]) = self.arguments(file, tokens, 1, 1, "$ORIGIN example.org.") else { return };
        if let Some(origin) = self.origin_from(file, word) {
            self.origin = origin;
            file.owner_text = None;
        }
    }

    /// Reads a new origin, which may be relative to the present one.
    pub(super) fn origin_from(&mut self, file: &File<'_>, word: &Token<'_>) -> Option<Vec<u8>> {
        let mut origin = Vec::new();
        match name::append_text(word.text, Some(&self.origin), &mut origin) {
            Ok(()) => Some(origin),
            Err(error) => {
                let message = format!("{} {}", self.report.quote(word.text, "the origin"), error.message());
                let hint = explain::name_hint(error).to_owned();
                self.report.error("bad-name", file.span(word), message, Some(hint));
                None
            }
        }
    }

    fn ttl_directive(&mut self, file: &File<'_>, tokens: &[Token<'_>]) {
        let Some([word]) = self.arguments(file, tokens, 1, 1, "$TTL 3600") else {
            self.default_ttl = self.default_ttl.or(Some(0));
            return;
        };
        let quoted = self.report.quote(word.text, "this word");
        let explanation = match ttl::parse(word.text) {
            Ok(seconds) => {
                self.default_ttl = Some(seconds);
                return;
            }
            Err(TtlError::Malformed) => Explanation::new("bad-ttl", format!("{quoted} is not a TTL"), TTL_FORM),
            Err(TtlError::TooLong) => {
                Explanation::new("bad-ttl", format!("{quoted} is too long for a TTL"), TTL_LIMIT)
            }
        };
        self.report_at(file.span(word), explanation);
        // The mistake is reported; records without TTL below need not repeat it.
        self.default_ttl = self.default_ttl.or(Some(0));
    }

    /// The arguments of a directive, if there are as many as there must be.
    pub(super) fn arguments<'a, 't>(
        &mut self,
        file: &File<'_>,
        tokens: &'a [Token<'t>],
        least: usize,
        most: usize,
        example: &str,
    ) -> Option<&'a [Token<'t>]> {
        let (directive, arguments) = tokens.split_first()?;
        let hint = Some(format!("for example: {example}"));
        let name = find(directive.text).unwrap_or_default();
        if arguments.len() < least {
            let message = format!("{name} is incomplete");
            self.report.error("bad-directive", file.span(directive), message, hint);
            return None;
        }
        if let Some(surplus) = arguments.get(most) {
            let message = format!("{name} ends before this word");
            self.report.error("bad-directive", file.span(surplus), message, hint);
            return None;
        }
        Some(arguments)
    }
}
