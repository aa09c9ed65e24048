//! DNS cookies (RFC 7873) in the interoperable form of RFC 9018.

use std::hash::Hasher;
use std::net::IpAddr;
use std::sync::OnceLock;

use siphasher::sip::SipHasher24;
use siphasher::sip128::{self, Hasher128};

/// Server cookies older than this are renewed (RFC 9018 §4.3).
const RENEW_AFTER: u32 = 30 * 60;
/// Server cookies older than this do not count.
const TOO_OLD: u32 = 60 * 60;
/// Server cookies from further in the future do not count: clocks of one anycast group differ a little.
const TOO_NEW: u32 = 5 * 60;

/// For so long cookies are made with one secret: RFC 7873 §7.1 wants none to be used for more than 26 hours.
const SECRET_SECONDS: u32 = 24 * 60 * 60;

/// What the secrets of server cookies are drawn from: another one for each day. A cookie's stamp tells which was its
/// own, so those of the day before count until they are too old (RFC 9018 §5), whichever process made them.
#[derive(Clone, Copy)]
pub struct CookieSecrets([u8; 16]);

/// The root of this process.
static ROOT: OnceLock<[u8; 16]> = OnceLock::new();

impl CookieSecrets {
    /// Those of this process: random, unless it has adopted those of another one.
    ///
    /// # Panics
    /// If the system has no randomness to give; nothing could be safe then.
    #[must_use]
    pub fn of_process() -> Self {
        Self(*ROOT.get_or_init(|| {
            let mut octets = [0; 16];
            getrandom::fill(&mut octets).expect("the system gives random octets");
            octets
        }))
    }

    /// Takes 16 octets that nobody else knows.
    #[must_use]
    pub fn new(root: [u8; 16]) -> Self {
        Self(root)
    }

    /// Has this process go on with the secrets of the one before it; false: it has used its own already.
    #[must_use]
    pub fn adopt(root: [u8; 16]) -> bool {
        ROOT.set(root).is_ok()
    }

    /// All that the secrets are drawn from: 16 octets that nobody else may know.
    #[must_use]
    pub fn root(self) -> [u8; 16] {
        self.0
    }

    /// The COOKIE option for a response, and whether the one received proves the client's address.
    ///
    /// `received` has 8 octets or 16 to 40; `now` is in seconds since 1970, counted modulo 2³² (RFC 9018 §4.3).
    #[must_use]
    pub fn answer(self, received: &[u8], client: IpAddr, now: u32) -> ([u8; 24], bool) {
        let mut cookie = [0; 24];
        cookie[..8].copy_from_slice(&received[..8]);
        let stamp = self.verify(received, client, now);
        if stamp.is_some_and(|stamp| now.wrapping_sub(stamp) <= RENEW_AFTER) {
            cookie.copy_from_slice(received);
        } else {
            self.at(now).make(&mut cookie, client, now);
        }
        (cookie, stamp.is_some())
    }

    /// The time stamp of a server cookie that we made for this client and that still counts.
    fn verify(self, received: &[u8], client: IpAddr, now: u32) -> Option<u32> {
        let cookie: &[u8; 24] = received.try_into().ok()?;
        let stamp = u32::from_be_bytes(*cookie[12..].first_chunk()?);
        let is_fresh = now.wrapping_sub(stamp) <= TOO_OLD || stamp.wrapping_sub(now) <= TOO_NEW;
        (is_fresh && cookie[8] == 1 && self.at(stamp).has_made(cookie, client)).then_some(stamp)
    }

    /// The secret of the day of this stamp.
    fn at(self, stamp: u32) -> CookieSecret {
        let mut hasher = sip128::SipHasher24::new_with_key(&self.0);
        hasher.write(&(stamp / SECRET_SECONDS).to_be_bytes());
        CookieSecret(hasher.finish128().as_bytes())
    }
}

/// What the server cookies of one day are made with.
struct CookieSecret([u8; 16]);

