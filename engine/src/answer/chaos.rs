//! Questions in class CH about the server itself (RFC 4892): answered only with what the operator chose to tell.

use crate::message::HEADER;
use crate::message::writer::{Full, NameForm, Section, Writer};
use crate::name;

const TXT: u16 = 16;
const ANY: u16 = 255;

/// What the operator tells about the server.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// For `id.server`, `hostname.bind` and NSID.
    pub identity: Option<Box<[u8]>>,
    /// For `version.server` and `version.bind`.
    pub version: Option<Box<[u8]>>,
}

impl Identity {
    /// The text that a name stands for, if it is told.
    pub(super) fn text(&self, wire: &[u8], qtype: u16) -> Option<&[u8]> {
        let is = |label: &[u8], top: &[u8]| {
            let mut labels = name::labels(wire);
            labels.next().is_some_and(|first| first.eq_ignore_ascii_case(label))
                && labels.next().is_some_and(|second| second.eq_ignore_ascii_case(top))
                && labels.next().is_none()
        };
        if !matches!(qtype, TXT | ANY) {
            return None;
        }
        if is(b"id", b"server") || is(b"hostname", b"bind") {
            self.identity.as_deref()
        } else if is(b"version", b"server") || is(b"version", b"bind") {
            self.version.as_deref()
        } else {
            None
        }
    }
}

/// Writes the TXT record that answers.
pub(super) fn answer(writer: &mut Writer<'_, '_>, text: &[u8]) -> Result<(), Full> {
    let shown = &text[..text.len().min(255)];
    let mut rdata = vec![u8::try_from(shown.len()).unwrap_or(u8::MAX)];
    rdata.extend_from_slice(shown);
    let owner = NameForm::At(u16::try_from(HEADER).unwrap_or_default());
    writer.opaque_record(Section::Answer, owner, [0, 16, 0, 3, 0, 0, 0, 0], &rdata)
}
