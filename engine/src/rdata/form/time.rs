//! Times in text: periods with units, and the points in time of signatures (RFC 4034 §3.2).

use std::fmt::Write;

use super::numbers::decimal;

const DAY: u64 = 86_400;

/// Seconds from digits, or from numbers with the units w d h m s in any case (`1h30m`).
pub(super) fn period(text: &[u8]) -> Option<u32> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for &octet in text {
        if octet.is_ascii_digit() {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(octet - b'0'))?);
        } else {
            total = total.checked_add(number.take()?.checked_mul(unit(octet)?)?)?;
        }
    }
    if text.is_empty() {
        return None;
    }
    // A last number without a unit counts seconds, as in BIND.
    u32::try_from(total.checked_add(number.unwrap_or(0))?).ok()
}

fn unit(letter: u8) -> Option<u64> {
    match letter.to_ascii_lowercase() {
        b's' => Some(1),
        b'm' => Some(60),
        b'h' => Some(3600),
        b'd' => Some(DAY),
        b'w' => Some(7 * DAY),
        _ => None,
    }
}

/// Seconds since 1970 from `YYYYMMDDHHMMSS` in UTC, or from the seconds themselves.
pub(super) fn timestamp(text: &[u8]) -> Option<u32> {
    if text.len() != 14 {
        return u32::try_from(decimal(text, u64::from(u32::MAX))?).ok();
    }
    let part = |from: usize, to: usize| decimal(&text[from..to], u64::MAX);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let in_range = year >= 1970 && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days_before = (1..month).map(|earlier| days_in_month(year, earlier)).sum::<u64>() + day - 1;
    let days = (1970..year).map(days_in_year).sum::<u64>() + days_before;
    u32::try_from(days * DAY + hour * 3600 + minute * 60 + second).ok()
}

/// Writes seconds since 1970 as `YYYYMMDDHHMMSS`.
pub(super) fn write_timestamp(seconds: u64, out: &mut String) {
    let (mut days, rest) = (seconds / DAY, seconds % DAY);
    let mut year = 1970;
    while days >= days_in_year(year) {
        days -= days_in_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_in_month(year, month) {
        days -= days_in_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let day = days + 1;
    // Writing to a String cannot fail.
    let _ = write!(out, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
}

fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
