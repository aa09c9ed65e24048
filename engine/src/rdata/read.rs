//! Text to RDATA, field by field.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::field::{Field, Form, TypeRow};
use super::{FieldError, MAX_RDATA, encoding, strings, time, types, wire};
use crate::name;
use crate::zonefile::token::Token;

/// Reads the values of one record and appends their RDATA to `out`, which stays as it was on an error.
///
/// `origin`, a wire name, completes relative names. Every type takes the form of RFC 3597 §5 (`\# 4 C0000201`) too.
///
/// # Errors
/// [`FieldError`], ready to be shown to the author of the text.
pub fn read_text(rtype: u16, tokens: &[Token<'_>], origin: &[u8], out: &mut Vec<u8>) -> Result<(), FieldError> {
    let start = out.len();
    let outcome = read_into(rtype, tokens, origin, out);
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

fn read_into(rtype: u16, tokens: &[Token<'_>], origin: &[u8], out: &mut Vec<u8>) -> Result<(), FieldError> {
    let start = out.len();
    if wire::is_meta(rtype) {
        return Err(FieldError::whole("this type is only for messages, never for data of a zone"));
    }
    let known = types::row(rtype).filter(|row| !row.fields.is_empty());
    match (tokens.first(), known) {
        (Some(Token { text: br"\#", quoted: false, .. }), _) => read_generic(rtype, tokens, out)?,
        (_, Some(row)) => Reader { row, field: 0, tokens, at: 0, origin, out }.read_fields()?,
        _ => {
            let error = FieldError::whole("this type has no text form of its own");
            return Err(FieldError { token: tokens.first().map(|_| 0), ..error }
                .with_hint(r"write \#, the number of octets, and the octets in hexadecimal (RFC 3597)"));
        }
    }
    if out.len() - start > MAX_RDATA {
        return Err(FieldError::whole("the record has more than 65535 octets of data"));
    }
    Ok(())
}

fn read_generic(rtype: u16, tokens: &[Token<'_>], out: &mut Vec<u8>) -> Result<(), FieldError> {
    let start = out.len();
    let Some(length) = tokens.get(1) else {
        return Err(FieldError::whole(r"after \# the number of octets is missing"));
    };
    let Some(length) = decimal(length.text, MAX_RDATA as u64) else {
        return Err(FieldError::at(1, r"after \# comes the number of octets, from 0 to 65535"));
    };
    let mut hex = encoding::Hex::default();
    for (at, token) in tokens.iter().enumerate().skip(2) {
        hex.feed(token.text, out).ok_or_else(|| FieldError::at(at, "this is not hexadecimal"))?;
    }
    let last = tokens.len() - 1;
    hex.finish().ok_or_else(|| FieldError::at(last, "the number of hexadecimal digits is odd"))?;
    let found = out.len() - start;
    if found as u64 != length {
        let message = format!("{length} octets are announced, but {found} follow");
        return Err(FieldError::at(1, message));
    }
    wire::check_wire(rtype, &out[start..])
        .map_err(|reason| FieldError::at(last, format!("these octets do not fit the type: {reason}")))
}

/// A number of at most `largest`, digits only.
pub(super) fn decimal(text: &[u8], largest: u64) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let mut value: u64 = 0;
    for &octet in text {
        if !octet.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(octet - b'0'))?;
    }
    (value <= largest).then_some(value)
}

/// Walks over the tokens of one record and gathers its RDATA.
pub(super) struct Reader<'t> {
    row: &'static TypeRow,
    /// Which field of the row is being read.
    field: usize,
    tokens: &'t [Token<'t>],
    /// The token to be read next.
    at: usize,
    origin: &'t [u8],
    pub(super) out: &'t mut Vec<u8>,
}

impl<'t> Reader<'t> {
    fn read_fields(mut self) -> Result<(), FieldError> {
        for (index, field) in self.row.fields.iter().enumerate() {
            self.field = index;
            self.read_field(field)?;
        }
        if self.at < self.tokens.len() { Err(self.surplus()) } else { Ok(()) }
    }

    fn read_field(&mut self, field: &Field) -> Result<(), FieldError> {
        match field.form {
            Form::CompressibleName | Form::Name => self.name(),
            Form::U8 => self.number(1),
            Form::U16 => self.number(2),
            Form::U32 => self.number(4),
            Form::Period => self.period(),
            Form::Ipv4 => self.ipv4(),
            Form::Ipv6 => self.ipv6(),
            Form::OptionalString if self.at == self.tokens.len() => Ok(()),
            Form::String | Form::OptionalString => self.string(),
            Form::Hex => self.hex(),
            Form::Strings => self.strings(),
        }
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
        if self.tokens[self.at - 1].quoted {
            return Err(self.fault("must not stand in quotes").with_hint("write it without the quotes"));
        }
        Ok(text)
    }

