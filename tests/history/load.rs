//! Many at once who use the service and note what came of it: those who call, those who keep keys, rivals who try to remove
//! one another, and those who look where they may not.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{self, Client, Request, Sent};
use super::record::{ADMIN, Asked, Call, Moment, Said, Tier, Verb};
use super::replica::Replica;
use crate::support::HANGS;

/// A key and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// The id of its workspace.
    pub(crate) workspace: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) tier: Tier,
}

/// What one of them does again and again.
pub(crate) type Task<'a> = Box<dyn Fn(&mut Worker<'_>) + Send + 'a>;

/// What all of them share.
pub(crate) struct Load<'a> {
    pub(crate) replicas: &'a [Replica],
    /// Keys that call, also such as are revoked.
    pub(crate) callers: RwLock<Vec<Arc<Holder>>>,
    pub(crate) calls: Mutex<Vec<Call>>,
    /// Requests so far, and changes that were answered.
    pub(crate) sent: AtomicUsize,
    pub(crate) changed: AtomicUsize,
    /// Nobody begins anything new.
    pub(crate) is_over: AtomicBool,
}

impl<'a> Load<'a> {
    pub(crate) fn new(replicas: &'a [Replica]) -> Self {
        Self {
            replicas,
            callers: RwLock::default(),
            calls: Mutex::default(),
            sent: AtomicUsize::new(0),
            changed: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Runs these at once, and `stage` beside them, until that ends. What they noted is in `calls` then.
    pub(crate) fn run(&self, tasks: Vec<Task<'_>>, stage: impl FnOnce()) {
        thread::scope(|scope| {
            for (number, task) in tasks.into_iter().enumerate() {
                scope.spawn(move || {
                    let mut worker = Worker::new(self, number as u64 + 1);
                    while !self.is_over.load(Ordering::Relaxed) {
                        task(&mut worker);
                    }
                });
            }
            // Whatever comes of the stage, nobody is kept waiting.
            let ended = catch_unwind(AssertUnwindSafe(stage));
            self.is_over.store(true, Ordering::Relaxed);
            ended.unwrap_or_else(|panic| resume_unwind(panic));
        });
    }

    /// Waits until so many requests were sent and so many changes answered, counted from now.
    pub(crate) fn wait_for(&self, requests: usize, changes: usize) {
        let counts = || [&self.sent, &self.changed].map(|count| count.load(Ordering::Relaxed));
        let (start, begin) = (counts(), Instant::now());
        while counts()[0] < start[0] + requests || counts()[1] < start[1] + changes {
            if begin.elapsed() > HANGS {
                let errors: Vec<String> = self.replicas.iter().flat_map(Replica::errors).collect();
                panic!("the load hangs: {start:?}, {:?}: {errors:#?}", counts());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// One of those who use the service, with a connection to each replica.
pub(crate) struct Worker<'a> {
    pub(crate) load: &'a Load<'a>,
    clients: Vec<Client>,
    random: u64,
    /// Numbers what it makes.
    made: usize,
    name: u64,
    calls: Vec<Call>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(load: &'a Load<'a>, name: u64) -> Self {
        let clients = load.replicas.iter().map(|_| Client::default()).collect();
        Self { load, clients, random: name.wrapping_mul(0x9E37_79B9_7F4A_7C15), made: 0, name, calls: Vec::new() }
    }

    /// A number below another, the same in each run: xorshift.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % end
    }

    fn name(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what} {}-{}", self.name, self.made)
    }

    fn caller(&mut self) -> Arc<Holder> {
        let count = self.load.callers.read().unwrap().len();
        let number = self.below(count);
        let callers = self.load.callers.read().unwrap();
        Arc::clone(callers.get(number).unwrap_or(&callers[0]))
    }

    /// Sends a request to one of the replicas, and notes it. Where nobody is there, that is tried again.
    pub(crate) fn call(&mut self, who: &Holder, asked: &Asked, request: &Request) -> Option<Said> {
        let replica = self.below(self.clients.len());
        self.call_at(replica, who, asked, request)
    }

    fn call_at(&mut self, replica: usize, who: &Holder, asked: &Asked, request: &Request) -> Option<Said> {
        let start = Instant::now();
        for attempt in 0.. {
            assert!(start.elapsed() < HANGS, "nobody answers {asked:?}");
            let replica = (replica + attempt) % self.clients.len();
            let Some(address) = self.load.replicas[replica].address() else {
                thread::sleep(Duration::from_millis(1));
                continue;
            };
            let begin = Moment::now();
            let said = match self.clients[replica].send(address, request) {
                Sent::Answered(answer) => Some(Said::of(&answer)),
                Sent::Lost => None,
                Sent::Nowhere => continue,
            };
            self.note(who, asked, begin, said.clone());
            return said;
        }
        None
    }

    fn note(&mut self, who: &Holder, asked: &Asked, begin: Moment, said: Option<Said>) {
        self.calls.push(Call {
            workspace: who.workspace.clone(),
            key: who.id.clone(),
            tier: who.tier,
            asked: asked.clone(),
            begin,
            end: Moment::now(),
            said,
        });
        self.load.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks for a change until it is answered, always under one Idempotency-Key.
    fn change(&mut self, who: &Holder, verb: Verb, target: &str, request: &Request) -> Said {
        let once = self.name("once").replace(' ', "-");
        let request = request.clone().header("Idempotency-Key", once.clone());
        let asked = Asked::Change { once, verb, target: target.to_owned() };
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < HANGS, "this is not answered: {asked:?}");
            match self.call(who, &asked, &request) {
                Some(said) if !matches!(said.status, 500 | 503) && said.code != "idempotency_in_progress" => {
                    self.load.changed.fetch_add(1, Ordering::Relaxed);
                    return said;
                }
                Some(_) | None => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Who somebody is that has this key, as the gate says.
    pub(crate) fn enter(&mut self, secret: &str, tier: Tier) -> Holder {
        let nobody = Holder { workspace: String::new(), id: String::new(), secret: secret.to_owned(), tier };
        let said = self.call(&nobody, &Asked::Gate, &Request::gate(secret)).unwrap();
        let (workspace, id) = said.owner.unwrap_or_else(|| panic!("the gate answers {}", said.status));
        let call = self.calls.last_mut().unwrap();
        (call.workspace, call.key) = (workspace.clone(), id.clone());
        Holder { workspace, id, ..nobody }
    }

    /// A new key, made by an admin; `None` where that is one no longer.
    pub(crate) fn create(&mut self, admin: &Holder, permissions: &[&str], tier: Tier) -> Option<Holder> {
        let name = self.name("key");
        let body = json!({ "name": name, "permissions": permissions, "rate_limit_tier": tier.as_str() });
        let request = Request::new("POST", "/v1/api-keys", &admin.secret).json(&body);
        let said = self.change(admin, Verb::Create, &name, &request);
        let (id, secret) = said.made?;
        Some(Holder { workspace: admin.workspace.clone(), id, secret, tier })
    }

    fn edit(&mut self, admin: &Holder, key: &str, body: &Value) -> Said {
        let request = Request::new("PATCH", format!("/v1/api-keys/{key}"), &admin.secret).json(body);
        self.change(admin, Verb::Edit, key, &request)
    }

    fn revoke(&mut self, admin: &Holder, key: &str) -> Said {
        let request = Request::new("POST", format!("/v1/api-keys/{key}/revoke"), &admin.secret);
        self.change(admin, Verb::Revoke, key, &request)
    }

    fn delete(&mut self, admin: &Holder, key: &str) -> Said {
        let request = Request::new("DELETE", format!("/v1/api-keys/{key}"), &admin.secret);
        self.change(admin, Verb::Delete, key, &request)
    }

    /// Asks each replica at once, when what they did before may still be in their memory.
    fn ask_everywhere(&mut self, who: &Holder) {
        for replica in 0..self.clients.len() {
            self.call_at(replica, who, &Asked::Gate, &Request::gate(&who.secret));
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.load.calls.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.calls);
    }
}

/// Calls with any of the keys.
pub(crate) fn call(worker: &mut Worker<'_>) {
    let who = worker.caller();
    worker.call(&who, &Asked::Gate, &Request::gate(&who.secret));
}

/// Calls, and is gone before the answer comes.
pub(crate) fn hang_up(worker: &mut Worker<'_>, who: &Holder) {
    let replica = worker.below(worker.load.replicas.len());
    if let Some(address) = worker.load.replicas[replica].address() {
        let begin = Moment::now();
        // Some go at once, some when they may have been heard; and not so many that they take all the ports there are.
        let wait = Duration::from_millis([0, 1, 5, 50][worker.below(4)]);
        if client::hang_up(address, &Request::gate(&who.secret), wait).is_ok() {
            worker.note(who, &Asked::Gate, begin, None);
        }
    }
    thread::sleep(Duration::from_millis(10));
}

/// Leads keys through all that can become of one, while others call with them.
pub(crate) fn keep(worker: &mut Worker<'_>, admin: &Holder) {
    let tier = [Tier::Standard, Tier::Unmetered][worker.below(2)];
    let key = Arc::new(worker.create(admin, &["read:contacts"], tier).expect("the admin stays one"));
    worker.load.callers.write().unwrap().push(Arc::clone(&key));
    worker.ask_everywhere(&key);
    let done = [
        worker.edit(admin, &key.id, &json!({ "description": "in use" })),
        worker.revoke(admin, &key.id),
        {
            worker.ask_everywhere(&key);
            let path = format!("/v1/api-keys/{}/reactivate", key.id);
            worker.change(admin, Verb::Reactivate, &key.id, &Request::new("POST", path, &admin.secret))
        },
        {
            worker.ask_everywhere(&key);
            worker.delete(admin, &key.id)
        },
    ];
    assert!(done.iter().all(Said::is_done), "{done:?}");
    worker.ask_everywhere(&key);
    worker.load.callers.write().unwrap().retain(|other| other.id != key.id);
}

/// Asks about the keys of other workspaces, and what its own has.
pub(crate) fn pry(worker: &mut Worker<'_>, admins: &[Holder]) {
    let (who, whose) = (worker.below(admins.len()), worker.caller());
    let admin = &admins[who];
    worker.call(admin, &Asked::Credits, &Request::new("GET", "/v1/credits", &admin.secret));
    if whose.workspace == admin.workspace {
        return;
    }
    let path = format!("/v1/api-keys/{}", whose.id);
    let request = match worker.below(4) {
        0 => Request::new("GET", path, &admin.secret),
        1 => Request::new("PATCH", path, &admin.secret).json(&json!({ "description": "mine" })),
        2 => Request::new("POST", format!("{path}/revoke"), &admin.secret),
        _ => Request::new("DELETE", path, &admin.secret),
    };
    worker.call(admin, &Asked::Foreign, &request);
}

/// One admin tries to remove another while others try the same.
pub(crate) fn quarrel(worker: &mut Worker<'_>, rivals: &Mutex<Vec<Holder>>) {
    let all = rivals.lock().unwrap().clone();
    if all.is_empty() {
        // The last one may be one whose making was answered to nobody. Whether there is one, the checker finds out.
        return thread::sleep(Duration::from_millis(10));
    }
    let by = all[worker.below(all.len())].clone();
    let of = all[worker.below(all.len())].clone();
    let said = match worker.below(3) {
        0 => worker.revoke(&by, &of.id),
        1 => worker.delete(&by, &of.id),
        _ => worker.edit(&by, &of.id, &json!({ "permissions": ["read"] })),
    };
    let mut gone = BTreeSet::new();
    if said.is_done() {
        gone.insert(of.id);
    } else if said.status == 401 || said.code == "insufficient_permissions" {
        gone.insert(by.id);
    }
    rivals.lock().unwrap().retain(|rival| !gone.contains(&rival.id));
    // Whoever is left calls the next ones in.
    let left = rivals.lock().unwrap().clone();
    if left.len() < 3 {
        for admin in left {
            if let Some(new) = worker.create(&admin, &[ADMIN, "read"], Tier::Unmetered) {
                rivals.lock().unwrap().push(new);
                break;
            }
        }
    }
}
