//! The plaintext of a key, its hash, and the shape a provider gives its keys.
//!
//! A [`PlainKey`] cannot be printed, compared by accident or serialised: the only way to its text is
//! [`PlainKey::expose`], so every place where a secret leaves the program can be found by that word.

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

/// The digits of a generated key: base62, so that a double click selects all of it.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Base62 digits a CRC-32 takes: 62^6 > 2^32.
const CHECKSUM: usize = 6;

/// Longer than any vendor's key, short enough that a file given by mistake is told apart from one.
const LONGEST: usize = 512;

/// The plaintext of a key. No `Debug`, no `Display`, no `Serialize`, no `Clone`; wiped from memory when dropped.
pub(crate) struct PlainKey(Zeroizing<String>);

impl PlainKey {
    /// Takes text that is a key: one line of visible ASCII. One line break at its end is dropped, because
    /// `echo` and editors add it.
    pub(crate) fn parse(text: &Zeroizing<String>) -> Result<Self, NotAKey> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(NotAKey::Empty);
        }
        if line.len() > LONGEST {
            return Err(NotAKey::TooLong);
        }
        if !line.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotAKey::NotOneLine);
        }
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    /// The plaintext: the one boundary at which it leaves this type.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A second copy, for a place that needs one of its own; wiped like the first.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// What may be stored of it.
    pub(crate) fn hashed(&self) -> HashedKey {
        HashedKey::of(self.expose())
    }
}

/// Why a text cannot be a key. Says nothing of the text itself.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotAKey {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {LONGEST} characters")]
    TooLong,
    #[error("it is not one line of visible ASCII characters")]
    NotOneLine,
}

/// The SHA-256 of a plaintext key, as 64 lower-case hexadecimal digits: all that is ever stored. Fast hashing is right
/// here, because a key carries at least 128 bits of its own randomness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HashedKey(String);

impl HashedKey {
    /// Hashes a key as it was presented, also one that is no key of ours: unknown and wrong keys cost the same work.
    pub(crate) fn of(presented: &str) -> Self {
        Self(hex(&Sha256::digest(presented.as_bytes())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The inverse of [`hex`]; `None` for anything else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Fills a buffer with cryptographically strong random bytes. Randomness is an argument everywhere below the listener.
pub(crate) type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// How one provider's keys look: `<prefix><public>_<secret>`, for instance `wbk_1a2B3c4D_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyShape {
    /// What every key of the provider starts with.
    pub(crate) prefix: &'static str,
    /// Base62 digits that may be shown and tell keys apart.
    pub(crate) public: usize,
    /// Base62 digits behind them, the last six of which are a CRC-32 over everything before. At least 28, so that
    /// 128 bits of randomness remain.
    pub(crate) secret: usize,
    /// How many characters of the whole are shown as the key's prefix.
    pub(crate) shown: usize,
}

impl KeyShape {
    /// Makes a new key from the given randomness.
    pub(crate) fn generate(&self, random: Random<'_>) -> PlainKey {
        let mut text = Zeroizing::new(String::with_capacity(self.length()));
        text.push_str(self.prefix);
        push_digits(&mut text, self.public, random);
        text.push('_');
        push_digits(&mut text, self.secret - CHECKSUM, random);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        PlainKey(text)
    }

    /// Whether the text has this shape and its checksum is right. A typo is told by this without any look-up; it is no
    /// proof that the key exists.
    pub(crate) fn is_well_formed(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(self.prefix) else {
            return false;
        };
        if text.len() != self.length() || !rest.is_ascii() || rest.as_bytes()[self.public] != b'_' {
            return false;
        }
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (body, check) = text.split_at(text.len() - CHECKSUM);
        digits(&rest[..self.public]) && digits(&rest[self.public + 1..]) && checksum(body) == check
    }

    /// The part of a key that may be shown anywhere.
    pub(crate) fn shown_prefix<'a>(&self, key: &'a str) -> &'a str {
        key.get(..self.shown).unwrap_or(key)
    }

    /// The length of a whole key, in characters.
    pub(crate) const fn length(&self) -> usize {
        self.prefix.len() + self.public + 1 + self.secret
    }
}

/// Appends base62 digits, each equally likely: bytes from 248 on are drawn again instead of being folded back.
fn push_digits(text: &mut String, count: usize, random: Random<'_>) {
    let mut left = count;
    let mut buffer = Zeroizing::new([0_u8; 64]);
    while left > 0 {
        random(&mut buffer[..]);
        for byte in buffer.iter().filter(|byte| **byte < 248).take(left) {
            text.push(char::from(BASE62[usize::from(byte % 62)]));
            left -= 1;
        }
    }
}

/// The CRC-32 of the text as six base62 digits, most significant first.
fn checksum(text: &str) -> String {
    let mut value = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(value % 62) as usize];
        value /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: KeyShape = KeyShape { prefix: "wbk_", public: 8, secret: 32, shown: 12 };

    fn generate(seed: u64) -> PlainKey {
        let mut state = seed;
        SHAPE.generate(&mut |buffer| {
            for byte in buffer {
                // splitmix64: any stream will do here, the real one comes from the operating system.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                *byte = mixed.to_be_bytes()[2];
            }
        })
    }

    fn parse(text: &str) -> Result<String, NotAKey> {
        PlainKey::parse(&Zeroizing::new(text.to_owned())).map(|key| key.expose().to_owned())
    }

    proptest! {
        #[test]
        fn what_is_generated_is_well_formed_and_parses(seed: u64) {
            let key = generate(seed);
            prop_assert_eq!(key.expose().len(), SHAPE.length());
            prop_assert!(SHAPE.is_well_formed(key.expose()));
            prop_assert_eq!(parse(&format!("{}\r\n", key.expose())).unwrap(), key.expose());
            prop_assert_eq!(SHAPE.shown_prefix(key.expose()), &key.expose()[..12]);
        }

        #[test]
        fn one_changed_character_is_a_typo(seed: u64, at in 4_usize..45, other in "[0-9A-Za-z]") {
            let mut text = generate(seed).expose().to_owned();
            prop_assume!(at != 12 && text[at..=at] != other);
            text.replace_range(at..=at, &other);
            prop_assert!(!SHAPE.is_well_formed(&text));
        }

        #[test]
        fn hexadecimal_round_trips(bytes: Vec<u8>) {
            prop_assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            SHAPE.is_well_formed(&text);
            SHAPE.shown_prefix(&text);
            unhex(&text);
            parse(&text).ok();
        }
    }

    #[test]
    fn digits_are_drawn_without_bias() {
        let mut counter = 0_u8;
        let mut text = String::new();
        push_digits(&mut text, 248, &mut |buffer| {
            for byte in buffer {
                *byte = counter;
                counter = counter.wrapping_add(1);
            }
        });
        for digit in BASE62 {
            assert_eq!(text.bytes().filter(|byte| byte == digit).count(), 4);
        }
    }

    #[test]
    fn a_hash_is_the_published_sha_256() {
        assert_eq!(HashedKey::of("abc").as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_is_no_key_is_refused_without_quoting_it() {
        assert_eq!(parse(""), Err(NotAKey::Empty));
        assert_eq!(parse("\n"), Err(NotAKey::Empty));
        assert_eq!(parse("two\nlines"), Err(NotAKey::NotOneLine));
        assert_eq!(parse("a b"), Err(NotAKey::NotOneLine));
        assert_eq!(parse("ключ"), Err(NotAKey::NotOneLine));
        assert_eq!(parse(&"k".repeat(513)), Err(NotAKey::TooLong));
    }
}
