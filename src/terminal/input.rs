//! A secret from standard input, read without leaving copies behind.

use std::io::{self, Read};

use zeroize::{Zeroize, Zeroizing};

/// The longest secret taken from standard input: longer than any key, short enough to notice a wrong file.
pub(super) const LONGEST_SECRET: usize = 16 * 1024;

/// Standard input as a file of its own: the standard library's has a buffer that keeps what went through it.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads standard input")]
pub(super) fn standard_input() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(Into::into)
}

/// Standard input as a file of its own: the standard library's has a buffer that keeps what went through it.
#[cfg(windows)]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads standard input")]
pub(super) fn standard_input() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(Into::into)
}

/// Reads a secret to its end into one buffer that never moves, so that wiping it leaves no copy.
pub(super) fn read_all(input: &mut dyn Read) -> io::Result<Zeroizing<String>> {
    let mut buffer = Zeroizing::new(vec![0; LONGEST_SECRET + 1]);
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > LONGEST_SECRET {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more than 16 KiB came in where one key was expected"));
    }
    buffer.truncate(length);
    into_text(buffer)
}

pub(super) fn into_text(mut bytes: Zeroizing<Vec<u8>>) -> io::Result<Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(io::Error::new(io::ErrorKind::InvalidData, "what came in is not text"))
        }
    }
}