    /// The token read last is wrong; `what` goes on after "the LABEL".
    pub(super) fn fault(&self, what: &str) -> FieldError {
        FieldError::at(self.at - 1, format!("the {} {what}", self.row.fields[self.field].label))
    }

    fn missing(&self) -> FieldError {
        let fields = self.row.fields;
        let needed: usize = fields.iter().map(|field| field.form.values()).sum();
        let least = if fields.iter().any(|field| field.form.is_rest()) { "at least " } else { "" };
        let plural = if needed == 1 { "" } else { "s" };
        let absent: Vec<_> =
            fields[self.field..].iter().filter(|field| field.form.values() > 0).map(|field| field.label).collect();
        let (list, verb) = match absent.as_slice() {
            [one] => ((*one).to_owned(), "is"),
            [others @ .., last] => (format!("{} and the {last}", others.join(", the ")), "are"),
            [] => ("rest".to_owned(), "is"),
        };
        FieldError::whole(format!(
            "the {} needs {least}{needed} value{plural} and has {}: the {list} {verb} missing",
            self.row.mnemonic,
            self.tokens.len(),
        ))
    }

    fn surplus(&self) -> FieldError {
        let last = self.row.fields.last().map_or("", |field| field.label);
        FieldError::at(self.at, format!("the {} ends with the {last}; this is one value too many", self.row.mnemonic))
            .with_hint("take it away, or begin a comment with a semicolon")
    }

    fn name(&mut self) -> Result<(), FieldError> {
        let text = self.word()?;
        name::append_text(text, Some(self.origin), self.out).map_err(|error| self.fault(error.message()))
    }

    fn number(&mut self, width: usize) -> Result<(), FieldError> {
        let text = self.word()?;
        let largest = u64::MAX >> (64 - 8 * width);
        let value = decimal(text, largest).ok_or_else(|| self.fault(&format!("is a number from 0 to {largest}")))?;
        self.out.extend_from_slice(&value.to_be_bytes()[8 - width..]);
        Ok(())
    }

    fn period(&mut self) -> Result<(), FieldError> {
        let text = self.word()?;
        let seconds = time::period(text).ok_or_else(|| {
            self.fault("is a time in seconds, at most 4294967295")
                .with_hint("units w, d, h, m and s are known: 1h30m")
        })?;
        self.out.extend_from_slice(&seconds.to_be_bytes());
        Ok(())
    }

    fn ipv4(&mut self) -> Result<(), FieldError> {
        let text = self.word()?;
        let Some(address) = parse::<Ipv4Addr>(text) else {
            let error = FieldError::at(self.at - 1, "an IPv4 address has four numbers from 0 to 255");
            let other = parse::<Ipv6Addr>(text).is_some();
            return Err(if other { error.with_hint("this is an IPv6 address: its type is AAAA") } else { error });
        };
        self.out.extend_from_slice(&address.octets());
        Ok(())
    }

    fn ipv6(&mut self) -> Result<(), FieldError> {
        let text = self.word()?;
        let Some(address) = parse::<Ipv6Addr>(text) else {
            let message = "an IPv6 address has eight groups of hexadecimal digits, or fewer with one ::";
            let error = FieldError::at(self.at - 1, message);
            let other = parse::<Ipv4Addr>(text).is_some();
            return Err(if other { error.with_hint("this is an IPv4 address: its type is A") } else { error });
        };
        self.out.extend_from_slice(&address.octets());
        Ok(())
    }

    fn string(&mut self) -> Result<(), FieldError> {
        let text = self.next()?;
        let length_at = self.out.len();
        self.out.push(0);
        strings::append_decoded(text, self.out)
            .ok_or_else(|| self.fault("has a bad escape").with_hint(ESCAPE_HINT))?;
        let length = self.out.len() - length_at - 1;
        self.out[length_at] = u8::try_from(length).map_err(|_| {
            let most = strings::MAX_STRING;
            self.fault(&format!("is a string of {length} octets, but a string holds at most {most}"))
                .with_hint("split it into several quoted strings")
        })?;
        Ok(())
    }

    fn hex(&mut self) -> Result<(), FieldError> {
        let mut hex = encoding::Hex::default();
        loop {
            let text = self.word()?;
            hex.feed(text, self.out).ok_or_else(|| self.fault("is written in hexadecimal"))?;
            if self.at == self.tokens.len() {
                return hex.finish().ok_or_else(|| self.fault("has an odd number of hexadecimal digits"));
            }
        }
    }

    fn strings(&mut self) -> Result<(), FieldError> {
        self.string()?;
        while self.at < self.tokens.len() {
            self.string()?;
        }
        Ok(())
    }
}

const ESCAPE_HINT: &str =
    r"a backslash takes one character, or three digits up to 255; for a backslash itself write \\";

fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
