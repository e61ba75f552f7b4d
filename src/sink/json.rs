//! `json:PATH`: a private file with the key's object, as `--json` would show it, and the plaintext in the field `secret`.

use std::path::Path;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::Reason;
use super::{Delivery, RESERVE, Sink};
use crate::files::PreparedFile;

/// The one field that a record must not bring itself.
const SECRET: &str = "secret";

/// More than a record takes; what is larger still is written, only its room was not made beforehand.
const RECORD: usize = 16 * 1024;

/// A file that holds one key and what is known of it.
pub(super) struct JsonSink(PreparedFile);

impl JsonSink {
    pub(super) fn prepare(path: &Path) -> Result<Self, Reason> {
        Ok(Self(PreparedFile::new(path, RESERVE + RECORD)?))
    }
}

impl Sink for JsonSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        let document = Document { record: delivery.record, secret: delivery.plain.expose() };
        let text = document.text().map_err(|cause| Reason::system("write the object")(cause.into()))?;
        Ok(self.0.commit(&text)?)
    }
}

/// The record and the secret, brought together only in the text: a `Value` would keep a copy that nobody wipes.
struct Document<'a> {
    record: &'a Value,
    secret: &'a str,
}

impl Document<'_> {
    fn text(&self) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        // Sized beforehand: a buffer that grew would leave a copy behind. Escapes at most double a key.
        let record = serde_json::to_vec_pretty(self.record)?.len();
        let mut text = Zeroizing::new(Vec::with_capacity(record + 2 * self.secret.len() + 64));
        serde_json::to_writer_pretty(&mut *text, self)?;
        text.push(b'\n');
        Ok(text)
    }
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.record.as_object().into_iter().flatten() {
            if name != SECRET {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry(SECRET, self.secret)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::tests::{AWKWARD, deliver};
    use super::*;
    use crate::files::scratch::Scratch;

    #[test]
    fn the_object_has_the_record_and_the_secret() {
        let scratch = Scratch::new();
        let path = scratch.path("key.json");
        deliver(&[&format!("json:{}", path.display())], "wbk_secret").0.unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\n  \"id\": \"k1\",\n  \"name\": \"ci\",\n  \"secret\": \"wbk_secret\"\n}\n");
    }

    #[test]
    fn a_field_of_that_name_is_not_written_twice() {
        let document = Document { record: &json!({"secret": null}), secret: "wbk_secret" };
        assert_eq!(document.text().unwrap().as_slice(), b"{\n  \"secret\": \"wbk_secret\"\n}\n");
    }

    #[test]
    fn what_is_no_object_still_gets_the_secret_through() {
        let document = Document { record: &Value::Null, secret: AWKWARD };
        assert_eq!(serde_json::from_slice::<Value>(&document.text().unwrap()).unwrap(), json!({"secret": AWKWARD}));
    }

    proptest! {
        #[test]
        fn the_text_reads_back_and_its_buffer_never_grew(secret in "[!-~]{1,512}", name in ".*", list: Vec<u8>) {
            let record = json!({"name": name, "list": list, "nested": {"empty": []}});
            let text = Document { record: &record, secret: &secret }.text().unwrap();
            let read: Value = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(&read["secret"], &Value::from(secret.as_str()));
            prop_assert_eq!(&read["name"], &record["name"]);
            let sized = serde_json::to_vec_pretty(&record).unwrap().len() + 2 * secret.len() + 64;
            prop_assert_eq!(text.capacity(), sized);
        }
    }
}
