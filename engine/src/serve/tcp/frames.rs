//! The framing of DNS messages on a stream: two octets of length in front of each (RFC 1035 §4.2.2).

/// Octets of the length in front of a message.
pub(super) const PREFIX: usize = 2;

/// What stands at the start of the octets received.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'octets> {
    /// A whole message, and what follows it.
    Message(&'octets [u8], &'octets [u8]),
    /// A message of length zero, which cannot be a DNS message.
    Empty,
    /// Too little to say, or a message whose end has not come.
    Partial,
}

/// Looks at the start of the octets received.
pub(super) fn first(octets: &[u8]) -> Frame<'_> {
    let Some((prefix, rest)) = octets.split_first_chunk::<PREFIX>() else { return Frame::Partial };
    match usize::from(u16::from_be_bytes(*prefix)) {
        0 => Frame::Empty,
        length => {
            rest.split_at_checked(length).map_or(Frame::Partial, |(message, rest)| Frame::Message(message, rest))
        }
    }
}

/// The length of a message in the form that goes in front of it. Lengths fit 16 bits wherever messages are made.
pub(super) fn prefix(length: usize) -> [u8; PREFIX] {
    u16::try_from(length).expect("a DNS message has at most 65535 octets").to_be_bytes()
}

/// A message with its length in front.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.extend_from_slice(&prefix(message.len()));
    framed.extend_from_slice(message);
    framed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_without_its_message_is_partial() {
        for octets in [&[][..], &[0], &[0, 3], &[0, 3, 1, 2]] {
            assert_eq!(first(octets), Frame::Partial);
        }
    }

    #[test]
    fn a_length_of_zero_is_told_apart() {
        assert_eq!(first(&[0, 0, 0, 1, 9]), Frame::Empty);
    }

    proptest! {
        #[test]
        fn what_was_framed_is_found_again(message in prop::collection::vec(any::<u8>(), 1..600), rest: Vec<u8>) {
            let mut octets = framed(&message);
            octets.extend_from_slice(&rest);
            prop_assert_eq!(first(&octets), Frame::Message(&message, &rest));
        }
    }
}
