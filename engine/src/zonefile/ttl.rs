//! Times in seconds, with or without units (`3600`, `1h30m`), as BIND reads and writes them.

/// Longest TTL (RFC 2181 §8).
pub(super) const LONGEST: u32 = 0x7fff_ffff;

/// Why a word is no TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TtlError {
    /// Neither a number nor numbers with units.
    Malformed,
    /// Over 2^31 - 1 seconds.
    TooLong,
}

/// Reads `SECONDS` or `NUMBERUNIT...` with units w, d, h, m, s in any case and order.
pub(super) fn parse(word: &[u8]) -> Result<u32, TtlError> {
    if word.is_empty() {
        return Err(TtlError::Malformed);
    }
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    let mut has_units = false;
    let mut too_long = false;
    for &octet in word {
        let seconds = match octet.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                number = Some((number.unwrap_or(0) * 10 + u64::from(digit - b'0')).min(u64::from(u32::MAX)));
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return Err(TtlError::Malformed),
        };
        total += number.take().ok_or(TtlError::Malformed)? * seconds;
        too_long |= total > u64::from(LONGEST);
        total = total.min(u64::from(u32::MAX));
        has_units = true;
    }
    match number {
        // As in BIND, a number without a unit must be the whole word: `1h30` leaves too much to guess.
        Some(_) if has_units => return Err(TtlError::Malformed),
        Some(seconds) => total = seconds,
        None => {}
    }
    too_long |= total > u64::from(LONGEST);
    u32::try_from(total).ok().filter(|_| !too_long).ok_or(TtlError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_units_are_read() {
        for (word, seconds) in [
            ("0", 0),
            ("3600", 3600),
            ("1h30m", 5400),
            ("1W2D3H4M5S", 788_645),
            ("1m1m", 120),
            ("2147483647", LONGEST),
            ("000000000000000000000000000060", 60),
        ] {
            assert_eq!(parse(word.as_bytes()), Ok(seconds), "{word}");
        }
    }

    #[test]
    fn what_is_no_ttl_is_refused() {
        for word in ["", "h", "1h30", "1x", "-1", "1.5", "hh", "1hm"] {
            assert_eq!(parse(word.as_bytes()), Err(TtlError::Malformed), "{word}");
        }
    }

    #[test]
    fn more_than_31_bits_are_too_long() {
        for word in ["2147483648", "99999999999999999999999999", "3551w", "99999999999999999999w", "3550w3550w"] {
            assert_eq!(parse(word.as_bytes()), Err(TtlError::TooLong), "{word}");
        }
    }
}
