//! Files that nobody else may read: written whole or not at all, refused when somebody else could look in, and locks.
//!
//! A target is checked twice over: what is there already must be ours alone, and what is written is a new file that
//! takes its place by a rename. So a symbolic link is never followed, and a reader sees the old content or the new.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::exit::{Exit, Explain};
use crate::text;

/// How often another name is tried when a temporary file's name is taken, which only a killed process leaves behind.
const ATTEMPTS: usize = 64;

/// How much of the target's name goes into the temporary one: names end at 255 bytes.
const NAME_SHOWN: usize = 48;

/// Tells apart the temporary files of one process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A file that will take the target's place. Everything that can fail early has been tried when this exists; dropped
/// without [`PreparedFile::commit`] it leaves nothing behind.
pub(crate) struct PreparedFile {
    target: PathBuf,
    directory: PathBuf,
    temporary: PathBuf,
    file: File,
    committed: bool,
}

impl PreparedFile {
    /// Checks the target and creates the temporary file beside it. Writes `reserve` bytes, so that a disk which is full
    /// or read-only is found out now.
    pub(crate) fn new(target: &Path, reserve: usize) -> Result<Self, FileError> {
        const ATTEMPT: &str = "prepare";
        let name = file_name(target).ok_or_else(|| FileError::new(ATTEMPT, target, Why::NoName))?;
        find_private(target, ATTEMPT)?;
        let directory = parent(target).to_owned();
        let (temporary, file) =
            create_temporary(&directory, &name).map_err(|cause| FileError::new(ATTEMPT, target, Why::System(cause)))?;
        let mut prepared = Self { target: target.to_owned(), directory, temporary, file, committed: false };
        prepared.overwrite(&vec![0; reserve]).map_err(|cause| FileError::new(ATTEMPT, target, Why::System(cause)))?;
        Ok(prepared)
    }

    /// Writes the content and renames the file over the target. When this returns, a power cut loses nothing.
    pub(crate) fn commit(mut self, content: &[u8]) -> Result<(), FileError> {
        self.replace(content).map_err(|cause| FileError::new("write", &self.target, Why::System(cause)))
    }

    fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        self.overwrite(content)?;
        fs::rename(&self.temporary, &self.target)?;
        self.committed = true;
        sync_directory(&self.directory)
    }

    /// Overwrites before it truncates, so that the reserved blocks are used and not given back first.
    fn overwrite(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(content)?;
        self.file.set_len(content.len() as u64)?;
        self.file.sync_all()
    }
}

impl Drop for PreparedFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nobody is left to be told, and the next preparation takes another name.
            fs::remove_file(&self.temporary).ok();
        }
    }
}

/// Held by one process at a time. Given back when dropped, and by the system when the process dies. The file stays:
/// removing it would let two processes hold locks on two files of one name.
pub(crate) struct Lock {
    file: File,
}

/// How many times, ten milliseconds apart, a lock is asked for.
const PATIENCE: u32 = 500;

impl Lock {
    /// Waits until nobody else holds the lock, at most five seconds: as long as for the lock of a database.
    pub(crate) fn exclusive(path: &Path) -> Result<Self, FileError> {
        const ATTEMPT: &str = "lock";
        let failed = |why| FileError::new(ATTEMPT, path, why);
        find_private(path, ATTEMPT)?;
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(path)
            .map_err(|cause| failed(Why::System(cause)))?;
        let metadata = file.metadata().map_err(|cause| failed(Why::System(cause)))?;
        check_private(&metadata).map_err(failed)?;
        for _ in 0..PATIENCE {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(cause)) => return Err(failed(Why::System(cause))),
            }
        }
        Err(failed(Why::Held))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, unless a child that is being started holds a copy of the descriptor at this moment.
        self.file.unlock().ok();
    }
}

