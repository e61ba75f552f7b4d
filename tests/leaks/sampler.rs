//! Reads the arguments of every process, and the environment of `keys` and of what it starts, over and over.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::support::{HANGS, KEYS};

/// Between two looks: the processors are shared with the programs that are looked at.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The arguments of any process.
    Arguments,
    /// The environment of `keys`.
    Environment,
    /// The environment of a process that `keys` started.
    ChildEnvironment,
}

/// What was read of a process.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sample {
    pub(crate) process: u32,
    pub(crate) kind: Kind,
    pub(crate) text: Vec<u8>,
}

/// A thread that looks until this is dropped.
pub(crate) struct Sampler {
    samples: Arc<Mutex<HashSet<Sample>>>,
    end: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sampler {
    /// Begins to look; `None` where a system does not show its processes as files.
    pub(crate) fn start() -> Option<Self> {
        if !Path::new("/proc/self/cmdline").exists() {
            return None;
        }
        let (samples, end) = (Arc::new(Mutex::new(HashSet::new())), Arc::new(AtomicBool::new(false)));
        let (kept, ended) = (Arc::clone(&samples), Arc::clone(&end));
        let thread = thread::spawn(move || {
            let mut look = Look::default();
            while !ended.load(Ordering::Relaxed) {
                let seen = look.around();
                kept.lock().unwrap().extend(seen);
                thread::sleep(PAUSE);
            }
        });
        Some(Self { samples, end, thread: Some(thread) })
    }

    /// Everything so far.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.samples.lock().unwrap().iter().cloned().collect()
    }

    /// Waits for a look that saw this, or for the end of what is to be seen.
    pub(crate) fn wait(&self, wanted: impl Fn(&Sample) -> bool, mut is_over: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !self.samples.lock().unwrap().iter().any(&wanted) && !is_over() {
            assert!(begin.elapsed() < HANGS, "a process that is there was never seen");
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Look {
    keys: HashSet<u32>,
    /// Stays what it is when `keys` ends before it.
    started: HashSet<u32>,
}

impl Look {
    fn around(&mut self) -> Vec<Sample> {
        let mut processes: Vec<u32> = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
            .collect();
        // Parents mostly come before their children.
        processes.sort_unstable();
        processes.into_iter().flat_map(|process| self.at(process)).collect()
    }

    /// A process may end at any moment: what cannot be read is not there.
    fn at(&mut self, process: u32) -> Vec<Sample> {
        let directory = Path::new("/proc").join(process.to_string());
        let Ok(arguments) = fs::read(directory.join("cmdline")) else { return Vec::new() };
        // Before the environment is read: what has become another program since then has that one's environment, and
        // the next look tells.
        let kind = self.kind(process, &directory, &arguments);
        let mut samples = Vec::new();
        if let Some(kind) = kind
            && let Ok(text) = fs::read(directory.join("environ"))
        {
            samples.push(Sample { process, kind, text });
        }
        if !arguments.is_empty() {
            samples.push(Sample { process, kind: Kind::Arguments, text: arguments });
        }
        samples
    }

    /// What its environment is, if it is one to be read.
    fn kind(&mut self, process: u32, directory: &Path, arguments: &[u8]) -> Option<Kind> {
        // The link is closed to all but root, as `keys` lets nobody look into its memory.
        let runs = fs::read_link(directory.join("exe")).is_ok_and(|program| program == Path::new(KEYS));
        if runs || arguments.split(|byte| *byte == 0).next() == Some(KEYS.as_bytes()) {
            self.keys.insert(process);
            return Some(Kind::Environment);
        }
        let parent = parent(directory)?;
        if self.started.contains(&process) || self.keys.contains(&parent) || self.started.contains(&parent) {
            self.started.insert(process);
            return Some(Kind::ChildEnvironment);
        }
        None
    }
}

fn parent(directory: &Path) -> Option<u32> {
    let stat = fs::read_to_string(directory.join("stat")).ok()?;
    // Behind the name, which may hold anything: the state, then the parent.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}
