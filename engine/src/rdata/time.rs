//! Times in text: periods with units, and the points in time of signatures.

/// Seconds from digits, or from numbers with the units w d h m s in any case (`1h30m`).
pub(super) fn period(text: &[u8]) -> Option<u32> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for (at, &octet) in text.iter().enumerate() {
        if octet.is_ascii_digit() {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(octet - b'0'))?);
        } else {
            total = total.checked_add(number.take()?.checked_mul(unit(octet)?)?)?;
            if at + 1 == text.len() {
                return u32::try_from(total).ok();
            }
        }
    }
    // A last number without a unit counts seconds, as BIND reads it.
    u32::try_from(total.checked_add(number?)?).ok()
}

fn unit(letter: u8) -> Option<u64> {
    match letter.to_ascii_lowercase() {
        b's' => Some(1),
        b'm' => Some(60),
        b'h' => Some(3600),
        b'd' => Some(86_400),
        b'w' => Some(604_800),
        _ => None,
    }
}