/// Creates a directory that only we may enter, with its missing parents. One that exists is taken as it is.
pub(crate) fn private_directory(path: &Path) -> Result<(), FileError> {
    const ATTEMPT: &str = "create the directory";
    let failed = |why| FileError::new(ATTEMPT, path, why);
    match existing_directory(path) {
        Ok(true) => return Ok(()),
        Ok(false) => {}
        Err(why) => return Err(failed(why)),
    }
    fs::create_dir_all(parent(path)).map_err(|cause| failed(Why::System(cause)))?;
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is set on Unix only"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => Ok(()),
        // Another process was faster.
        Err(_) if matches!(existing_directory(path), Ok(true)) => Ok(()),
        Err(cause) => Err(failed(Why::System(cause))),
    }
}

/// Reads a file that must be ours alone; `None` if there is none.
pub(crate) fn read_private(target: &Path, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    const ATTEMPT: &str = "read";
    let failed = |why| FileError::new(ATTEMPT, target, why);
    if !find_private(target, ATTEMPT)? {
        return Ok(None);
    }
    let file = match private(OpenOptions::new().read(true)).open(target) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(Why::System(cause))),
    };
    let metadata = file.metadata().map_err(|cause| failed(Why::System(cause)))?;
    check_private(&metadata).map_err(failed)?;
    if metadata.len() > limit {
        return Err(failed(Why::TooLarge(limit)));
    }
    let length = usize::try_from(metadata.len()).map_err(|_| failed(Why::TooLarge(limit)))?;
    let content = read_exactly(file, length).map_err(|cause| failed(Why::System(cause)))?;
    Ok(Some(content))
}

/// Creates an empty file that is ours alone, and says whether it did: one that exists must be ours alone already.
pub(crate) fn create_private(path: &Path) -> Result<bool, FileError> {
    const ATTEMPT: &str = "create";
    match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(_) => Ok(true),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
            find_private(path, "use")?;
            Ok(false)
        }
        Err(cause) => Err(FileError::new(ATTEMPT, path, Why::System(cause))),
    }
}

/// What was tried with which file, and why it did not work. The reason is part of the message and not a source, so that
/// a closed pipe below a secret is never taken for a reader who has seen enough.
#[derive(Debug, Error)]
#[error("could not {attempt} `{}`: {why}", path.display())]
pub(crate) struct FileError {
    attempt: &'static str,
    path: PathBuf,
    why: Why,
}

#[derive(Debug, Error)]
enum Why {
    #[error("it is a symbolic link")]
    Link,
    #[error("another program holds it")]
    Held,
    #[error("it is a directory")]
    Directory,
    #[error("it is not a regular file")]
    Special,
    #[error("it is not a directory")]
    NotADirectory,
    #[cfg(unix)]
    #[error("others may use it (its mode is {0:04o})")]
    Open(u32),
    #[cfg(unix)]
    #[error("it belongs to another user (uid {0})")]
    Foreign(u32),
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    #[error("this does not name a file")]
    NoName,
    #[error("{0}")]
    System(io::Error),
}

impl FileError {
    /// The reason alone, for whoever names the place in its own words.
    pub(crate) fn reason(&self) -> String {
        self.why.to_string()
    }

    fn new(attempt: &'static str, path: &Path, why: Why) -> Self {
        Self { attempt, path: path.to_owned(), why }
    }

    fn system_hint(&self, kind: ErrorKind) -> Option<String> {
        match kind {
            ErrorKind::NotFound => {
                Some(format!("create the directory first: `mkdir -p {}`", shell_word(parent(&self.path))))
            }
            ErrorKind::PermissionDenied => Some("check who may write to the directory, or name another".to_owned()),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Some("make room on the disk, or name another".to_owned())
            }
            ErrorKind::ReadOnlyFilesystem => Some("name a file on a disk that can be written to".to_owned()),
            _ => None,
        }
    }
}

impl Explain for FileError {
    /// Where a file of ours cannot be used, nothing was changed. A sink that cannot be used says so in its own words.
    fn exit(&self) -> Exit {
        Exit::Unreachable
    }

