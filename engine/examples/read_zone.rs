//! Reads a zone file, prints its diagnostics and how long the reading took: for measurements and for a quick look.
//!
//! `cargo run --release --example read_zone -- FILE ORIGIN`

use std::time::Instant;
use std::{env, fs, process};

use oakroot_engine::name::Name;
use oakroot_engine::record::{Record, RecordSink};
use oakroot_engine::zonefile::{self, NoIncludes, Settings};

/// Counts records and their octets.
#[derive(Default)]
struct Counts {
    records: usize,
    octets: usize,
}

impl RecordSink for Counts {
    fn record(&mut self, record: &Record<'_>) {
        self.records += 1;
        self.octets += record.owner.len() + record.rdata.len();
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, origin] = arguments.as_slice() else {
        eprintln!("usage: read_zone FILE ORIGIN");
        process::exit(2);
    };
    let origin = Name::from_text(origin.as_bytes(), Some(&Name::root())).unwrap_or_else(|error| {
        eprintln!("{origin} {}", error.message());
        process::exit(2);
    });
    let text = fs::read(file).unwrap_or_else(|error| {
        eprintln!("{file}: {error}");
        process::exit(2);
    });
    let mut counts = Counts::default();
    let begun = Instant::now();
    let reading = zonefile::read(&text, file, &origin, Settings::default(), &mut NoIncludes, &mut counts);
    let seconds = begun.elapsed().as_secs_f64();
    for diagnostic in reading.diagnostics() {
        let place = reading.locate(diagnostic.span);
        println!("{}:{}:{}: {}", place.file, place.line, place.column, diagnostic.message);
        if let Some(hint) = &diagnostic.hint {
            println!("  {hint}");
        }
    }
    println!("{} records, {} octets of names and data, {seconds:.3} s", counts.records, counts.octets);
}
