//! Our client, against the real routes in process and over TCP, and against a server that misbehaves.

use std::time::Duration;

use zeroize::Zeroizing;

use super::*;
use crate::exit::{Exit, Explain};
use crate::http::{Credential, HttpError, IdempotencyKey, Network, Terms, Transport};
use crate::model::filter::{Filter, Sort};
use crate::model::key::{Key, KeyChange, KeyId, NewKey, Setting};
use crate::model::lifetime::Lifetime;
use crate::model::permission::Permission;
use crate::model::secret::PlainKey;
use crate::model::selector::{Preference, Resolution, Selector};
use crate::model::state::State;
use crate::model::tier::Tier;
use crate::providers::client::Client;
use crate::providers::native::routes::{embedded, routes as native};
use crate::serve::Ended;
use crate::serve::tests::Serving;
use crate::terminal::Voice;
use crate::testing::{FaultyServer, Said, at, block_on};

const SECRET: &str = concat!("wbk_1a2B3c4D_", "0123456789abcdefABCDEF0123456789");

/// Runs a test against the routes in process, and against the listener on a port of its own.
fn on_each_road(test: impl AsyncFn(&Client, &Site)) {
    block_on(async {
        in_process(&test).await;
        over_a_listener(test).await;
    });
}

async fn in_process(test: &impl AsyncFn(&Client, &Site)) {
    let site = Site::new().await;
    let operator = site.service.operator_of("acme", Provider::Native, vec![7; 32].into(), START).await.unwrap();
    let router = embedded(context(&site.service), operator);
    test(&Client::new(Provider::Native, Transport::Embedded(router), String::new()), &site).await;
}

async fn over_a_listener(test: impl AsyncFn(&Client, &Site)) {
    let site = Site::new().await;
    let serving = Serving::start(native(context(&site.service)));
    let client = over_tcp(&format!("http://{}", serving.address), site.key());
    test(&client, &site).await;
    drop(client);
    assert_eq!(serving.stop().await.0, Ended::Drained);
}

pub(super) fn over_tcp(base: &str, key: &str) -> Client {
    let key = PlainKey::parse(&Zeroizing::new(key.to_owned())).unwrap();
    let terms = Terms { timeout: Duration::from_mins(1), ..Terms::default() };
    let network = Network::new(base, Credential::given(key, 12), terms, Voice::unheard()).unwrap();
    Client::new(Provider::Native, Transport::Network(Box::new(network)), String::new())
}

fn fresh() -> IdempotencyKey {
    IdempotencyKey::fresh(&mut system::random)
}

fn new_key(name: &str) -> NewKey {
    NewKey {
        name: name.parse().unwrap(),
        description: None,
        permissions: vec![Permission::from_server("read")],
        tier: Tier::Standard,
        lifetime: Lifetime::Never,
        temporary: false,
        replaces: None,
    }
}

pub(super) async fn all(client: &Client, filter: &Filter, sort: &str) -> Result<Vec<Key>, HttpError> {
    let mut pages = client.list(filter, Sort::parse(sort).unwrap());
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await? {
        keys.extend(page);
    }
    Ok(keys)
}

#[test]
fn a_keys_whole_life_through_the_client() {
    on_each_road(async |client, _| {
        let new =
            NewKey { description: Some("nightly".to_owned()), lifetime: Lifetime::At(at(5_000)), ..new_key("ci") };
        let once = fresh();
        let (issued, replayed) = client.create(&new, &once).await.unwrap();
        assert!(!replayed);
        let (again, replayed) = client.create(&new, &once).await.unwrap();
        assert!(replayed);
        assert_eq!(again.plain.expose(), issued.plain.expose());
        assert_eq!(again.key, issued.key);
        let id = &issued.key.id;
        assert_eq!(issued.key.expires_at, Some(at(5_000)));
        assert!(issued.key.more.is_empty(), "{:?}", issued.key.more);
        assert!(issued.plain.expose().starts_with(&issued.key.prefix));

        let change = KeyChange {
            name: Some("renamed".parse().unwrap()),
            description: Some(Setting::Clear),
            permissions: Some(vec![Permission::from_server("read:deals")]),
            expires_at: Some(Setting::To(at(9_000))),
            ..KeyChange::default()
        };
        let edited = client.edit(id, &change, &fresh()).await.unwrap();
        assert_eq!(edited.name, "renamed");
        assert_eq!(edited.description, None);
        assert_eq!(edited.permissions, [Permission::from_server("read:deals")]);
        assert_eq!(edited.expires_at, Some(at(9_000)));

        let revoked = client.revoke(id, Some("leaked"), &fresh()).await.unwrap().unwrap();
        assert_eq!(revoked.state(START), State::Revoked);
        assert_eq!(revoked.revoked_reason.as_deref(), Some("leaked"));
        assert_eq!(client.lookup(&issued.plain, &fresh()).await.unwrap(), Some(revoked));
        let back = client.reactivate(id, &fresh()).await.unwrap();
        assert_eq!(back.state(START), State::Active);

        client.delete(id, &fresh()).await.unwrap();
        assert_eq!(client.lookup(&issued.plain, &fresh()).await.unwrap(), None);
        let gone = client.revoke(id, None, &fresh()).await.err().unwrap();
        assert_eq!(gone.exit(), Exit::NotFound);
        assert!(gone.answer().unwrap().1.unwrap().starts_with("req_"));
    });
}