    fn code(&self) -> &'static str {
        "file_unusable"
    }

    fn is_retryable(&self) -> bool {
        matches!(self.why, Why::Held)
    }

    fn hint(&self) -> Option<String> {
        let path = self.path.display();
        match &self.why {
            Why::Link => Some("name the file itself: links are not followed".to_owned()),
            Why::Directory | Why::NoName => {
                Some(format!("name a file in it, such as `{}`", self.path.join("key").display()))
            }
            Why::Held => Some("close the program that holds it, then run the command again".to_owned()),
            Why::Special => Some("name a regular file, or one that does not exist yet".to_owned()),
            Why::NotADirectory => Some(format!("move `{path}` away or name another directory")),
            #[cfg(unix)]
            Why::Open(_) => Some(format!("run `chmod 600 {}`", shell_word(&self.path))),
            #[cfg(unix)]
            Why::Foreign(_) => Some(format!("move `{path}` away or name another file")),
            Why::TooLarge(_) => Some("check that this is the file you meant".to_owned()),
            Why::System(cause) => self.system_hint(cause.kind()),
        }
    }
}

/// Whether there is a file that is ours alone; an error if there is something else.
fn find_private(path: &Path, attempt: &'static str) -> Result<bool, FileError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => check_private(&metadata).map(|()| true).map_err(|why| FileError::new(attempt, path, why)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(FileError::new(attempt, path, Why::System(cause))),
    }
}

fn check_private(metadata: &Metadata) -> Result<(), Why> {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        return Err(Why::Link);
    }
    if kind.is_dir() {
        return Err(Why::Directory);
    }
    if !kind.is_file() {
        return Err(Why::Special);
    }
    check_owner_and_mode(metadata)
}

#[cfg(unix)]
fn check_owner_and_mode(metadata: &Metadata) -> Result<(), Why> {
    use std::os::unix::fs::MetadataExt;

    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Why::Foreign(metadata.uid()));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o066 != 0 {
        return Err(Why::Open(mode));
    }
    Ok(())
}

/// Access lists are inherited from the user's own directory here; there is no mode to look at.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems can refuse")]
fn check_owner_and_mode(_: &Metadata) -> Result<(), Why> {
    Ok(())
}

/// 0600 from the moment the file exists, and a link or a pipe that appeared after the check neither leads elsewhere nor
/// blocks.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(flags.bits().cast_signed())
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn create_temporary(directory: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let shown: String = name.chars().take(NAME_SHOWN).collect();
    let mut taken = None;
    for _ in 0..ATTEMPTS {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".{shown}.keys-{process}-{count}"));
        match private(OpenOptions::new().write(true).create_new(true)).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => taken = Some(cause),
            Err(cause) => return Err(cause),
        }
    }
    Err(taken.unwrap_or_else(|| ErrorKind::AlreadyExists.into()))
}

/// Reads a file of a known length into one buffer: one that grew would leave a copy of its content behind.
fn read_exactly(mut file: File, length: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // One byte more, to see that this is the end.
    let mut content = Zeroizing::new(vec![0; length + 1]);
    let mut filled = 0;
    while filled <= length {
        match file.read(&mut content[filled..]) {
            Ok(0) => {
                content.truncate(filled);
                return Ok(content);
            }
            Ok(count) => filled += count,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Err(io::Error::other("it grew while it was read"))
}

/// Makes a rename last.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some network file systems cannot do this; they do it by themselves.
        Err(cause) if matches!(cause.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// A directory cannot be opened here.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems can fail")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn existing_directory(path: &Path) -> Result<bool, Why> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(Why::NotADirectory),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(Why::System(cause)),
    }
}

/// The last part of a path. `None` for `..`, and for `new/`, which would be taken for a file only until the rename.
fn file_name(path: &Path) -> Option<String> {
    let name = path.file_name()?;
    let whole = path.as_os_str().as_encoded_bytes();
    whole.ends_with(name.as_encoded_bytes()).then(|| name.to_string_lossy().into_owned())
}

/// The directory a file is in; `.` for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A path as it can be pasted into a shell.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let guard = if text.starts_with('-') { "./" } else { "" };
    text::shell_word(&format!("{guard}{text}"))
}

/// A directory of a test's own, for the tests of every module that writes files.
#[cfg(test)]
pub(crate) mod scratch {
    use super::*;

