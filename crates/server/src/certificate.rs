//! The local certificate: made on the first start, so that the server speaks TLS before it has a certificate of a
//! public authority.
//!
//! It is signed by a local authority that a user can trust in their client. The authority is bound to the one domain
//! (RFC 5280 §4.2.1.10): who steals its key can forge nothing else.

use std::fs;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use time::{Duration, UtcDateTime};

/// The authority lives as long as people are likely to keep a server; trusting it is a step by hand.
const AUTHORITY_VALID: Duration = Duration::days(3650);

/// The longest that clients accept of a server's certificate (Apple: 825 days).
const SERVER_VALID: Duration = Duration::days(820);

/// How long before its end the server's certificate is made anew.
const RENEW_BEFORE: Duration = Duration::days(30);

/// Clocks differ: the certificates are valid from a day before they are made.
const CLOCK_SKEW: Duration = Duration::days(1);

/// The local certificate's files, `<data>/tls/local*`.
#[derive(Clone, Debug)]
pub struct LocalCertificate {
    folder: PathBuf,
    domain: String,
}

/// Why there is no local certificate.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A file could not be read or written.
    #[error(
        "{path} cannot be {what}: {cause}. Check that the data directory is writable and the disk is not full."
    )]
    File {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// No certificate can be made for the domain.
    #[error("A local certificate cannot be made for {domain:?}: {cause}. Check `domain`.")]
    Make {
        /// The domain.
        domain: String,
        /// What the certificate's maker says.
        cause: String,
    },
}

impl LocalCertificate {
    /// The local certificate of `domain`, kept in the folder `tls` of the data directory.
    pub fn new(data: &Path, domain: &str) -> LocalCertificate {
        LocalCertificate { folder: data.join("tls"), domain: domain.to_owned() }
    }

    /// The authority's certificate: the file that a user tells a client to trust.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.join("local-ca.pem")
    }

    /// The server's certificate with the authority's behind it.
    pub fn chain_file(&self) -> PathBuf {
        self.folder.join("local.pem")
    }

    /// The server's key; only the server's user can read it.
    pub fn key_file(&self) -> PathBuf {
        self.folder.join("local.key")
    }

    fn authority_key_file(&self) -> PathBuf {
        self.folder.join("local-ca.key")
    }

    /// Makes what is missing, is for another domain, or comes to its end. What is there and good stays, because clients
    /// remember certificates.
    pub fn ensure(&self, now: UtcDateTime) -> Result<(), LocalError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|cause| LocalError::File { path: self.folder.clone(), what: "written", cause })?;
        if self.is_good(&self.authority_file(), &[&self.authority_key_file()], now)?
            && self.is_good(&self.chain_file(), &[&self.key_file()], now)?
        {
            return Ok(());
        }
        let authority_key = self.ensure_authority(now)?;
        let key = KeyPair::generate().map_err(|cause| self.failed(cause))?;
        let issuer = Issuer::new(self.authority_params(now)?, authority_key);
        let server = self.server_params(now)?.signed_by(&key, &issuer).map_err(|cause| self.failed(cause))?;
        let chain = server.pem() + &read(&self.authority_file())?.unwrap_or_default();
        write(&self.key_file(), &key.serialize_pem(), 0o600)?;
        write(&self.chain_file(), &chain, 0o644)
    }

    /// The authority's key, with a new authority if there is none for the domain.
    fn ensure_authority(&self, now: UtcDateTime) -> Result<KeyPair, LocalError> {
        if self.is_good(&self.authority_file(), &[&self.authority_key_file()], now)?
            && let Some(key) = read(&self.authority_key_file())?.and_then(|pem| KeyPair::from_pem(&pem).ok())
        {
            return Ok(key);
        }
        let key = KeyPair::generate().map_err(|cause| self.failed(cause))?;
        let certificate =
            self.authority_params(now)?.self_signed(&key).map_err(|cause| self.failed(cause))?;
        write(&self.authority_key_file(), &key.serialize_pem(), 0o600)?;
        write(&self.authority_file(), &certificate.pem(), 0o644)?;
        Ok(key)
    }

    /// Whether a certificate that we made is there with its key, speaks of the domain, and stays valid for a while.
    fn is_good(&self, certificate: &Path, keys: &[&Path], now: UtcDateTime) -> Result<bool, LocalError> {
        let Some(pem) = read(certificate)? else { return Ok(false) };
        let Some((der, not_after)) = crate::tls::first_certificate(pem.as_bytes()) else { return Ok(false) };
        let keys_there = keys.iter().all(|key| key.is_file());
        Ok(keys_there && not_after - RENEW_BEFORE > now && names(&der, &self.ascii_domain()?))
    }

    /// The domain as certificates and DNS write it.
    fn ascii_domain(&self) -> Result<String, LocalError> {
        idna::domain_to_ascii(&self.domain).map_err(|cause| self.failed(cause))
    }

    /// Always the same for a domain, except for the times: from it the authority of an earlier start is known again.
    fn authority_params(&self, now: UtcDateTime) -> Result<CertificateParams, LocalError> {
        let mut params = CertificateParams::default();
        let name = format!("Rookery local authority for {}", self.domain);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(self.ascii_domain()?)],
            excluded_subtrees: Vec::new(),
        });
        params.not_before = (now - CLOCK_SKEW).into();
        params.not_after = (now + AUTHORITY_VALID).into();
        Ok(params)
    }

    fn server_params(&self, now: UtcDateTime) -> Result<CertificateParams, LocalError> {
        let domain = self.ascii_domain()?;
        let mut names = vec![domain.clone(), format!("groups.{domain}")];
        // Clients believe no wildcard directly below a top level, as `localhost` is one.
        if domain.contains('.') {
            names.push(format!("*.{domain}"));
        }
        let mut params = CertificateParams::new(names).map_err(|cause| self.failed(cause))?;
        if domain == "localhost" {
            params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
        }
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, self.domain.as_str());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = (now - CLOCK_SKEW).into();
        params.not_after = (now + SERVER_VALID).into();
        Ok(params)
    }

    fn failed(&self, cause: impl std::fmt::Display) -> LocalError {
        LocalError::Make { domain: self.domain.clone(), cause: cause.to_string() }
    }
}