#[test]
fn pages_of_a_long_list_are_put_together_whole() {
    on_each_road(async |client, site| {
        // Around the routes, which would take their time; each instant is shared by ten.
        let operator = site.service.operator_of("acme", Provider::Native, vec![7; 32].into(), START).await.unwrap();
        for number in 0..249 {
            let new = new_key(&format!("key {number:03}"));
            let asked = crate::service::Ask { caller: &operator, once: None, now: at(number / 10) };
            let made = |_: &_| crate::service::Answer::new(201, Vec::new());
            site.service.create_key(asked, &new, made).await.unwrap();
        }
        for sort in ["name", "-created", "expires", "-last-used"] {
            let keys = all(client, &Filter::default(), sort).await.unwrap();
            let mut ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!((keys.len(), ids.len()), (250, 250), "{sort}");
        }
        let filter = Filter { search: Some("KEY 10".to_owned()), state: Some(State::Active), ..Filter::default() };
        assert_eq!(all(client, &filter, "name").await.unwrap().len(), 10);
        let find = async |text: &str| {
            let selector = text.parse::<Selector>().unwrap();
            client.find(&selector, Preference::Active, START).await.unwrap()
        };
        let Resolution::One(found) = find("key 123").await else {
            panic!("one key is called so");
        };
        assert_eq!(found.name, "key 123");
        let Resolution::One(by_id) = find(found.id.as_str()).await else {
            panic!("one key has this id");
        };
        assert_eq!(by_id.id, found.id);
        assert!(matches!(find("key_").await, Resolution::Many(keys) if keys.len() == 250));
        assert!(matches!(find("a&b=c#d%00é").await, Resolution::None));
    });
}

#[test]
fn a_refusal_arrives_with_its_code_and_its_exit() {
    on_each_road(async |client, _| {
        client.create(&new_key("ci"), &fresh()).await.unwrap();
        let taken = client.create(&new_key("ci"), &fresh()).await.err().unwrap();
        assert!(taken.is("duplicate_name") && !taken.is_unsure());
        assert_eq!(taken.exit(), Exit::Conflict);
        let none = KeyId::new("none");
        let missing = client.revoke(&none, None, &fresh()).await.err().unwrap();
        assert_eq!(missing.exit(), Exit::NotFound);
        assert_eq!(missing.to_string(), "No such key");
    });
}

#[test]
fn the_listener_describes_itself_like_every_other_answer() {
    block_on(async {
        let site = Site::new().await;
        let serving = Serving::start(native(context(&site.service)));
        for (request, status, field) in [
            ("GET /openapi.json", "200 OK", "\"openapi\":\"3.1.0\""),
            ("POST /openapi.json", "405 Method Not Allowed", "method_not_allowed"),
        ] {
            let answer = raw_exchange(serving.address, request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer:.200}");
            let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
            assert!(answer.contains(field), "{request}: {answer:.300}");
            assert!(head.contains("\r\nx-request-id: req_"), "{request}: {head}");
            assert!(head.contains("\r\ncache-control: no-store"), "{request}: {head}");
        }
    });
}

