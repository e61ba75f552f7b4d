//! Two replicas on one PostgreSQL, and the network between one of them and the database cut.

use std::time::{Duration, Instant};

use super::client::{Request, send};
use super::database::Database;
use super::proxy::Proxy;
use super::replica::{Replica, workspace};
use crate::support::{HANGS, Place};

/// What both replicas serve, and what one of them is cut off from.
struct Scene {
    near: Replica,
    far: Replica,
    network: Proxy,
    admin: String,
    _place: Place,
    _database: Database,
}

impl Scene {
    fn set() -> Option<Self> {
        let database = Database::postgres("a replica that is cut off from PostgreSQL")?;
        let place = Place::new();
        let admin = workspace(&place, &database.url, "Acme", "");
        let mut network = None;
        let url = database.through(|address| {
            let proxy = Proxy::to(address);
            let address = proxy.address.to_string();
            network = Some(proxy);
            address
        });
        let near = Replica::started(&place, &database.url);
        let far = Replica::started(&place, &url);
        let scene = Self { near, far, network: network?, admin, _place: place, _database: database };
        Some(scene)
    }

    /// The status that a replica's gate answers.
    fn gate(replica: &Replica, key: &str) -> u16 {
        send(replica.address().unwrap(), &Request::gate(key)).expect("an answer").status
    }

    /// A key that may read contacts: its id and its plaintext.
    fn key(&self, name: &str) -> (String, String) {
        let body = serde_json::json!({ "name": name, "permissions": ["read:contacts"] });
        let request = Request::new("POST", "/v1/api-keys", &self.admin).json(&body);
        let answer = send(self.near.address().unwrap(), &request).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        let data = &answer.json()["data"];
        let text = |field: &str| data[field].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// Does something to a key at the near replica, and waits for its answer.
    fn change(&self, key: &str, what: &str) {
        let request = Request::new("POST", format!("/v1/api-keys/{key}/{what}"), &self.admin);
        let answer = send(self.near.address().unwrap(), &request).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Waits until a replica's gate answers this.
    fn await_gate(replica: &Replica, key: &str, status: u16) {
        let begin = Instant::now();
        while Self::gate(replica, key) != status {
            assert!(begin.elapsed() < HANGS, "the gate never answers {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_replica_that_is_cut_off_lets_nothing_through_that_was_revoked() {
    let Some(scene) = Scene::set() else { return };
    let ((revoked, of_revoked), (_, of_other)) = (scene.key("revoked"), scene.key("other"));
    for key in [&of_revoked, &of_other] {
        Scene::await_gate(&scene.far, key, 204);
    }
    scene.network.cut();
    scene.change(&revoked, "revoke");
    // From this answer on, for as long as it is cut off.
    for _ in 0..3 {
        let status = Scene::gate(&scene.far, &of_revoked);
        assert!([401, 503].contains(&status), "{status}");
        let status = Scene::gate(&scene.far, &of_other);
        assert_eq!(status, 503, "what others may have changed is not known");
    }
    assert_eq!(Scene::gate(&scene.near, &of_revoked), 401);
    assert_eq!(Scene::gate(&scene.near, &of_other), 204);
    // Changes do not wait for it any more.
    scene.change(&revoked, "reactivate");
    scene.change(&revoked, "revoke");
    scene.network.mend();
    Scene::await_gate(&scene.far, &of_other, 204);
    assert_eq!(Scene::gate(&scene.far, &of_revoked), 401);
    scene.change(&revoked, "reactivate");
    assert_eq!(Scene::gate(&scene.far, &of_revoked), 204);
    scene.change(&revoked, "revoke");
    assert_eq!(Scene::gate(&scene.far, &of_revoked), 401);
    for replica in [&scene.near, &scene.far] {
        replica.stop();
    }
}
