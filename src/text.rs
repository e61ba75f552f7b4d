//! Words for people: escaping what would act on a terminal, counts, times, lists, and widths in columns.
//!
//! Pure; uses nothing of ours but the one rule of `model` that says which characters are disruptive.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use unicode_width::UnicodeWidthStr;

use crate::model::key::is_disruptive;

/// What stands for the part of a text that had no room.
const ELLIPSIS: char = '…';

/// Makes a text safe to show: what would move a cursor, start an escape sequence or turn text around is spelled out. A
/// backslash stays itself, because Windows paths and regular expressions should read as they are.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, &[])
}

/// [`escape`], line by line: the line breaks of the text itself stay.
pub(crate) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_but(text, &['\n'])
}

/// [`escape`], but for the characters to keep.
pub(crate) fn escape_but<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let acts = |character: char| is_disruptive(character) && !kept.contains(&character);
    // Nearly every text is plain ASCII, and a list asks this several times a row.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            _ if !acts(character) => escaped.push(character),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\0'..='\x7f' => push(&mut escaped, format_args!("\\x{:02x}", u32::from(character))),
            _ => push(&mut escaped, format_args!("\\u{{{:x}}}", u32::from(character))),
        }
    }
    Cow::Owned(escaped)
}

/// [`escape`] for a text that is JSON, which stays the same JSON: `serde_json` escapes C0 alone, and the rest of what is
/// disruptive can only stand inside its strings.
pub(crate) fn escape_json(json: &str) -> Cow<'_, str> {
    let acts = |character: char| character != '\n' && is_disruptive(character);
    if json.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) || !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if acts(character) {
            // All disruptive characters lie below U+10000, so that one unit of UTF-16 is enough.
            push(&mut escaped, format_args!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// `1 key`, `12 keys`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    count_of(number, noun, &format!("{noun}s"))
}

/// `1 entry`, `12 entries`.
pub(crate) fn count_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Seconds in each unit a relative time is told in, the longest first, and from how many of it on it is used: `400 days`
/// says more than `1 year`.
const UNITS: [(&str, u64, u64); 5] =
    [("year", 31_536_000, 2), ("day", 86_400, 1), ("hour", 3_600, 1), ("minute", 60, 1), ("second", 1, 1)];

/// Nearer than this many seconds is now: clocks differ by as much.
const NOW: u64 = 10;

/// How far away an instant is: `in 89 days`, `3 hours ago`, `just now`. Whole units that have passed; what is to come is
/// counted up only when hardly anything is missing, so that what was set to 90 days does not read `in 89 days` a moment
/// later, and a key that expires `in 2 days` does have two days left.
pub(crate) fn relative(instant: Timestamp, now: Timestamp) -> String {
    let seconds = instant.as_second().saturating_sub(now.as_second());
    let distance = seconds.unsigned_abs();
    let all_but = |length: u64| if seconds > 0 { length / 24 } else { 0 };
    let unit = UNITS.iter().find(|(_, length, least)| distance + all_but(*length) >= length.saturating_mul(*least));
    match unit {
        Some((name, length, _)) if distance >= NOW => {
            let number = usize::try_from((distance + all_but(*length)) / length).unwrap_or(usize::MAX);
            let amount = count(number, name);
            if seconds > 0 { format!("in {amount}") } else { format!("{amount} ago") }
        }
        _ => "just now".to_owned(),
    }
}

/// An instant as RFC 3339 in UTC, in whole seconds: `2026-11-20T12:00:00Z`.
pub(crate) fn utc(instant: Timestamp) -> String {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant).to_string()
}

/// An instant both ways: `2026-11-20T12:00:00Z (in 89 days)`.
pub(crate) fn utc_and_relative(instant: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", utc(instant), relative(instant, now))
}

/// `` `a`, `b` and `c` ``
pub(crate) fn list_of<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = items.into_iter().map(|item| format!("`{}`", item.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// How many columns a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text to so many columns and says so with `…`.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut best = ELLIPSIS.to_string();
    // The width of a text is not the sum of its characters' (joined emoji), so that each candidate is measured as a whole.
    // What one name may hold of characters without width is limited, or measuring would take the square of its length.
    for (end, _) in text.char_indices().skip(1).take(columns.saturating_mul(4)) {
        let kept = text[..end].trim_end_matches([' ', '\u{200d}']);
        let candidate = format!("{kept}{ELLIPSIS}");
        if width(&candidate) <= columns {
            best = candidate;
        } else if width(&candidate) > columns + 4 {
            break;
        }
    }
    Cow::Owned(best)
}

/// The lines of a text that has so many columns, parted between words. A word that is longer stays whole.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Writing to a `String` cannot fail; this says so in one place.
fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}

