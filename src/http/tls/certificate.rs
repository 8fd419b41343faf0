//! A certificate and its key, as they are read from files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

/// Largest file of certificates, or of a key.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// The files of a certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and after it those that lead to one that clients know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why there is no TLS with some files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificate is at fault.
    #[error("TLS_CERT: {}: {fault}", file.display())]
    Certificate {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The file of the key is at fault.
    #[error("TLS_KEY: {}: {fault}", file.display())]
    Key {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// No version of TLS goes with the cryptography that was built in.
    #[error("TLS cannot be spoken: {0}")]
    Setup(rustls::Error),
}

/// What is wrong with a file. None of it repeats what is in there.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there, or not for us.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It has more than a megabyte.
    #[error("it is larger than {MAX_PEM_BYTES} bytes")]
    TooLarge,
    /// It is in another format, or damaged.
    #[error("it is not sound PEM")]
    NotPem,
    /// There is nothing of the kind in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// There is nothing of the kind in it.
    #[error("there is no private key in it (PKCS#8, PKCS#1 or SEC 1, not encrypted)")]
    NoKey,
    /// What is in it cannot be understood.
    #[error("its certificate cannot be used: {0}")]
    BadCertificate(rustls::Error),
    /// What is in it cannot be understood, or is of a kind that is not supported.
    #[error("its key cannot be used: {0}")]
    BadKey(rustls::Error),
    /// The two files do not belong together.
    #[error("it is not the key of the certificate in TLS_CERT")]
    KeyOfAnother,
}

/// Both files as they were read.
pub(super) struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Texts {
    pub(super) fn read(files: &CertificateFiles) -> Result<Self, TlsError> {
        let certificate = read(&files.certificate).map_err(|fault| of_certificate(files, fault))?;
        let key = read(&files.key).map_err(|fault| of_key(files, fault))?;
        Ok(Self { certificate, key })
    }

    /// The hash of both.
    pub(super) fn hash(&self) -> [u8; 32] {
        let length = self.certificate.len().to_be_bytes();
        Sha256::new().chain_update(length).chain_update(&self.certificate).chain_update(&self.key).finalize().into()
    }
}

fn of_certificate(files: &CertificateFiles, fault: Fault) -> TlsError {
    TlsError::Certificate { file: files.certificate.clone(), fault }
}

fn of_key(files: &CertificateFiles, fault: Fault) -> TlsError {
    TlsError::Key { file: files.key.clone(), fault }
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    File::open(file)?.take(MAX_PEM_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_PEM_BYTES { Err(Fault::TooLarge) } else { Ok(text) }
}

/// The certificates with their key, if they belong together.
pub(super) fn certified(
    files: &CertificateFiles,
    texts: &Texts,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&texts.certificate).map_err(|fault| of_certificate(files, fault))?;
    let key = PrivateKeyDer::from_pem_slice(&texts.key).map_err(|error| match error {
        pem::Error::NoItemsFound => of_key(files, Fault::NoKey),
        _ => of_key(files, Fault::NotPem),
    })?;
    let key = provider.key_provider.load_private_key(key).map_err(|error| of_key(files, Fault::BadKey(error)))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // The second is of keys that cannot tell which certificate they belong to.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(of_key(files, Fault::KeyOfAnother)),
        Err(error) => Err(of_certificate(files, Fault::BadCertificate(error))),
    }
}

fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let chain = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().map_err(|_| Fault::NotPem)?;
    if chain.is_empty() { Err(Fault::NoCertificate) } else { Ok(chain) }
}
