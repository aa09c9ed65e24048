//! `$INCLUDE` (RFC 1035 §5.1). Which files may be opened is for the caller's [`Includes`](super::Includes) to decide.

use super::explain::{Explanation, INCLUDE_FORM};
use super::reader::{File, Included, Owner, Reader};
use super::token::Token;

/// How many files may be open inside one another, the zone file not counted.
const DEEPEST: usize = 10;
/// All included files together hold at most so many octets, so that files that include files stay bounded.
const MOST_OCTETS: usize = 1 << 30;

impl Reader<'_> {
    /// Reads `$INCLUDE path [origin]` in `tokens`.
    ///
    /// Origin and owner are afterwards what they were before (RFC 1035 §5.1 says so of the origin, BIND does so for
    /// both); a `$TTL` of the included file stays in force, as in BIND.
    pub(super) fn include(&mut self, file: &mut File<'_>, tokens: &[Token<'_>]) {
        let Some(arguments) = self.arguments(file, tokens, 1, 2, "$INCLUDE hosts.inc") else { return };
        let (path, origin) = (&arguments[0], arguments.get(1));
        let Some(name) = self.includable(file, path) else { return };
        let inner_origin = match origin.map(|word| self.origin_from(file, word)) {
            Some(None) => return,
            Some(Some(origin)) => origin,
            None => self.origin.clone(),
        };
        let Some(number) = self.open(file, path, &name) else { return };
        let text = std::mem::take(&mut self.included[usize::from(number) - 1].text);
        let outer_origin = std::mem::replace(&mut self.origin, inner_origin);
        let outer_owner = (std::mem::replace(&mut self.owner, Owner::None), self.owner_wire.clone());
        self.under_way.push(name);
        self.read_file(number, &text);
        self.under_way.pop();
        (self.owner, self.owner_wire) = outer_owner;
        self.origin = outer_origin;
        self.included[usize::from(number) - 1].text = text;
    }

    /// The path as text, if the file can be opened here without end.
    fn includable(&mut self, file: &File<'_>, path: &Token<'_>) -> Option<String> {
        let quoted = self.report.quote(path.text, "this file");
        let Some(name) = std::str::from_utf8(path.text).ok().filter(|name| !name.is_empty()) else {
            let message = format!("{quoted} is not a path in UTF-8");
            self.report.error("bad-include", file.span(path), message, Some(INCLUDE_FORM.to_owned()));
            return None;
        };
        let explanation = if self.under_way.iter().any(|other| other == name) {
            Explanation::new(
                "include-cycle",
                format!("{quoted} includes itself"),
                "remove one of the $INCLUDE lines that lead back here",
            )
        } else if self.under_way.len() > DEEPEST {
            Explanation::new(
                "include-depth",
                format!("files include files more than {DEEPEST} deep"),
                "include the file from a file further out",
            )
        } else {
            return Some(name.to_owned());
        };
        self.report_at(file.span(path), explanation);
        None
    }

    /// Opens the file and gives its number in the order of opening.
    fn open(&mut self, file: &File<'_>, path: &Token<'_>, name: &str) -> Option<u16> {
        let quoted = self.report.quote(path.text, "this file");
        let text = match self.includes.open(name) {
            Ok(text) => text,
            Err(_) if self.report.is_confidential() => {
                let hint = Some(INCLUDE_FORM.to_owned());
                self.report.error("bad-include", file.span(path), "this file cannot be included", hint);
                return None;
            }
            Err(reason) => {
                let message = format!("{quoted} cannot be included: {reason}");
                self.report.error("bad-include", file.span(path), message, Some(INCLUDE_FORM.to_owned()));
                return None;
            }
        };
        self.included_octets = self.included_octets.saturating_add(text.len());
        let number = u16::try_from(self.included.len() + 1).ok();
        let Some(number) = number.filter(|_| self.included_octets <= MOST_OCTETS) else {
            let message = "the included files are too many (65535) or too large together (1 GiB)";
            let hint = Some("look for files that are included again and again".to_owned());
            self.report.error("include-size", file.span(path), message, hint);
            return None;
        };
        self.included.push(Included { name: name.to_owned(), text });
        Some(number)
    }
}
