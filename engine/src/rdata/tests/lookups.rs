//! Types by name and number, and what is asked about RDATA: names, targets.

use super::super::{
    Embedded, NameField, additional_target, has_names, is_meta, is_singleton, names, type_number, types, write_type,
};
use super::{golden, read};
use crate::name;

#[test]
fn the_constants_agree_with_the_table() {
    for (mnemonic, number) in types::ALL {
        assert_eq!(type_number(mnemonic.as_bytes()), Some(*number), "{mnemonic}");
    }
}

#[test]
fn types_are_found_by_name_in_any_case() {
    for (text, number) in [("a", 1), ("A", 1), ("Mx", 15), ("nsec3param", 51), ("NSAP-PTR", 23), ("dlv", 32769)] {
        assert_eq!(type_number(text.as_bytes()), Some(number), "{text}");
    }
}

#[test]
fn every_number_is_found_by_what_is_written_for_it() {
    for number in 0..=u16::MAX {
        let mut text = String::new();
        write_type(number, &mut text);
        assert_eq!(type_number(text.as_bytes()), Some(number), "{text}");
    }
}

#[test]
fn types_without_a_name_are_written_as_rfc_3597_has_it() {
    let mut text = String::new();
    write_type(65280, &mut text);
    assert_eq!(text, "TYPE65280");
}

#[test]
fn what_names_no_type_is_refused() {
    for text in ["", "AB", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "TYPE 1", "IN", "www", "NSEC3PARAMS", "a\0", "!"]
    {
        assert_eq!(type_number(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn types_of_messages_are_told_from_types_of_data() {
    for (mnemonic, expected) in [("OPT", true), ("ANY", true), ("TSIG", true), ("TYPE128", true), ("TYPE0", true)] {
        assert_eq!(is_meta(type_number(mnemonic.as_bytes()).unwrap()), expected, "{mnemonic}");
    }
    for mnemonic in ["A", "EUI64", "TYPE127", "URI", "TYPE65280"] {
        assert!(!is_meta(type_number(mnemonic.as_bytes()).unwrap()), "{mnemonic}");
    }
}

#[test]
fn a_name_owns_one_soa_cname_and_dname() {
    for number in 0..=u16::MAX {
        let expected = [types::SOA, types::CNAME, types::DNAME].contains(&number);
        assert_eq!(is_singleton(number), expected, "{number}");
    }
}

/// The names in the RDATA of this text, with a `~` before those that may be compressed.
fn names_in(mnemonic: &str, text: &str) -> String {
    let rdata = read(mnemonic, text).unwrap();
    let shown =
        names(type_number(mnemonic.as_bytes()).unwrap(), &rdata).map(|NameField { start, end, compressible }| {
            let mut shown = String::from(if compressible { "~" } else { "" });
            name::write_text(&rdata[start..end], &mut shown);
            shown
        });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn names_are_found_wherever_they_stand() {
    for (mnemonic, text, expected) in [
        ("A", "192.0.2.1", ""),
        ("NS", "a.", "~a."),
        ("SOA", "a. b. 1 2 3 4 5", "~a. ~b."),
        ("MX", "10 a.", "~a."),
        ("RP", "a. b.", "a. b."),
        ("SRV", "1 2 3 a.", "a."),
        ("NAPTR", r#"1 2 "u" "s" "" a."#, "a."),
        ("RRSIG", "A 8 2 300 0 0 1 a. AQID", "a."),
        ("NSEC", "a. A NS", "a."),
        ("HTTPS", "1 a. alpn=h2", "a."),
        ("IPSECKEY", "1 3 2 a. AQID", "a."),
        ("IPSECKEY", "1 1 2 192.0.2.1 AQID", ""),
        ("AMTRELAY", "1 1 3 a.", "a."),
        ("AMTRELAY", "1 0 2 2001:db8::1", ""),
        ("HIP", "2 00 AQID a. b. c.", "a. b. c."),
        ("HIP", "2 00 AQID", ""),
        ("A6", "0 ::", ""),
        ("A6", "64 ::1 a.", "a."),
        ("TYPE731", r"\# 3 016100", ""),
    ] {
        assert_eq!(names_in(mnemonic, text), expected, "{mnemonic} {text}");
    }
}

#[test]
fn names_to_compress_are_found_without_a_walk() {
    for (rtype, rdata) in golden::records() {
        let compressible: Vec<_> = names(rtype, &rdata).filter(|name| name.compressible).collect();
        let Embedded { start, count, behind } = Embedded::of(rtype);
        assert_eq!(compressible.len(), count, "{rtype}");
        let mut at = start;
        for name in compressible {
            assert_eq!(name.start, at, "{rtype}");
            at = name.end;
        }
        assert!(count == 0 || at + behind == rdata.len(), "{rtype}");
    }
}

#[test]
fn types_with_names_are_those_whose_records_have_some() {
    for (rtype, rdata) in golden::records() {
        assert!(has_names(rtype) || names(rtype, &rdata).next().is_none(), "{rtype}");
    }
    for (mnemonic, expected) in [("A", false), ("TXT", false), ("MX", true), ("AMTRELAY", true), ("HIP", true)] {
        assert_eq!(has_names(type_number(mnemonic.as_bytes()).unwrap()), expected, "{mnemonic}");
    }
}

#[test]
fn names_before_a_break_are_still_found() {
    assert_eq!(names(types::SOA, b"\x01a\x00\x05b").count(), 1);
}

/// The target that RDATA of this text points at, `-` for none.
fn target_of(mnemonic: &str, text: &str) -> String {
    let rdata = read(mnemonic, text).unwrap();
    let mut shown = String::new();
    match additional_target(type_number(mnemonic.as_bytes()).unwrap(), &rdata) {
        Some(target) => name::write_text(target, &mut shown),
        None => shown.push('-'),
    }
    shown
}

#[test]
fn targets_are_hosts_whose_addresses_a_client_needs_next() {
    for (mnemonic, text, expected) in [
        ("NS", "a.", "a."),
        ("MX", "10 a.", "a."),
        ("SRV", "1 2 3 a.", "a."),
        ("AFSDB", "1 a.", "a."),
        ("KX", "1 a.", "a."),
        ("RT", "1 a.", "a."),
        ("LP", "1 a.", "a."),
        ("SVCB", "0 a.", "a."),
        ("HTTPS", "1 a. alpn=h2", "a."),
        ("CNAME", "a.", "-"),
        ("PTR", "a.", "-"),
        ("SOA", "a. b. 1 2 3 4 5", "-"),
        ("A", "192.0.2.1", "-"),
        ("TYPE731", r"\# 3 016100", "-"),
    ] {
        assert_eq!(target_of(mnemonic, text), expected, "{mnemonic} {text}");
    }
}

#[test]
fn the_root_is_no_target() {
    for (mnemonic, text) in [("MX", "0 ."), ("SRV", "0 0 0 ."), ("HTTPS", "1 ."), ("NS", ".")] {
        assert_eq!(target_of(mnemonic, text), "-", "{mnemonic} {text}");
    }
}

#[test]
fn a_naptr_points_at_a_host_only_with_flag_a() {
    for (text, expected) in [
        (r#"1 2 "A" "" "" a."#, "a."),
        (r#"1 2 "a" "" "" a."#, "a."),
        (r#"1 2 "s" "" "" a."#, "-"),
        (r#"1 2 "" "" "" a."#, "-"),
        (r#"1 2 "a" "" "" ."#, "-"),
    ] {
        assert_eq!(target_of("NAPTR", text), expected, "{text}");
    }
}
