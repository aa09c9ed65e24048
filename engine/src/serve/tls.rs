//! The certificate that TLS connections are met with, and how: TLS 1.3 alone (RFC 9103 §7.2), ALPN `dot`.
//!
//! A client that offers protocols must offer `dot`; one that offers none is served as RFC 7858 knew it. Resumption
//! is by tickets, so the server keeps nothing of a client between its connections.
//!
//! What does not belong here: files, and connections: see `tcp::session`.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ProducesTickets;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{Error, InconsistentKeys, ServerConfig};

/// The name of DNS over TLS in ALPN (RFC 7858, RFC 9103 §7.1).
pub(super) const ALPN: &[u8] = b"dot";

/// Why a certificate or its key is of no use; it quotes neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableCertificate(String);

impl fmt::Display for UnusableCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for UnusableCertificate {}

/// What new TLS connections begin with. Without a certificate they are closed.
#[derive(Default)]
pub struct Tls {
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    config: Option<Arc<ServerConfig>>,
    /// Kept over a change of certificate, so that tickets stay good.
    tickets: Option<Arc<dyn ProducesTickets>>,
}

impl Tls {
    /// Shows this certificate to connections that come from now on.
    ///
    /// # Errors
    /// What is wrong with the PEM texts; the certificate before stays then.
    pub fn set_certificate(&self, chain: &[u8], key: &[u8]) -> Result<(), UnusableCertificate> {
        let certified = certified_key(chain, key).map_err(UnusableCertificate)?;
        let mut current = self.current();
        let tickets = match &current.tickets {
            Some(tickets) => Arc::clone(tickets),
            None => Ticketer::new().map_err(|error| UnusableCertificate(error.to_string()))?,
        };
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| UnusableCertificate(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.ticketer = Arc::clone(&tickets);
        *current = Current { config: Some(Arc::new(config)), tickets: Some(tickets) };
        Ok(())
    }

    /// What a connection begins with; None before there is a certificate.
    pub(super) fn config(&self) -> Option<Arc<ServerConfig>> {
        self.current().config.clone()
    }

    /// A panic while the lock was held cannot have left half a value.
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn certified_key(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificates are no PEM text: {error}"))?;
    if chain.is_empty() {
        return Err("there is no certificate (BEGIN CERTIFICATE) in it".to_owned());
    }
    // Its error may quote what it read.
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| "there is no private key without a passphrase (BEGIN PRIVATE KEY) in it".to_owned())?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            "the key belongs to another certificate; the server's own stands first in a chain".to_owned()
        }
        other => other.to_string(),
    })
}
