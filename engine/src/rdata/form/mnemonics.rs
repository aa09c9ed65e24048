//! Names of numbers inside RDATA, and the lengths of digests: small tables from the IANA registries.

/// A number with names. Text may always give the number itself.
#[derive(Debug)]
pub(in crate::rdata) struct Mnemonics {
    /// How many octets it has.
    pub(super) width: usize,
    /// Names in upper case; of several for one number, the first is written.
    pub(super) names: &'static [(&'static str, u16)],
    /// Whether canonical text has the name (RFC 4398 §2.2) or the number (RFC 4034 §2.2).
    pub(super) written: bool,
    /// What messages say it is.
    pub(super) rule: &'static str,
}

impl Mnemonics {
    /// The number with this name, in any case.
    pub(super) fn number(&self, name: &[u8]) -> Option<u16> {
        let found = self.names.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
        found.map(|&(_, number)| number)
    }

    /// The name to write for `number`.
    pub(super) fn name(&self, number: u64) -> Option<&'static str> {
        if !self.written {
            return None;
        }
        let found = self.names.iter().find(|(_, known)| u64::from(*known) == number);
        found.map(|&(name, _)| name)
    }
}

/// DNS security algorithm numbers.
pub(in crate::rdata) static SECURITY_ALGORITHMS: Mnemonics = Mnemonics {
    width: 1,
    names: &[
        ("RSAMD5", 1),
        ("DH", 2),
        ("DSA", 3),
        ("RSASHA1", 5),
        ("DSA-NSEC3-SHA1", 6),
        ("NSEC3DSA", 6),
        ("RSASHA1-NSEC3-SHA1", 7),
        ("NSEC3RSASHA1", 7),
        ("RSASHA256", 8),
        ("RSASHA512", 10),
        ("ECC-GOST", 12),
        ("ECCGOST", 12),
        ("ECDSAP256SHA256", 13),
        ("ECDSA256", 13),
        ("ECDSAP384SHA384", 14),
        ("ECDSA384", 14),
        ("ED25519", 15),
        ("ED448", 16),
        ("SM2SM3", 17),
        ("ECC-GOST12", 23),
        ("INDIRECT", 252),
        ("PRIVATEDNS", 253),
        ("PRIVATEOID", 254),
    ],
    written: false,
    rule: "must be a number from 0 to 255 or the name of an algorithm like ECDSAP256SHA256",
};

/// Digest types of delegation signers.
pub(in crate::rdata) static DIGEST_TYPES: Mnemonics = Mnemonics {
    width: 1,
    names: &[("SHA-1", 1), ("SHA1", 1), ("SHA-256", 2), ("SHA256", 2), ("GOST", 3), ("SHA-384", 4), ("SHA384", 4)],
    written: false,
    rule: "must be a number from 0 to 255 or the name of a digest like SHA-256",
};

/// Protocols of KEY records (RFC 2535 §7.2); DNSKEY only has 3.
pub(in crate::rdata) static KEY_PROTOCOLS: Mnemonics = Mnemonics {
    width: 1,
    names: &[("NONE", 0), ("TLS", 1), ("EMAIL", 2), ("DNSSEC", 3), ("IPSEC", 4), ("ALL", 255)],
    written: false,
    rule: "must be a number from 0 to 255; for DNS it is 3",
};

/// Certificate types (RFC 4398 §2.1).
pub(in crate::rdata) static CERTIFICATE_TYPES: Mnemonics = Mnemonics {
    width: 2,
    names: &[
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ],
    written: true,
    rule: "must be a number from 0 to 65535 or a name like PKIX",
};

/// Schemes of generalised notification (RFC 9859 §2.1).
pub(in crate::rdata) static DSYNC_SCHEMES: Mnemonics =
    Mnemonics { width: 1, names: &[("NOTIFY", 1)], written: true, rule: "must be NOTIFY or a number from 0 to 255" };

/// Protocols of well-known services (RFC 1010).
pub(in crate::rdata) static IP_PROTOCOLS: Mnemonics = Mnemonics {
    width: 1,
    names: &[("ICMP", 1), ("TCP", 6), ("UDP", 17)],
    written: false,
    rule: "must be TCP, UDP or a number from 0 to 255",
};

/// Ports of the services that RFC 1010 and its time knew, and of a few that came later.
pub(super) static SERVICES: Mnemonics = Mnemonics {
    width: 2,
    names: &[
        ("ECHO", 7),
        ("DISCARD", 9),
        ("DAYTIME", 13),
        ("FTP-DATA", 20),
        ("FTP", 21),
        ("SSH", 22),
        ("TELNET", 23),
        ("SMTP", 25),
        ("TIME", 37),
        ("NAMESERVER", 42),
        ("WHOIS", 43),
        ("DOMAIN", 53),
        ("TFTP", 69),
        ("GOPHER", 70),
        ("FINGER", 79),
        ("HTTP", 80),
        ("POP3", 110),
        ("SUNRPC", 111),
        ("NNTP", 119),
        ("NTP", 123),
        ("IMAP", 143),
        ("SNMP", 161),
        ("HTTPS", 443),
    ],
    written: false,
    rule: "must be port numbers from 0 to 65535 or well-known names like SMTP",
};

/// How long a digest is, by the type that an earlier octet gives.
#[derive(Debug)]
pub(in crate::rdata) struct Digests {
    /// The octet of the RDATA that gives the digest's type.
    pub(super) type_at: usize,
    /// Types with a fixed length in octets.
    pub(super) lengths: &'static [(u8, usize)],
    /// The least length of any other.
    pub(super) least: usize,
}

impl Digests {
    /// Whether a digest of `length` octets may follow `rdata`, the fields before it.
    pub(super) fn accept(&self, rdata: &[u8], length: usize) -> bool {
        self.expected(rdata).map_or(length >= self.least, |expected| expected == length)
    }

    /// The length that the digest after `rdata` must have, if its type is known.
    pub(super) fn expected(&self, rdata: &[u8]) -> Option<usize> {
        let kind = rdata.get(self.type_at)?;
        self.lengths.iter().find(|(known, _)| known == kind).map(|&(_, length)| length)
    }
}

/// RFC 3658 §2.4, RFC 4509 §2.1, RFC 5933 §4, RFC 6605 §2.
pub(in crate::rdata) static DS_DIGESTS: Digests =
    Digests { type_at: 3, lengths: &[(1, 20), (2, 32), (3, 32), (4, 48)], least: 1 };
/// RFC 4255 §3.1.2, RFC 6594 §3.
pub(in crate::rdata) static SSHFP_DIGESTS: Digests = Digests { type_at: 1, lengths: &[(1, 20), (2, 32)], least: 1 };
/// RFC 5155 §11.
pub(in crate::rdata) static NSEC3_HASHES: Digests = Digests { type_at: 0, lengths: &[(1, 20)], least: 1 };
/// RFC 6698 §2.1.3.
pub(in crate::rdata) static TLSA_DIGESTS: Digests = Digests { type_at: 2, lengths: &[(1, 32), (2, 64)], least: 1 };
/// RFC 8976 §2.2.4.
pub(in crate::rdata) static ZONEMD_DIGESTS: Digests = Digests { type_at: 5, lengths: &[(1, 48), (2, 64)], least: 12 };
