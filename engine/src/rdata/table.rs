//! The table of record types, in the order of their numbers.
//!
//! This is the only place that knows which type has which fields; see `field` for the vocabulary.

use super::field::Form::{
    CompressibleName, Hex, Ipv4, Ipv6, Name, OptionalString, Period, String, Strings, U8, U16, U32,
};
use super::field::{Target, TypeRow, field};

/// Every record type that has a name, by number.
pub(super) static TYPES: &[TypeRow] = &[
    TypeRow::new(1, "A", &[field("address", Ipv4)]),
    TypeRow::new(2, "NS", &[field("name server", CompressibleName)]).target(Target::At(0)),
    TypeRow::new(5, "CNAME", &[field("target", CompressibleName)]).singleton(),
    TypeRow::new(
        6,
        "SOA",
        &[
            field("primary server", CompressibleName),
            field("mailbox", CompressibleName),
            field("serial", U32),
            field("refresh time", Period),
            field("retry time", Period),
            field("expire time", Period),
            field("minimum", Period),
        ],
    )
    .singleton(),
    TypeRow::new(12, "PTR", &[field("target", CompressibleName)]),
    TypeRow::new(13, "HINFO", &[field("processor", String), field("operating system", String)]),
    TypeRow::new(15, "MX", &[field("preference", U16), field("mail server", CompressibleName)]).target(Target::At(2)),
    TypeRow::new(16, "TXT", &[field("text", Strings)]),
    TypeRow::new(20, "ISDN", &[field("address", String), field("subaddress", OptionalString)]),
    TypeRow::new(28, "AAAA", &[field("address", Ipv6)]),
    TypeRow::new(
        33,
        "SRV",
        &[field("priority", U16), field("weight", U16), field("port", U16), field("target", Name)],
    )
    .target(Target::At(6)),
    TypeRow::new(39, "DNAME", &[field("target", Name)]).singleton(),
    TypeRow::opaque(41, "OPT"),
    TypeRow::new(44, "SSHFP", &[field("algorithm", U8), field("fingerprint type", U8), field("fingerprint", Hex)]),
    TypeRow::opaque(249, "TKEY"),
    TypeRow::opaque(250, "TSIG"),
    TypeRow::opaque(251, "IXFR"),
    TypeRow::opaque(252, "AXFR"),
    TypeRow::opaque(253, "MAILB"),
    TypeRow::opaque(254, "MAILA"),
    TypeRow::opaque(255, "ANY"),
];
