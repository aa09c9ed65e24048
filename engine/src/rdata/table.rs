//! The table of record types, in the order of their numbers.
//!
//! This is the only place that knows which type has which fields; `form` explains the words used here.

use super::field::Target::{At, Replacement};
use super::field::{Field, TypeRow};
use super::form::Address::{Atma, Eui, Ipv4, Ipv6, Locator, Nsap};
use super::form::Bits::{OldTypes, Ports, Types};
use super::form::Dependent::{
    A6Name, A6Prefix, A6Suffix, DiscoveryFlag, Gateway, HipAlgorithm, HipKey, HipTag, PublicKey, RelayType,
};
use super::form::Form::{Address, Bits, Dependent, Location, Name, Number, Octets, Prefixes, ServiceParams, Text};
use super::form::Name::{Compressible, Many as ManyNames, Plain};
use super::form::Number::{Mnemonic, Period, Timestamp, Type, U8, U16, U32, U64};
use super::form::Octets::{Base64, DashBase64, Digest, Hash, Hex, OptionalBase64, Salt};
use super::form::Text::{Decimal, Long, Many, One, Optional, Substitution, Tag, X25Address};
use super::form::{self, Form};
use super::form::{
    CERTIFICATE_TYPES, DIGEST_TYPES, DS_DIGESTS, DSYNC_SCHEMES, IP_PROTOCOLS, KEY_PROTOCOLS, NSEC3_HASHES,
    SECURITY_ALGORITHMS, SSHFP_DIGESTS, TLSA_DIGESTS, ZONEMD_DIGESTS,
};

/// The number of a DNS security algorithm.
const ALGORITHM: Form = Number(Mnemonic(&SECURITY_ALGORITHMS));
/// The number of a digest of keys.
const DIGEST_TYPE: Form = Number(Mnemonic(&DIGEST_TYPES));
/// The key of KEY, which two bits of the flags take away (RFC 2535 §3.1.2).
const KEY_BY_FLAGS: Form = Dependent(PublicKey { octet: 0, mask: 0xC0, absent: 0xC0 });
/// The key of IPSECKEY, which algorithm 0 takes away (RFC 4025 §2.4).
const KEY_BY_ALGORITHM: Form = Dependent(PublicKey { octet: 2, mask: 0xFF, absent: 0 });
/// What a key is for.
const KEY_PROTOCOL: Form = Number(Mnemonic(&KEY_PROTOCOLS));
/// An angle of GPOS. A latitude ends at 90, but RFC 1712 itself has the two the other way round in its example.
const DEGREES: form::Text = Decimal(180.0);

/// A row is: number, name, then for each field what messages call it and its form, then `=>` and its attributes.
macro_rules! rows {
    ($($number:literal $mnemonic:literal $(: $($label:literal $form:expr),+)?
        $(=> $($attribute:ident($($value:expr)?)).+)?;)*) => {
        &[$(
            TypeRow::new($number, $mnemonic, &[$($(Field { label: $label, form: $form }),+)?])
                $($(.$attribute($($value)?))+)?
        ),*]
    };
}

