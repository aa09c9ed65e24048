//! Reads master files (RFC 1035 §5) into records and diagnostics.
//!
//! ```text
//! text --scanner--> entries of tokens --reader--> records, through `rdata`
//!                       |                 |-- directive, include, generate (with template)
//!                       |                 |-- words: quotes inside words
//!                       |                 `-- recovery: where to go on after a mistake
//!                       `--layout--> the parts of a record already read, for diagnostics and edits
//! ```
//!
//! One reading finds all mistakes of a file. What records mean together (a missing SOA, a CNAME beside other data) is
//! for `zone` to say; it points at text through [`Reading`]. No file is opened here, see [`Includes`].
//!
//! Text means what it means to BIND, save that these are errors here: a TTL beyond 31 bits (BIND makes it 0), control
//! characters and lone carriage returns outside quotes, a line end escaped inside quotes, and octets behind the range
//! of `$GENERATE`. Only here may the data of `$GENERATE` be several words, and a last line there lack its end.

pub mod canonical;
mod directive;
pub mod document;
mod explain;
mod generate;
mod header;
mod include;
mod layout;
mod reader;
mod reading;
mod recovery;
mod report;
mod scanner;
mod suggest;
mod template;
pub mod token;
mod ttl;
mod words;

pub use layout::Layout;
pub use reading::{Location, Reading};

use std::sync::Arc;

use crate::name::Name;
use crate::record::RecordSink;

/// Opens the files that `$INCLUDE` names.
pub trait Includes {
    /// The content of the file. `path` is as written in the zone text, so whoever implements this decides what it is
    /// relative to, and what it may not reach.
    ///
    /// # Errors
    /// Why the file cannot be had, as the end of a sentence: "`path` cannot be included: ...".
    fn open(&mut self, path: &str) -> Result<Vec<u8>, String>;
}

/// Refuses every `$INCLUDE`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoIncludes;

impl Includes for NoIncludes {
    fn open(&mut self, _path: &str) -> Result<Vec<u8>, String> {
        Err("no file can be included here".to_owned())
    }
}

/// How to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Diagnostics quote nothing of the text, and locations do not show it.
    pub confidential: bool,
    /// As if the text began with `$TTL`: for files that leave TTLs out.
    pub default_ttl: Option<u32>,
}

/// Reads `text`, the content of `file` (a name for diagnostics), and hands its records to `sink` in their order.
///
/// Records of an entry with an error are not handed on, all others are. Never panics, whatever the text. Work and
/// memory are bounded by the size of the text, and by constants for what `$INCLUDE` and `$GENERATE` add.
pub fn read<'t>(
    text: &'t [u8],
    file: &str,
    origin: &Name,
    settings: Settings,
    includes: &mut dyn Includes,
    sink: &mut impl RecordSink,
) -> Reading<'t> {
    let mut reader = reader::Reader::new(file, origin, settings, includes, sink);
    reader.read_file(0, text);
    reading::Reading::new(file, text, reader, settings.confidential)
}

/// What a line whose owner is written takes over from the lines above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Wire form.
    origin: Arc<[u8]>,
    /// From `$TTL`, or the minimum of a SOA.
    default_ttl: Option<u32>,
    /// The TTL written last; None where there is a default, since then it counts no more.
    last_ttl: Option<u32>,
}

impl Inherited {
    /// Of what an entry is announced with.
    #[must_use]
    pub fn new(origin: Arc<[u8]>, default_ttl: Option<u32>, last_ttl: Option<u32>) -> Self {
        Self { origin, default_ttl, last_ttl: last_ttl.filter(|_| default_ttl.is_none()) }
    }

    /// The origin, in wire form.
    #[must_use]
    pub fn origin(&self) -> &Arc<[u8]> {
        &self.origin
    }
}

/// Reads `text` from the line on that begins at `start`, and gives what the line behind it takes over. None when there
/// is anything to report, which takes a reading of the whole text.
pub fn read_from(text: &[u8], start: usize, before: &Inherited, sink: &mut impl RecordSink) -> Option<Inherited> {
    let mut includes = NoIncludes;
    let mut reader = reader::Reader::new("", &Name::root(), Settings::default(), &mut includes, sink);
    reader.origin = before.origin.to_vec();
    (reader.default_ttl, reader.last_ttl) = (before.default_ttl, before.last_ttl);
    reader.read_entries(0, text, start);
    let after = Inherited::new(reader.origin.as_slice().into(), reader.default_ttl, reader.last_ttl);
    reader.report.into_diagnostics().is_empty().then_some(after)
}