impl CookieSecret {
    fn make(&self, cookie: &mut [u8; 24], client: IpAddr, stamp: u32) {
        cookie[8..12].copy_from_slice(&[1, 0, 0, 0]);
        cookie[12..16].copy_from_slice(&stamp.to_be_bytes());
        let hash = self.hash(&cookie[..16], client);
        cookie[16..].copy_from_slice(&hash);
    }

    fn has_made(&self, cookie: &[u8; 24], client: IpAddr) -> bool {
        let expected = self.hash(&cookie[..16], client);
        // All octets are looked at, so that time tells nothing about where a guess goes wrong.
        expected.iter().zip(&cookie[16..]).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }

    fn hash(&self, head: &[u8], client: IpAddr) -> [u8; 8] {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(head);
        match client {
            IpAddr::V4(address) => hasher.write(&address.octets()),
            IpAddr::V6(address) => hasher.write(&address.octets()),
        }
        hasher.finish().to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 100));

    const FIRST: &[u8; 8] = b"\x24\x64\xc4\xab\xcf\x10\xc9\x57";
    const MIDNIGHT: u32 = 20_000 * SECRET_SECONDS;

    fn secrets() -> CookieSecrets {
        CookieSecrets(*b"\xe5\xe9\x73\xe5\xa6\xb2\xa4\x3f\x48\xe7\xdc\x84\x9e\x37\xbf\xcf")
    }

    /// RFC 9018 appendix A.1.
    #[test]
    fn a_new_cookie_is_that_of_the_rfc() {
        let mut cookie = [0; 24];
        cookie[..8].copy_from_slice(FIRST);
        CookieSecret(secrets().root()).make(&mut cookie, CLIENT, 1_559_731_985);
        assert_eq!(&cookie[8..], b"\x01\x00\x00\x00\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80");
    }

    #[test]
    fn a_cookie_of_ours_proves_the_address_and_is_renewed_in_time() {
        let (first, proved) = secrets().answer(FIRST, CLIENT, MIDNIGHT);
        assert!(!proved);
        assert_eq!(secrets().answer(&first, CLIENT, MIDNIGHT + 60), (first, true));
        let (renewed, proved) = secrets().answer(&first, CLIENT, MIDNIGHT + 1801);
        assert!(proved && renewed != first);
        assert!(!secrets().answer(&first, CLIENT, MIDNIGHT + 3601).1, "too old");
        assert!(secrets().answer(&first, CLIENT, MIDNIGHT - 300).1, "of a clock that is a little ahead");
        assert!(!secrets().answer(&first, CLIENT, MIDNIGHT - 301).1, "too far ahead");
    }

    #[test]
    fn a_cookie_of_another_client_or_of_other_secrets_proves_nothing() {
        let (first, _) = secrets().answer(FIRST, CLIENT, MIDNIGHT);
        assert!(!secrets().answer(&first, IpAddr::V4(Ipv4Addr::new(198, 51, 100, 101)), MIDNIGHT).1);
        assert!(!CookieSecrets([7; 16]).answer(&first, CLIENT, MIDNIGHT).1);
    }

    /// RFC 7873 §7.1, RFC 9018 §5.
    #[test]
    fn each_day_has_a_secret_of_its_own_and_cookies_of_the_day_before_count_until_they_are_old() {
        assert_ne!(secrets().at(MIDNIGHT - 1).0, secrets().at(MIDNIGHT).0);
        assert_eq!(secrets().at(MIDNIGHT).0, secrets().at(MIDNIGHT + SECRET_SECONDS - 1).0);
        let (evening, _) = secrets().answer(FIRST, CLIENT, MIDNIGHT - 1);
        assert_eq!(secrets().answer(&evening, CLIENT, MIDNIGHT + 60), (evening, true));
        let (renewed, proved) = secrets().answer(&evening, CLIENT, MIDNIGHT + 1800);
        assert!(proved && renewed != evening);
        assert!(secrets().answer(&renewed, CLIENT, MIDNIGHT + 3600).1);
    }
}
