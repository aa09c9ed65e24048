//! Places on Earth (RFC 1876): `52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m`.

use std::fmt::Write;

use super::numbers::{decimal, from_octets};
use super::{EMPTY, Reason, fixed};
use crate::rdata::FieldError;
use crate::rdata::reader::Reader;

/// Octets of version 0, the only one.
const LENGTH: usize = 16;
/// Latitude and longitude count thousandths of a second of arc from here: the equator, the prime meridian.
const ORIGIN: u64 = 1 << 31;
/// Thousandths of a second in a degree.
const DEGREE: u64 = 3_600_000;
/// Altitude counts centimetres from 100 km below the WGS 84 spheroid.
const LOWEST: u64 = 10_000_000;
/// Most centimetres of a size or precision: 9e9.
const LARGEST: u64 = 9_000_000_000;
/// Size, horizontal and vertical precision when left out: 1 m, 10 km, 10 m (RFC 1876 §3).
const DEFAULT_SIZES: [u8; 3] = [0x12, 0x16, 0x13];

const PARTS: &str = "the LOC has a latitude ending in N or S, a longitude ending in E or W, and an altitude";
const EXAMPLE: &str = "for instance: 52 22 23 N 4 53 32 E -2m 1m 10000m 10m";

/// Reads latitude, longitude, altitude, and up to three sizes.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    read_location(reader).map_err(|error| match error.token {
        Some(_) => error.with_hint(EXAMPLE),
        None => FieldError::whole(PARTS).with_hint(EXAMPLE),
    })
}

fn read_location(reader: &mut Reader<'_>) -> Result<(), FieldError> {
    let latitude = read_angle(reader, b"N", b"S", 90)?;
    let longitude = read_angle(reader, b"E", b"W", 180)?;
    let altitude = read_altitude(reader)?;
    let mut sizes = DEFAULT_SIZES;
    for size in &mut sizes {
        if !reader.is_done() {
            *size = read_size(reader)?;
        }
    }
    reader.out.push(0);
    reader.out.extend_from_slice(&sizes);
    for value in [latitude, longitude, altitude] {
        reader.out.extend_from_slice(&value.to_be_bytes());
    }
    Ok(())
}

/// Reads degrees, minutes and seconds, of which the later may be left out, and the hemisphere.
fn read_angle(reader: &mut Reader<'_>, positive: &[u8], negative: &[u8], most: u64) -> Result<u32, FieldError> {
    let fault = |reader: &Reader<'_>| {
        reader.fault_of(format!("an angle has degrees up to {most}, minutes up to 59, seconds up to 59.999"))
    };
    let mut units = [(DEGREE, most, 0), (60_000, 59, 0), (1, 59_999, 3)].into_iter();
    let mut total = 0;
    loop {
        let text = reader.word()?;
        let is_positive = text.eq_ignore_ascii_case(positive);
        if is_positive || text.eq_ignore_ascii_case(negative) {
            let value = if is_positive { ORIGIN + total } else { ORIGIN - total };
            let in_range = units.len() < 3 && total <= most * DEGREE;
            return u32::try_from(value).ok().filter(|_| in_range).ok_or_else(|| fault(reader));
        }
        let value = units.next().and_then(|(scale, largest, places)| {
            fixed_point(text, places).filter(|value| *value <= largest).map(|value| value * scale)
        });
        total += value.ok_or_else(|| fault(reader))?;
    }
}

fn read_altitude(reader: &mut Reader<'_>) -> Result<u32, FieldError> {
    let text = reader.word()?;
    let metres = without_unit(text);
    let value = match metres.strip_prefix(b"-") {
        Some(depth) => fixed_point(depth, 2).and_then(|depth| LOWEST.checked_sub(depth)),
        None => fixed_point(metres, 2).and_then(|height| LOWEST.checked_add(height)),
    };
    let value = value.and_then(|value| u32::try_from(value).ok());
    value.ok_or_else(|| reader.fault_of("the altitude is given in metres from -100000.00 to 42849672.95"))
}

