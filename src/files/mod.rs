//! Files that nobody else may read: written whole or not at all, refused when somebody else could look in, and locks.
//!
//! A target is checked twice over: what is there already must be ours alone, and what is written is a new file that
//! takes its place by a rename. So a symbolic link is never followed, and a reader sees the old content or the new.

mod error;
mod left;
mod lock;
#[cfg(test)]
pub(crate) mod scratch;
#[cfg(test)]
mod tests;

pub(crate) use self::error::FileError;
pub(crate) use self::left::tidy;
pub(crate) use self::lock::{Lock, PassingLock};

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use self::error::{READ, Why};
use self::left::sweep;
use self::lock::is_at;

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
        sweep(&directory, &name);
        let (temporary, file) =
            create_temporary(&directory, &name).map_err(|cause| FileError::new(ATTEMPT, target, Why::System(cause)))?;
        let mut prepared = Self { target: target.to_owned(), directory, temporary, file, committed: false };
        // Waiting for the disk is what a write costs: where nothing is to be found out, it is done once.
        if reserve > 0 {
            let failed = |cause| FileError::new(ATTEMPT, target, Why::System(cause));
            prepared.overwrite(&vec![0; reserve]).map_err(failed)?;
        }
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

/// Replaces a file of ours that can be made anew, whole or not at all. A power cut may lose it, and nothing waits for the disk.
pub(crate) fn replace_lightly(target: &Path, content: &[u8]) -> Result<(), FileError> {
    const ATTEMPT: &str = "write";
    let failed = |cause| FileError::new(ATTEMPT, target, Why::System(cause));
    let name = file_name(target).ok_or_else(|| FileError::new(ATTEMPT, target, Why::NoName))?;
    find_private(target, ATTEMPT)?;
    let (temporary, mut file) = create_temporary(parent(target), &name).map_err(failed)?;
    file.write_all(content).and_then(|()| fs::rename(&temporary, target)).map_err(|cause| {
        fs::remove_file(&temporary).ok();
        failed(cause)
    })
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

/// The same of a directory within another one that only we may enter.
pub(crate) fn private_subdirectory(path: &Path) -> Result<(), FileError> {
    private_directory(parent(path))?;
    private_directory(path)
}

/// Reads a file that must be ours alone; `None` if there is none.
pub(crate) fn read_private(target: &Path, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    let failed = |why| FileError::new(READ, target, why);
    if !find_private(target, READ)? {
        return Ok(None);
    }
    let file = match private(OpenOptions::new().read(true)).open(target) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(Why::System(cause))),
    };
    read_checked(file, limit, check_private).map(Some).map_err(failed)
}

/// Reads a file that anybody may have made and may read, wherever links lead.
pub(crate) fn read_public(target: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_given(target, limit, check_regular)
}

/// Reads a secret that somebody else may have put there for us: a file of ours that nobody else may use, or one of the
/// administrator's that at most our group may read. Links are followed, as those lead that renew certificates.
pub(crate) fn read_guarded(target: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_given(target, limit, check_guarded)
}

fn read_given(
    target: &Path,
    limit: u64,
    check: fn(&Metadata) -> Result<(), Why>,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |why| FileError::of_named(target, why);
    let mut options = OpenOptions::new();
    // A pipe does not block before it is refused.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.read(true).open(target).map_err(|cause| failed(Why::System(cause)))?;
    read_checked(file, limit, check).map_err(failed)
}

fn read_checked(file: File, limit: u64, check: fn(&Metadata) -> Result<(), Why>) -> Result<Zeroizing<Vec<u8>>, Why> {
    let metadata = file.metadata().map_err(Why::System)?;
    check(&metadata)?;
    if metadata.len() > limit {
        return Err(Why::TooLarge(limit));
    }
    let length = usize::try_from(metadata.len()).map_err(|_| Why::TooLarge(limit))?;
    read_exactly(file, length).map_err(Why::System)
}

/// Removes a file for good, with what a killed process left of it, and says whether there was one.
pub(crate) fn remove(path: &Path) -> Result<bool, FileError> {
    let failed = |cause| FileError::new("remove", path, Why::System(cause));
    if let Some(name) = file_name(path) {
        sweep(parent(path), &name);
    }
    match fs::remove_file(path) {
        Ok(()) => sync_directory(parent(path)).map(|()| true).map_err(failed),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(failed(cause)),
    }
}

/// The names of the files in a directory; none where there is no directory.
pub(crate) fn names(directory: &Path) -> Result<Vec<String>, FileError> {
    let failed = |cause| FileError::new("list", directory, Why::System(cause));
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
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

/// Whether there is a file that is ours alone; an error if there is something else.
fn find_private(path: &Path, attempt: &'static str) -> Result<bool, FileError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => check_private(&metadata).map(|()| true).map_err(|why| FileError::new(attempt, path, why)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(FileError::new(attempt, path, Why::System(cause))),
    }
}

fn check_private(metadata: &Metadata) -> Result<(), Why> {
    check_regular(metadata)?;
    check_owner_and_mode(metadata)
}

fn check_regular(metadata: &Metadata) -> Result<(), Why> {
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
    Ok(())
}

#[cfg(unix)]
fn check_guarded(metadata: &Metadata) -> Result<(), Why> {
    use std::os::unix::fs::MetadataExt;

    const ADMINISTRATOR: u32 = 0;
    check_regular(metadata)?;
    let mode = metadata.mode() & 0o7777;
    if metadata.uid() == ADMINISTRATOR && mode & 0o027 == 0 { Ok(()) } else { check_owner_and_mode(metadata) }
}

#[cfg(not(unix))]
fn check_guarded(metadata: &Metadata) -> Result<(), Why> {
    check_private(metadata)
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

/// How every temporary file for a target begins.
fn beginning(name: &str) -> String {
    let shown: String = name.chars().take(NAME_SHOWN).collect();
    format!(".{shown}.keys-")
}

/// Held locked as long as it is written, so that [`sweep`] can tell it from one that a killed process left.
fn create_temporary(directory: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let beginning = beginning(name);
    let mut taken = None;
    for _ in 0..ATTEMPTS {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("{beginning}{process}-{count}"));
        match private(OpenOptions::new().write(true).create_new(true)).open(&path) {
            // Another process took it for a left one, in the moment before it was locked.
            Ok(file) if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) || !is_at(&file, &path) => {}
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