/// Whether a word may be the plaintext of a key: long, of letters, digits and underscores, with digits among them. Such
/// a word is never said again.
fn may_be_a_plaintext(word: &str) -> bool {
    word.len() >= 30
        && word.contains('_')
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A text without the words that may be plaintexts.
pub(crate) fn without_plaintexts(text: &str) -> Cow<'_, str> {
    plaintexts(text).fold(Cow::Borrowed(text), |text, word| text.replace(word, "…").into())
}

/// Whether a word that may be a plaintext reads like one, and not like a long name: what stands between two of its
/// underscores is long too, and of characters of more than one kind. No shorter than what is left of a key of ours of which
/// the end was not pasted, as long as that may be a plaintext at all.
pub(crate) fn reads_like_a_plaintext(word: &str) -> bool {
    const SHORTEST: usize = 17;
    const KINDS: [fn(&u8) -> bool; 3] = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase];
    let kinds = |part: &str| KINDS.iter().filter(|is_one| part.as_bytes().iter().any(is_one)).count();
    may_be_a_plaintext(word) && word.split('_').any(|part| part.len() >= SHORTEST && kinds(part) > 1)
}

/// Whether a word of a text reads like a plaintext.
pub(crate) fn holds_what_reads_like_a_plaintext(text: &str) -> bool {
    plaintexts(text).any(reads_like_a_plaintext)
}

fn plaintexts(text: &str) -> impl Iterator<Item = &str> {
    let in_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(move |character| !in_word(character)).filter(|word| may_be_a_plaintext(word))
}

/// [`without_plaintexts`] of a text in which a percent may stand for any character, as in a path. Where a plaintext comes to
/// light only when that is decoded, the text is given as it reads then.
pub(crate) fn without_encoded_plaintexts(text: &str) -> Cow<'_, str> {
    /// A proxy encodes what is encoded once more; who does so more often hides something.
    const MOST_DECODED: usize = 4;
    let mut shown = without_plaintexts(text);
    let (mut decoded, mut read) = (Cow::Borrowed(text), shown.clone());
    for _ in 0..MOST_DECODED {
        let Cow::Owned(next) = percent_decode_str(&decoded).decode_utf8_lossy() else { return shown };
        let masked = without_plaintexts(&next).into_owned();
        read = percent_decode_str(&read).decode_utf8_lossy().into_owned().into();
        if masked != *read {
            shown = masked.clone().into();
            read = masked.into();
        }
        decoded = next.into();
    }
    Cow::Borrowed("…")
}

/// An option and its value as they are typed, with a space in front: ` --name 'a b'`. A value that looks like an option
/// itself is tied to its own.
pub(crate) fn option(option: &str, value: &str) -> String {
    let between = if value.starts_with('-') && option.starts_with("--") { "=" } else { " " };
    format!(" {option}{between}{}", shell_word(value))
}

