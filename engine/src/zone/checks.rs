//! What can be wrong with records that each read well: rules about owners, `RRset`s, the apex and targets.
//!
//! Errors are what would make the zone answer wrongly or not at all; the rest are warnings. Findings name a record and
//! the part of it that is meant; lines and columns are the reader's business.

use super::Zone;
use super::page::{Flags, Node};
use super::staging::{MARK, Staged};
use crate::name::{self, Name};
use crate::rdata::{self, types};
use crate::record::{Record, Severity, Span};

/// Most errors, and most warnings, that are collected. Each has a limit of its own: a zone with many warnings must not
/// pass because there was no room left for its error.
const MOST_FINDINGS: usize = 1000;

/// The part of a record that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The owner; for a record whose owner is left blank, its first token.
    Owner,
    /// The type.
    Type,
    /// A token of the RDATA, counted from 0.
    Field(usize),
}

/// One finding about a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The rule.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// The record; None for the zone as a whole.
    pub span: Option<Span>,
    /// The part of the record.
    pub focus: Focus,
}

impl Finding {
    /// A finding that keeps the zone from being served.
    #[must_use]
    pub fn error(code: &'static str, message: String, span: Span, focus: Focus) -> Self {
        Self { severity: Severity::Error, code, message, hint: None, span: Some(span), focus }
    }

    /// A finding that does not.
    #[must_use]
    pub fn warning(code: &'static str, message: String, span: Span, focus: Focus) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, span, focus) }
    }

