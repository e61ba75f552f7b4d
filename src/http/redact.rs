//! What may be seen of an exchange: everything but credentials, plaintexts and what makes a request repeatable.

use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use crate::text;

/// What stands where something is not shown.
pub(super) const HIDDEN: &str = "…";

/// What is shorter is in every other word, and is hidden in its own place only.
pub(super) const SHORT: usize = 8;

/// How much of an Idempotency-Key is shown, of one that is much longer.
const SHOWN_OF_ONCE: usize = 6;

/// A text without the credential: some services quote it back.
pub(super) fn without(text: &str, credential: &str) -> String {
    if credential.is_empty() { text.to_owned() } else { text.replace(credential, HIDDEN) }
}

/// The value of a header as it may be seen. `credential` is its part that may be shown.
pub(super) fn header(name: &str, value: &str, credential: &str) -> String {
    match name {
        "authorization" => {
            let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
            format!("{scheme} {credential}{HIDDEN}").trim_start().to_owned()
        }
        "x-api-key" => format!("{credential}{HIDDEN}"),
        "proxy-authorization" | "cookie" | "set-cookie" => HIDDEN.to_owned(),
        "idempotency-key" => once(value),
        _ => text::escape(&text::without_encoded_plaintexts(value)).into_owned(),
    }
}

/// Enough of an Idempotency-Key to tell it from another.
fn once(key: &str) -> String {
    let shown = key.get(..SHOWN_OF_ONCE).filter(|_| key.len() > 3 * SHOWN_OF_ONCE).unwrap_or_default();
    format!("{shown}{HIDDEN}")
}

/// A body as it may be seen, on one line. One that is not JSON cannot be told secret from harmless, and is not shown.
pub(super) fn body(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return format!("({} that cannot be shown: no JSON)", text::count(bytes.len(), "byte"));
    };
    let mut secrets = Vec::new();
    hide(&mut value, &mut secrets);
    let shown = Zeroizing::new(value.to_string());
    // What was secret in one place is secret in every other.
    let shown = secrets.iter().fold(shown, |shown, secret| Zeroizing::new(shown.replace(secret.as_str(), HIDDEN)));
    text::escape_json(&text::without_plaintexts(&shown)).into_owned()
}

/// Takes what is secret by its name out of a value.
fn hide(value: &mut Value, secrets: &mut Vec<Zeroizing<String>>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, secrets)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if is_secret(name, field) { take(field, secrets) } else { hide(field, secrets) }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn take(value: &mut Value, secrets: &mut Vec<Zeroizing<String>>) {
    match value {
        Value::String(text) => {
            if text.len() >= SHORT {
                secrets.push(Zeroizing::new(text.clone()));
            }
            text.zeroize();
            HIDDEN.clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take(item, secrets)),
        Value::Object(fields) => fields.values_mut().for_each(|field| take(field, secrets)),
        Value::Number(_) => *value = HIDDEN.into(),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Whether a field holds a secret, by its name. An `api_key` that is no text describes a key.
fn is_secret(name: &str, field: &Value) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "key" | "apikey" | "plain" | "plaintext" | "authorization")
        || name == "api_key" && field.is_string()
        || ["secret", "token", "password", "credential"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = concat!("wbk_1a2B3c4D_", "0123456789abcdefABCDEF0123456789");
    /// A key that does not look like one.
    const OPAQUE: &str = "Correct-Horse-Battery";

    #[test]
    fn no_header_shows_a_secret() {
        assert_eq!(header("authorization", &format!("Bearer {PLAIN}"), "wbk_1a2B3c4D"), "Bearer wbk_1a2B3c4D…");
        assert_eq!(header("authorization", OPAQUE, ""), "…");
        assert_eq!(header("x-api-key", PLAIN, "wbk_1a2B3c4D"), "wbk_1a2B3c4D…");
        assert_eq!(header("set-cookie", "session=1", ""), "…");
        assert_eq!(header("idempotency-key", "0123456789abcdef0123", ""), "012345…");
        assert_eq!(header("idempotency-key", "one", ""), "…");
        assert_eq!(header("location", &format!("/x?key={PLAIN}"), ""), "/x?key=…");
        assert_eq!(header("server", "a\u{1b}[2Jb", ""), "a\\x1b[2Jb");
    }

    #[test]
    fn a_secret_is_hidden_under_its_name_and_wherever_else_it_is() {
        for (given, shown) in [
            (format!(r#"{{"data":{{"id":"x","key":"{OPAQUE}"}}}}"#), r#"{"data":{"id":"x","key":"…"}}"#),
            (format!(r#"{{"key":"{OPAQUE}","note":"it is {OPAQUE}!"}}"#), r#"{"key":"…","note":"it is …!"}"#),
            (format!(r#"{{"error":"{PLAIN} is no key"}}"#), r#"{"error":"… is no key"}"#),
            (
                r#"[{"Client_Secret":["a",{"b":"c"},1,null]}]"#.to_owned(),
                r#"[{"Client_Secret":["…",{"b":"…"},"…",null]}]"#,
            ),
            (format!(r#"{{"key":null,"api_key":"{OPAQUE}"}}"#), r#"{"key":null,"api_key":"…"}"#),
            (r#"{"api_key":{"id":"x","prefix":"p"}}"#.to_owned(), r#"{"api_key":{"id":"x","prefix":"p"}}"#),
            ("{\"name\":\"\u{202e}\"}".to_owned(), "{\"name\":\"\\u202e\"}"),
        ] {
            assert_eq!(body(given.as_bytes()), shown);
        }
    }

    #[test]
    fn what_is_not_json_is_not_shown() {
        assert_eq!(body(b""), "");
        assert_eq!(
            body(format!("{{\"data\":{{\"key\":\"{OPAQUE}").as_bytes()),
            "(37 bytes that cannot be shown: no JSON)"
        );
        assert_eq!(body(b"<"), "(1 byte that cannot be shown: no JSON)");
        assert_eq!(body(&[0xff]), "(1 byte that cannot be shown: no JSON)");
    }

    #[test]
    fn a_credential_that_is_quoted_back_is_taken_out() {
        assert_eq!(without(&format!("no {OPAQUE} here"), OPAQUE), "no … here");
        assert_eq!(without("as it is", ""), "as it is");
    }
}
