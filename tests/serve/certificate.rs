//! Certificates of a test's own: made by hand, because that is little, and a tool for it would be much.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

/// One for `127.0.0.1`, signed by itself, and its key.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) pem: String,
    pub(crate) key_pem: String,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        const EC_PUBLIC_KEY: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
        const ALTERNATIVE_NAMES: &[u8] = &[0x06, 3, 0x55, 0x1d, 17];

        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let algorithm = sequence(&[ECDSA_WITH_SHA256]);
        let name = sequence(&[&tagged(0x31, &sequence(&[COMMON_NAME, &tagged(0x0c, b"keys")]))]);
        let validity = sequence(&[&tagged(0x17, b"200101000000Z"), &tagged(0x18, b"20990101000000Z")]);
        let public = sequence(&[&sequence(&[EC_PUBLIC_KEY, P256]), &bits(pair.public_key().as_ref())]);
        let names = tagged(0x04, &sequence(&[&tagged(0x87, &[127, 0, 0, 1])]));
        let extensions = tagged(0xa3, &sequence(&[&sequence(&[ALTERNATIVE_NAMES, &names])]));
        let (version, serial) = (tagged(0xa0, &tagged(0x02, &[2])), tagged(0x02, &pair.public_key().as_ref()[1..9]));
        let serial = [&serial[..2], &[serial[2] & 0x7f], &serial[3..]].concat();
        let body = sequence(&[&version, &serial, &algorithm, &name, &validity, &name, &public, &extensions]);
        let signature = pair.sign(&random, &body).unwrap();
        let der = sequence(&[&body, &algorithm, &bits(signature.as_ref())]);
        Self { pem: pem("CERTIFICATE", &der), key_pem: pem("PRIVATE KEY", pkcs8.as_ref()), der }
    }
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

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", BASE64_STANDARD.encode(der))
}
