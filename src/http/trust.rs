//! The certificates that a service's own is measured by, read when the first request goes to https and not before.
//!
//! Of the system's it is the one file with all of them: what reqwest does by itself reads every file of a directory too,
//! which takes longer than the whole rest of a request.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::{HttpError, Trust};

/// Where systems keep the file, the most frequent first.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How to verify services; `None` leaves it to the system's own verifier.
pub(super) fn configuration(trust: &Trust) -> Result<Option<ClientConfig>, HttpError> {
    let roots = match trust {
        Trust::Only { file, by } => {
            let problem = |what: String| HttpError::NoRoots { file: file.display().to_string(), by, what };
            let roots = read(file).map_err(problem)?;
            if roots.is_empty() {
                return Err(problem("no certificate is in it".to_owned()));
            }
            roots
        }
        // There the system is asked about each certificate, and knows which ones were taken back.
        Trust::System if cfg!(any(windows, target_vendor = "apple")) => return Ok(None),
        Trust::System => {
            let bundle =
                BUNDLES.iter().find_map(|bundle| read(Path::new(bundle)).ok().filter(|roots| !roots.is_empty()));
            let Some(roots) = bundle else { return Ok(None) };
            roots
        }
    };
    with(roots).map(Some)
}

/// Verifies nothing: for services without TLS.
pub(super) fn none() -> Result<ClientConfig, HttpError> {
    with(RootCertStore::empty())
}

fn with(roots: RootCertStore) -> Result<ClientConfig, HttpError> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| HttpError::NotSent { what: error.to_string() })?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// The certificates of a file. One that cannot be used is as good as absent, as with every other program that reads it.
fn read(file: &Path) -> Result<RootCertStore, String> {
    let text = std::fs::read(file).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok));
    Ok(roots)
}
