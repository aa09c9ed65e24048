//! The known word nearest to a mistyped one, for hints.

/// Longer words are never taken for a slip of the fingers.
const LONGEST_WORD: usize = 16;

/// The candidate that fewest slips (a character missing, added, wrong, or two swapped) make of `word`; the first of
/// equals. None when nothing is near: one slip in up to four characters, two in more.
pub(super) fn nearest<'a>(word: &[u8], candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let allowed = if word.len() <= 4 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (slips(word, candidate.as_bytes()), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance with swaps of neighbours (optimal string alignment), ASCII case ignored.
fn slips(left: &[u8], right: &[u8]) -> usize {
    if left.len() > LONGEST_WORD || right.len() > LONGEST_WORD {
        return usize::MAX;
    }
    let mut above_that = [0; LONGEST_WORD + 1];
    let mut above: [usize; LONGEST_WORD + 1] = std::array::from_fn(|column| column);
    for (row, a) in left.iter().enumerate() {
        let mut current = [row + 1; LONGEST_WORD + 1];
        for (column, b) in right.iter().enumerate() {
            let same = a.eq_ignore_ascii_case(b);
            let mut fewest = (above[column] + usize::from(!same)).min(above[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0
                && column > 0
                && a.eq_ignore_ascii_case(&right[column - 1])
                && left[row - 1].eq_ignore_ascii_case(b);
            if swapped {
                fewest = fewest.min(above_that[column - 1] + 1);
            }
            current[column + 1] = fewest;
        }
        above_that = above;
        above = current;
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 6] = ["A", "NS", "CNAME", "MX", "TXT", "AAAA"];

    #[test]
    fn one_slip_finds_the_word() {
        for (word, meant) in [("AAAAA", "AAAA"), ("cnmae", "CNAME"), ("TEXT", "TXT"), ("MXX", "MX"), ("AAA", "AAAA")]
        {
            assert_eq!(nearest(word.as_bytes(), TYPES), Some(meant), "{word}");
        }
    }

    #[test]
    fn what_is_far_from_all_gets_no_suggestion() {
        for word in ["mail", "www.example.org.", "", "QQQ", &"A".repeat(40)] {
            assert_ne!(nearest(word.as_bytes(), TYPES), Some("CNAME"), "{word}");
        }
        assert_eq!(nearest(b"www.example.org.", TYPES), None);
        assert_eq!(nearest(b"hello", TYPES), None);
    }
}