fn read_size(reader: &mut Reader<'_>) -> Result<u8, FieldError> {
    let text = reader.word()?;
    let centimetres = fixed_point(without_unit(text), 2).filter(|value| *value <= LARGEST);
    let centimetres = centimetres
        .ok_or_else(|| reader.fault_of("sizes and precisions are given in metres from 0 to 90000000.00"))?;
    Ok(size_octet(centimetres))
}

fn without_unit(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"m").or_else(|| text.strip_suffix(b"M")).unwrap_or(text)
}

/// A decimal number with up to `places` digits after the dot, in units of the last place.
fn fixed_point(text: &[u8], places: usize) -> Option<u64> {
    let dot = text.iter().position(|&octet| octet == b'.');
    let (whole, fraction) = dot.map_or((text, &b"0"[..]), |dot| (&text[..dot], &text[dot + 1..]));
    if dot.is_some() && fraction.len() > places {
        return None;
    }
    let scale = |digits: usize| (0..digits).fold(1_u64, |scale, _| scale * 10);
    let fraction = decimal(fraction, u64::MAX)? * scale(places.saturating_sub(fraction.len()));
    decimal(whole, u64::from(u32::MAX))?.checked_mul(scale(places))?.checked_add(fraction)
}

/// One digit and a power of ten, each in half an octet (RFC 1876 §2). What does not fit is cut off, as in its §3.
fn size_octet(centimetres: u64) -> u8 {
    let (mut digit, mut exponent) = (centimetres, 0);
    while digit > 9 {
        digit /= 10;
        exponent += 1;
    }
    #[allow(clippy::cast_possible_truncation, reason = "one digit")]
    let digit = digit as u8;
    digit << 4 | exponent
}

/// Where a place ends. Versions other than 0 are not defined; any octets will do.
pub(super) fn end(rdata: &[u8], at: usize) -> Result<usize, Reason> {
    let octets = &rdata[at..];
    match octets.first() {
        None => return Err(EMPTY),
        Some(0) => {}
        Some(_) => return Ok(rdata.len()),
    }
    let end = fixed(rdata, at, LENGTH)?;
    for &size in &octets[1..4] {
        let (digit, exponent) = (size >> 4, size & 0xF);
        // Zero has one spelling, so that the text brings the same octet back.
        if digit > 9 || exponent > 9 || (digit == 0 && exponent > 0) {
            return Err("has a size that is no digit and power of ten");
        }
    }
    let too_far = |octets: &[u8], degrees: u64| from_octets(octets).abs_diff(ORIGIN) > degrees * DEGREE;
    if too_far(&octets[4..8], 90) || too_far(&octets[8..12], 180) {
        return Err("has an angle beyond 90 degrees of latitude or 180 of longitude");
    }
    Ok(end)
}

/// Writes a place; `None` for a version without a text form.
pub(super) fn write(octets: &[u8], out: &mut String) -> Option<()> {
    if octets[0] != 0 {
        return None;
    }
    write_angle(from_octets(&octets[4..8]), 'N', 'S', out);
    write_angle(from_octets(&octets[8..12]), 'E', 'W', out);
    let altitude = from_octets(&octets[12..16]);
    let sign = if altitude < LOWEST { "-" } else { "" };
    out.push_str(sign);
    write_metres(altitude.abs_diff(LOWEST), out);
    for &size in &octets[1..4] {
        out.push(' ');
        write_metres(u64::from(size >> 4) * 10_u64.pow(u32::from(size & 0xF)), out);
    }
    Some(())
}

fn write_angle(value: u64, positive: char, negative: char, out: &mut String) {
    let hemisphere = if value < ORIGIN { negative } else { positive };
    let angle = value.abs_diff(ORIGIN);
    let (degrees, minutes) = (angle / DEGREE, angle / 60_000 % 60);
    let (seconds, thousandths) = (angle / 1000 % 60, angle % 1000);
    // Writing to a String cannot fail.
    let _ = write!(out, "{degrees} {minutes} {seconds}.{thousandths:03} {hemisphere} ");
}

fn write_metres(centimetres: u64, out: &mut String) {
    let _ = write!(out, "{}.{:02}m", centimetres / 100, centimetres % 100);
}
