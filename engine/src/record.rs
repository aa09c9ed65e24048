//! What the reader of zone text hands on: records with their place, and diagnostics.

/// Where a record or a mistake stands: a file of one reading, and octet offsets into its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Number of the file in the order of opening; 0 is the zone file itself, others come by `$INCLUDE`.
    pub file: u16,
    /// First octet.
    pub start: u32,
    /// One past the last octet.
    pub end: u32,
}

/// A record as read, borrowed for the length of one call.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Owner, uncompressed wire form, case as written.
    pub owner: &'a [u8],
    /// Seconds.
    pub ttl: u32,
    /// TYPE number.
    pub rtype: u16,
    /// RDATA, uncompressed wire form.
    pub rdata: &'a [u8],
    /// The whole entry, from its owner (or its first token, where the owner is left blank) to the end of its last
    /// token or closing parenthesis.
    pub span: Span,
}

/// An entry about to be read, and what its meaning depends on beside its own text.
#[derive(Clone, Copy, Debug)]
pub struct EntryStart<'a> {
    /// The whole entry, as in [`Record`].
    pub span: Span,
    /// The word that begins with `$`, if this is a directive.
    pub directive: Option<&'a [u8]>,
    /// Wire form.
    pub origin: &'a [u8],
    /// TTL of records without one: from `$TTL`, or the minimum of a SOA.
    pub default_ttl: Option<u32>,
    /// The TTL written last, which counts where there is no default.
    pub last_ttl: Option<u32>,
    /// Whom a line belongs to that leaves its owner blank; wire form.
    pub owner: Option<&'a [u8]>,
}

/// Takes records as the reader finds them.
pub trait RecordSink {
    /// One more record. Class is always IN.
    fn record(&mut self, record: &Record<'_>);

    /// What follows, up to the next call, comes of this entry. Only those who care for the text itself listen.
    fn entry(&mut self, _start: &EntryStart<'_>) {}
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Served all the same.
    Warning,
    /// The zone is not served.
    Error,
}

/// One finding about zone text (contract E). `code` is a short kebab-case word that names the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// The rule, for instance `bad-rdata`.
    pub code: &'static str,
    /// What is wrong, one sentence without a final dot.
    pub message: String,
    /// How to mend it, if that can be said.
    pub hint: Option<String>,
    /// Where; the part to underline.
    pub span: Span,
}
