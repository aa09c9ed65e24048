//! What authors are told about their mistakes.

use super::super::FieldError;
use super::read;

/// One block of `errors.txt`.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str, FieldError)> {
    include_str!("errors.txt").split("\n\n").filter(|block| !block.starts_with('#')).map(|block| {
        let mut lines = block.lines();
        let record = lines.next().unwrap();
        let (mnemonic, text) = record.split_once(' ').unwrap_or((record, ""));
        let (token, message) = lines.next().unwrap().trim_start().split_once(' ').unwrap();
        let hint = lines.next().map(|line| line.trim_start().to_owned());
        (mnemonic, text, FieldError { message: message.to_owned(), token: token.parse().ok(), hint })
    })
}

#[test]
fn errors_say_which_token_is_wrong_and_how_to_mend_it() {
    for (mnemonic, text, error) in blocks() {
        assert_eq!(read(mnemonic, text), Err(error), "{mnemonic} {text}");
    }
}

#[test]
fn no_message_quotes_the_text() {
    // Words that occur in no message by themselves: a secret would stand there.
    for (mnemonic, text) in [
        ("A", "zzsecret"),
        ("MX", "zzsecret a"),
        ("MX", "1 zzsecret..a"),
        ("TXT", r"zzsecret\"),
        ("DNSKEY", "0 3 163 zzsecret*"),
        ("DNSKEY", "0 3 zzsecret AQID"),
        ("DNSKEY", "0 3 163 AQID zzsecret="),
        ("DS", "1 8 2 zzsecret"),
        ("NSEC", "a. zzsecret"),
        ("HTTPS", "1 . zzsecret=1"),
        ("HTTPS", "1 . alpn=zzsecret,"),
        ("LOC", "zzsecret N 1 E 0"),
        ("CAA", "0 zz-secret x"),
        ("TYPE65280", "zzsecret"),
        ("TYPE65280", r"\# 1 zzsecret"),
    ] {
        let error = read(mnemonic, text).unwrap_err();
        let told = format!("{} {}", error.message, error.hint.unwrap_or_default());
        assert!(!told.contains("zz"), "{mnemonic} {text}: {told}");
    }
}

#[test]
fn a_string_of_256_octets_is_to_be_split() {
    assert!(read("TXT", &"a".repeat(255)).is_ok());
    let error = read("TXT", &format!("first {}", "a".repeat(256))).unwrap_err();
    assert_eq!(error.token, Some(1));
    assert_eq!(error.message, "the text is a string of 256 octets; a string holds at most 255");
    assert_eq!(error.hint.as_deref(), Some("split it into several quoted strings"));
}

#[test]
fn a_record_has_at_most_65535_octets() {
    let text = vec!["a".repeat(255); 256].join(" ");
    assert!(read("TXT", &text[..text.len() - 1]).is_ok());
    let error = read("TXT", &text).unwrap_err();
    assert_eq!(error.message, "the record has 65536 octets of data; it can have at most 65535");
}
