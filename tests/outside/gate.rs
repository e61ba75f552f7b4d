//! The gate before an API, with the real nginx and the README's configuration: what it lets through, what its refusals
//! look like to a client, and what an attacker tries.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::api::Api;
use super::database::Database;
use super::http::{Answer, Connection, Request, send};
use super::nginx::Nginx;
use super::service::{Service, leave_out_unless_required};
use crate::support::{NOBODYS, Place};

/// What came to the API, and what did the client get?
struct Scene<'a> {
    service: Service<'a>,
    api: Api,
    nginx: Nginx,
}

impl<'a> Scene<'a> {
    /// `options` are those of `keys serve init`.
    fn new(place: &'a Place, options: &str) -> Option<Self> {
        Self::below(place, "", options)
    }

    /// With the gate below a base.
    fn below(place: &'a Place, base: &str, options: &str) -> Option<Self> {
        let service = Service::start(place, &Database::sqlite(place), options);
        let api = Api::start();
        let nginx = Nginx::start(place, &service.address, base, &api.address)?;
        Some(Self { service, api, nginx })
    }

    #[track_caller]
    fn ask(&self, request: &Request) -> Answer {
        send(&self.nginx.address, request)
    }

    /// A request that the API must not get: status and code.
    #[track_caller]
    fn refused(&self, request: &Request) -> (u16, String) {
        let answer = self.ask(request);
        assert_eq!(self.api.take(), Vec::<String>::new(), "it came through: {request:?}");
        answer.refusal()
    }

    /// A request that the API gets; what came there.
    #[track_caller]
    fn passed(&self, request: &Request) -> String {
        let answer = self.ask(request);
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut seen = self.api.take();
        assert_eq!(seen.len(), 1);
        seen.remove(0)
    }
}

#[test]
fn the_readmes_nginx_lets_through_what_the_gate_allows() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, "--plan pro") else { return };
    let reader = scene.service.create("reader", "read:contacts");
    let answer = scene.ask(&Request::get("/v1/contacts?page=2", &reader));
    assert_eq!((answer.status, answer.body.as_str()), (200, "the API answers request 1"));
    assert_eq!(answer.header("x-ratelimit-limit"), Some("1000"));
    let seen = scene.api.take().remove(0);
    assert!(seen.starts_with("GET /v1/contacts?page=2 HTTP/1.1\r\n"), "{seen}");
    // Whose call it is, and not the key.
    let id = scene.service.keys(&scene.service.admin).args("show reader --json").done().data()["id"].clone();
    assert!(seen.contains(&format!("\r\nX-Key-Id: {}\r\n", id.as_str().unwrap())), "{seen}");
    assert!(seen.contains("\r\nX-Workspace-Id: ws_"), "{seen}");
    assert!(!seen.contains(&reader[4..]) && !seen.to_lowercase().contains("authorization"), "{seen}");

    let by_header = Request::new("GET", "/v1/contacts").header("X-Api-Key", &reader);
    assert!(!scene.passed(&by_header).contains(&reader[4..]));
    // A body goes to the API, and not to the gate.
    let body = "{\"text\":\"".to_owned() + &"x".repeat(100_000) + "\"}";
    let writer = scene.service.create("writer", "write:contacts");
    let seen = scene.passed(&Request::new("POST", "/v1/contacts").key(&writer).body(body.as_str()));
    assert!(seen.starts_with("POST /v1/contacts") && seen.ends_with(&body));
}

