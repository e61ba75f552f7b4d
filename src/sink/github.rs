//! `github-env:NAME` and `github-output:NAME`: a variable of the steps that follow, or an output of this step, in the file
//! whose name GitHub's runner gives to each step.
//!
//! The file is the runner's and not ours: other commands of the step have written to it, so the lines are added at its
//! end, and its mode is left as it is. The runner shows in its debug log what it reads there; the mask has to be there
//! before, see `handover`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zeroize::Zeroizing;

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::RESERVE;
use super::error::Reason;
use super::{Circumstances, Delivery, Sink};
use crate::model::secret::hex;
use crate::system;

/// A file of the runner, open for adding to.
pub(super) struct GithubSink {
    name: String,
    file: File,
}

/// A variable of the steps that follow.
pub(super) fn environment(name: &str, circumstances: &Circumstances) -> Result<GithubSink, Reason> {
    GithubSink::prepare(name, "GITHUB_ENV", circumstances.github_env.as_deref(), circumstances)
}

/// An output of this step.
pub(super) fn output(name: &str, circumstances: &Circumstances) -> Result<GithubSink, Reason> {
    GithubSink::prepare(name, "GITHUB_OUTPUT", circumstances.github_output.as_deref(), circumstances)
}

impl GithubSink {
    fn prepare(
        name: &str,
        variable: &'static str,
        path: Option<&Path>,
        circumstances: &Circumstances,
    ) -> Result<Self, Reason> {
        let path = path.ok_or(Reason::NoStep(variable))?;
        // The steps that follow show in the log what is not masked.
        if circumstances.github_actions && !circumstances.masks() {
            return Err(Reason::Unmasked);
        }
        // The runner makes the file. A link or a device in its place is somebody's mistake, or worse.
        if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            return Err(Reason::NoStepFile(variable));
        }
        let file =
            OpenOptions::new().read(true).append(true).open(path).map_err(Reason::system("open the step's file"))?;
        reserve(&file)?;
        Ok(Self { name: name.to_owned(), file })
    }
}

impl Sink for GithubSink {
    fn deliver(mut self: Box<Self>, delivery: &mut Delivery<'_>) -> Result<(), Reason> {
        let mut random = [0; 16];
        system::random(&mut random);
        let failed = Reason::system("write to the step's file");
        let before = self.file.seek(SeekFrom::End(0)).map_err(&failed)?;
        let needs_break = !ends_line(&mut self.file, before).map_err(&failed)?;
        let block = block(&self.name, delivery.plain.expose(), &hex(&random), needs_break);
        self.file.write_all(&block).map_err(|cause| {
            // Half a block would swallow what the step adds behind it.
            let _ = self.file.set_len(before);
            failed(cause)
        })
    }
}

/// Makes room on the disk without changing the file; where the file system cannot, it is asked whether it has any.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn reserve(file: &File) -> Result<(), Reason> {
    use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
    use rustix::io::Errno;

    let end = file.metadata().map_or(0, |metadata| metadata.len());
    match fallocate(file, FallocateFlags::KEEP_SIZE, end, RESERVE as u64) {
        Err(Errno::NOSPC | Errno::DQUOT) => Err(Reason::Full),
        Err(_) if fstatvfs(file).is_ok_and(|disk| disk.f_blocks > 0 && disk.f_bavail == 0) => Err(Reason::Full),
        _ => Ok(()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems can refuse")]
fn reserve(_: &File) -> Result<(), Reason> {
    Ok(())
}

/// Whether the content ends with a line break, or there is none.
fn ends_line(file: &mut File, length: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

/// The form for values of any shape. The end mark is drawn anew each time: what is in the value must not end it.
fn block(name: &str, value: &str, random: &str, needs_break: bool) -> Zeroizing<Vec<u8>> {
    let length = name.len() + value.len() + 2 * random.len() + 64;
    // Sized beforehand: a buffer that grew would leave a copy behind.
    let mut block = Zeroizing::new(Vec::with_capacity(length));
    let line_break = if needs_break { "\n" } else { "" };
    for part in [line_break, name, "<<ghadelimiter_", random, "\n", value, "\nghadelimiter_", random, "\n"] {
        block.extend_from_slice(part.as_bytes());
    }
    block
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::super::tests::{AWKWARD, key};
    use super::super::{SinkSpec, Sinks};
    use super::*;
    use crate::exit::Explain as _;
    use crate::files::scratch::{Scratch, change_mode, mode};

    fn prepare(path: Option<&Path>) -> Result<Sinks, String> {
        let circumstances = Circumstances { github_env: path.map(Path::to_owned), ..Circumstances::default() };
        Sinks::prepare(&[SinkSpec::GithubEnv("KEY".to_owned())], &circumstances)
            .map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
    }

    /// What the runner would read: its rules, in short.
    fn parse(text: &str) -> Vec<(String, String)> {
        let mut lines = text.split_inclusive('\n');
        let mut found = Vec::new();
        while let Some(line) = lines.next() {
            if let Some((name, end)) = line.trim_end().split_once("<<") {
                let value: String = lines.by_ref().take_while(|line| line.trim_end() != end).collect();
                found.push((name.to_owned(), value.trim_end_matches('\n').to_owned()));
            } else if let Some((name, value)) = line.trim_end().split_once('=') {
                found.push((name.to_owned(), value.to_owned()));
            }
        }
        found
    }

    #[test]
    fn the_variable_is_added_behind_what_is_there() {
        for before in ["", "A=1\n", "A=1", "B<<X\ntwo\nlines\nX\n"] {
            let scratch = Scratch::new();
            let path = scratch.file("env", before);
            change_mode(&path, 0o644);
            let sinks = prepare(Some(&path)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), before, "preparing changes nothing");
            sinks.deliver(&key(AWKWARD), &serde_json::Value::Null, &mut Vec::new()).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(before), "{text}");
            let mut expected = parse(before);
            expected.push(("KEY".to_owned(), AWKWARD.to_owned()));
            assert_eq!(parse(&text), expected);
            assert_eq!(mode(&path), 0o644, "the file is the runner's");
        }
    }

    #[test]
    fn the_end_mark_is_another_each_time() {
        let scratch = Scratch::new();
        let path = scratch.file("env", "");
        for _ in 0..2 {
            prepare(Some(&path)).unwrap().deliver(&key("wbk_x"), &serde_json::Value::Null, &mut Vec::new()).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        let marks: Vec<&str> = text.lines().filter(|line| line.starts_with("ghadelimiter_")).collect();
        assert_eq!(marks.len(), 2);
        assert_ne!(marks[0], marks[1]);
    }

    #[test]
    fn without_a_step_or_its_file_nothing_is_prepared() {
        let scratch = Scratch::new();
        let link = scratch.path("link");
        std::os::unix::fs::symlink(scratch.file("env", ""), &link).unwrap();
        assert!(prepare(None).err().unwrap().contains("GITHUB_ENV is not set"));
        for path in [scratch.path("absent"), scratch.path(""), link, "/dev/full".into()] {
            let refused = prepare(Some(&path)).err().unwrap();
            assert!(refused.contains("does not name a regular file") && refused.contains("cmd:COMMAND"), "{refused}");
        }
    }
}
