//! Why an edit cannot be made.

use std::fmt;

/// Why a change cannot be written into the files. The text names the rule and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// The lines stand in a file that other zones use too, or that this zone uses twice.
    SharedFile {
        /// As the zone file names it.
        file: String,
        /// What would change there.
        record: String,
    },
    /// The SOA has no TTL, there is no `$TTL`, and so its minimum is the TTL of other records.
    DefaultTtl,
    /// The change was not made for these files.
    DoesNotFit(String),
    /// What was written does not read as it should.
    Unreadable(String),
}

impl EditError {
    /// A short word for the rule.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SharedFile { .. } => "shared-file",
            Self::DefaultTtl => "default-ttl",
            Self::DoesNotFit(_) => "does-not-fit",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SharedFile { file, record } => {
                write!(formatter, "{record} stands in {file}, which is included in more than one place")
            }
            Self::DefaultTtl => formatter.write_str(
                "records without a TTL have the minimum of the SOA for theirs, which would change: the file needs a $TTL",
            ),
            Self::DoesNotFit(what) => formatter.write_str(what),
            Self::Unreadable(what) => write!(formatter, "the edited lines would not read as they should: {what}"),
        }
    }
}
