//! The certificate and its key: read at the start, and again when the process is told to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::exit::{Exit, Explain};
use crate::files::{self, FileError};

/// Larger than any chain.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Cheap to clone; each of its clones is the same one.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Loaded>);

struct Loaded {
    certificate: PathBuf,
    key: PathBuf,
    acceptor: RwLock<TlsAcceptor>,
}

impl Tls {
    pub(crate) fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let acceptor = RwLock::new(acceptor(&certificate, &key)?);
        Ok(Self(Arc::new(Loaded { certificate, key, acceptor })))
    }

    /// Reads both files again. Where one of them cannot be used, what was read before goes on being used.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let acceptor = acceptor(&self.0.certificate, &self.0.key)?;
        *self.0.acceptor.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let bytes = files::read_public(certificate, LARGEST_FILE)?;
    let malformed = |cause| TlsError::Malformed { file: certificate.to_owned(), cause };
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    if chain.is_empty() {
        return Err(TlsError::Malformed { file: certificate.to_owned(), cause: PemError::NoItemsFound });
    }
    let bytes = files::read_guarded(key, LARGEST_FILE)?;
    let private =
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|cause| TlsError::Malformed { file: key.to_owned(), cause })?;
    let unusable = |cause| TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), cause };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A certificate or its key cannot be used.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("`{}` holds no certificate or key in PEM form", file.display())]
    Malformed {
        file: PathBuf,
        #[source]
        cause: PemError,
    },
    #[error("the certificate in `{}` and the key in `{}` cannot be used together", certificate.display(), key.display())]
    Unusable {
        certificate: PathBuf,
        key: PathBuf,
        #[source]
        cause: rustls::Error,
    },
}

impl Explain for TlsError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn code(&self) -> &'static str {
        "certificate_unusable"
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Malformed { .. } => {
                Some("name the certificate first, then those of its issuers; the key unencrypted".to_owned())
            }
            Self::Unusable { .. } => Some("name the key that the certificate was made for".to_owned()),
        }
    }
}