/// A text as one word of a shell command.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_parted_between_words() {
        assert_eq!(wrapped("47 of 1000 left", 10), ["47 of 1000", "left"]);
        assert_eq!(wrapped("47 of 1000 left", 80), ["47 of 1000 left"]);
        assert_eq!(wrapped("🔑🔑 averylongword x", 5), ["🔑🔑", "averylongword", "x"]);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn what_acts_on_a_terminal_is_spelled_out() {
        assert!(matches!(escape("plain é 🔑 C:\\keys"), Cow::Borrowed("plain é 🔑 C:\\keys")));
        assert_eq!(escape("a\nb\tc\rd"), "a\\nb\\tc\\rd");
        assert_eq!(escape("\x1b[31mred\x7f\0"), "\\x1b[31mred\\x7f\\x00");
        assert_eq!(escape("\u{9b}31m \u{202e}evil \u{2066} \u{feff}"), "\\u{9b}31m \\u{202e}evil \\u{2066} \\u{feff}");
        assert_eq!(escape_lines("a\n\x1bb\r\n"), "a\n\\x1bb\\r\n");
        assert_eq!(escape_json("{\"a\":\"\u{9b}\u{7f}\u{202e}\"}"), r#"{"a":"\u009b\u007f\u202e"}"#);
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(count(0, "key"), "0 keys");
        assert_eq!(count(1, "key"), "1 key");
        assert_eq!(count(12, "key"), "12 keys");
        assert_eq!(count_of(2, "entry", "entries"), "2 entries");
    }

    #[test]
    fn distances_are_told_in_whole_units_that_are_left() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds: i64| relative(Timestamp::from_second(1_800_000_000 + seconds).unwrap(), now);
        assert_eq!([at(0), at(9), at(-9)], ["just now"; 3]);
        assert_eq!(at(10), "in 10 seconds");
        assert_eq!(at(-59), "59 seconds ago");
        assert_eq!(at(120), "in 2 minutes");
        assert_eq!(at(-3 * 3_600), "3 hours ago");
        assert_eq!(at(90 * 86_400 - 1), "in 90 days", "hardly anything is missing");
        assert_eq!(at(90 * 86_400 - 2 * 3_600), "in 89 days");
        assert_eq!(at(-(90 * 86_400 - 1)), "89 days ago");
        assert_eq!(at(-86_400), "1 day ago");
        assert_eq!(at(-729 * 86_400), "729 days ago");
        assert_eq!(at(730 * 86_400), "in 2 years");
        assert_eq!(relative(Timestamp::MIN, Timestamp::MAX), "20000 years ago".replace("20000", "20012"));
    }

    #[test]
    fn a_plaintext_is_found_however_it_is_encoded() {
        let key = format!("abc_aB3aB3aB_{}", "x1".repeat(16));
        let masked = |text: &str| without_encoded_plaintexts(text).into_owned();
        for same in ["", "/", "/v1/contacts/42", "/a%20b/%C3%A9?c=d%25", "100%", "%zz%", "/%ff"] {
            assert_eq!(masked(same), same);
        }
        assert_eq!(masked(&format!("/v1/{key}/x%20y")), "/v1/…/x%20y");
        for (from, to) in [("_", "%5f"), ("_", "%255F"), ("_", "%25255f"), ("1", "%31"), ("a", "%2561")] {
            let encoded = key.replace(from, to);
            assert_eq!(masked(&format!("/v1/{encoded}")), "/v1/…", "{encoded}");
            assert_eq!(masked(&format!("/{key}/{encoded}/x")), "/…/…/x", "{encoded}");
        }
        let whole = key.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"));
        assert_eq!(masked(&format!("/v1/{whole}")), "/v1/…");
        // Nobody encodes a path so often who does not hide something.
        let often = (0..40).fold(format!("%5f{key}"), |text, _| text.replace('%', "%25"));
        assert!(!masked(&often).contains(&key[13..]));
        let deep = (0..40).fold(key.replace('_', "%5f"), |text, _| text.replace('%', "%25"));
        assert_eq!(masked(&deep), "…");
    }

    #[test]
    fn instants_are_whole_seconds_of_utc() {
        let instant: Timestamp = "2026-11-20T13:00:00.987654+01:00".parse().unwrap();
        assert_eq!(utc(instant), "2026-11-20T12:00:00Z");
        assert_eq!(utc_and_relative(instant, instant), "2026-11-20T12:00:00Z (just now)");
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list_of(Vec::<String>::new()), "");
        assert_eq!(list_of(["a"]), "`a`");
        assert_eq!(list_of(["a", "b"]), "`a` and `b`");
        assert_eq!(list_of(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn a_text_is_cut_between_characters_and_by_columns() {
        assert_eq!(shorten("Ingestion", 9), "Ingestion");
        assert_eq!(shorten("Ingestion", 8), "Ingesti…");
        assert_eq!(shorten("Ingestion worker", 11), "Ingestion…");
        assert_eq!(shorten("鍵鍵鍵", 5), "鍵鍵…");
        assert_eq!(shorten("鍵鍵鍵", 4), "鍵…");
        assert_eq!(shorten("👩‍💻👩‍💻👩‍💻", 5), "👩‍💻👩‍💻…");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_escaped_is_disruptive(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(is_disruptive));
            let json = serde_json::to_string(&text).unwrap();
            let escaped = escape_json(&json);
            prop_assert!(!escaped.contains(is_disruptive));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }

        #[test]
        fn a_shortened_text_fits(text in any::<String>(), columns in 0_usize..40) {
            prop_assert!(width(&shorten(&text, columns)) <= columns);
        }
    }
}