#[test]
fn the_readmes_nginx_gives_refusals_to_the_client_as_the_gate_gives_them() {
    let place = Place::new();
    let Some(mut scene) = Scene::new(&place, "--plan pro") else { return };
    let reader = scene.service.create("reader", "read:contacts");
    let broke = scene.service.workspace("Broke", "--plan pro --monthly-credits 1");
    let small = scene.service.workspace("Small", "--plan starter");

    let get = |key: &str| Request::get("/v1/contacts", key);
    assert_eq!(scene.refused(&Request::new("GET", "/v1/contacts")), (401, "missing_auth".to_owned()));
    assert_eq!(scene.refused(&get(NOBODYS)), (401, "invalid_key".to_owned()));
    assert_eq!(scene.ask(&get(NOBODYS)).header("www-authenticate"), Some("Bearer"));
    let forbidden = Request::new("POST", "/v1/contacts").key(&reader);
    assert_eq!(scene.refused(&forbidden), (403, "insufficient_permissions".to_owned()));
    let two_ways = Request::get("/v1/contacts/../api-keys", &reader);
    assert_eq!(scene.refused(&two_ways), (400, "validation_error".to_owned()));

    assert_eq!(scene.ask(&get(&broke)).status, 200);
    scene.api.take();
    assert_eq!(scene.refused(&get(&broke)), (402, "insufficient_credits".to_owned()));

    // Ten a minute; the hundred of the day would end it too, if a minute ends meanwhile.
    let limited = (0..=100).map(|_| scene.ask(&get(&small))).find(|answer| answer.status != 200).unwrap();
    assert_eq!(limited.refusal(), (429, "rate_limited".to_owned()));
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(limited.header("x-ratelimit-limit"), Some("100"));
    scene.api.take();

    // Word for word what the gate says when it is asked without a proxy, but for the id of the request.
    let direct = |method: &str, path: &str, key: &str| {
        let asked = Request::new("GET", "/authorize").key(key).header("X-Original-Method", method);
        scene.service.ask(&asked.header("X-Original-URI", path))
    };
    for (request, direct) in [
        (get(NOBODYS), direct("GET", "/v1/contacts", NOBODYS)),
        (forbidden, direct("POST", "/v1/contacts", &reader)),
        (two_ways, direct("GET", "/v1/contacts/../api-keys", &reader)),
        (get(&broke), direct("GET", "/v1/contacts", &broke)),
    ] {
        let through = scene.ask(&request);
        let without_id = |answer: &Answer| {
            let mut body = answer.json();
            body["error"]["request_id"] = Value::Null;
            (answer.status, body, answer.header("x-ratelimit-limit").map(str::to_owned))
        };
        assert_eq!(without_id(&through), without_id(&direct));
    }

    // Nothing goes on without the gate.
    scene.service.kill();
    let answer = scene.ask(&get(&reader));
    assert_eq!((answer.status, answer.code()), (503, "unavailable".to_owned()));
    assert_eq!(scene.api.take(), Vec::<String>::new());
}

#[test]
fn the_readmes_nginx_gives_the_refusals_of_every_provider_in_its_own_shape() {
    const UNREADABLE: &str = "/v1//contacts";
    let leadlex = |code: &str, message: &str| json!({ "error": { "code": code, "message": message } });
    let two_ways = json!([{ "loc": ["body", "path"], "msg": "it can be read in two ways", "type": "value_error" }]);
    let refusals = [
        (
            "leadlex",
            "Authorization",
            "/v1/contacts",
            [
                (401, leadlex("missing_auth", "Missing or invalid Authorization header")),
                (400, leadlex("validation_error", "path: it can be read in two ways")),
            ],
        ),
        (
            "nexus",
            "Authorization",
            "/api/leads",
            [
                (401, json!({ "error": "Missing or invalid Authorization header" })),
                (400, json!({ "error": "path: it can be read in two ways" })),
            ],
        ),
        (
            "contactlevel",
            "X-Api-Key",
            "/api/contacts",
            [(401, json!({ "detail": "Invalid or missing API key" })), (422, json!({ "detail": two_ways }))],
        ),
    ];
    for (provider, header, path, [unknown, unreadable]) in refusals {
        let place = Place::new();
        let options = format!("--provider {provider} --monthly-credits 1");
        let Some(scene) = Scene::below(&place, &format!("/{provider}"), &options) else { return };
        let presented = if header == "Authorization" { "Bearer " } else { "" }.to_owned() + &scene.service.admin;
        let call = |path: &str| Request::new("GET", path).header(header, &presented);
        scene.passed(&call(path));
        for (request, said) in [(Request::new("GET", path), unknown), (call(UNREADABLE), unreadable)] {
            let answer = scene.ask(&request);
            assert_eq!((answer.status, answer.json()), said, "{provider}");
        }
        // The one credit is spent, where calls cost any.
        let again = scene.ask(&call(path));
        let broke = (provider == "contactlevel").then(|| json!({ "detail": "Insufficient credits" }));
        assert_eq!((again.status == 402).then(|| again.json()), broke, "{provider}");
        assert_eq!(scene.api.take().len(), usize::from(broke.is_none()), "{provider}");
    }
}

