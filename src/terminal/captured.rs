//! Whether what is written to standard output stays with a script, as in `KEY=$(keys create …)`, or goes on to whoever
//! reads what the script prints: a CI service for its log, a coding agent for its conversation. Asked before a key is
//! minted that must not stand there.
//!
//! The streams alone do not tell. Where both are one file, nothing was captured: the readers with one pipe, a terminal or
//! a file for both are known by that. But a runner such as GitHub's, and the tools of most agents, give a step two pipes,
//! and then an uncaptured `keys create` looks like a captured one. What tells them apart is who else has our standard
//! output. A script that captures it keeps another for itself, and either shares our standard error (nobody redirected
//! it) or is a shell (somebody did, as in `KEY=$(keys create … 2>/dev/null)`). A runner or an agent, the first process
//! upwards with another standard output, shares neither and is no shell.
//!
//! What cannot be found out counts as uncaptured: a refusal costs one `--to`, a printed key costs the key. So does, in
//! shells that redirect themselves for a command instead of their child, `keys create … >FILE`: `--to file:` is the safer
//! way there anyway. A pipe into another program, `keys create … | cat`, counts as captured: what becomes of it is that
//! program's affair, and storing it is the usual one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, fstat};

/// What tells whether two descriptors are of one file or pipe.
type Identity = (u64, u64);

/// More processes above this one than there ever are.
#[cfg(any(target_os = "linux", target_os = "android"))]
const DEEPEST: usize = 64;

#[expect(clippy::disallowed_methods, reason = "this is the one place that opens the standard streams")]
pub(super) fn system(by_agent: bool) -> bool {
    // The tools of some agents redirect a command into files of their own, and read those.
    if by_agent && is_file(io::stdout().as_fd()) {
        return false;
    }
    match (identity(io::stdout().as_fd()), identity(io::stderr().as_fd())) {
        (Some(out), Some(err)) => out != err && is_kept(out, err),
        _ => false,
    }
}

fn is_file(descriptor: BorrowedFd<'_>) -> bool {
    fstat(descriptor).is_ok_and(|about| FileType::from_raw_mode(about.st_mode) == FileType::RegularFile)
}

#[cfg_attr(
    any(target_os = "linux", target_os = "android"),
    expect(clippy::useless_conversion, reason = "the types are others elsewhere")
)]
fn identity(descriptor: BorrowedFd<'_>) -> Option<Identity> {
    let about = fstat(descriptor).ok()?;
    Some((u64::try_from(about.st_dev).ok()?, u64::try_from(about.st_ino).ok()?))
}

/// Whether the nearest process above with another standard output is a script of the same step.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_kept(out: Identity, err: Identity) -> bool {
    let mut process = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get());
    for _ in 0..DEEPEST {
        let Some((number, theirs)) = process.and_then(|number| Some((number, identity_of(number, 1)?))) else {
            return false;
        };
        if theirs != out {
            return identity_of(number, 2) == Some(err) || is_shell(number);
        }
        process = parent_of(number);
    }
    false
}

/// There is no way to ask about other processes. Two files count as captured, so that `KEY=$(keys create …)` goes on
/// working; GitHub's runner has been told what to mask by then.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn is_kept(_: Identity, _: Identity) -> bool {
    true
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn identity_of(process: i32, descriptor: u8) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    let about = std::fs::metadata(format!("/proc/{process}/fd/{descriptor}")).ok()?;
    Some((about.dev(), about.ino()))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_shell(process: i32) -> bool {
    const SHELLS: [&str; 11] = ["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "busybox", "fish", "yash", "pwsh"];
    std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| SHELLS.contains(&name.trim_end()))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn parent_of(process: i32) -> Option<i32> {
    let about = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program stands in parentheses and may hold anything, also these.
    let (_, behind_name) = about.rsplit_once(')')?;
    behind_name.split_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_processes_above_are_found() {
        let us = i32::try_from(std::process::id()).unwrap();
        assert_eq!(parent_of(us), rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get()));
        assert!(identity_of(us, 2).is_some() && identity_of(us, 250).is_none());
        assert!(!is_shell(us) && parent_of(1).is_none());
    }
}
