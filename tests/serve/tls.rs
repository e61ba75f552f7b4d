//! Who may be listened to by others, and with which certificate.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustix::process::Signal;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::certificate::Certificate;
use super::scene::{Served, rest_of};
use crate::support::Place;

const OPTIONS: &str = "--tls-cert cert.pem --tls-key key.pem";

fn write(place: &Place, certificate: &Certificate) {
    place.write("cert.pem", &certificate.pem);
    let key = place.write("key.pem", &certificate.key_pem);
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

/// What a client who trusts this certificate alone is answered with this version; the error where it trusts another.
fn ask(
    served: &Served,
    trusted: &Certificate,
    version: &'static SupportedProtocolVersion,
) -> Result<String, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(trusted.der.clone())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut session = ClientConnection::new(Arc::new(config), name)?;
    let mut socket = served.connect();
    while session.is_handshaking() {
        session.complete_io(&mut socket).map_err(|error| error.downcast::<rustls::Error>().unwrap())?;
    }
    let mut stream = StreamOwned::new(session, socket);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n").unwrap();
    Ok(rest_of(stream))
}

#[track_caller]
fn is_answered(served: &Served, trusted: &Certificate) {
    for version in [&TLS12, &TLS13] {
        let answer = ask(served, trusted, version).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
    }
}

#[test]
fn others_are_served_by_tls_and_the_certificate_is_renewed_on_a_signal() {
    let place = Place::new();
    let [first, second, third] = [(); 3].map(|()| Certificate::new());
    write(&place, &first);
    let served = Served::listening(&place, &format!("--listen 0.0.0.0:0 --header-timeout 2s {OPTIONS}"));
    assert!(served.url.starts_with("https://0.0.0.0:"), "{}", served.url);
    is_answered(&served, &first);
    ask(&served, &second, &TLS13).unwrap_err();
    // Who speaks no TLS, and who says nothing.
    assert!(!served.exchange("GET /healthz HTTP/1.1\r\nHost: keys\r\n\r\n").contains("HTTP/1.1"));
    assert_eq!(served.exchange(""), "");
    served.wait_for_timed_out("handshake", 1);

    write(&place, &second);
    is_answered(&served, &first);
    served.signal(Signal::HUP);
    served.wait_for_event("reloaded");
    is_answered(&served, &second);
    ask(&served, &first, &TLS13).unwrap_err();

    // A key that is not that of the certificate, and then none: the one before goes on.
    place.write("cert.pem", &third.pem);
    served.signal(Signal::HUP);
    let failed = served.wait_for_event("reload_failed");
    assert_eq!(failed["level"], "error");
    assert!(failed["cause"].as_str().unwrap().contains("cannot be used together"), "{failed}");
    is_answered(&served, &second);
    place.write("cert.pem", "");
    served.signal(Signal::HUP);
    served.wait_for_line(|line| line["cause"].as_str().is_some_and(|cause| cause.contains("holds no certificate")));
    is_answered(&served, &second);
    assert!(!served.text().contains("PRIVATE KEY"), "{}", served.text());
}

#[test]
fn a_proxy_in_front_may_reach_it_from_elsewhere() {
    let place = Place::new();
    let served = Served::listening(&place, "--listen 0.0.0.0:0 --behind-proxy");
    served.answers_others();
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_at_the_start() {
    let place = Place::new();
    let (one, another) = (Certificate::new(), Certificate::new());
    write(&place, &one);
    let start = |options: &str| {
        let seen = place.keys(["serve", "--database", "sqlite:x.db", "--listen", "127.0.0.1:0"]).args(options).done();
        assert!(!place.path("x.db").exists());
        (seen.code, seen.stderr)
    };
    let (code, said) = start("--tls-cert cert.pem");
    assert!(code == 2 && said.contains("--tls-key <FILE>"), "{said}");
    let (code, said) = start("--tls-cert none.pem --tls-key key.pem");
    assert!(code == 2 && said.contains("could not read `none.pem`"), "{said}");
    let (code, said) = start("--tls-cert key.pem --tls-key key.pem");
    assert!(code == 2 && said.contains("`key.pem` holds no certificate"), "{said}");
    place.write("key.pem", &another.key_pem);
    let (code, said) = start(OPTIONS);
    assert!(code == 2 && said.contains("cannot be used together"), "{said}");
    fs::set_permissions(place.path("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = start(OPTIONS);
    assert!(code == 2 && said.contains("others may use it (its mode is 0644)"), "{said}");
    assert!(said.contains("chmod 600 key.pem"), "{said}");
}
