//! Templates of `$GENERATE`: text in which `$` stands for a number.
//!
//! `$` is the number, `${OFFSET,WIDTH,BASE}` the number plus OFFSET, filled with zeros up to WIDTH, in base `d`, `o`,
//! `x`, `X`, or as nibbles from right to left with dots between (`n`, `N`), whose width counts the dots. `$$` is a
//! dollar sign, and a backslash keeps the character after it as it is, itself included.

/// Wider numbers fit in no name.
const WIDEST: usize = 255;
/// Longer text is no RDATA, even with every octet written as `\DDD`.
const LONGEST_TEXT: usize = 1 << 18;
const TOO_LONG: &str = "the text becomes longer than any data can be";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    Decimal,
    Octal,
    Hexadecimal { upper: bool },
    Nibbles { upper: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t [u8]),
    Number { offset: i64, width: usize, base: Base },
}

const PLAIN_NUMBER: Piece<'static> = Piece::Number { offset: 0, width: 0, base: Base::Decimal };

/// A template, taken apart once for all numbers of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template<'t>(Vec<Piece<'t>>);

impl<'t> Template<'t> {
    /// Takes `text` apart; the error says what is wrong with it.
    pub(super) fn parse(text: &'t [u8]) -> Result<Self, &'static str> {
        if text.len() > LONGEST_TEXT {
            return Err(TOO_LONG);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, used) = match rest {
                [b'$', b'$', ..] => (Piece::Text(&rest[..1]), 2),
                [b'$', b'{', inside @ ..] => {
                    let length = inside.iter().position(|&octet| octet == b'}').ok_or("a `${` has no closing `}`")?;
                    (parse_modifiers(&inside[..length])?, length + 3)
                }
                [b'$', ..] => (PLAIN_NUMBER, 1),
                _ => {
                    let length = literal_length(rest);
                    (Piece::Text(&rest[..length]), length)
                }
            };
            pieces.push(piece);
            rest = &rest[used..];
        }
        Ok(Self(pieces))
    }

    /// Puts the text for `number` in place of what `out` held.
    pub(super) fn expand(&self, number: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
        out.clear();
        for piece in &self.0 {
            match *piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Number { offset, width, base } => {
                    append_number(i64::from(number) + offset, width, base, out)?;
                }
            }
            if out.len() > LONGEST_TEXT {
                return Err(TOO_LONG);
            }
        }
        Ok(())
    }
}

/// How much of `text`, which does not begin with a dollar sign, goes before the next unescaped one.
fn literal_length(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() && text[at] != b'$' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at.min(text.len())
}

/// Reads `OFFSET[,WIDTH[,BASE]]`.
fn parse_modifiers(text: &[u8]) -> Result<Piece<'static>, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "what stands in `${}` is not text")?;
    let mut parts = text.split(',');
    let offset = parts.next().unwrap_or_default();
    let offset: i32 = offset.parse().map_err(|_| "the offset in `${}` is not a number")?;
    let width = match parts.next() {
        Some(width) if width.bytes().all(|octet| octet.is_ascii_digit()) => {
            width.parse().ok().filter(|&width| width <= WIDEST).ok_or("the width in `${}` is not from 0 to 255")?
        }
        Some(_) => return Err("the width in `${}` is not from 0 to 255"),
        None => 0,
    };
    let base = match parts.next() {
        None | Some("d") => Base::Decimal,
        Some("o") => Base::Octal,
        Some("x") => Base::Hexadecimal { upper: false },
        Some("X") => Base::Hexadecimal { upper: true },
        Some("n") => Base::Nibbles { upper: false },
        Some("N") => Base::Nibbles { upper: true },
        Some(_) => return Err("the base in `${}` is not one of d, o, x, X, n, N"),
    };
    if parts.next().is_some() {
        return Err("`${}` takes offset, width and base, and nothing more");
    }
    Ok(Piece::Number { offset: i64::from(offset), width, base })
}

/// Numbers below zero are written with a sign in decimal, as BIND does; in other bases they have no form.
fn append_number(number: i64, width: usize, base: Base, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if base == Base::Decimal {
        out.extend_from_slice(format!("{number:0width$}").as_bytes());
        return Ok(());
    }
    let number = u64::try_from(number).map_err(|_| "the number with its offset is below 0")?;
    match base {
        Base::Octal => out.extend_from_slice(format!("{number:0width$o}").as_bytes()),
        Base::Hexadecimal { upper: false } => out.extend_from_slice(format!("{number:0width$x}").as_bytes()),
        Base::Decimal | Base::Hexadecimal { upper: true } => {
            out.extend_from_slice(format!("{number:0width$X}").as_bytes());
        }
        Base::Nibbles { upper } => append_nibbles(number, width, upper, out),
    }
    Ok(())
}

fn append_nibbles(number: u64, width: usize, upper: bool, out: &mut Vec<u8>) {
    let digits: &[u8; 16] = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let (mut rest, mut width) = (number, width);
    loop {
        out.push(digits[usize::from(rest.to_le_bytes()[0] & 0xf)]);
        rest >>= 4;
        width = width.saturating_sub(1);
        if width == 0 && rest == 0 {
            return;
        }
        out.push(b'.');
        width = width.saturating_sub(1);
        if width == 0 && rest == 0 {
            return;
        }
    }
}
