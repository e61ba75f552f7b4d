//! `keys serve` as a process that is started, killed and started again, each time on a port of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{HANGS, KEYS, Place};

pub(crate) struct Replica {
    database: String,
    environment: BTreeMap<String, String>,
    directory: PathBuf,
    running: Mutex<Option<Running>>,
    /// Everything it ever said.
    log: Arc<Mutex<String>>,
}

struct Running {
    child: Child,
    address: SocketAddr,
}

impl Replica {
    /// One that is yet to be started.
    pub(crate) fn new(place: &Place, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            environment: place.environment(),
            directory: place.root().to_owned(),
            running: Mutex::default(),
            log: Arc::default(),
        }
    }

    pub(crate) fn started(place: &Place, database: &str) -> Self {
        let replica = Self::new(place, database);
        replica.start();
        replica
    }

    /// The same in a world in which these variables are set.
    pub(crate) fn with(mut self, environment: &[(String, String)]) -> Self {
        self.environment.extend(environment.iter().cloned());
        self
    }

    pub(crate) fn start(&self) {
        let mut child = Command::new(KEYS)
            .args(["serve", "--listen", "127.0.0.1:0", "--database", &self.database])
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (log, (listening, heard)) = (Arc::clone(&self.log), mpsc::channel());
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if line.contains("\"event\":\"listening\"") {
                    let said: Value = serde_json::from_str(&line).unwrap();
                    let address = said["url"].as_str().and_then(|url| url.strip_prefix("http://")).unwrap();
                    let _ = listening.send(address.parse().unwrap());
                }
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let Ok(address) = heard.recv_timeout(HANGS) else {
            let _ = child.kill();
            panic!("the service did not start: {}", self.log());
        };
        *self.running() = Some(Running { child, address });
    }

    /// Where it listens, while it runs.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.running().as_ref().map(|running| running.address)
    }

    /// SIGKILL: nothing of it runs any more when this ends.
    pub(crate) fn kill(&self) {
        let running = self.running().take();
        if let Some(Running { mut child, .. }) = running {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM: it gives back what it took, and ends well.
    pub(crate) fn stop(&self) {
        let Running { mut child, .. } = self.running().take().expect("a service that runs");
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Everything it ever said.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it said of itself, and of calls that failed by its own fault.
    pub(crate) fn errors(&self) -> Vec<String> {
        let is_an_error = |line: &&str| !line.contains("\"level\":\"info\"") && !line.contains("\"level\":\"warning\"");
        self.log().lines().filter(is_an_error).map(str::to_owned).collect()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The plaintext of the first admin key of a new workspace.
pub(crate) fn workspace(place: &Place, database: &str, name: &str, options: &str) -> String {
    place.keys(["serve", "init", "-q", "--name", name, "--database", database]).args(options).done().secret()
}
