//! For unit tests only: zones and answers as text.

use crate::answer::decide::{Question, decide};
use crate::answer::{Answer, Data, Owner};
use crate::message::writer::Section;
use crate::name::{self, Name};
use crate::rdata;
use crate::zone::Zone;
use crate::zone::build::ZoneBuilder;
use crate::zone::catalogue::{Catalogue, Entry};
use crate::zone::checks::Finding;
use crate::zone::hash::LookupName;
use crate::zone::page::Rrset;
use crate::zonefile::{NoIncludes, Settings, read};
use std::fmt::Write;
use std::sync::Arc;

/// Reads a zone; what is wrong with it comes along.
pub fn zone_and_findings(apex: &str, text: &str) -> (Option<Zone>, Vec<Finding>) {
    let apex = Name::from_text(apex.as_bytes(), None).unwrap();
    let mut builder = ZoneBuilder::new(apex.clone());
    let reading = read(text.as_bytes(), "zone", &apex, Settings::default(), &mut NoIncludes, &mut builder);
    assert_eq!(reading.diagnostics(), [], "the text of the test reads well");
    builder.finish()
}

/// A zone without errors.
pub fn zone(apex: &str, text: &str) -> Zone {
    let (zone, findings) = zone_and_findings(apex, text);
    zone.unwrap_or_else(|| panic!("{findings:?}"))
}

/// A catalogue of zones.
pub fn catalogue(zones: &[(&str, &str)]) -> Catalogue {
    Catalogue::default().changed(zones.iter().map(|(apex, text)| Entry::Zone(Arc::new(zone(apex, text)))), &[])
}

/// The answer to `NAME TYPE` as text: a line with the code and the AA bit, then a line for each record.
pub fn ask(catalogue: &Catalogue, question: &str) -> String {
    let mut words = question.split_whitespace();
    let (asked, qtype) = (words.next().unwrap(), words.next().unwrap());
    let flags: Vec<_> = words.collect();
    let asked = Name::from_text(asked.as_bytes(), None).unwrap();
    let (mut name, mut chain) = (LookupName::default(), LookupName::default());
    name.fill(asked.as_wire());
    let qtype = rdata::type_number(qtype.as_bytes()).unwrap();
    let question = Question { qtype, dnssec_ok: flags.contains(&"DO"), any_in_full: flags.contains(&"TCP") };
    let mut answer = Answer::empty();
    decide(catalogue, &name, &mut chain, question, &mut answer);
    text(&answer, asked.as_wire())
}

fn text(answer: &Answer<'_>, asked: &[u8]) -> String {
    let code = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN"];
    let mut lines =
        vec![format!("{}{}", code[usize::from(answer.rcode)], if answer.authoritative { " AA" } else { "" })];
    for item in &answer.items {
        let owner = match item.owner {
            Owner::Question(start) => asked[usize::from(start)..].to_vec(),
            Owner::Stored(relative, apex) => [relative, apex].concat(),
            Owner::Made(number) => answer.made[number].to_vec(),
        };
        let section = match item.section {
            Section::Answer => "",
            Section::Authority => "authority: ",
            Section::Additional => "additional: ",
        };
        let stored = |rrset: Rrset<'_>, ttl| rrset.rdatas().map(|rdata| (rrset.rtype, ttl, rdata.to_vec())).collect();
        let records: Vec<(u16, u32, Vec<u8>)> = match item.data {
            Data::Stored(rrset) => stored(rrset, rrset.ttl()),
            Data::Synthesized(target, ttl) => vec![(rdata::types::CNAME, ttl, answer.made[target].to_vec())],
            Data::NegativeSoa(zone, dnssec_ok) => {
                let (soa, signatures) = zone.apex_node().signed_rrset(rdata::types::SOA).unwrap();
                let rrsets = std::iter::once(soa).chain(signatures.filter(|_| dnssec_ok));
                rrsets.flat_map(|rrset| stored(rrset, zone.soa().negative_ttl)).collect()
            }
        };
        for (rtype, ttl, rdata) in records {
            let mut line = section.to_owned();
            name::write_text(&owner, &mut line);
            let _ = write!(line, " {ttl} ");
            rdata::write_type(rtype, &mut line);
            line.push(' ');
            rdata::write_text(rtype, &rdata, &mut line);
            lines.push(line);
        }
    }
    lines.join("\n")
}
