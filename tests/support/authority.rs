//! An authority that nobody knows, and a service that shows a certificate of it. Made by hand, because that is little, and
//! a tool for it would be much.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

/// An authority.
pub(crate) struct Authority {
    pair: EcdsaKeyPair,
    /// Its certificate, as a file of PEM holds it.
    pub(crate) pem: String,
}

/// What a service shows.
pub(crate) struct Secured {
    /// The name it says it has.
    pub(crate) name: &'static str,
    /// The last year of its certificate.
    pub(crate) ends: u16,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Default for Secured {
    fn default() -> Self {
        Self { name: "localhost", ends: 2099, versions: rustls::ALL_VERSIONS.to_vec() }
    }
}

/// Its name, which is also the name of each of its certificates.
const AUTHORITY: &str = "An authority of the tests";

impl Authority {
    pub(crate) fn new() -> Self {
        let (pair, _) = key();
        let basic = extension(&[0x06, 3, 0x55, 0x1d, 19], &sequence(&[&[0x01, 1, 0xff]]));
        let der = certificate(&pair, &pair, 2099, &basic);
        let text = BASE64_STANDARD.encode(der);
        Self { pair, pem: format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n") }
    }

    /// Serves with a certificate of this authority, and answers each request with these bytes. Gives its port.
    pub(crate) fn serve(&self, secured: &Secured, answer: Vec<u8>) -> u16 {
        let (pair, private) = key();
        let names = sequence(&[&tagged(0x82, secured.name.as_bytes())]);
        let names = extension(&[0x06, 3, 0x55, 0x1d, 17], &names);
        let der = certificate(&self.pair, &pair, secured.ends, &names);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&secured.versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(der)], PrivatePkcs8KeyDer::from(private).into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let config = Arc::new(config);
            for stream in listener.incoming() {
                let (config, answer) = (Arc::clone(&config), answer.clone());
                thread::spawn(move || exchange(config, stream.unwrap(), &answer));
            }
        });
        port
    }
}

/// One request and its answer. A client that trusts nobody breaks it off.
fn exchange(config: Arc<ServerConfig>, stream: TcpStream, answer: &[u8]) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    stream.write_all(answer).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// A new key, and the same as a file holds it.
fn key() -> (EcdsaKeyPair, Vec<u8>) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    (pair, pkcs8.as_ref().to_vec())
}

/// A certificate of X.509 for a key, with one extension.
fn certificate(issuer: &EcdsaKeyPair, subject: &EcdsaKeyPair, ends: u16, extension: &[u8]) -> Vec<u8> {
    const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    const EC_PUBLIC_KEY: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
    let point = subject.public_key().as_ref();
    let algorithm = sequence(&[ECDSA_WITH_SHA256]);
    let name = sequence(&[&tagged(0x31, &sequence(&[COMMON_NAME, &tagged(0x0c, AUTHORITY.as_bytes())]))]);
    let end = format!("{ends}0101000000Z");
    let validity = sequence(&[&tagged(0x18, b"20200101000000Z"), &tagged(0x18, end.as_bytes())]);
    let public = sequence(&[&sequence(&[EC_PUBLIC_KEY, P256]), &bits(point)]);
    let serial = [&[0x02, 8, 1], &point[1..8]].concat();
    let extensions = tagged(0xa3, &sequence(&[extension]));
    let version = tagged(0xa0, &[0x02, 1, 2]);
    let body = sequence(&[&version, &serial, &algorithm, &name, &validity, &name, &public, &extensions]);
    let signature = issuer.sign(&SystemRandom::new(), &body).unwrap();
    sequence(&[&body, &algorithm, &bits(signature.as_ref())])
}

fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[id, &tagged(0x04, value)])
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let head = match content.len() {
        short @ 0..128 => vec![tag, u8::try_from(short).unwrap()],
        128..256 => vec![tag, 0x81, length[7]],
        _ => vec![tag, 0x82, length[6], length[7]],
    };
    [&head, content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(0x30, &parts.concat())
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tagged(0x03, &[&[0], bytes].concat())
}