#[test]
fn no_header_of_a_client_changes_what_the_gate_is_asked() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, "--monthly-credits 100000") else { return };
    let reader = scene.service.create("reader", "read:contacts");
    let claims = [
        ("X-Original-URI", "/v1/contacts"),
        ("X-Original-Method", "GET"),
        ("X-Forwarded-Uri", "/v1/contacts"),
        ("X-Forwarded-Method", "GET"),
        ("X-Gate-Status", "204"),
        ("X-Gate-Body", "{}"),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Rewrite-URL", "/v1/contacts"),
        ("X-Accel-Redirect", "/v1/contacts"),
    ];
    let attacks =
        [Request::new("DELETE", "/v1/contacts/1"), Request::new("GET", "/v1/lists"), Request::new("POST", "/_gate")];
    for attack in attacks {
        let attack = attack.key(&reader);
        let all = claims.iter().fold(attack.clone(), |request, (name, value)| request.header(name, value));
        let each = claims.iter().map(|(name, value)| attack.clone().header(name, value));
        for request in each.chain([all]) {
            let answer = scene.ask(&request);
            assert_eq!(scene.api.take(), Vec::<String>::new(), "it came through: {request:?}");
            // `/_gate` is nobody's from outside.
            assert!([403, 404].contains(&answer.status), "{request:?}: {answer:?}");
        }
    }
    // Who says that somebody else calls is not believed.
    let lie =
        Request::get("/v1/contacts", &reader).header("X-Key-Id", "key_000000000000").header("X-Workspace-Id", "ws_1");
    let seen = scene.passed(&lie);
    assert!(!seen.contains("key_000000000000") && !seen.contains("ws_1\r"), "{seen}");
    // Nor is a second key.
    let (other, lies) = (scene.service.create("other", "lexi"), [NOBODYS, &reader]);
    for lie in lies {
        let two =
            Request::get("/v1/lists", &other).header("Authorization", format!("Bearer {lie}")).header("X-Api-Key", lie);
        let answer = scene.ask(&two);
        assert!([400, 401, 403].contains(&answer.status), "{answer:?}");
        assert_eq!(scene.api.take(), Vec::<String>::new());
    }
}

#[test]
fn no_spelling_of_a_path_leads_elsewhere_than_the_gate_reads() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, "--monthly-credits 100000") else { return };
    // It may read and write what nobody documents, and manage no keys.
    let writer = scene.service.create("writer", "write");
    let refusals = |path: &str| scene.refused(&Request::new("POST", path).key(&writer));
    for path in [
        "/v1/contacts/../api-keys",
        "/v1/contacts/%2e%2e/api-keys",
        "/v1/contacts/.%2E/api-keys",
        "/v1/contacts/..%2fapi-keys",
        "/v1/contacts/%2e%2e%2fapi-keys",
        "/v1//api-keys",
        "//v1/api-keys",
        "/v1/./api-keys",
        "/v1/contacts/..%5capi-keys",
        "/v1/contacts%00/../api-keys",
        "/v1/api%2dkeys%0a",
        "/v1/x/..;/%2e%2e/api-keys",
    ] {
        let (status, code) = {
            let answer = scene.ask(&Request::new("POST", path).key(&writer));
            let code =
                serde_json::from_str::<Value>(&answer.body).map_or_else(|_| "nginx".to_owned(), |_| answer.code());
            (answer.status, code)
        };
        assert_eq!(scene.api.take(), Vec::<String>::new(), "{path} came through");
        // nginx itself refuses what leads out of the root.
        assert!(
            (status, code.as_str()) == (400, "validation_error") || (status, code.as_str()) == (400, "nginx"),
            "{path}: {status} {code}"
        );
    }
    // Decoded by whoever is behind, these are the same path, and take the same permission.
    for path in [
        "/v1/api-keys",
        "/v1/api%2Dkeys",
        "/v1/%61pi-keys",
        "/v1/api-keys/",
        "/v1/api-keys?x=/v1/contacts",
        "/v1/lex%69/chat",
    ] {
        assert_eq!(refusals(path), (403, "insufficient_permissions".to_owned()), "{path}");
    }
    assert!(
        scene
            .passed(&Request::new("POST", "/v1/contacts/a%20b?q=../x").key(&writer))
            .starts_with("POST /v1/contacts/a%20b?q=../x ")
    );
    // The whole address, where only a path belongs.
    let absolute = Request::new("POST", "http://api/v1/api-keys").key(&writer);
    let answer = scene.ask(&absolute);
    assert!([400, 403].contains(&answer.status), "{answer:?}");
    assert_eq!(scene.api.take(), Vec::<String>::new());
}

