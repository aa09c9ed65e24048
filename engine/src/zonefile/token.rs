//! Tokens of zone text (RFC 1035 §5.1), as the scanner gives them and `rdata` takes them.

/// One character string or word, escapes not yet decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The characters, without the quotes.
    pub text: &'a [u8],
    /// Whether it stood in double quotes. Behind the types SVCB and HTTPS a token that starts unquoted may hold quotes
    /// (`alpn="h2,h3"` is one unquoted token); behind other types it holds none that is not escaped.
    pub quoted: bool,
    /// Offset of its first octet (the quote, if quoted) in the file's text.
    pub start: u32,
    /// Offset one past its last octet.
    pub end: u32,
}
