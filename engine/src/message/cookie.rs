//! DNS cookies (RFC 7873) in the interoperable form of RFC 9018.

use std::hash::Hasher;
use std::net::IpAddr;
use std::sync::LazyLock;

use siphasher::sip::SipHasher24;

/// Server cookies older than this are renewed (RFC 9018 §4.3).
const RENEW_AFTER: u32 = 30 * 60;
/// Server cookies older than this do not count.
const TOO_OLD: u32 = 60 * 60;
/// Server cookies from further in the future do not count: clocks of one anycast group differ a little.
const TOO_NEW: u32 = 5 * 60;

/// The secret that server cookies are made with.
#[derive(Clone, Copy)]
pub struct CookieSecret([u8; 16]);

impl CookieSecret {
    /// The secret of this process, drawn at random on first use.
    ///
    /// # Panics
    /// If the system has no randomness to give; nothing could be safe then.
    #[must_use]
    pub fn of_process() -> Self {
        static SECRET: LazyLock<CookieSecret> = LazyLock::new(|| {
            let mut octets = [0; 16];
            getrandom::fill(&mut octets).expect("the system gives random octets");
            CookieSecret(octets)
        });
        *SECRET
    }

    /// Takes 16 octets that nobody else knows.
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// The COOKIE option for a response, and whether the one received proves the client's address.
    ///
    /// `received` has 8 octets or 16 to 40; `now` is in seconds since 1970, counted modulo 2³² (RFC 9018 §4.3).
    #[must_use]
    pub fn answer(&self, received: &[u8], client: IpAddr, now: u32) -> ([u8; 24], bool) {
        let mut cookie = [0; 24];
        cookie[..8].copy_from_slice(&received[..8]);
        if let Some(stamp) = self.verify(received, client, now) {
            let age = now.wrapping_sub(stamp);
            if age <= RENEW_AFTER {
                cookie.copy_from_slice(received);
                return (cookie, true);
            }
            self.make(&mut cookie, client, now);
            return (cookie, true);
        }
        self.make(&mut cookie, client, now);
        (cookie, false)
    }

    fn make(&self, cookie: &mut [u8; 24], client: IpAddr, stamp: u32) {
        cookie[8..12].copy_from_slice(&[1, 0, 0, 0]);
        cookie[12..16].copy_from_slice(&stamp.to_be_bytes());
        let hash = self.hash(&cookie[..16], client);
        cookie[16..].copy_from_slice(&hash);
    }

    /// The time stamp of a server cookie that we made for this client and that still counts.
    fn verify(&self, received: &[u8], client: IpAddr, now: u32) -> Option<u32> {
        let cookie: &[u8; 24] = received.try_into().ok()?;
        let stamp = u32::from_be_bytes(*cookie[12..].first_chunk()?);
        let age = now.wrapping_sub(stamp);
        let fresh = age <= TOO_OLD || stamp.wrapping_sub(now) <= TOO_NEW;
        let expected = self.hash(&cookie[..16], client);
        // All octets are looked at, so that time tells nothing about where a guess goes wrong.
        let difference = expected.iter().zip(&cookie[16..]).fold(0, |sum, (a, b)| sum | (a ^ b));
        (cookie[8] == 1 && fresh && difference == 0).then_some(stamp)
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

    fn secret() -> CookieSecret {
        CookieSecret::new(*b"\xe5\xe9\x73\xe5\xa6\xb2\xa4\x3f\x48\xe7\xdc\x84\x9e\x37\xbf\xcf")
    }

    /// RFC 9018 appendix A.1.
    #[test]
    fn a_new_cookie_is_that_of_the_rfc() {
        let (cookie, proved) = secret().answer(b"\x24\x64\xc4\xab\xcf\x10\xc9\x57", CLIENT, 1_559_731_985);
        assert_eq!(&cookie[8..], b"\x01\x00\x00\x00\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80");
        assert!(!proved);
    }

    /// RFC 9018 appendix A.2 (the cookie of A.1 comes back, and is renewed when it is older than half an hour).
    #[test]
    fn a_cookie_of_ours_proves_the_address_and_is_renewed_in_time() {
        let (first, _) = secret().answer(b"\x24\x64\xc4\xab\xcf\x10\xc9\x57", CLIENT, 1_559_731_985);
        assert_eq!(secret().answer(&first, CLIENT, 1_559_731_985 + 60), (first, true));
        let (renewed, proved) = secret().answer(&first, CLIENT, 1_559_731_985 + 1801);
        assert!(proved && renewed != first);
        assert!(!secret().answer(&first, CLIENT, 1_559_731_985 + 3601).1, "too old");
    }

    #[test]
    fn a_cookie_of_another_client_proves_nothing() {
        let (first, _) = secret().answer(b"\x24\x64\xc4\xab\xcf\x10\xc9\x57", CLIENT, 1_559_731_985);
        assert!(!secret().answer(&first, IpAddr::V4(Ipv4Addr::new(198, 51, 100, 101)), 1_559_731_985).1);
    }
}
