//! Other processes over the same database, which can be killed, and the network between a process and its database, which
//! can be cut.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::*;
use crate::service::Database;
use crate::service::running::Running;
use crate::system;

/// What came of many calls.
pub(super) struct Storm {
    /// How many went through with each key.
    pub(super) through: Vec<usize>,
    /// The database did not always answer in time: what was taken meanwhile is forfeit.
    pub(super) disturbed: bool,
}

/// A process: its own threads, and its own engine over the database.
pub(super) struct Process {
    runtime: Option<Runtime>,
    pub(super) service: Service,
    running: Option<Running>,
}

impl Process {
    /// One that is a replica.
    pub(super) async fn replica(database: &Database, now: fn() -> Timestamp) -> Self {
        let mut process = Self::client(database).await;
        let of = database.clone();
        process.running = Some(process.run(move |service| async move { service.start(&of, now).await.unwrap() }).await);
        let service = process.service.clone();
        eventually("a replica in step", async || is_in_step(&service)).await;
        process
    }

    /// One that is none, like a command that only opens the database.
    pub(super) async fn client(database: &Database) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let database = database.clone();
        let handle = runtime.handle().clone();
        let opening =
            runtime.spawn_blocking(move || handle.block_on(Service::open(&database, 4, system::random)).unwrap());
        Self { service: opening.await.unwrap(), runtime: Some(runtime), running: None }
    }

    /// Does something in this process.
    pub(super) async fn run<F>(&self, work: impl FnOnce(Service) -> F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.as_ref().unwrap().spawn(work(self.service.clone())).await.unwrap()
    }

    /// Calls from so many tasks at once, so often from each, with each of these keys.
    pub(super) async fn storm(&self, plains: &[String], tasks: usize, calls: usize, now: Timestamp) -> Storm {
        let plains = plains.to_vec();
        self.run(move |service| async move {
            let mut callers = Vec::new();
            for caller in 0..tasks * plains.len() {
                let (service, key) = (service.clone(), caller % plains.len());
                let plain = plains[key].clone();
                callers.push(tokio::spawn(async move {
                    let (mut through, mut disturbed) = (0, false);
                    for _ in 0..calls {
                        let said = call_once(&service, &plain, now).await;
                        through += usize::from(said == "done");
                        disturbed |= said.starts_with("database_");
                    }
                    (key, through, disturbed)
                }));
            }
            let mut storm = Storm { through: vec![0; plains.len()], disturbed: false };
            for caller in callers {
                let (key, through, disturbed) = caller.await.unwrap();
                storm.through[key] += through;
                storm.disturbed |= disturbed;
            }
            storm
        })
        .await
    }

    pub(super) async fn call(&self, plain: &str, now: Timestamp) -> String {
        let plain = plain.to_owned();
        self.run(move |service| async move { call(&service, &plain, now).await }).await
    }

    pub(super) async fn give_back(&self, now: Timestamp) {
        self.run(move |service| async move { give_back(&service, now).await }).await;
    }

    /// Ends it as SIGTERM does.
    pub(super) async fn stop(mut self) {
        let running = self.running.take().unwrap();
        self.run(move |_| async move { running.stop().await.unwrap() }).await;
    }

    /// Ends it as SIGKILL does: nothing it was about to do is done.
    pub(super) fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

pub(super) fn is_in_step(service: &Service) -> bool {
    service.replica.get().is_some_and(|replica| replica.is_in_step())
}

/// The network between a process and PostgreSQL.
pub(super) struct Network {
    database: Database,
    wires: Arc<Wires>,
}

/// What holds for the connections of a network.
#[derive(Default)]
struct Wires {
    state: watch::Sender<State>,
    /// Holds everything as soon as a statement with this text has been executed.
    trap: Mutex<Option<&'static str>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Nothing arrives, in either direction, and nobody is told.
    held: bool,
    /// How many connections there have been.
    opened: u64,
    /// What is sent on the connections up to this one arrives nowhere, and nobody is told.
    lost: u64,
    /// The connections up to this one are closed.
    closed: u64,
}

impl Network {
    /// There is none before a SQLite file.
    pub(super) async fn before(database: &TestDatabase) -> Option<Self> {
        let Database::Postgres(url) = &database.database else { return None };
        let (start, rest) = url.split_once('@').unwrap();
        let (server, path) = rest.split_once('/').unwrap();
        let server = if server.contains(':') { server.to_owned() } else { format!("{server}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wires = Arc::<Wires>::default();
        let carrying = Arc::clone(&wires);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&carrying).carry(client, server.clone()));
            }
        });
        Some(Self { database: Database::Postgres(format!("{start}@{address}/{path}")), wires })
    }

    /// The database as it is named at the other end.
    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.wires.state.send_modify(change);
    }

    pub(super) fn hold(&self) {
        self.change(|state| state.held = true);
    }

    pub(super) fn release(&self) {
        self.change(|state| state.held = false);
    }

    pub(super) fn is_held(&self) -> bool {
        self.wires.state.borrow().held
    }

    /// The connections there are lead nowhere from now on; new ones are as good as ever.
    pub(super) fn lose(&self) {
        self.change(|state| (state.lost, state.held) = (state.opened, false));
    }

    /// Closes the connections there are; new ones are as good as ever.
    pub(super) fn cut(&self) {
        self.change(|state| (state.closed, state.held) = (state.opened, false));
    }

    /// Holds everything as soon as PostgreSQL has been sent a statement with this text, before its answer arrives.
    pub(super) fn hold_after(&self, text: &'static str) {
        *self.wires.trap.lock().unwrap() = Some(text);
    }
}

impl Wires {
    async fn carry(self: Arc<Self>, client: TcpStream, server: String) {
        let mut number = 0;
        self.state.send_modify(|state| {
            state.opened += 1;
            number = state.opened;
        });
        let mut closed = self.state.subscribe();
        self.pass(number).await;
        let Ok(server) = TcpStream::connect(server).await else { return };
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let up = async {
            let mut springs = None;
            let mut buffer = vec![0; 65_536];
            while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                self.pass(number).await;
                let Ok(()) = to_server.write_all(&buffer[..read]).await else { return };
                self.look(&buffer[..read], &mut springs);
            }
        };
        let down = async {
            let mut buffer = vec![0; 65_536];
            while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                self.pass(number).await;
                let Ok(()) = to_client.write_all(&buffer[..read]).await else { return };
            }
        };
        tokio::select! {
            () = up => {}
            () = down => {}
            _ = closed.wait_for(|state| state.closed >= number) => {}
        }
    }

    /// Waits until what is sent on a connection arrives.
    async fn pass(&self, number: u64) {
        let mut state = self.state.subscribe();
        state.wait_for(|state| !state.held && state.lost.max(state.closed) < number).await.unwrap();
    }

    /// Springs the trap: a statement is sent to be understood first, and once more to be executed.
    fn look(&self, sent: &[u8], springs: &mut Option<&'static str>) {
        let mut trap = self.trap.lock().unwrap();
        if springs.is_some() && *trap == *springs {
            *trap = None;
            self.state.send_modify(|state| state.held = true);
        }
        *springs = trap.filter(|text| sent.windows(text.len()).any(|part| part == text.as_bytes()));
    }
}