    /// Whether it could be a mere consequence of records that could not be read.
    #[must_use]
    pub fn depends_on_the_whole(&self) -> bool {
        matches!(self.code, "missing-soa" | "missing-ns" | "missing-glue" | "target-without-address")
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Findings in the order in which they come to light, with a limit: one `$GENERATE` line can go wrong 65536 times.
#[derive(Debug, Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// Adds a finding, unless there are enough of its severity.
    pub(super) fn push(&mut self, finding: Finding) {
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= MOST_FINDINGS {
            self.all.push(finding);
        }
    }

    /// Adds those of another part of the zone.
    pub(super) fn append(&mut self, other: Self) {
        let (errors, warnings) = (self.errors + other.errors, self.warnings + other.warnings);
        other.all.into_iter().for_each(|finding| self.push(finding));
        (self.errors, self.warnings) = (errors, warnings);
    }

    /// All of them, and how many were left out.
    pub(super) fn into_vec(mut self) -> Vec<Finding> {
        let counts = [(Severity::Error, self.errors, "errors"), (Severity::Warning, self.warnings, "warnings")];
        for (severity, count, what) in counts {
            if count > MOST_FINDINGS {
                let message = format!("the zone has {count} {what}; {MOST_FINDINGS} of them are shown");
                let code = "too-many-findings";
                self.all.push(Finding { severity, code, message, hint: None, span: None, focus: Focus::Owner });
            }
        }
        self.all
    }
}

fn text(wire: &[u8]) -> String {
    let mut text = String::new();
    name::write_text(wire, &mut text);
    text
}

fn absolute(relative: &[u8], apex: &Name) -> String {
    text(&[relative, apex.as_wire()].concat())
}

pub(super) fn out_of_zone(record: &Record<'_>, apex: &Name) -> Finding {
    let message = format!("{} is not in the zone {apex}", text(record.owner));
    Finding::error("out-of-zone", message, record.span, Focus::Owner)
        .hint("move the record to the file of its own zone, or leave off the final dot to mean a name in this zone")
}

pub(super) fn too_large(record: &Record<'_>) -> Finding {
    Finding::error("zone-too-large", "the zone has more than 4 GiB of records".into(), record.span, Focus::Owner)
}

pub(super) fn names_too_large() -> Finding {
    Finding {
        severity: Severity::Error,
        code: "zone-too-large",
        message: "some names of this zone own more than 16 MiB of records".into(),
        hint: None,
        span: None,
        focus: Focus::Owner,
    }
}

pub(super) fn missing_soa(apex: &Name) -> Finding {
    Finding {
        severity: Severity::Error,
        code: "missing-soa",
        message: format!("the zone {apex} has no SOA record"),
        hint: Some("a zone begins with: @ SOA ns1 hostmaster 1 86400 7200 1048576 3600".into()),
        span: None,
        focus: Focus::Owner,
    }
}

/// Rules about all that one name owns. Records come in the order of the file.
pub(super) fn owner(apex: &Name, group: &[Staged<'_>], flags: Flags, findings: &mut Findings) {
    let mut records = group.iter().filter(|staged| staged.rtype != MARK);
    let Some(first) = records.next() else { return };
    if flags.any(Flags::CNAME) {
        cname_alone(apex, group, findings);
    }
    for rtype in [types::SOA, types::DNAME] {
        only_one(apex, group, rtype, findings);
    }
    leaked_keys(apex, group, findings);
    if first.owner.is_empty() {
        return;
    }
    if let Some(soa) = group.iter().find(|staged| staged.rtype == types::SOA) {
        let message = format!("this SOA belongs to {}, not to the zone {apex}", absolute(soa.owner, apex));
        findings.push(
            Finding::error("soa-below-apex", message, soa.span, Focus::Owner)
                .hint("each zone has a file of its own; the SOA's owner is @"),
        );
    }
    if ends_in_apex(first.owner, apex) {
        let message = format!("{} names the zone twice", absolute(first.owner, apex));
        findings.push(Finding::warning("forgotten-dot", message, first.span, Focus::Owner).hint(FORGOTTEN_DOT));
    }
    occluded(apex, group, flags, findings);
}

const FORGOTTEN_DOT: &str =
    "a name without a final dot is completed with the origin: add the dot, or leave the zone off";

/// Whether a relative name ends in the labels of the apex once more (`www.example.org` in zone `example.org`).
fn ends_in_apex(relative: &[u8], apex: &Name) -> bool {
    let zone = apex.as_wire();
    zone.len() > 1 && {
        let mut with_root = relative.to_vec();
        with_root.push(0);
        name::is_at_or_below(&with_root, zone)
    }
}

/// A CNAME stands alone (RFC 1034 §3.6.2), DNSSEC's own records aside (RFC 4034 §3, §4).
fn cname_alone(apex: &Name, group: &[Staged<'_>], findings: &mut Findings) {
    let cnames = group.iter().filter(|staged| staged.rtype == types::CNAME);
    let first_cname = cnames.clone().min_by_key(|staged| (staged.span.file, staged.span.start));
    let is_other = |staged: &&Staged<'_>| {
        !matches!(staged.rtype, MARK | types::CNAME | types::RRSIG | types::NSEC | types::KEY | types::NXT)
    };
    let Some(cname) = first_cname else { return };
    let name = absolute(cname.owner, apex);
    if let Some(other) = group.iter().find(is_other) {
        let mut rtype = String::new();
        rdata::write_type(other.rtype, &mut rtype);
        let message = format!("{name} has a CNAME beside other data ({rtype})");
        let hint = "a name with a CNAME can have nothing else; at the apex use the addresses themselves, or HTTPS";
        findings.push(Finding::error("cname-and-other-data", message, cname.span, Focus::Owner).hint(hint));
    }
    if let Some(second) = cnames.filter(|staged| staged.rdata != cname.rdata).max_by_key(|staged| staged.span.start) {
        let message = format!("{name} has more than one CNAME");
        findings.push(Finding::error("multiple-cname", message, second.span, Focus::Owner).hint("keep one of them"));
    }
}

fn only_one(apex: &Name, group: &[Staged<'_>], rtype: u16, findings: &mut Findings) {
    let mut all: Vec<_> = group.iter().filter(|staged| staged.rtype == rtype).collect();
    if all.len() < 2 {
        return;
    }
    all.sort_by_key(|staged| (staged.span.file, staged.span.start));
    if rtype == types::DNAME && all.iter().all(|staged| staged.rdata == all[0].rdata) {
        return;
    }
    let (code, what) = if rtype == types::SOA { ("multiple-soa", "SOA") } else { ("multiple-dname", "DNAME") };
    let message = format!("{} has more than one {what}", absolute(all[0].owner, apex));
    findings.push(Finding::error(code, message, all[1].span, Focus::Owner).hint("keep one of them"));
}

/// A TSIG key as key files hold it (flags 0, protocol 3, an algorithm that DNSSEC does not have) is secret.
fn leaked_keys(apex: &Name, group: &[Staged<'_>], findings: &mut Findings) {
    let is_secret = |staged: &&Staged<'_>| {
        staged.rtype == types::DNSKEY && matches!(staged.rdata, [0, 0, 3, 157 | 161..=165, ..])
    };
    for key in group.iter().filter(is_secret) {
        let message = "a TSIG key stands in a zone file: its secret would be served to everybody".into();
        let hint = format!(
            "move it to the file {}._keys, with a new secret: git keeps this one",
            apex.to_string().trim_end_matches('.')
        );
        findings.push(Finding::error("key-in-zone", message, key.span, Focus::Type).hint(hint));
    }
}

/// Data below a delegation or a DNAME is never answered; only addresses (glue) have a purpose there.
fn occluded(apex: &Name, group: &[Staged<'_>], flags: Flags, findings: &mut Findings) {
    let glue = |staged: &&Staged<'_>| {
        matches!(staged.rtype, MARK | types::A | types::AAAA | types::RRSIG | types::NSEC | types::NSEC3)
    };
    if !flags.any(Flags::OCCLUDED) {
        return;
    }
    if let Some(hidden) = group.iter().find(|staged| !glue(staged)) {
        let mut rtype = String::new();
        rdata::write_type(hidden.rtype, &mut rtype);
        let message =
            format!("{} lies below a delegation or a DNAME: its {rtype} is never seen", absolute(hidden.owner, apex));
        findings.push(
            Finding::warning("occluded", message, hidden.span, Focus::Owner)
                .hint("move it to the delegated zone, or remove the delegation"),
        );
    }
}

/// All records of an `RRset` have one TTL (RFC 2181 §5.2). Signatures too, for each type covered.
pub(super) fn ttl_mismatch(records: &[Staged<'_>], smallest: u32) -> Option<Finding> {
    let odd = records.iter().filter(|staged| staged.ttl != smallest).max_by_key(|staged| staged.span.start)?;
    let mut rtype = String::new();
    rdata::write_type(odd.rtype, &mut rtype);
    let message = format!("the {rtype} records of one name have different TTLs; {smallest}, the smallest, is served");
    Some(Finding::warning("ttl-mismatch", message, odd.span, Focus::Owner).hint("give all of them one TTL"))
}

/// Rules about the apex of a finished zone.
pub(super) fn apex(zone: &Zone, findings: &mut Findings) {
    if zone.apex_node().rrset(types::NS).is_none() {
        findings.push(Finding {
            severity: Severity::Error,
            code: "missing-ns",
            message: format!("the zone {} has no NS record", zone.apex()),
            hint: Some("name at least one server of the zone: @ NS ns1".into()),
            span: None,
            focus: Focus::Owner,
        });
    }
}

/// Whether a record's target is looked at once the zone is complete: it lies in the zone.
pub(super) fn has_checked_target(record: &Record<'_>, apex: &Name) -> bool {
    may_have_checked_target(record.rtype)
        && rdata::names(record.rtype, record.rdata)
            .last()
            .is_some_and(|field| name::is_at_or_below(&record.rdata[field.start..field.end], apex.as_wire()))
}

/// Whether records of a type may have one.
pub(super) fn may_have_checked_target(rtype: u16) -> bool {
    matches!(rtype, types::NS | types::MX | types::SRV | types::CNAME | types::DNAME | types::PTR)
}

/// Rules about where NS, MX and SRV point (RFC 2181 §10.3, RFC 2782), and forgotten dots in any target.
pub(super) fn target(zone: &Zone, staged: &Staged<'_>, findings: &mut Findings) {
    let Some(field) = rdata::names(staged.rtype, staged.rdata).last() else { return };
    let target = &staged.rdata[field.start..field.end];
    let apex = zone.apex().as_wire();
    if !name::is_at_or_below(target, apex) {
        return;
    }
    let position = match staged.rtype {
        types::MX => 1,
        types::SRV => 3,
        _ => 0,
    };
    let relative = &target[..target.len() - apex.len()];
    if ends_in_apex(relative, zone.apex()) && zone.node_of(target).is_none() {
        let message = format!("{} names the zone twice", text(target));
        let finding = Finding::warning("forgotten-dot", message, staged.span, Focus::Field(position));
        findings.push(finding.hint(FORGOTTEN_DOT));
        return;
    }
    if matches!(staged.rtype, types::NS | types::MX | types::SRV) {
        addresses(zone, staged, target, position, findings);
    }
}

fn addresses(zone: &Zone, staged: &Staged<'_>, target: &[u8], position: usize, findings: &mut Findings) {
    let is_ns = staged.rtype == types::NS;
    let has_address = |node: &Node<'_>| node.rrset(types::A).is_some() || node.rrset(types::AAAA).is_some();
    let (code, what, hint): (_, _, fn(&str) -> String) = match zone.node_for_target(target) {
        Some(node) if node.flags.any(Flags::CNAME) => ("target-is-cname", "which is a CNAME", |_| {
            "point at the name that has the addresses (RFC 2181 §10.3)".into()
        }),
        Some(node) if has_address(&node) => return,
        // What lies in a delegated zone is that zone's business, unless the delegation itself depends on it.
        _ if zone.is_delegated_elsewhere(target, staged.owner) => return,
        _ if is_ns && !staged.owner.is_empty() && name_is_below_cut(zone, staged.owner, target) => {
            ("missing-glue", "", |name| format!("add glue: {name} A 192.0.2.1 (its real address)"))
        }
        _ => ("target-without-address", "which has no address in this zone", |name| {
            format!("add {name} A or AAAA, or mend the name")
        }),
    };
    let mut rtype = String::new();
    rdata::write_type(staged.rtype, &mut rtype);
    let name = text(target);
    let message = match code {
        "missing-glue" => format!("the delegation needs the address of {name}, and the zone has none"),
        _ => format!("this {rtype} points at {name}, {what}"),
    };
    // A zone whose own servers cannot be found is of no use; a delegation that leads nowhere harms that alone, and every
    // other server would serve the zone.
    let make = if is_ns && staged.owner.is_empty() { Finding::error } else { Finding::warning };
    findings.push(make(code, message, staged.span, Focus::Field(position)).hint(hint(&name)));
}

fn name_is_below_cut(zone: &Zone, cut: &[u8], target: &[u8]) -> bool {
    name::is_at_or_below(target, &zone.absolute(cut))
}
