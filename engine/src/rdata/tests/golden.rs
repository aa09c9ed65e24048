//! Text, its octets, and canonical text, for every type that has a form of its own.

use super::super::table::TYPES;
use super::super::{check_wire, is_meta, type_number};
use super::{read, reread, write};

/// One block of `golden.txt`.
struct Golden {
    mnemonic: &'static str,
    text: &'static str,
    wire: Vec<u8>,
    canonical: &'static str,
}

fn goldens() -> Vec<Golden> {
    let blocks = include_str!("golden.txt").split("\n\n").filter(|block| !block.starts_with('#'));
    blocks.map(golden).collect()
}

fn golden(block: &'static str) -> Golden {
    let mut lines = block.lines();
    let (mnemonic, text) = lines.next().and_then(|line| line.split_once(' ')).unwrap();
    let hex = lines.next().unwrap().trim_start().trim_start_matches('-');
    let wire = data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap();
    let canonical = lines.next().map_or(text, str::trim_start);
    Golden { mnemonic, text, wire, canonical }
}

/// Type and octets of every golden record, for tests that need RDATA that is sound.
pub(super) fn records() -> Vec<(u16, Vec<u8>)> {
    goldens().into_iter().map(|golden| (type_number(golden.mnemonic.as_bytes()).unwrap(), golden.wire)).collect()
}

/// Type and text of every golden record.
pub(super) fn texts() -> Vec<(u16, &'static str)> {
    goldens().into_iter().map(|golden| (type_number(golden.mnemonic.as_bytes()).unwrap(), golden.text)).collect()
}

#[test]
fn text_becomes_the_known_octets() {
    for Golden { mnemonic, text, wire, .. } in goldens() {
        let read = read(mnemonic, text).unwrap_or_else(|error| panic!("{mnemonic} {text}: {error:?}"));
        assert_eq!(data_encoding::HEXUPPER.encode(&read), data_encoding::HEXUPPER.encode(&wire), "{mnemonic} {text}");
    }
}

#[test]
fn known_octets_are_sound() {
    for (rtype, wire) in records() {
        assert_eq!(check_wire(rtype, &wire), Ok(()), "{rtype} {wire:?}");
    }
}

#[test]
fn known_octets_become_canonical_text() {
    for Golden { mnemonic, wire, canonical, .. } in goldens() {
        assert_eq!(write(type_number(mnemonic.as_bytes()).unwrap(), &wire), canonical, "{mnemonic}");
    }
}

#[test]
fn the_reader_of_zone_files_takes_canonical_text_back() {
    for (rtype, wire) in records() {
        let text = write(rtype, &wire);
        assert_eq!(reread(rtype, &text).as_deref(), Some(&wire[..]), "{rtype} {text}");
    }
}

#[test]
fn every_type_of_data_has_a_golden_record() {
    let records = records();
    for row in TYPES.iter().filter(|row| !is_meta(row.number)) {
        assert!(records.iter().any(|(rtype, _)| *rtype == row.number), "{}", row.mnemonic);
    }
}
