//! Times in text: periods with units, and the points in time of signatures (RFC 4034 §3.2).

use std::fmt::Write;

use super::numbers::decimal;

/// Seconds in a day.
const DAY: u64 = 86_400;
/// The year in which counting begins.
const EPOCH: u64 = 1970;

/// Seconds from digits, or from numbers with the units w d h m s in any case (`1h30m`). As in BIND, a number without
/// a unit must be the whole: `1h30` leaves too much to guess.
pub(super) fn period(text: &[u8]) -> Option<u32> {
    if let Some(seconds) = decimal(text, u64::from(u32::MAX)) {
        return u32::try_from(seconds).ok();
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.iter().position(|octet| !octet.is_ascii_digit())?;
        let number = decimal(&rest[..digits], u64::from(u32::MAX))?;
        total = total.checked_add(number * unit(rest[digits])?)?;
        rest = &rest[digits + 1..];
    }
    u32::try_from(total).ok().filter(|_| !text.is_empty())
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
    let in_range = year >= EPOCH && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_before_year(year) + (1..month).map(|earlier| days_in_month(year, earlier)).sum::<u64>() + day - 1;
    u32::try_from(days * DAY + hour * 3600 + minute * 60 + second).ok()
}

/// Writes seconds since 1970 as `YYYYMMDDHHMMSS`.
pub(super) fn write_timestamp(seconds: u64, out: &mut String) {
    let (days, rest) = (seconds / DAY, seconds % DAY);
    let mut year = EPOCH + days / 366;
    while days >= days_before_year(year + 1) {
        year += 1;
    }
    let mut day = days - days_before_year(year) + 1;
    let mut month = 1;
    while day > days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    // Writing to a String cannot fail.
    let _ = write!(out, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
}

/// Days from the beginning of 1970 to that of `year`.
fn days_before_year(year: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    (year - EPOCH) * 365 + leap_days(year - 1) - leap_days(EPOCH - 1)
}

fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
