//! `file:PATH`: a private file with the plaintext and a line break.

use std::path::Path;

use super::error::Reason;
use super::{Delivery, RESERVE, Sink, line};
use crate::files::PreparedFile;

/// A file that holds one key.
pub(super) struct FileSink(PreparedFile);

impl FileSink {
    pub(super) fn prepare(path: &Path) -> Result<Self, Reason> {
        Ok(Self(PreparedFile::new(path, RESERVE)?))
    }
}

impl Sink for FileSink {
    fn deliver(self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        Ok(self.0.commit(&line(delivery.plain))?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{AWKWARD, deliver, refusal};
    use crate::files::scratch::Scratch;

    #[test]
    fn the_file_holds_the_key_and_a_line_break_and_is_replaced_whole() {
        let scratch = Scratch::new();
        let path = scratch.file("key", "something longer than any key that is written over it ".repeat(20));
        deliver(&[&format!("file:{}", path.display())], AWKWARD).0.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{AWKWARD}\n"));
        assert_eq!(scratch.names(), ["key"]);
        #[cfg(unix)]
        assert_eq!(crate::files::scratch::mode(&path), 0o600);
    }

    #[test]
    fn a_directory_is_refused_before_anything_is_minted() {
        let scratch = Scratch::new();
        let refused = refusal(&[&format!("file:{}", scratch.path("").display())]);
        assert!(refused.contains("name a file in it"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_files_of_others_are_refused() {
        let scratch = Scratch::new();
        let path = scratch.file("key", "old");
        std::os::unix::fs::symlink(&path, scratch.path("link")).unwrap();
        crate::files::scratch::change_mode(&path, 0o644);
        assert!(refusal(&[&format!("file:{}", scratch.path("link").display())]).contains("symbolic link"));
        assert!(refusal(&[&format!("file:{}", path.display())]).contains("chmod 600"));
    }
}