    /// Removed with everything in it when dropped.
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new() -> Self {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("keys-test-{}-{count}", std::process::id()));
            private_directory(&path).unwrap();
            Self(path)
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        /// Writes a file of ours alone.
        pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
            let path = self.path(name);
            PreparedFile::new(&path, 0).unwrap().commit(content.as_ref()).unwrap();
            path
        }

        /// The names of all there is, sorted.
        pub(crate) fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[cfg(unix)]
    pub(crate) fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[cfg(unix)]
    pub(crate) fn change_mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::scratch::Scratch;
    use super::*;

    fn message<T>(result: Result<T, FileError>) -> String {
        match result {
            Ok(_) => "it worked".to_owned(),
            Err(error) => format!("{error}; {}", error.hint().unwrap_or_default()),
        }
    }

    /// What each of the four doors says to a path.
    fn refusals(path: &Path) -> [String; 4] {
        [
            message(PreparedFile::new(path, 8)),
            message(read_private(path, 100)),
            message(create_private(path)),
            message(Lock::exclusive(path)),
        ]
    }

    #[test]
    fn a_commit_replaces_the_whole_content_and_leaves_nothing_else() {
        let scratch = Scratch::new();
        let path = scratch.path("key");
        for content in ["longer than the reserve", "short", ""] {
            PreparedFile::new(&path, 8).unwrap().commit(content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(read_private(&path, 100).unwrap().unwrap().as_slice(), content.as_bytes());
        }
        assert_eq!(scratch.names(), ["key"]);
    }

    #[test]
    fn an_abandoned_preparation_leaves_nothing_and_changes_nothing() {
        let scratch = Scratch::new();
        let path = scratch.file("old", "old");
        let prepared = [PreparedFile::new(&path, 8).unwrap(), PreparedFile::new(&scratch.path("new"), 8).unwrap()];
        assert_eq!(scratch.names().len(), 3);
        assert!(scratch.names()[..2].iter().all(|name| name.starts_with('.')));
        drop(prepared);
        assert_eq!(scratch.names(), ["old"]);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_failed_commit_leaves_nothing_behind() {
        let scratch = Scratch::new();
        let path = scratch.path("key");
        let prepared = PreparedFile::new(&path, 8).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(message(prepared.commit(b"content")).starts_with("could not write"));
        assert_eq!(scratch.names(), ["key"]);
    }

    #[test]
    fn what_is_not_there_is_none_and_a_missing_directory_has_a_hint() {
        let scratch = Scratch::new();
        assert!(read_private(&scratch.path("absent"), 100).unwrap().is_none());
        let refused = message(PreparedFile::new(&scratch.path("no/such/key"), 8));
        assert!(refused.contains("mkdir -p") && refused.contains("no/such"), "{refused}");
    }

    #[test]
    fn a_path_that_names_no_file_is_refused_at_once() {
        let scratch = Scratch::new();
        for name in ["new/", "new/.", "..", "new/.."] {
            assert!(message(PreparedFile::new(&scratch.path(name), 8)).contains("name a file"), "{name}");
        }
        assert!(scratch.names().is_empty());
    }

    #[test]
    fn a_long_name_is_cut_in_the_temporary_one() {
        let scratch = Scratch::new();
        scratch.file(&"n".repeat(255), "content");
        assert_eq!(scratch.names().len(), 1);
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let scratch = Scratch::new();
        let path = scratch.file("large", "12345");
        assert!(read_private(&path, 5).unwrap().is_some());
        assert!(message(read_private(&path, 4)).contains("larger than 4 bytes"));
    }

    #[test]
    fn a_created_file_is_found_the_second_time() {
        let scratch = Scratch::new();
        assert!(create_private(&scratch.path("database")).unwrap());
        assert!(!create_private(&scratch.path("database")).unwrap());
    }

    #[test]
    fn directories_are_refused_as_files_and_files_as_directories() {
        let scratch = Scratch::new();
        private_directory(&scratch.path("a/b/c")).unwrap();
        private_directory(&scratch.path("a/b/c")).unwrap();
        for refused in refusals(&scratch.path("a")) {
            assert!(refused.contains("it is a directory"), "{refused}");
        }
        let file = scratch.file("file", "");
        assert!(message(private_directory(&file)).contains("it is not a directory"));
        assert_eq!(scratch.names(), ["a", "file"]);
    }

    #[test]
    fn a_lock_is_held_by_one_and_given_back() {
        let scratch = Scratch::new();
        let path = scratch.path("lock");
        let held = Lock::exclusive(&path).unwrap();
        let other = File::open(&path).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        other.try_lock().unwrap();
    }

    #[test]
    fn a_word_can_be_pasted() {
        assert_eq!(shell_word(Path::new("a/b.env")), "a/b.env");
        assert_eq!(shell_word(Path::new("-rf")), "./-rf");
        assert_eq!(shell_word(Path::new("it's $HOME")), r"'it'\''s $HOME'");
    }

    #[cfg(unix)]
    mod unix {
        use super::super::scratch::{change_mode, mode};
        use super::*;

        #[test]
        fn everything_is_private_from_the_start() {
            let scratch = Scratch::new();
            let prepared = PreparedFile::new(&scratch.path("key"), 8).unwrap();
            assert_eq!(mode(&prepared.temporary), 0o600);
            prepared.commit(b"content").unwrap();
            create_private(&scratch.path("database")).unwrap();
            let _lock = Lock::exclusive(&scratch.path("lock")).unwrap();
            private_directory(&scratch.path("directory")).unwrap();
            assert_eq!(["key", "database", "lock"].map(|name| mode(&scratch.path(name))), [0o600; 3]);
            assert_eq!(mode(&scratch.path("directory")), 0o700);
        }

        #[test]
        fn a_file_others_may_use_is_refused_with_the_command_that_helps() {
            let scratch = Scratch::new();
            let path = scratch.file("key", "old");
            for open in [0o640, 0o604, 0o620, 0o602, 0o644] {
                change_mode(&path, open);
                for refused in refusals(&path) {
                    assert!(refused.ends_with(&format!("run `chmod 600 {}`", path.display())), "{refused}");
                }
            }
            for closed in [0o600, 0o400, 0o700] {
                change_mode(&path, closed);
                assert_eq!(message(PreparedFile::new(&path, 8)), "it worked");
            }
            assert_eq!(scratch.names(), ["key"]);
        }

        #[test]
        fn links_are_refused_wherever_they_lead() {
            let scratch = Scratch::new();
            let file = scratch.file("file", "old");
            for target in [file.as_path(), Path::new("nowhere"), Path::new(".")] {
                let link = scratch.path("link");
                std::os::unix::fs::symlink(target, &link).unwrap();
                for refused in refusals(&link) {
                    assert!(refused.contains("symbolic link"), "{refused}");
                }
                fs::remove_file(&link).unwrap();
            }
            assert_eq!(scratch.names(), ["file"]);
        }

        #[test]
        fn a_link_that_appears_after_the_preparation_is_replaced_and_not_followed() {
            let scratch = Scratch::new();
            let other = scratch.file("other", "other");
            let path = scratch.path("key");
            let prepared = PreparedFile::new(&path, 8).unwrap();
            std::os::unix::fs::symlink(&other, &path).unwrap();
            prepared.commit(b"secret").unwrap();
            assert_eq!(fs::read(&other).unwrap(), b"other");
            assert!(fs::symlink_metadata(&path).unwrap().is_file());
        }

        #[test]
        fn devices_and_sockets_are_refused() {
            let scratch = Scratch::new();
            let _listener = std::os::unix::net::UnixListener::bind(scratch.path("socket")).unwrap();
            for path in [Path::new("/dev/null"), &scratch.path("socket")] {
                for refused in refusals(path) {
                    assert!(refused.contains("not a regular file"), "{refused}");
                }
            }
        }

        #[test]
        fn the_file_of_another_user_is_refused() {
            let scratch = Scratch::new();
            let path = scratch.file("key", "old");
            // Only root can give a file away; anybody else has nothing to test here.
            if std::os::unix::fs::chown(&path, Some(4321), None).is_ok() {
                for refused in refusals(&path) {
                    assert!(refused.contains("another user (uid 4321)"), "{refused}");
                }
            }
        }
    }
}
