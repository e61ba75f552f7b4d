//! Finds secrets in bytes, also in the forms in which programs write bytes down.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How much of the beginning of a text to look for is compared at once.
const HEAD: usize = 8;

/// What is looked for. What was found is named by its label: the report of a failed test is a log as well.
#[derive(Clone, Default)]
pub(crate) struct Searcher {
    /// Which two bytes begin a text that is looked for; empty while there is none.
    begins: Vec<bool>,
    /// The rest by the first bytes.
    texts: HashMap<[u8; HEAD], Vec<(Vec<u8>, String)>>,
}

impl Searcher {
    /// Looks for a key from now on: for what is behind its shown prefix, which is the secret part, so that a key that was
    /// taken apart is found too.
    pub(crate) fn add(&mut self, label: &str, key: &str) {
        let (_, secret) = key.rsplit_once('_').unwrap();
        assert_eq!(secret.len(), 32, "{label} is not a key");
        for form in forms(secret.as_bytes()) {
            self.begins.resize(1 << 16, false);
            self.begins[pair(&form)] = true;
            let head = form[..HEAD].try_into().unwrap();
            self.texts.entry(head).or_default().push((form, label.to_owned()));
        }
    }

    /// The labels of what is in these bytes.
    pub(crate) fn find(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if self.begins.is_empty() {
            return found;
        }
        for (at, head) in bytes.windows(HEAD).enumerate() {
            if self.begins[pair(head)] {
                let texts = self.texts.get(head).into_iter().flatten();
                let here = texts.filter(|(text, _)| bytes[at..].starts_with(text));
                found.extend(here.map(|(_, label)| label.clone()));
            }
        }
        found
    }

    /// What is in which file below a directory, for the files that hold anything.
    pub(crate) fn find_below(&self, root: &Path) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for path in files_below(root) {
            let content = match fs::read(&path) {
                Ok(content) => content,
                // Of a running program: a file that was here may be gone.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", path.display()),
            };
            let labels = self.find(&content);
            if !labels.is_empty() {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), labels);
            }
        }
        found
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// As it is, in UTF-16, in both cases of hexadecimal, and in base64 wherever in a longer text it stands.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| {
        secret.iter().fold(String::new(), |mut hex, byte| {
            let written = if upper { write!(hex, "{byte:02X}") } else { write!(hex, "{byte:02x}") };
            written.map(|()| hex).unwrap()
        })
    };
    let wide = secret.iter().flat_map(|byte| [*byte, 0]).collect();
    let mut forms = vec![secret.to_vec(), wide, hex(false).into_bytes(), hex(true).into_bytes()];
    for before in 0..3 {
        let text = [&[0; 2][..before], secret].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let whole = engine.encode(&text);
            // The first characters depend on what stands before, the last one on what follows.
            let begin = (before * 8).div_ceil(6);
            let end = text.len() * 8 / 6;
            forms.push(whole.as_bytes()[begin..end].to_vec());
        }
    }
    forms
}

/// All regular files; no link is followed, for what it leads to is elsewhere.
pub(crate) fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files
}
