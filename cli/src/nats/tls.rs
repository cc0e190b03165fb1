//! TLS, for nats-servers and account servers.

use crate::error::Error;
use crate::source;
use async_nats::ConnectOptions;
use async_nats::rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// TLS; nsc's flags.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "TLS")]
pub struct TlsFlags {
    /// Trust the certificate authorities in FILE, instead of the system's
    #[arg(long, value_name = "FILE", env = "NATS_CA")]
    ca_cert: Option<PathBuf>,
    /// Show the server the certificate in FILE
    #[arg(long, value_name = "FILE", requires = "client_key", env = "NATS_CERT")]
    client_cert: Option<PathBuf>,
    /// The key of --client-cert
    #[arg(long, value_name = "FILE", requires = "client_cert", env = "NATS_KEY")]
    client_key: Option<PathBuf>,
    /// The curves to offer, the best first: X25519, P256, P384
    #[arg(long, value_name = "CURVE,...")]
    tls_curves: Option<String>,
    /// Start TLS before the server says anything
    #[arg(long, alias = "tlsfirst")]
    tls_first: bool,
}

/// A client's certificate and key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl TlsFlags {
    /// The same for a nats-server.
    ///
    /// # Errors
    /// If a file cannot be read, or a curve is not known.
    pub fn apply(&self, options: ConnectOptions) -> Result<ConnectOptions, Error> {
        let given = self.ca_cert.is_some() || self.client_cert.is_some();
        let options = match given || self.tls_curves.is_some() {
            true => options.tls_client_config(self.config()?),
            false => options,
        };
        Ok(if self.tls_first {
            options.tls_first()
        } else {
            options
        })
    }

    /// The same for an account server.
    ///
    /// # Errors
    /// As [`TlsFlags::apply`].
    pub fn http(&self) -> Result<TlsConfig, Error> {
        // ureq panics where certificate and key do not belong together: this finds out before.
        self.config()?;
        let roots = self.roots()?;
        let roots: Vec<Certificate<'static>> = roots
            .iter()
            .map(|cert| Certificate::from_der(cert).to_owned())
            .collect();
        let mut tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(self.provider()?));
        if let (Some(cert), Some(path)) = (&self.client_cert, &self.client_key) {
            let chain: Vec<Certificate<'static>> = certificates(cert)?
                .iter()
                .map(|cert| Certificate::from_der(cert).to_owned())
                .collect();
            let text = source::read_file(path, source::MAX_TEXT)?;
            let key =
                PrivateKey::from_pem(text.as_bytes()).map_err(|error| unreadable(path, &error))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        Ok(tls.build())
    }

    fn config(&self) -> Result<ClientConfig, Error> {
        let mut roots = RootCertStore::empty();
        for cert in self.roots()? {
            // The system may trust what rustls cannot read; a file that was named must be read.
            let added = roots.add(cert);
            if let (Err(error), Some(path)) = (added, &self.ca_cert) {
                return Err(unreadable(path, &error));
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider()?))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::usage(format!("--tls-curves: {error}")))?
            .with_root_certificates(roots);
        match self.identity()? {
            None => Ok(builder.with_no_client_auth()),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::usage(format!("--client-cert and --client-key: {error}"))),
        }
    }

    fn roots(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        match &self.ca_cert {
            Some(path) => certificates(path),
            None => Ok(rustls_native_certs::load_native_certs().certs),
        }
    }

    fn identity(&self) -> Result<Option<Identity>, Error> {
        let (Some(cert), Some(key)) = (&self.client_cert, &self.client_key) else {
            return Ok(None);
        };
        let read = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
        Ok(Some((certificates(cert)?, read)))
    }

    fn provider(&self) -> Result<CryptoProvider, Error> {
        let mut provider = ring::default_provider();
        if let Some(curves) = &self.tls_curves {
            provider.kx_groups = curves
                .split(',')
                .map(|name| curve(name.trim()))
                .collect::<Result<_, _>>()?;
        }
        Ok(provider)
    }
}

fn curve(name: &str) -> Result<&'static dyn SupportedKxGroup, Error> {
    match name.to_ascii_uppercase().as_str() {
        "X25519" => Ok(ring::kx_group::X25519),
        "P256" | "CURVEP256" => Ok(ring::kx_group::SECP256R1),
        "P384" | "CURVEP384" => Ok(ring::kx_group::SECP384R1),
        _ => Err(Error::usage(format!(
            "--tls-curves: {} is not offered; these are: X25519, P256, P384",
            crate::output::clean_inline(name)
        ))),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certs = CertificateDer::pem_file_iter(path)
        .and_then(|certs| certs.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unreadable(path, &error))?;
    if certs.is_empty() {
        return Err(unreadable(path, &"there is no certificate in it"));
    }
    Ok(certs)
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::usage(format!("cannot use {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_named_as_in_nsc() {
        let flags = |curves: &str| TlsFlags {
            tls_curves: Some(curves.to_owned()),
            ..TlsFlags::default()
        };
        assert_eq!(flags("p256, X25519").provider().unwrap().kx_groups.len(), 2);
        let error = flags("P521").provider().map(|_| ()).unwrap_err();
        assert!(
            error.code() == 2 && error.to_string().contains("P521"),
            "{error}"
        );
    }

    #[test]
    fn files_that_are_none_are_named() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for flags in [
            TlsFlags {
                ca_cert: Some(path.into()),
                ..TlsFlags::default()
            },
            TlsFlags {
                client_cert: Some(path.into()),
                client_key: Some(path.into()),
                ..TlsFlags::default()
            },
        ] {
            let error = flags.http().map(|_| ()).unwrap_err();
            assert!(error.to_string().contains("Cargo.toml"), "{error}");
        }
    }
}