/// One request, byte for byte, and everything that comes back.
async fn raw_exchange(address: std::net::SocketAddr, request: &str) -> String {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let text = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut sent = 0;
    while sent < text.len() {
        stream.writable().await.unwrap();
        sent += stream.try_write(&text.as_bytes()[sent..]).unwrap_or(0);
    }
    let mut answer = Vec::new();
    loop {
        stream.readable().await.unwrap();
        let mut buffer = [0; 4_096];
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    String::from_utf8(answer).unwrap()
}

/// A client of a server that says these things.
async fn facing(answers: Vec<Said>) -> (FaultyServer, Client) {
    let server = FaultyServer::saying(answers).await;
    let client = over_tcp(&format!("http://{}", server.address), SECRET);
    (server, client)
}

fn says(status: u16, body: &Value) -> Said {
    Said::new(status, body.to_string())
}

#[test]
fn an_answer_that_cannot_be_read_is_said_without_quoting_it() {
    block_on(async {
        let garbage = [
            String::new(),
            "<html>".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            format!("{{\"data\":\"{SECRET}\"}}"),
            format!("{{\"data\":{{\"key\":\"{SECRET}\"}}}}"),
            format!("{{\"data\":{{\"id\":1,\"key\":\"{SECRET}\"}}}}"),
        ];
        for body in garbage {
            let (_server, client) = facing(vec![Said::new(201, body.clone())]).await;
            let created = client.create(&new_key("ci"), &fresh()).await.err().unwrap();
            assert_eq!(created.exit(), Exit::Unknown, "{body}");
            let revoked = client.revoke(&KeyId::new("x"), None, &fresh()).await;
            assert_eq!(revoked.err().unwrap().exit(), Exit::Unknown, "{body}");
            let listed = all(&client, &Filter::default(), "name").await.err().unwrap();
            assert_eq!(listed.exit(), Exit::Unreachable, "{body}");
            for error in [created, listed] {
                assert!(!format!("{error} {error:?}").contains(&SECRET[13..]));
            }
        }
        let two_lines = json!({ "data": { "id": "x", "key": format!("{SECRET}\nand more") } });
        let (_server, client) = facing(vec![says(201, &two_lines)]).await;
        let created = client.create(&new_key("ci"), &fresh()).await.err().unwrap();
        assert_eq!(created.exit(), Exit::Unknown);
        assert!(!format!("{created} {created:?}").contains(&SECRET[13..]));
    });
}

#[test]
fn what_a_service_says_beyond_the_contract_is_kept() {
    block_on(async {
        let page = json!({ "data": [{ "id": "x", "team": { "name": "growth" } }], "more": 1 });
        let (server, client) = facing(vec![says(200, &page)]).await;
        let keys = all(&client, &Filter::default(), "name").await.unwrap();
        assert_eq!(keys.len(), 1, "a page without `meta` is a page");
        assert_eq!(keys[0].more["team"], json!({ "name": "growth" }));
        assert_eq!(keys[0].name, "");
        assert_eq!(server.calls(), 1);
    });
}

fn page_of(from: usize, count: usize, meta: Option<Value>) -> Said {
    let keys: Vec<Value> = (from..from + count).map(|number| json!({ "id": format!("key_{number}") })).collect();
    let mut page = json!({ "data": keys });
    if let Some(meta) = meta {
        page["meta"] = meta;
    }
    says(200, &page)
}

#[test]
fn without_meta_a_full_page_is_followed_by_another() {
    block_on(async {
        let answers = vec![page_of(0, 1000, None), page_of(1000, 1000, None), page_of(2000, 0, None)];
        let (server, client) = facing(answers).await;
        let keys = all(&client, &Filter::default(), "name").await.unwrap();
        assert_eq!((keys.len(), server.calls()), (2000, 3));
        assert!(server.last_request().contains("page=3&per_page=1000"));
    });
}

#[test]
fn an_instant_that_cannot_be_read_does_not_make_a_dead_key_look_alive() {
    block_on(async {
        for field in ["revoked_at", "expires_at"] {
            let page = json!({ "data": [{ "id": "x", "status": "revoked", field: "yesterday" }] });
            let (_server, client) = facing(vec![says(200, &page)]).await;
            if let Ok(keys) = all(&client, &Filter::default(), "name").await {
                assert_ne!(keys[0].state(START), State::Active, "{field}");
            }
        }
    });
}

#[test]
fn every_shape_of_error_becomes_a_sentence() {
    block_on(async {
        for (body, said) in [
            (r#"{"error":{"code":"c","message":"No"}}"#, "No"),
            (r#"{"error":"Missing permission"}"#, "Missing permission"),
            (r#"{"detail":"Invalid"}"#, "Invalid"),
            (r#"{"error":{}}"#, "the service answered with status 400"),
            (r#"{"detail":[{"loc":[]}]}"#, "the service answered with status 400"),
            ("[]", "the service answered with status 400"),
            ("<html>", "the service answered with status 400"),
            ("", "the service answered with status 400"),
        ] {
            let (_server, client) = facing(vec![Said::new(400, body)]).await;
            let error = client.reactivate(&KeyId::new("x"), &fresh()).await.err().unwrap();
            assert_eq!(error.to_string(), said, "{body}");
            assert_eq!(error.exit(), Exit::Usage, "{body}");
        }
    });
}

#[test]
fn an_error_that_says_nothing_becomes_a_sentence_too() {
    block_on(async {
        for body in [
            r#"{"error":""}"#,
            r#"{"detail":""}"#,
            r#"{"error":{"message":""}}"#,
            r#"{"error":{"message":" "},"detail":""}"#,
        ] {
            let (_server, client) = facing(vec![Said::new(400, body)]).await;
            let error = client.reactivate(&KeyId::new("x"), &fresh()).await.err().unwrap();
            assert_eq!(error.to_string(), "the service answered with status 400", "{body}");
        }
    });
}

#[test]
fn a_key_is_not_there_only_where_the_service_says_so() {
    block_on(async {
        for (body, exit) in [
            (r#"{"error":{"code":"not_found","message":"No such key"}}"#, Exit::NotFound),
            (r#"{"error":"No such key"}"#, Exit::NotFound),
            ("<html>", Exit::Forbidden),
            ("", Exit::Forbidden),
        ] {
            let (_server, client) = facing(vec![Said::new(404, body)]).await;
            let error = client.reactivate(&KeyId::new("x"), &fresh()).await.err().unwrap();
            assert_eq!(error.exit(), exit, "{body}: {error}");
        }
    });
}

#[test]
fn a_redirect_is_not_followed_with_a_key() {
    block_on(async {
        let mut moved = Said::new(307, "");
        moved.headers.push(("location", "http://127.0.0.1:1/"));
        let (server, client) = facing(vec![moved]).await;
        let error = client.create(&new_key("ci"), &fresh()).await.err().unwrap();
        assert!(matches!(error, HttpError::Redirected { .. }), "{error}");
        assert_eq!(server.calls(), 1);
    });
}

#[test]
fn an_id_goes_into_the_path_as_one_segment() {
    block_on(async {
        let (server, client) = facing(vec![says(200, &json!({ "data": { "id": "x" } }))]).await;
        for (id, segment) in [
            ("a/b", "a%2Fb"),
            ("../../v1", "..%2F..%2Fv1"),
            ("a?b=c#d", "a%3Fb%3Dc%23d"),
            ("a%2Fb", "a%252Fb"),
            ("a b\r\nc", "a%20b%0D%0Ac"),
            ("é\u{202e}", "%C3%A9%E2%80%AE"),
            ("a;b:c@d\\e", "a%3Bb%3Ac%40d%5Ce"),
            ("~-_.x", "~-_.x"),
        ] {
            // The answer is about another key.
            client.revoke(&KeyId::new(id), None, &fresh()).await.unwrap_err();
            let expected = format!("POST /v1/api-keys/{segment}/revoke");
            assert_eq!(server.last_request(), expected, "{id:?}");
        }
    });
}

#[test]
fn an_id_of_dots_does_not_walk_up_the_path() {
    block_on(async {
        let (server, client) = facing(vec![says(200, &json!({ "data": { "id": "x" } }))]).await;
        client.reactivate(&KeyId::new("x"), &fresh()).await.unwrap();
        for id in ["", ".", ".."] {
            client.revoke(&KeyId::new(id), None, &fresh()).await.ok();
            let last = server.last_request();
            let (_, path) = last.split_once(' ').unwrap();
            let whole = path.split('/').count();
            assert_eq!(whole, 5, "{id:?} was sent as {last}");
        }
    });
}

#[test]
fn a_request_to_look_at_shows_no_more_of_the_key_than_its_prefix() {
    block_on(async {
        let client = over_tcp("http://127.0.0.1:1", SECRET);
        let preview = client.preview_create(&new_key("ci"), &fresh());
        assert_eq!(preview.url, "http://127.0.0.1:1/v1/api-keys");
        let shown = format!("{preview:?}");
        assert!(shown.contains("wbk_1a2B3c4D…") && !shown.contains(&SECRET[12..]));
    });
}
