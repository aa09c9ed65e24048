//! Text, its octets, and the canonical text again, for every type. The octets were computed with other software.

use super::super::{check_wire, type_number, write_text};
use super::read;

/// Type, text as an author writes it, octets in hexadecimal, canonical text.
const GOLDEN: &[(&str, &str, &str, &str)] = &[
    ("A", "192.0.2.1", "C0000201", "192.0.2.1"),
    ("NS", "ns", "026E73076578616D706C65036F726700", "ns.example.org."),
    ("MX", "10 @", "000A076578616D706C65036F726700", "10 example.org."),
    ("TXT", r#"a "b c" "\"\065""#, "016103622063022241", r#""a" "b c" "\"A""#),
    ("AAAA", "2001:DB8::1", "20010DB8000000000000000000000001", "2001:db8::1"),
    ("SOA", ". . 1 1h30m 1w 2d 0", "0000000000010000151800093A800002A30000000000", ". . 1 5400 604800 172800 0"),
    ("TYPE731", r"\# 3 ab cdef", "ABCDEF", r"\# 3 ABCDEF"),
    ("A", r"\# 4 C0000201", "C0000201", "192.0.2.1"),
];

#[test]
fn the_constants_agree_with_the_table() {
    for (mnemonic, number) in super::super::types::ALL {
        assert_eq!(type_number(mnemonic.as_bytes()), Some(*number), "{mnemonic}");
    }
}

#[test]
fn text_becomes_the_known_octets_and_canonical_text() {
    for (mnemonic, text, hex, canonical) in GOLDEN {
        let rtype = type_number(mnemonic.as_bytes()).unwrap();
        let wire = read(mnemonic, text).unwrap_or_else(|error| panic!("{mnemonic} {text}: {error:?}"));
        assert_eq!(data_encoding::HEXUPPER.encode(&wire), *hex, "{mnemonic} {text}");
        assert_eq!(check_wire(rtype, &wire), Ok(()), "{mnemonic} {text}");
        let mut written = String::new();
        write_text(rtype, &wire, &mut written);
        assert_eq!(written, *canonical, "{mnemonic} {text}");
        assert_eq!(read(mnemonic, &written).unwrap(), wire, "{mnemonic} {written}");
    }
}