/// Whether a certificate that we made speaks of the domain: both of ours have it as a `dNSName` (RFC 5280 §4.2.1.6).
fn names(der: &[u8], domain: &str) -> bool {
    const DNS_NAME: u8 = 0x82;
    let length = domain.len() as u8; // At most 253 (RFC 1035 §2.3.4).
    let header = if length < 0x80 { vec![DNS_NAME, length] } else { vec![DNS_NAME, 0x81, length] };
    let name = [&header, domain.as_bytes()].concat();
    der.windows(name.len()).any(|window| window == name)
}

/// The file's text, or nothing if there is no such file.
fn read(path: &Path) -> Result<Option<String>, LocalError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(LocalError::File { path: path.to_owned(), what: "read", cause }),
    }
}

/// Replaces a file as a whole: whoever reads it sees the old or the new one.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), LocalError> {
    let new = path.with_added_extension("new");
    let replace = || {
        let _ = fs::remove_file(&new); // Left from a start that was interrupted.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    replace().map_err(|cause| LocalError::File { path: path.to_owned(), what: "written", cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn now() -> UtcDateTime {
        UtcDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }

    fn contents(local: &LocalCertificate) -> [String; 4] {
        [local.authority_file(), local.authority_key_file(), local.chain_file(), local.key_file()]
            .map(|path| fs::read_to_string(path).unwrap())
    }

    #[test]
    fn what_is_good_stays() {
        let data = tempfile::tempdir().unwrap();
        let local = LocalCertificate::new(data.path(), "example.org");
        local.ensure(now()).unwrap();
        let first = contents(&local);
        local.ensure(now() + Duration::days(700)).unwrap();
        assert_eq!(contents(&local), first);
    }

    #[test]
    fn the_server_certificate_is_renewed_under_the_same_authority() {
        let data = tempfile::tempdir().unwrap();
        let local = LocalCertificate::new(data.path(), "example.org");
        local.ensure(now()).unwrap();
        let [authority, authority_key, chain, key] = contents(&local);
        local.ensure(now() + SERVER_VALID - Duration::days(20)).unwrap();
        let renewed = contents(&local);
        assert_eq!((&renewed[0], &renewed[1]), (&authority, &authority_key));
        assert_ne!(renewed[2], chain);
        assert_ne!(renewed[3], key);
    }

    #[test]
    fn another_domain_gets_another_authority() {
        let data = tempfile::tempdir().unwrap();
        LocalCertificate::new(data.path(), "example.org").ensure(now()).unwrap();
        let local = LocalCertificate::new(data.path(), "example.net");
        let before = contents(&local);
        local.ensure(now()).unwrap();
        assert!(contents(&local).iter().zip(&before).all(|(new, old)| new != old));
    }

    #[test]
    fn damaged_or_lost_files_are_made_anew() {
        let data = tempfile::tempdir().unwrap();
        let local = LocalCertificate::new(data.path(), "localhost");
        for spoil in
            [LocalCertificate::key_file, LocalCertificate::chain_file, LocalCertificate::authority_key_file]
        {
            local.ensure(now()).unwrap();
            fs::remove_file(spoil(&local)).unwrap();
            local.ensure(now()).unwrap();
            assert!(contents(&local).iter().all(|text| text.starts_with("-----BEGIN")));
        }
        fs::write(local.chain_file(), "nonsense").unwrap();
        local.ensure(now()).unwrap();
        assert_eq!(contents(&local)[2].matches("BEGIN CERTIFICATE").count(), 2);
    }

    #[test]
    fn keys_are_private() {
        let data = tempfile::tempdir().unwrap();
        let local = LocalCertificate::new(data.path(), "localhost");
        local.ensure(now()).unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(local.key_file()), 0o600);
        assert_eq!(mode(local.authority_key_file()), 0o600);
        assert_eq!(mode(data.path().join("tls")), 0o700);
    }

    #[test]
    fn a_domain_in_another_script() {
        let data = tempfile::tempdir().unwrap();
        let local = LocalCertificate::new(data.path(), "bücher.example");
        local.ensure(now()).unwrap();
        let (der, _) = crate::tls::first_certificate(contents(&local)[2].as_bytes()).unwrap();
        assert!(names(&der, "xn--bcher-kva.example"));
    }

    #[test]
    fn errors_are_sentences() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("a file");
        fs::write(&file, "").unwrap();
        let error = LocalCertificate::new(&file, "localhost").ensure(now()).unwrap_err().to_string();
        assert!(error.contains("a file/tls cannot be written: Not a directory"), "{error}");
    }
}
