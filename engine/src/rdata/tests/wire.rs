//! Octets from outside that are not what their type wants.

use super::super::{check_wire, type_number};
use super::write;

/// Type, octets in hexadecimal, and why they are refused.
const BAD: &[(&str, &str, &str)] = &[
    ("A", "C00002", "ends too early"),
    ("A", "C000020101", "has octets left over after its last value"),
    ("AAAA", "", "ends too early"),
    ("NS", "0161", "is not a name in wire form"),
    ("NS", "C000", "is not a name in wire form"),
    ("MX", "000A016100FF", "has octets left over after its last value"),
    ("TXT", "", "ends too early"),
    ("TXT", "0361", "ends too early"),
    ("X25", "03313233", "must have four digits or more"),
    ("GPOS", "013001300161", "must be a number like -23.5"),
    ("NSAP", "", "is empty"),
    ("ATMA", "0161", "has an unknown format or no digits"),
    ("LOC", "", "is empty"),
    ("LOC", "00", "ends too early"),
    ("LOC", "001A161380000000800000000098967F", "has a size that is no digit and power of ten"),
    ("LOC", "000116138000000080000000009896", "ends too early"),
    ("LOC", "0001161380000000800000000098967F", "has a size that is no digit and power of ten"),
    ("LOC", "00121613FFFFFFFF800000000098967F", "has an angle beyond 90 degrees of latitude or 180 of longitude"),
    ("NXT", "0080", "are in an unknown format"),
    ("NXT", "004000", "end in a zero octet"),
    ("NXT", "004000000000000000000000000000000001", "have more bits than there are numbers"),
    ("WKS", "C00002010600", "end in a zero octet"),
    ("A6", "81", "must be a number from 0 to 128"),
    ("A6", "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00", "has bits set in its padding"),
    ("APL", "0001", "ends too early"),
    ("APL", "00012105C000020101", "have one that is longer than an address"),
    ("APL", "00011802C000", "have an address that ends in a zero octet"),
    ("DS", "0001080201", "has another length than its type asks for"),
    ("DS", "00010805", "has another length than its type asks for"),
    ("SSHFP", "010101", "has another length than its type asks for"),
    ("TLSA", "03010101", "has another length than its type asks for"),
    ("ZONEMD", "0000000101F00102030405060708090A0B", "has another length than its type asks for"),
    ("IPSECKEY", "0A0402", "has an unknown type; known are 0 for none, 1 for IPv4, 2 for IPv6, 3 for a name"),
    ("IPSECKEY", "0A0002", "is empty"),
    (
        "NAPTR",
        "000100020000 03216121 00",
        "must be empty or like !^.*$!sip:info@example.org!, with the same delimiter three times",
    ),
    ("KEY", "00000305", "is empty"),
    ("RRSIG", "0001080200000000000000000000000000010161", "is not a name in wire form"),
    ("NSEC", "00000140FF", "ends too early"),
    ("NSEC", "000000", "have a window of a wrong length"),
    ("NSEC", "00000100", "have a window that ends in a zero octet"),
    ("NSEC", "00000180", "have the bit of type 0 set"),
    ("NSEC", "00010140000140", "have windows out of order"),
    ("NSEC", "00000240", "ends too early"),
    ("NSEC3", "010000000001FF", "has another length than its type asks for"),
    ("HIP", "00020001", "is empty"),
    ("HIP", "01020000AA", "is empty"),
    ("HIP", "01020002AA01", "ends too early"),
    ("CAA", "00026121", "must have only letters and digits, like issue"),
    ("CAA", "0000", "must have only letters and digits, like issue"),
    ("URI", "00010001", "is empty"),
    ("HTTPS", "000000000100030268", "stands in a record of priority 0 (an alias), which takes none"),
    ("HTTPS", "0001000003000200350003000200350001", "stands out of order or twice"),
    ("HTTPS", "000100000300020035000100030268320000", "stands out of order or twice"),
    ("HTTPS", "00010000030001", "ends too early"),
    ("HTTPS", "0001000003000100", "port must be a number from 0 to 65535"),
    ("HTTPS", "00010000020000", "no-default-alpn needs alpn beside it"),
    ("HTTPS", "00010000000002000100030002 0035", "mandatory names a key that the record does not have"),
    ("HTTPS", "0001000000000200 00", "mandatory must list other keys, none twice, with commas between"),
    ("HTTPS", "00010000010001 00", "alpn must list protocols of 1 to 255 octets with commas between, like h2,h3"),
    ("HTTPS", "0001000004000301 0203", "ipv4hint must list IPv4 addresses with commas between"),
    ("HTTPS", "0001000008000101", "ohttp takes no value"),
];

#[test]
fn octets_that_do_not_fit_their_type_are_refused() {
    for (mnemonic, hex, reason) in BAD {
        let octets = data_encoding::HEXUPPER.decode(hex.replace(' ', "").as_bytes()).unwrap();
        let rtype = type_number(mnemonic.as_bytes()).unwrap();
        assert_eq!(check_wire(rtype, &octets), Err(*reason), "{mnemonic} {hex}");
    }
}

#[test]
fn octets_that_do_not_fit_their_type_are_written_as_they_are() {
    for (mnemonic, hex, _) in BAD {
        let hex = hex.replace(' ', "");
        let octets = data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap();
        let text = write(type_number(mnemonic.as_bytes()).unwrap(), &octets);
        assert_eq!(text, format!(r"\# {} {hex}", octets.len()).trim_end(), "{mnemonic}");
    }
}

#[test]
fn a_type_without_a_known_form_takes_any_octets() {
    assert_eq!(check_wire(65280, &vec![0; 65_535]), Ok(()));
    assert_eq!(check_wire(65280, &vec![0; 65_536]), Err("has more than 65535 octets"));
}
