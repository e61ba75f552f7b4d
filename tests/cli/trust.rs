//! Services over https: whose certificate is trusted, and what is said of one that is not.

use snapbox::str;

use crate::support::{Authority, NOBODYS, Place, Run, Secured, json_answer};

const EMPTY: &str = r#"{"data":[],"meta":{"page":1,"per_page":1000,"total":0}}"#;

fn list<'a>(place: &'a Place, host: &str, port: u16) -> Run<'a> {
    place.keys(["list"]).env("KEYS_API_URL", format!("https://{host}:{port}")).env("KEYS_API_KEY", NOBODYS)
}

#[test]
fn an_authority_that_nobody_knows_has_to_be_named() {
    let place = Place::new();
    let authority = Authority::new();
    let other = Authority::new();
    place.write("ca.pem", &authority.pem);
    place.write("other.pem", &other.pem);
    place.write("both.pem", format!("# two\n{}\n{}", other.pem, authority.pem));
    let port = authority.serve(&Secured::default(), json_answer(200, EMPTY));
    let start = std::time::Instant::now();
    let stranger = list(&place, "localhost", port).done();
    stranger.shows(str![[r#"
exit 8
--- stderr
error: the service is not trusted: invalid peer certificate: UnknownIssuer

hint: nothing was sent; if the service has an authority of its own, name its certificate with --ca-cert FILE

"#]]);
    assert!(start.elapsed() < crate::support::HANGS);
    let create = list(&place, "localhost", port).args("--json").done();
    assert_eq!(create.error()["code"], "untrusted");
    for file in ["ca.pem", "both.pem"] {
        assert_eq!(list(&place, "localhost", port).args("--ca-cert").arg(file).done().code, 0, "{file}");
        assert_eq!(list(&place, "localhost", port).env("SSL_CERT_FILE", file).done().code, 0, "{file}");
    }
    let named = list(&place, "localhost", port).args("--ca-cert ca.pem");
    assert_eq!(named.env("SSL_CERT_FILE", "other.pem").done().code, 0, "the flag comes first");
    assert_eq!(list(&place, "localhost", port).args("--ca-cert other.pem").done().code, 8);
}

#[test]
fn a_known_authority_does_not_vouch_for_everything() {
    let place = Place::new();
    let authority = Authority::new();
    place.write("ca.pem", &authority.pem);
    for (secured, why) in [
        (Secured { name: "keys.example", ..Secured::default() }, "certificate not valid for name \"localhost\""),
        (Secured { ends: 2021, ..Secured::default() }, "certificate expired"),
    ] {
        let port = authority.serve(&secured, json_answer(200, EMPTY));
        let seen = list(&place, "localhost", port).args("--ca-cert ca.pem").done();
        assert_eq!(seen.code, 8, "{}", seen.stderr);
        assert!(
            seen.stderr.contains("the service is not trusted") && seen.stderr.contains(why),
            "{why}: {}",
            seen.stderr
        );
    }
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let secured = Secured { versions: vec![version], ..Secured::default() };
        let port = authority.serve(&secured, json_answer(200, EMPTY));
        assert_eq!(list(&place, "localhost", port).args("--ca-cert ca.pem").done().code, 0);
    }
}

#[test]
fn a_file_without_certificates_is_said() {
    let place = Place::new();
    place.write("empty.pem", "no certificate\n");
    for (file, why) in
        [("absent.pem", "No such file or directory (os error 2)"), ("empty.pem", "no certificate is in it")]
    {
        let seen = list(&place, "localhost", 1).args("--ca-cert").arg(file).done();
        assert_eq!(seen.code, 2, "{}", seen.stderr);
        let said = format!("error: could not read the certificates in `{file}`, which --ca-cert names: {why}\n");
        assert!(seen.stderr.starts_with(&said), "{}", seen.stderr);
        let seen = list(&place, "localhost", 1).env("SSL_CERT_FILE", file).done();
        assert_eq!(seen.code, 2);
        assert!(seen.stderr.contains("which SSL_CERT_FILE names"), "{}", seen.stderr);
    }
}

#[test]
fn what_is_not_tls_is_not_spoken_to() {
    let place = Place::new();
    let plain = crate::support::Fake::answering(json_answer(400, "{}"));
    let port = plain.url().rsplit(':').next().unwrap().parse().unwrap();
    let seen = list(&place, "localhost", port).done();
    assert_eq!(seen.code, 8, "{}", seen.stderr);
    assert!(!plain.requests().concat().contains(NOBODYS));
}
