//! `fd:N`: a descriptor that the caller opened and handed to this program, as in `keys create … --to fd:3 3>FILE`.

#[cfg(unix)]
use std::fs::{File, OpenOptions};
#[cfg(unix)]
use std::io::{self, Write};

use super::error::Reason;
#[cfg(unix)]
use super::line;
use super::{Delivery, Sink};

/// A copy of a descriptor.
#[cfg(unix)]
pub(super) struct DescriptorSink(File);

#[cfg(not(unix))]
pub(super) enum DescriptorSink {}

impl DescriptorSink {
    #[cfg(unix)]
    pub(super) fn prepare(number: u32) -> Result<Self, Reason> {
        check(number)?;
        copy(number).map(Self).map_err(Reason::system("open the descriptor"))
    }

    #[cfg(not(unix))]
    pub(super) fn prepare(_: u32) -> Result<Self, Reason> {
        Err(Reason::NotOffered)
    }
}

impl Sink for DescriptorSink {
    #[cfg(unix)]
    fn deliver(mut self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        self.0.write_all(&line(delivery.plain)).map_err(Reason::system("write to the descriptor"))
    }

    #[cfg(not(unix))]
    fn deliver(self: Box<Self>, _: &mut Delivery<'_>) -> Result<(), Reason> {
        match *self {}
    }
}

/// Refuses what is closed, cannot be written to, or is a file of our own: only what a caller hands over survives the
/// start of a program, and a wrong number must not lead into our database.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn check(number: u32) -> Result<(), Reason> {
    use rustix::fs::OFlags;

    let Ok(information) = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")) else {
        return Err(Reason::NotOpen(number));
    };
    let flags = information
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .map_or(OFlags::empty(), OFlags::from_bits_retain);
    if flags.contains(OFlags::CLOEXEC) {
        return Err(Reason::NotOpen(number));
    }
    if flags & OFlags::RWMODE == OFlags::RDONLY {
        return Err(Reason::ReadOnly(number));
    }
    Ok(())
}

/// Elsewhere opening `/dev/fd/N` copies the descriptor and makes these checks, except whose it is.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn check(number: u32) -> Result<(), Reason> {
    match OpenOptions::new().append(true).open(path(number)) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Err(Reason::ReadOnly(number)),
        Err(_) => Err(Reason::NotOpen(number)),
    }
}

/// A copy shares the position in a file with the caller's descriptor, so that neither overwrites the other; and a
/// socket can be copied, not opened. Where that is forbidden, as in some containers, opening has to do.
#[cfg(unix)]
fn copy(number: u32) -> io::Result<File> {
    match number {
        1 => rustix::stdio::stdout().try_clone_to_owned().map(File::from),
        2 => rustix::stdio::stderr().try_clone_to_owned().map(File::from),
        _ => duplicate(number).or_else(|_| OpenOptions::new().append(true).open(path(number))),
    }
}

/// Asks for a descriptor of our own process by its number, which is safe where taking hold of the number is not.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn duplicate(number: u32) -> io::Result<File> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    let copy = pidfd_getfd(this, number.cast_signed(), PidfdGetfdFlags::empty())?;
    Ok(File::from(copy))
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn duplicate(_: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn path(number: u32) -> String {
    format!("/dev/fd/{number}")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Seek};
    use std::os::fd::{AsFd, AsRawFd};

    use rustix::io::{FdFlags, fcntl_setfd};

    use super::super::tests::{deliver, refusal};
    use super::*;
    use crate::files::scratch::Scratch;

    /// Makes a descriptor look like one that the caller handed over, and names it.
    fn handed_over(descriptor: &impl AsFd) -> String {
        let outcome = fcntl_setfd(descriptor, FdFlags::empty());
        assert!(outcome.is_ok());
        format!("fd:{}", descriptor.as_fd().as_raw_fd())
    }

    #[test]
    fn a_pipe_and_a_socket_get_the_line() {
        let (mut reader, writer) = io::pipe().unwrap();
        deliver(&[&handed_over(&writer)], "wbk_secret").0.unwrap();
        drop(writer);
        let mut received = String::new();
        reader.read_to_string(&mut received).unwrap();
        assert_eq!(received, "wbk_secret\n");

        let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        deliver(&[&handed_over(&theirs)], "wbk_secret").0.unwrap();
        drop(theirs);
        received.clear();
        ours.read_to_string(&mut received).unwrap();
        assert_eq!(received, "wbk_secret\n");
    }

    #[test]
    fn a_file_is_written_where_the_caller_stands_and_the_caller_goes_on_behind() {
        let scratch = Scratch::new();
        let path = scratch.file("key", "");
        let mut file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        file.write_all(b"before\n").unwrap();
        deliver(&[&handed_over(&file)], "wbk_secret").0.unwrap();
        file.write_all(b"after\n").unwrap();
        file.rewind().unwrap();
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "before\nwbk_secret\nafter\n");
    }

    #[test]
    fn what_is_closed_is_refused_at_once() {
        assert!(refusal(&["fd:1000000"]).contains("was not handed to this program"));
    }

    #[test]
    fn what_can_only_be_read_is_refused_at_once() {
        let (reader, _writer) = io::pipe().unwrap();
        assert!(refusal(&[&handed_over(&reader)]).contains("reading only"));
    }

    #[test]
    fn a_file_of_our_own_is_refused() {
        let scratch = Scratch::new();
        let database = OpenOptions::new().write(true).open(scratch.file("database", "")).unwrap();
        let refused = refusal(&[&format!("fd:{}", database.as_raw_fd())]);
        assert!(refused.contains("was not handed to this program"), "{refused}");
    }

    #[test]
    fn a_full_disk_is_a_failed_delivery() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let failure = deliver(&[&handed_over(&full)], "wbk_secret").0.unwrap_err().to_string();
        assert!(failure.contains("No space left") && !failure.contains("wbk_secret"), "{failure}");
    }
}
