//! The same request again gets the same key, and leaves one.

use snapbox::str;

use crate::support::Place;

fn count(place: &Place) -> usize {
    place.everything().matches("\"id\"").count()
}

#[test]
fn twice_is_once() {
    for more in ["", "--expires 90d", "--temp", "--expires 2999-01-01", "--description d --tier high"] {
        let place = Place::new();
        let create = || place.local("create --name ci --perm read:contacts --idempotency-key one").args(more).done();
        let (first, second) = (create(), create());
        assert_eq!(first.secret(), second.secret(), "{more}");
        assert!(second.stderr.starts_with("Got again key `ci`"), "{}", second.stderr);
        assert_eq!(count(&place), 1, "{more}");
    }
}

#[test]
fn another_body_is_a_conflict() {
    let place = Place::new();
    place.local("create -q --name ci --perm read --idempotency-key one").done().secret();
    let before = place.everything();
    place.local("create --name ci --perm write --idempotency-key one").shows(str![[r#"
exit 6
--- stderr
error: could not create the key `ci`
  caused by: This Idempotency-Key was used for a different request

hint: send another Idempotency-Key, or none

"#]]);
    place
        .local("create --name ci2 --perm read --idempotency-key one --json")
        .shows(str![[r#"
exit 6
--- stderr
{"error":{"code":"idempotency_conflict","message":"could not create the key `ci2`: This Idempotency-Key was used for a different request","hint":"send another Idempotency-Key, or none","retryable":false,"status":409,"request_id":"[REQUEST]","exit":6}}

"#]]);
    assert_eq!(place.everything(), before);
}

#[test]
fn a_key_that_was_revoked_or_deleted_meanwhile_is_not_handed_out() {
    let place = Place::new();
    let create = || place.local("create --name ci --perm read --idempotency-key one");
    create().done().secret();
    place.local("revoke ci --yes").done();
    create().shows(str![[r#"
exit 6
--- stderr
error: could not create the key `ci`
  caused by: The key that this request made has since been revoked or deleted: send a new Idempotency-Key

hint: send another Idempotency-Key, or none

"#]]);
    place.local("delete ci --yes --confirm ci").done();
    create().shows(str![[r#"
exit 6
--- stderr
error: could not create the key `ci`
  caused by: The key that this request made has since been revoked or deleted: send a new Idempotency-Key

hint: send another Idempotency-Key, or none

"#]]);
    assert_eq!(count(&place), 0);
}

#[test]
fn unusable_idempotency_keys_are_refused() {
    let place = Place::new();
    for bad in ["", "with space", "a\"b", "ü", &"x".repeat(256)] {
        let seen = place.local("create --name ci --perm read --idempotency-key").arg(bad).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{bad}");
    }
    place.local("create -q --name ci --perm read --idempotency-key").arg("x".repeat(255)).done().secret();
}