/// Every record type that has a name. Those without fields are written as RFC 3597 §5 has it: their form is not
/// published, or they are only seen in messages.
pub(super) static TYPES: &[TypeRow] = rows! {
    1 "A": "address" Address(Ipv4);
    2 "NS": "name server" Name(Compressible) => target(At(0));
    3 "MD": "mail server" Name(Compressible) => target(At(0));
    4 "MF": "mail forwarder" Name(Compressible) => target(At(0));
    5 "CNAME": "target" Name(Compressible) => singleton();
    6 "SOA": "primary server" Name(Compressible), "mailbox" Name(Compressible), "serial" Number(U32),
        "refresh time" Number(Period), "retry time" Number(Period), "expire time" Number(Period),
        "minimum" Number(Period) => singleton();
    7 "MB": "mail server" Name(Compressible) => target(At(0));
    8 "MG": "group member" Name(Compressible);
    9 "MR": "new mailbox" Name(Compressible);
    10 "NULL";
    11 "WKS": "address" Address(Ipv4), "protocol" Number(Mnemonic(&IP_PROTOCOLS)), "services" Bits(Ports);
    12 "PTR": "target" Name(Compressible);
    13 "HINFO": "processor" Text(One), "operating system" Text(One);
    14 "MINFO": "responsible mailbox" Name(Compressible), "error mailbox" Name(Compressible);
    15 "MX": "preference" Number(U16), "mail server" Name(Compressible) => target(At(2));
    16 "TXT": "text" Text(Many);
    17 "RP": "mailbox" Name(Plain), "name of the TXT" Name(Plain);
    18 "AFSDB": "subtype" Number(U16), "server" Name(Plain) => target(At(2));
    19 "X25": "address" Text(X25Address);
    20 "ISDN": "address" Text(One), "subaddress" Text(Optional);
    21 "RT": "preference" Number(U16), "intermediate host" Name(Plain) => target(At(2));
    22 "NSAP": "address" Address(Nsap);
    23 "NSAP-PTR": "target" Name(Plain);
    24 "SIG": "type covered" Number(Type), "algorithm" ALGORITHM, "number of labels" Number(U8),
        "original TTL" Number(Period), "expiration" Number(Timestamp), "inception" Number(Timestamp),
        "key tag" Number(U16), "signer" Name(Plain), "signature" Octets(Base64);
    25 "KEY": "flags" Number(U16), "protocol" KEY_PROTOCOL, "algorithm" ALGORITHM,
        "public key" KEY_BY_FLAGS;
    26 "PX": "preference" Number(U16), "mail domain" Name(Plain), "X.400 domain" Name(Plain);
    27 "GPOS": "longitude" Text(DEGREES), "latitude" Text(DEGREES), "altitude" Text(Decimal(f64::MAX));
    28 "AAAA": "address" Address(Ipv6);
    29 "LOC": "place" Location;
    30 "NXT": "next name" Name(Plain), "types" Bits(OldTypes);
    31 "EID": "identifier" Octets(Hex);
    32 "NIMLOC": "locator" Octets(Hex);
    33 "SRV": "priority" Number(U16), "weight" Number(U16), "port" Number(U16), "target" Name(Plain) => target(At(6));
    34 "ATMA": "address" Address(Atma);
    35 "NAPTR": "order" Number(U16), "preference" Number(U16), "flags" Text(One), "services" Text(One),
        "regular expression" Text(Substitution), "replacement" Name(Plain) => target(Replacement);
    36 "KX": "preference" Number(U16), "exchanger" Name(Plain) => target(At(2));
    37 "CERT": "certificate type" Number(Mnemonic(&CERTIFICATE_TYPES)), "key tag" Number(U16), "algorithm" ALGORITHM,
        "certificate" Octets(Base64);
    38 "A6": "prefix length" Dependent(A6Prefix), "address suffix" Dependent(A6Suffix),
        "prefix name" Dependent(A6Name);
    39 "DNAME": "target" Name(Plain) => singleton();
    40 "SINK": "meaning" Number(U8), "coding" Number(U8), "subcoding" Number(U8), "data" Octets(OptionalBase64);
    41 "OPT";
    42 "APL": "address prefixes" Prefixes;
    43 "DS": "key tag" Number(U16), "algorithm" ALGORITHM, "digest type" DIGEST_TYPE,
        "digest" Octets(Digest(&DS_DIGESTS));
    44 "SSHFP": "algorithm" Number(U8), "fingerprint type" Number(U8), "fingerprint" Octets(Digest(&SSHFP_DIGESTS));
    45 "IPSECKEY": "precedence" Number(U8), "gateway type" Number(U8), "algorithm" Number(U8),
        "gateway" Dependent(Gateway(0xFF)), "public key" KEY_BY_ALGORITHM;
    46 "RRSIG": "type covered" Number(Type), "algorithm" ALGORITHM, "number of labels" Number(U8),
        "original TTL" Number(Period), "expiration" Number(Timestamp), "inception" Number(Timestamp),
        "key tag" Number(U16), "signer" Name(Plain), "signature" Octets(Base64);
    47 "NSEC": "next name" Name(Plain), "types" Bits(Types);
    48 "DNSKEY": "flags" Number(U16), "protocol" KEY_PROTOCOL, "algorithm" ALGORITHM, "public key" Octets(Base64);
    49 "DHCID": "identifier" Octets(Base64);
    50 "NSEC3": "hash algorithm" Number(U8), "flags" Number(U8), "iterations" Number(U16), "salt" Octets(Salt),
        "next hashed owner" Octets(Hash(&NSEC3_HASHES)), "types" Bits(Types);
    51 "NSEC3PARAM": "hash algorithm" Number(U8), "flags" Number(U8), "iterations" Number(U16), "salt" Octets(Salt);
    52 "TLSA": "usage" Number(U8), "selector" Number(U8), "matching type" Number(U8),
        "certificate data" Octets(Digest(&TLSA_DIGESTS));
    53 "SMIMEA": "usage" Number(U8), "selector" Number(U8), "matching type" Number(U8),
        "certificate data" Octets(Digest(&TLSA_DIGESTS));
    55 "HIP": "algorithm" Dependent(HipAlgorithm), "host identity tag" Dependent(HipTag),
        "public key" Dependent(HipKey), "rendezvous servers" Name(ManyNames);
    56 "NINFO": "text" Text(Many);
    57 "RKEY": "flags" Number(U16), "protocol" KEY_PROTOCOL, "algorithm" ALGORITHM, "public key" Octets(Base64);
    58 "TALINK": "previous name" Name(Plain), "next name" Name(Plain);
    59 "CDS": "key tag" Number(U16), "algorithm" ALGORITHM, "digest type" DIGEST_TYPE,
        "digest" Octets(Digest(&DS_DIGESTS));
    60 "CDNSKEY": "flags" Number(U16), "protocol" KEY_PROTOCOL, "algorithm" ALGORITHM, "public key" Octets(Base64);
    61 "OPENPGPKEY": "public key" Octets(Base64);
    62 "CSYNC": "serial" Number(U32), "flags" Number(U16), "types" Bits(Types);
    63 "ZONEMD": "serial" Number(U32), "scheme" Number(U8), "hash algorithm" Number(U8),
        "digest" Octets(Digest(&ZONEMD_DIGESTS));
    64 "SVCB": "priority" Number(U16), "target" Name(Plain), "parameter" ServiceParams => target(At(2));
    65 "HTTPS": "priority" Number(U16), "target" Name(Plain), "parameter" ServiceParams => target(At(2));
    66 "DSYNC": "type" Number(Type), "scheme" Number(Mnemonic(&DSYNC_SCHEMES)), "port" Number(U16),
        "target" Name(Plain);
    67 "HHIT": "data" Octets(Base64);
    68 "BRID": "data" Octets(Base64);
    99 "SPF": "text" Text(Many);
    100 "UINFO";
    101 "UID";
    102 "GID";
    103 "UNSPEC";
    104 "NID": "preference" Number(U16), "node identifier" Address(Locator);
    105 "L32": "preference" Number(U16), "locator" Address(Ipv4);
    106 "L64": "preference" Number(U16), "locator" Address(Locator);
    107 "LP": "preference" Number(U16), "target" Name(Plain) => target(At(2));
    108 "EUI48": "address" Address(Eui(6));
    109 "EUI64": "address" Address(Eui(8));
    128 "NXNAME";
    249 "TKEY";
    250 "TSIG";
    251 "IXFR";
    252 "AXFR";
    253 "MAILB";
    254 "MAILA";
    255 "ANY";
    256 "URI": "priority" Number(U16), "weight" Number(U16), "target" Text(Long(1));
    257 "CAA": "flags" Number(U8), "tag" Text(Tag), "value" Text(Long(0));
    258 "AVC": "text" Text(Many);
    259 "DOA": "enterprise" Number(U32), "type" Number(U32), "location" Number(U8), "media type" Text(One),
        "data" Octets(DashBase64);
    260 "AMTRELAY": "precedence" Number(U8), "discovery flag" Dependent(DiscoveryFlag),
        "relay type" Dependent(RelayType), "relay" Dependent(Gateway(0x7F));
    261 "RESINFO": "text" Text(Many);
    262 "WALLET": "text" Text(Many);
    263 "CLA": "text" Text(Many);
    264 "IPN": "node number" Number(U64);
    32768 "TA": "key tag" Number(U16), "algorithm" ALGORITHM, "digest type" DIGEST_TYPE,
        "digest" Octets(Digest(&DS_DIGESTS));
    32769 "DLV": "key tag" Number(U16), "algorithm" ALGORITHM, "digest type" DIGEST_TYPE,
        "digest" Octets(Digest(&DS_DIGESTS));
};
