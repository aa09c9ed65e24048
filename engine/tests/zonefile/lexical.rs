//! Words, quotes, escapes, comments, parentheses and line ends.

use crate::support::{assert_findings, assert_records, findings, read};

#[test]
fn blanks_between_words_are_spaces_and_tabs() {
    assert_records("www\t3600 \t IN\tA   192.0.2.1  \t\n", &["www.example.org. 3600 A 192.0.2.1"]);
}

#[test]
fn the_last_line_needs_no_end() {
    assert_records("www 1 A 192.0.2.1", &["www.example.org. 1 A 192.0.2.1"]);
}

#[test]
fn lines_may_end_as_in_dos() {
    let text = "a 1 TXT ( \"x\"\r\n \"y\" ) ; comment\r\n\r\n 1 TXT z\r\n";
    assert_records(text, &["a.example.org. 1 TXT \"x\" \"y\"", "a.example.org. 1 TXT \"z\""]);
}

#[test]
fn comments_go_to_the_end_of_the_line() {
    let text = "; first\na 1 TXT x;y \"(\n  ; indented\n\t\n;\nb 1 TXT z ; \\";
    assert_records(text, &["a.example.org. 1 TXT \"x\"", "b.example.org. 1 TXT \"z\""]);
}

#[test]
fn quotes_hide_blanks_comments_and_parentheses() {
    assert_records("a 1 TXT \"x ; (y)\t\"\n", &["a.example.org. 1 TXT \"x ; (y)\\009\""]);
}

#[test]
fn quoted_strings_need_no_blanks_between() {
    assert_records("a 1 TXT \"x\"\"y\"z\n", &["a.example.org. 1 TXT \"x\" \"y\" \"z\""]);
}

#[test]
fn an_empty_string_is_a_string() {
    assert_records("a 1 TXT \"\" x\n", &["a.example.org. 1 TXT \"\" \"x\""]);
}

#[test]
fn quotes_inside_a_word_belong_to_it() {
    let text = "a 1 SVCB 1 . alpn=\"h2,h3\" port=53\n";
    assert_records(text, &["a.example.org. 1 SVCB 1 . alpn=h2,h3 port=53"]);
}

#[test]
fn quotes_inside_a_word_of_another_type_begin_a_string_as_in_bind_with_a_warning() {
    for (text, record, finding) in [
        ("a 1 TXT x\"y z\"w", "\"x\" \"y z\" \"w\"", "1:9-10"),
        ("a 1 TXT\"x y\"", "\"x y\"", "1:5-8"),
        ("a 1 TXT q x\\\"y\"\"", "\"q\" \"x\\\"y\" \"\"", "1:11-15"),
        ("$GENERATE 1-1 a 1 TXT x\"$ z\"", "\"x\" \"1 z\"", "1:23-24"),
    ] {
        let (reading, kept) = read(text);
        assert_eq!(kept.records, [format!("a.example.org. 1 TXT {record}")], "{text}");
        assert_eq!(findings(&reading), [format!("{finding} warning quote-in-word")], "{text}");
    }
    assert_findings("a\"b\" 1 TXT x", &["1:1-2 warning quote-in-word", "1:2-5 unknown-type"]);
}

#[test]
fn escapes_take_the_meaning_from_any_character() {
    let text = "a\\.b 1 TXT \\; \\( a\\ b \\\"x \\065 \"\\\"\" \\\\\n";
    let expected = r#"a\.b.example.org. 1 TXT ";" "(" "a b" "\"x" "A" "\"" "\\""#;
    assert_records(text, &[expected]);
}

#[test]
fn an_escaped_at_sign_is_no_origin() {
    assert_records("\\@ 1 TXT x\n@ 1 TXT @\n", &["\\@.example.org. 1 TXT \"x\"", "example.org. 1 TXT \"@\""]);
}

#[test]
fn an_escaped_dollar_sign_begins_no_directive() {
    assert_records("\\$TTL 1 TXT x\n", &["\\$TTL.example.org. 1 TXT \"x\""]);
}

#[test]
fn an_owner_may_stand_in_quotes() {
    assert_records("\"a b\" 1 TXT x\n", &["a\\032b.example.org. 1 TXT \"x\""]);
}

#[test]
fn parentheses_join_lines_and_nest() {
    let text = "a 1 TXT ( x ; comment )\n\n(y\n) ) z (\n)\nb 1 TXT(x)y\n";
    assert_records(text, &["a.example.org. 1 TXT \"x\" \"y\" \"z\"", "b.example.org. 1 TXT \"x\" \"y\""]);
}

#[test]
fn a_parenthesis_may_come_before_the_owner() {
    let text = "(\n a 1 TXT x )\n ( 1 TXT y )\n()\n(\n)\n";
    assert_records(text, &["a.example.org. 1 TXT \"x\"", "a.example.org. 1 TXT \"y\""]);
}

#[test]
fn lines_inside_parentheses_have_no_owner() {
    let text = "a 1 TXT (\nb A\n$TTL\n)\n";
    assert_records(text, &["a.example.org. 1 TXT \"b\" \"A\" \"$TTL\""]);
}

#[test]
fn a_byte_order_mark_is_stepped_over_with_a_warning() {
    let (_, kept) = read("\u{feff}a 1 TXT x\n");
    assert_eq!(kept.records, ["a.example.org. 1 TXT \"x\""]);
    assert_findings("\u{feff}a 1 TXT x\n", &["1:1-2 warning byte-order-mark"]);
    // Columns are those of an editor, which does not show the mark.
    assert_findings("\u{feff}a 1 TXTT x\n", &["1:1-2 warning byte-order-mark", "1:5-9 unknown-type"]);
}

#[test]
fn octets_beyond_ascii_stay_as_they_are() {
    let text = "a 1 TXT \"gr\u{fc}n\" b\u{fc}\n";
    assert_records(text, &["a.example.org. 1 TXT \"gr\\195\\188n\" \"b\\195\\188\""]);
}

#[test]
fn empty_text_has_no_records() {
    for text in ["", "\n", "  \n\t", ";", "\r\n\r\n", "()"] {
        assert_records(text, &[]);
    }
}
