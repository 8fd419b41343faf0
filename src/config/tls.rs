//! Settings of TLS.

use std::path::PathBuf;

use clap::Args;

use super::ConfigError;
use crate::http::CertificateFiles;

/// Whether connections are encrypted, and with which certificate.
#[derive(Args, Clone, Debug)]
pub struct TlsOptions {
    /// A PEM file of the certificate, and of those above it, to speak TLS (HTTPS) with TLS_KEY. Read again when it changes.
    #[arg(long, env = "TLS_CERT", global = true)]
    pub tls_cert: Option<PathBuf>,
    /// A PEM file of the certificate's private key.
    #[arg(long, env = "TLS_KEY", global = true)]
    pub tls_key: Option<PathBuf>,
}

impl TlsOptions {
    /// The files, if connections are encrypted.
    ///
    /// # Errors
    /// When there is only one of them.
    pub fn files(&self) -> Result<Option<CertificateFiles>, ConfigError> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() }))
            }
            (Some(_), None) => Err(ConfigError::Tls("TLS_KEY")),
            (None, Some(_)) => Err(ConfigError::Tls("TLS_CERT")),
        }
    }

    /// The scheme of the server's own addresses.
    pub fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{Cli, Options};

    fn options(args: &[&str]) -> Options {
        Cli::parse_from(std::iter::once("banyan").chain(args.iter().copied())).options
    }

    #[test]
    fn a_certificate_and_a_key_are_given_together() {
        for (args, missing) in [(["--tls-cert", "a.pem"], "TLS_KEY"), (["--tls-key", "a.key"], "TLS_CERT")] {
            let refused = options(&args).check().unwrap_err();
            assert_eq!(refused, ConfigError::Tls(missing));
            assert!(refused.to_string().ends_with(&format!("{missing} is missing")), "{refused}");
        }
    }

    #[test]
    fn addresses_are_https_with_a_certificate_unless_told() {
        let encrypted = ["--bind", "127.0.0.1:8443", "--tls-cert", "a.pem", "--tls-key", "a.key"];
        let known = options(&encrypted);
        assert_eq!((known.check(), known.public_url()), (Ok(()), "https://127.0.0.1:8443".to_owned()));
        assert_eq!(options(&["--bind", "127.0.0.1:8443"]).public_url(), "http://127.0.0.1:8443");
        let told = options(&[&encrypted[..], &["--public-url", "http://refer.example/"]].concat());
        assert_eq!(
            (told.public_url(), told.own_url()),
            ("http://refer.example".into(), "https://127.0.0.1:8443".into())
        );
    }
}
