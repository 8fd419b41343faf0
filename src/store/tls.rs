//! TLS towards PostgreSQL: certificates are always checked, against the roots that come with the program.

use std::sync::Arc;

use tokio_postgres_rustls::MakeRustlsConnect;

/// What opens encrypted connections.
pub(super) fn connector() -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
