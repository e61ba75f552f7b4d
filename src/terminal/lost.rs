//! Whether standard output can take what is written to it: asked before a key is minted that cannot be shown again.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, fstatvfs, stat};

#[expect(clippy::disallowed_methods, reason = "this is the one place that opens the standard streams")]
pub(super) fn system() -> Option<&'static str> {
    why(io::stdout().as_fd())
}

/// The same of a mask on standard error. It holds the secret: in a file it would hide nothing and give it away.
#[expect(clippy::disallowed_methods, reason = "this is the one place that opens the standard streams")]
pub(super) fn mask() -> Option<&'static str> {
    let errors = io::stderr();
    if fstat(&errors).is_ok_and(|about| FileType::from_raw_mode(about.st_mode) == FileType::RegularFile) {
        return Some("standard error is a file");
    }
    why(errors.as_fd()).map(|_| "standard error is closed, or nobody reads it")
}

/// What cannot be found out does not count: the write itself will tell.
pub(super) fn why(output: BorrowedFd<'_>) -> Option<&'static str> {
    let about = fstat(output).ok()?;
    // The standard library takes the failure of writing to such a descriptor for success.
    if fcntl_getfl(output).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDONLY) {
        return Some("standard output is not open for writing");
    }
    match FileType::from_raw_mode(about.st_mode) {
        FileType::CharacterDevice => {
            let is = |device: &str| stat(device).is_ok_and(|device| device.st_rdev == about.st_rdev);
            if is("/dev/null") {
                // The standard library opens it in the place of a stream that is closed, so this is `>&-` too.
                return Some("standard output is closed or is /dev/null");
            }
            is("/dev/full").then_some("standard output is /dev/full")
        }
        FileType::Fifo | FileType::Socket => {
            let mut polled = [PollFd::new(&output, PollFlags::OUT)];
            let answer = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
            let gone = answer.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
            gone.then_some("nobody reads standard output any more")
        }
        FileType::RegularFile => {
            // A file system that counts no blocks, as some in memory do, is not full.
            let full = fstatvfs(output).is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail == 0);
            full.then_some("the disk that holds standard output is full")
        }
        _ => None,
    }
}