#[test]
fn a_kept_connection_and_large_headers_let_nobody_through_who_may_not() {
    let place = Place::new();
    let Some(scene) = Scene::new(&place, "--monthly-credits 100000") else { return };
    let reader = scene.service.create("reader", "read:contacts");
    let mut kept = Connection::open(&scene.nginx.address);
    let allowed = Request::get("/v1/contacts", &reader);
    let refused = Request::get("/v1/contacts", NOBODYS);
    let posted = Request::new("POST", "/v1/contacts").key(&reader).body("x".repeat(5000));
    for (request, status) in
        [(&allowed, 200), (&refused, 401), (&allowed, 200), (&posted, 403), (&allowed, 200), (&refused, 401)]
    {
        assert_eq!(kept.ask(request).status, status);
    }
    assert_eq!(scene.api.take().len(), 3);
    // As large as nginx takes them, they are none of the gate's business; larger ones nginx refuses.
    let large = |length: usize| allowed.clone().header("Cookie", "c".repeat(length));
    assert_eq!(scene.ask(&large(7_000)).status, 200);
    assert_eq!(scene.ask(&large(40_000)).status, 400);
    let large = Request::get("/v1/contacts", &"k".repeat(7_000));
    assert_eq!(scene.ask(&large).status, 401);
    let long = Request::get(&format!("/v1/contacts/{}", "a".repeat(7_000)), &reader);
    assert_eq!(scene.ask(&long).status, 403);
    assert_eq!(scene.api.take().len(), 1);
}

/// Both serve files: one behind the other.
#[test]
fn file_servers_behind_the_gate() {
    let place = Place::new();
    let service = Service::start(&place, &Database::sqlite(&place), "--plan pro");
    let reader = service.create("reader", "read:contacts");
    let root = place.path("files-root");
    fs::create_dir_all(root.join("v1")).unwrap();
    place.write("files-root/v1/contacts", "Ada Lovelace\n");
    place.write("files-root/v1/api-keys", "not for readers\n");
    let Some(files) = Nginx::of_files(&place, &root) else { return };
    let mut servers = vec![("nginx", files.address.clone())];
    let python = Python::start(&root);
    servers.extend(python.as_ref().map(|python| ("python", python.address.clone())));
    for (name, address) in servers {
        let _ = fs::remove_dir_all(place.path("gate"));
        let Some(nginx) = Nginx::start(&place, &service.address, "", &address) else { return };
        let ask = |path: &str, key: &str| send(&nginx.address, &Request::get(path, key));
        let answer = ask("/v1/contacts", &reader);
        assert_eq!((answer.status, answer.body.as_str()), (200, "Ada Lovelace\n"), "{name}");
        assert_eq!(ask("/v1/contacts", NOBODYS).refusal(), (401, "invalid_key".to_owned()), "{name}");
        for path in ["/v1/api-keys", "/v1/api%2dkeys", "/v1/contacts/../api-keys", "/v1/contacts/%2e%2e/api-keys", "/"]
        {
            let answer = ask(path, &reader);
            assert!([400, 403].contains(&answer.status), "{name} {path}: {answer:?}");
            assert!(!answer.body.contains("not for readers"), "{name} {path}");
        }
    }
}

/// `python3 -m http.server`.
struct Python {
    child: Child,
    address: String,
}

impl Python {
    fn start(root: &std::path::Path) -> Option<Self> {
        let spawned = Command::new("python3")
            .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
            .current_dir(root)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = spawned else {
            leave_out_unless_required("python3", "a file server behind the gate");
            return None;
        };
        // `Serving HTTP on 127.0.0.1 port 41233 (http://127.0.0.1:41233/) ...`
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{line}"));
        Some(Self { child, address: format!("127.0.0.1:{port}") })
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
