//! `$INCLUDE`: what goes in, what comes out, and what is refused.

use std::cell::Cell;

use oakroot_engine::zonefile::{self, Includes, Settings};

use crate::support::{Files, Kept, findings, origin, read_with};

#[track_caller]
fn assert_read<const N: usize>(text: &str, files: [(&str, &str); N], records: &[&str], expected: &[&str]) {
    let (reading, kept) = read_with(text.as_bytes(), Settings::default(), &mut Files::of(files));
    assert_eq!(kept.records, records, "{text}");
    assert_eq!(findings(&reading), expected, "{text}");
}

#[test]
fn the_records_of_the_file_come_in_its_place() {
    assert_read(
        "a 1 TXT x\n$INCLUDE hosts.inc\nb 1 TXT z\n",
        [("hosts.inc", "h 1 TXT y\n")],
        &["a.example.org. 1 TXT \"x\"", "h.example.org. 1 TXT \"y\"", "b.example.org. 1 TXT \"z\""],
        &[],
    );
}

#[test]
fn an_origin_may_be_given_and_may_be_relative() {
    assert_read(
        "$INCLUDE \"a file\" sub\n$INCLUDE \"a file\" net.\n",
        [("a file", "h 1 NS @\n")],
        &["h.sub.example.org. 1 NS sub.example.org.", "h.net. 1 NS net."],
        &[],
    );
}

#[test]
fn origin_and_owner_are_afterwards_what_they_were() {
    assert_read(
        "a 1 TXT x\n$INCLUDE f\n 1 TXT y\nb 1 TXT z\n",
        [("f", "$ORIGIN sub\nh 1 TXT in\n")],
        &[
            "a.example.org. 1 TXT \"x\"",
            "h.sub.example.org. 1 TXT \"in\"",
            "a.example.org. 1 TXT \"y\"",
            "b.example.org. 1 TXT \"z\"",
        ],
        &[],
    );
}

#[test]
fn a_default_ttl_goes_in_and_stays_as_in_bind() {
    assert_read(
        "$TTL 5\n$INCLUDE f\nb TXT z\n",
        [("f", "a TXT x\n$TTL 6\n")],
        &["a.example.org. 5 TXT \"x\"", "b.example.org. 6 TXT \"z\""],
        &[],
    );
}

#[test]
fn an_included_file_begins_without_owner() {
    assert_read(
        "a 1 TXT x\n$INCLUDE f\n",
        [("f", " 1 TXT y\n")],
        &["a.example.org. 1 TXT \"x\""],
        &["f:1:2-3 no-owner"],
    );
}

#[test]
fn mistakes_are_located_in_the_file_they_stand_in() {
    assert_read(
        "x A\n$INCLUDE f\n$INCLUDE g\nz A\n",
        [("f", "\n\n y A\n"), ("g", "q 1 AA\n")],
        &[],
        &[
            "1:3-4 bad-rdata",
            "1:3-4 no-ttl",
            "f:3:2-3 no-owner",
            "f:3:2-3 unknown-type",
            "g:1:5-7 unknown-type",
            "4:3-4 bad-rdata",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_opened_is_reported_at_its_path() {
    let text = b"$INCLUDE ../../etc/passwd\na 1 TXT x\n";
    let (reading, kept) = read_with(text, Settings::default(), &mut Files::default());
    assert_eq!(findings(&reading), ["1:10-26 bad-include"]);
    assert_eq!(reading.diagnostics()[0].message, "`../../etc/passwd` cannot be included: there is no such file");
    assert_eq!(kept.records, ["a.example.org. 1 TXT \"x\""]);
}

#[test]
fn a_path_that_is_no_text_is_refused() {
    let (reading, _) = read_with(b"$INCLUDE \xff\n$INCLUDE \"\"\n", Settings::default(), &mut Files::default());
    assert_eq!(findings(&reading), ["1:10-11 bad-include", "2:10-12 bad-include"]);
}

#[test]
fn a_file_that_includes_itself_is_a_cycle() {
    assert_read(
        "$INCLUDE f\n",
        [("f", "$INCLUDE g\n"), ("g", "$INCLUDE f\n$INCLUDE zone\n")],
        &[],
        &["g:1:10-11 include-cycle", "g:2:10-14 include-cycle"],
    );
}

#[test]
fn a_file_may_be_included_twice_side_by_side() {
    let text = "$INCLUDE f a\n$INCLUDE f b\n";
    assert_read(text, [("f", "@ 1 TXT x\n")], &["a.example.org. 1 TXT \"x\"", "b.example.org. 1 TXT \"x\""], &[]);
}

/// Every file includes the next one, without end.
struct Chain;

impl Includes for Chain {
    fn open(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let next = path.parse::<u32>().map_err(|error| error.to_string())? + 1;
        Ok(format!("$INCLUDE {next}\nh{path} 1 TXT x\n").into_bytes())
    }
}

#[test]
fn files_go_ten_deep() {
    let mut kept = Kept::default();
    let reading = zonefile::read(b"$INCLUDE 1\n", "zone", &origin(), Settings::default(), &mut Chain, &mut kept);
    assert_eq!(findings(&reading), ["10:1:10-12 include-depth"]);
    assert_eq!(kept.records.len(), 10);
}

/// Every file includes ten others, none of them twice.
struct Avalanche(Cell<u32>);

impl Includes for Avalanche {
    fn open(&mut self, _path: &str) -> Result<Vec<u8>, String> {
        let lines = (0..10).map(|_| {
            self.0.set(self.0.get() + 1);
            format!("$INCLUDE {}\n", self.0.get())
        });
        Ok(lines.collect::<String>().into_bytes())
    }
}

#[test]
fn files_that_multiply_come_to_an_end() {
    let (mut files, mut kept) = (Avalanche(Cell::new(0)), Kept::default());
    let reading = zonefile::read(b"$INCLUDE 0\n", "zone", &origin(), Settings::default(), &mut files, &mut kept);
    assert!(files.0.get() <= 10 * 70_000, "{}", files.0.get());
    assert!(reading.diagnostics().iter().any(|diagnostic| diagnostic.code == "include-depth"));
}
