//! The walk over the tokens of one record, and the words for what goes wrong on it.
//!
//! What the tokens mean is the business of `form`.

use super::FieldError;
use super::field::TypeRow;
use crate::zonefile::token::Token;

/// Reads tokens one by one and gathers the RDATA of one record.
pub(super) struct Reader<'t> {
    row: &'static TypeRow,
    /// Which field of the row is being read.
    field: usize,
    tokens: &'t [Token<'t>],
    /// The token to be read next.
    at: usize,
    /// What completes relative names, in wire form.
    pub(super) origin: &'t [u8],
    /// Where the RDATA goes.
    pub(super) out: &'t mut Vec<u8>,
    /// Where this RDATA begins in `out`.
    start: usize,
}

impl<'t> Reader<'t> {
    /// Stands before the first token.
    pub(super) fn new(
        row: &'static TypeRow,
        tokens: &'t [Token<'t>],
        origin: &'t [u8],
        out: &'t mut Vec<u8>,
    ) -> Self {
        let start = out.len();
        Self { row, field: 0, tokens, at: 0, origin, out, start }
    }

    /// Reads all fields of the row; no token may be left over. Who has no better hint is told what fields there are.
    pub(super) fn read_fields(&mut self) -> Result<(), FieldError> {
        self.read_row().map_err(|error| match &error.hint {
            None if !self.row.fields.is_empty() => error.with_hint(&self.fields_hint()),
            _ => error,
        })
    }

    fn read_row(&mut self) -> Result<(), FieldError> {
        for (index, field) in self.row.fields.iter().enumerate() {
            self.field = index;
            field.form.read(self)?;
        }
        if self.is_done() { Ok(()) } else { Err(self.surplus()) }
    }

    /// The RDATA so far.
    pub(super) fn rdata(&mut self) -> &mut [u8] {
        &mut self.out[self.start..]
    }

    /// Whether all tokens are read.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Reads with `read` until all tokens are read.
    pub(super) fn each(&mut self, read: impl Fn(&mut Self) -> Result<(), FieldError>) -> Result<(), FieldError> {
        while !self.is_done() {
            read(self)?;
        }
        Ok(())
    }

    /// The next token, which may stand in quotes.
    pub(super) fn next(&mut self) -> Result<&'t [u8], FieldError> {
        let token = self.tokens.get(self.at).ok_or_else(|| self.missing())?;
        self.at += 1;
        Ok(token.text)
    }

    /// The next token, which must not stand in quotes.
    pub(super) fn word(&mut self) -> Result<&'t [u8], FieldError> {
        let text = self.next()?;
        if self.tokens[self.last_token()].quoted {
            return Err(self.fault("must not stand in quotes").with_hint("write it without the quotes"));
        }
        Ok(text)
    }

    /// Takes the next token if it is a hyphen, the sign for "none".
    pub(super) fn skip_dash(&mut self) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.text == b"-" && !token.quoted);
        self.at += usize::from(found);
        found
    }

    /// The number of the token read last.
    pub(super) fn last_token(&self) -> usize {
        self.at - 1
    }

    /// The token read last is wrong; `what` goes on after "the LABEL".
    pub(super) fn fault(&self, what: &str) -> FieldError {
        self.fault_of(format!("the {} {what}", self.row.fields[self.field].label))
    }

    /// The token read last is wrong, in these words.
    pub(super) fn fault_of(&self, message: impl Into<String>) -> FieldError {
        FieldError::at(self.last_token(), message)
    }

    fn missing(&self) -> FieldError {
        let (current, later) = self.row.fields[self.field..].split_at(1);
        let later = later.iter().filter(|field| !field.form.is_optional());
        let absent: Vec<_> = current.iter().chain(later).map(|field| field.label).collect();
        let (list, verb) = match absent.split_last() {
            Some((last, [])) => ((*last).to_owned(), "is"),
            Some((last, others)) => (format!("{} and the {last}", others.join(", the ")), "are"),
            None => (String::new(), "is"),
        };
        let mnemonic = self.row.mnemonic;
        let found = self.tokens.len();
        let needed = found + absent.len();
        let plural = if needed == 1 { "" } else { "s" };
        FieldError::whole(format!(
            "the {mnemonic} needs {needed} value{plural} and has {found}: the {list} {verb} missing"
        ))
    }

    fn fields_hint(&self) -> String {
        let labels: Vec<_> = self.row.fields.iter().map(|field| field.label).collect();
        match labels[..] {
            [label] => format!("what stands behind {} is the {label}", self.row.mnemonic),
            _ => format!("the values of {} are, in this order: {}", self.row.mnemonic, labels.join(", ")),
        }
    }

    fn surplus(&self) -> FieldError {
        let last = self.row.fields.last().map_or("", |field| field.label);
        FieldError::at(self.at, format!("the {} ends with the {last}; this is one value too many", self.row.mnemonic))
            .with_hint("take it away, or begin a comment with a semicolon")
    }
}
