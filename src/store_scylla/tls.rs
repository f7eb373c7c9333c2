//! How the way to the cluster is encrypted, and how each side shows who it is. Nodes are reached by address, so a node's
//! certificate has to name its address; it is always checked.

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Encryption of the way to the cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// PEM file with the authorities that certify the nodes.
    pub authorities: PathBuf,
    /// What this side shows, where the cluster asks for it.
    pub client: Option<ClientCertificate>,
}

/// A certificate and its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// PEM file with the certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file with its private key.
    pub key: PathBuf,
}

/// What the driver needs; or which file is wrong, and why.
pub(crate) fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    for authority in certificates("store.cql.tls_ca", &tls.authorities)? {
        let added = roots.add(authority);
        added.map_err(|error| wrong("store.cql.tls_ca", &tls.authorities, &error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?.with_root_certificates(roots);
    let Some(client) = &tls.client else {
        return Ok(Arc::new(config.with_no_client_auth()));
    };
    let chain = certificates("store.cql.tls_certificate", &client.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&client.key);
    let key = key.map_err(|error| wrong("store.cql.tls_key", &client.key, &in_words(&error)))?;
    let config = config.with_client_auth_cert(chain, key);
    let config = config.map_err(|error| wrong("store.cql.tls_certificate", &client.certificate, &error))?;
    Ok(Arc::new(config))
}

fn certificates(name: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| wrong(name, path, &in_words(&error)))?;
    if found.is_empty() {
        return Err(wrong(name, path, &"there is no certificate in it; give a PEM file"));
    }
    Ok(found)
}

fn in_words(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "there is nothing of the sort in it; give a PEM file".to_owned(),
        other => other.to_string(),
    }
}

fn wrong(name: &str, path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{name} = {:?}: {why}", path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(authorities: &Path) -> String {
        let tls = Tls {
            authorities: authorities.into(),
            client: None,
        };
        client_config(&tls).err().unwrap_or_default()
    }

    #[test]
    fn files_that_are_missing_or_something_else_are_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ca.pem");
        assert!(
            told(&path).contains("tls_ca") && told(&path).contains("ca.pem"),
            "{}",
            told(&path)
        );
        std::fs::write(&path, "no certificate").expect("written");
        assert!(told(&path).contains("give a PEM file"), "{}", told(&path));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, broken).expect("written");
        assert!(told(&path).contains("tls_ca"), "{}", told(&path));
    }
}
