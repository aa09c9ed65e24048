//! Octets written in letters and digits, spread over any number of tokens (RFC 4034 §2.2, RFC 3597 §5).

/// Reads hexadecimal piece by piece.
#[derive(Default)]
pub(super) struct Hex {
    half: Option<u8>,
}

impl Hex {
    /// Appends what `text` completes; `None` when it holds anything but digits.
    pub(super) fn feed(&mut self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        for &octet in text {
            let digit = match octet {
                b'0'..=b'9' => octet - b'0',
                b'a'..=b'f' => octet - b'a' + 10,
                b'A'..=b'F' => octet - b'A' + 10,
                _ => return None,
            };
            match self.half.take() {
                Some(high) => out.push(high << 4 | digit),
                None => self.half = Some(digit),
            }
        }
        Some(())
    }

    /// `None` when a digit is left over.
    pub(super) fn finish(self) -> Option<()> {
        if self.half.is_none() { Some(()) } else { None }
    }
}
