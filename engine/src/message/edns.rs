//! EDNS (RFC 6891): reading the OPT record of a query, writing that of a response.

const OPTION_NSID: u16 = 3;
const OPTION_COOKIE: u16 = 10;
const OPTION_KEEPALIVE: u16 = 11;
const OPTION_EXTENDED_ERROR: u16 = 15;

/// What a query's OPT record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns<'a> {
    /// Largest UDP payload the requestor takes, at least 512.
    pub payload: u16,
    /// EDNS version.
    pub version: u8,
    /// The DO bit.
    pub dnssec_ok: bool,
    /// The COOKIE option: 8 octets of the client's, perhaps 8 to 32 of the server's behind them.
    pub cookie: Option<&'a [u8]>,
    /// Whether NSID is asked for (RFC 5001).
    pub nsid: bool,
    /// Whether the TCP keepalive option is there (RFC 7828).
    pub keepalive: bool,
}

/// An extended error (RFC 8914): code and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// INFO-CODE.
    pub code: u16,
    /// EXTRA-TEXT.
    pub text: &'static str,
}

impl Edns<'_> {
    /// What class and TTL of an OPT record say.
    #[must_use]
    #[inline]
    pub fn without_options(class: [u8; 2], ttl: [u8; 4]) -> Self {
        Self {
            payload: u16::from_be_bytes(class).max(512),
            version: ttl[1],
            dnssec_ok: ttl[2] & 0x80 != 0,
            cookie: None,
            nsid: false,
            keepalive: false,
        }
    }

    /// Whether there are options that mean something to us.
    #[must_use]
    #[inline]
    pub fn has_options(&self) -> bool {
        self.cookie.is_some() || self.nsid || self.keepalive
    }
}

/// Reads class, TTL and RDATA of an OPT record. None when the options are malformed.
#[must_use]
pub fn read(class: [u8; 2], ttl: [u8; 4], rdata: &[u8]) -> Option<Edns<'_>> {
    let mut edns = Edns::without_options(class, ttl);
    let mut rest = rdata;
    while !rest.is_empty() {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(usize::from(u16::from_be_bytes([head[2], head[3]])))?;
        match u16::from_be_bytes([head[0], head[1]]) {
            // Of several cookies the first counts (RFC 7873 §5.2); one of a wrong length is a format error.
            OPTION_COOKIE if edns.cookie.is_none() => {
                if !matches!(value.len(), 8 | 16..=40) {
                    return None;
                }
                edns.cookie = Some(value);
            }
            OPTION_NSID => edns.nsid = true,
            OPTION_KEEPALIVE => edns.keepalive = true,
            _ => {}
        }
        rest = after;
    }
    Some(edns)
}

/// What a response's OPT record is to say.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Our own UDP payload size.
    pub payload: u16,
    /// Upper eight bits of the response code.
    pub extended_rcode: u8,
    /// The DO bit, copied.
    pub dnssec_ok: bool,
    /// None in most responses, which pay nothing for them then.
    pub options: Option<Options<'a>>,
}

/// The options of a response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Client and server cookie.
    pub cookie: Option<&'a [u8; 24]>,
    /// NSID, if asked for and configured.
    pub nsid: Option<&'a [u8]>,
    /// Idle time-out over TCP in units of 100 ms, if asked for.
    pub keepalive: Option<u16>,
    /// Extended error.
    pub error: Option<ExtendedError>,
}

/// Octets of an OPT record without options.
const EMPTY: usize = 11;

impl Reply<'_> {
    /// Octets the OPT record takes.
    #[must_use]
    #[inline]
    pub fn length(&self) -> usize {
        EMPTY + self.options.as_ref().map_or(0, Options::length)
    }

    /// Writes the record at the start of `out`, which has at least [`Self::length`] octets, and returns its length.
    #[inline]
    pub fn write(&self, out: &mut [u8]) -> usize {
        let (head, rest) = out.split_at_mut(EMPTY);
        let [p0, p1] = self.payload.to_be_bytes();
        let flags = if self.dnssec_ok { 0x80 } else { 0 };
        head.copy_from_slice(&[0, 0, 41, p0, p1, self.extended_rcode, 0, flags, 0, 0, 0]);
        let Some(options) = &self.options else { return EMPTY };
        let length = options.write(rest);
        head[9..].copy_from_slice(&octets_of(length));
        EMPTY + length
    }
}

impl Options<'_> {
    fn length(&self) -> usize {
        self.cookie.map_or(0, |cookie| 4 + cookie.len())
            + self.nsid.map_or(0, |nsid| 4 + nsid.len())
            + self.keepalive.map_or(0, |_| 6)
            + self.error.map_or(0, |error| 6 + error.text.len())
    }

    fn write(&self, out: &mut [u8]) -> usize {
        let mut at = 0;
        let mut option = |code: u16, parts: [&[u8]; 2]| {
            out[at..at + 2].copy_from_slice(&code.to_be_bytes());
            out[at + 2..at + 4].copy_from_slice(&octets_of(parts[0].len() + parts[1].len()));
            at += 4;
            for part in parts {
                out[at..at + part.len()].copy_from_slice(part);
                at += part.len();
            }
        };
        if let Some(cookie) = self.cookie {
            option(OPTION_COOKIE, [cookie, &[]]);
        }
        if let Some(nsid) = self.nsid {
            option(OPTION_NSID, [nsid, &[]]);
        }
        if let Some(timeout) = self.keepalive {
            option(OPTION_KEEPALIVE, [&timeout.to_be_bytes(), &[]]);
        }
        if let Some(error) = self.error {
            option(OPTION_EXTENDED_ERROR, [&error.code.to_be_bytes(), error.text.as_bytes()]);
        }
        at
    }
}

#[allow(clippy::cast_possible_truncation, reason = "options are far below 64 KiB")]
fn octets_of(length: usize) -> [u8; 2] {
    (length as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_below_512_count_as_512() {
        assert_eq!(read([0, 100], [0; 4], &[]).unwrap().payload, 512);
    }

    #[test]
    fn malformed_options_are_noticed() {
        assert_eq!(read([4, 0], [0; 4], &[0, 3, 0, 1]), None, "value cut off");
        assert_eq!(read([4, 0], [0; 4], &[0, 3, 0]), None, "head cut off");
        assert_eq!(read([4, 0], [0; 4], &[0, 10, 0, 7, 1, 2, 3, 4, 5, 6, 7]), None, "cookie of seven octets");
    }

    #[test]
    fn what_is_written_can_be_read() {
        let cookie = [7; 24];
        let options = Options {
            cookie: Some(&cookie),
            nsid: Some(b"ns1"),
            keepalive: Some(100),
            error: Some(ExtendedError { code: 20, text: "no" }),
        };
        let reply = Reply { payload: 1232, extended_rcode: 1, dnssec_ok: true, options: Some(options) };
        let mut out = [0; 100];
        let length = reply.write(&mut out);
        assert_eq!(length, reply.length());
        let read = read([out[3], out[4]], [out[5], out[6], out[7], out[8]], &out[11..length]).unwrap();
        assert_eq!(read.cookie, Some(&cookie[..]));
        assert!(read.nsid && read.keepalive && read.dnssec_ok);
    }
}
