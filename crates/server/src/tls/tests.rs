use std::fs;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};

use super::*;

fn now() -> UtcDateTime {
    UtcDateTime::now()
}

fn local(data: &Path, domain: &str) -> (LocalCertificate, Tls) {
    let certificate = LocalCertificate::new(data, domain);
    let tls = Tls::open(Source::Local(certificate.clone()), now()).unwrap();
    (certificate, tls)
}

fn client(
    authority: &Path,
    name: &str,
    version: &'static SupportedProtocolVersion,
    alpn: &[&[u8]],
) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap()
}

/// Carries bytes both ways until both sides are done.
fn handshake(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), rustls::Error> {
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn a_client_that_trusts_the_authority_connects() {
    let data = tempfile::tempdir().unwrap();
    let rows: [(&str, &[&str]); 2] = [
        ("localhost", &["localhost", "groups.localhost", "127.0.0.1"]),
        ("example.org", &["example.org", "groups.example.org", "upload.example.org"]),
    ];
    for (domain, name) in rows.iter().flat_map(|(domain, names)| names.iter().map(move |name| (domain, name)))
    {
        let (certificate, tls) = local(&data.path().join(domain), domain);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut client = client(&certificate.authority_file(), name, version, &[]);
            let mut server = ServerConnection::new(tls.current().starttls.clone()).unwrap();
            handshake(&mut client, &mut server).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn the_authority_is_not_believed_for_other_domains() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, tls) = local(data.path(), "example.org");
    let mut client = client(&certificate.authority_file(), "example.com", &rustls::version::TLS13, &[]);
    let mut server = ServerConnection::new(tls.current().starttls.clone()).unwrap();
    assert!(handshake(&mut client, &mut server).is_err());
}

#[test]
fn channel_bindings_are_equal_on_both_sides() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, tls) = local(data.path(), "example.org");
    for (version, exporter) in [(&rustls::version::TLS12, false), (&rustls::version::TLS13, true)] {
        let identity = tls.current();
        let mut client = client(&certificate.authority_file(), "example.org", version, &[]);
        let mut server = ServerConnection::new(identity.starttls.clone()).unwrap();
        handshake(&mut client, &mut server).unwrap();
        let bindings = identity.channel_bindings(&server);
        let exported = client.export_keying_material([0; 32], EXPORTER_LABEL, None).unwrap();
        assert_eq!(bindings.exporter, exporter.then_some(exported));
        let leaf = &client.peer_certificates().unwrap()[0];
        assert_eq!(bindings.server_end_point, Some(Sha256::digest(leaf).to_vec()));
    }
}

#[test]
fn direct_tls_insists_on_its_protocol() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, tls) = local(data.path(), "example.org");
    let connect = |alpn: &[&[u8]]| {
        let mut client = client(&certificate.authority_file(), "example.org", &rustls::version::TLS13, alpn);
        let mut server = ServerConnection::new(tls.current().direct.clone()).unwrap();
        handshake(&mut client, &mut server).map(|()| server.alpn_protocol().map(<[u8]>::to_vec))
    };
    assert_eq!(connect(&[b"xmpp-client"]), Ok(Some(b"xmpp-client".to_vec())));
    assert_eq!(connect(&[]), Ok(None));
    assert!(connect(&[b"h2"]).is_err());
}

#[test]
fn files_are_exchanged_and_bad_ones_are_not_taken() {
    let data = tempfile::tempdir().unwrap();
    let (first, _) = local(&data.path().join("first"), "example.org");
    let (second, _) = local(&data.path().join("second"), "example.org");
    let certificate = data.path().join("chain.pem");
    let key = data.path().join("key.pem");
    fs::copy(first.chain_file(), &certificate).unwrap();
    fs::copy(first.key_file(), &key).unwrap();
    let tls = Tls::open(Source::Files { certificate: certificate.clone(), key: key.clone() }, now()).unwrap();
    let before = tls.current();
    assert!(!tls.reload(now()).unwrap());

    // Half of an exchange: the certificate is new, the key is not yet.
    fs::copy(second.chain_file(), &certificate).unwrap();
    let error = tls.reload(now()).unwrap_err().to_string();
    assert!(error.contains("cannot be used together"), "{error}");
    assert!(Arc::ptr_eq(&before, &tls.current()));
    assert!(!tls.reload(now()).unwrap(), "the same fault is reported once");

    fs::copy(second.key_file(), &key).unwrap();
    assert!(tls.reload(now()).unwrap());
    let mut client = client(&second.authority_file(), "example.org", &rustls::version::TLS13, &[]);
    let mut server = ServerConnection::new(tls.current().starttls.clone()).unwrap();
    handshake(&mut client, &mut server).unwrap();

    fs::remove_file(&key).unwrap();
    let error = tls.reload(now()).unwrap_err().to_string();
    assert!(error.contains("key.pem cannot be read"), "{error}");
}

#[test]
fn faults_are_sentences() {
    let data = tempfile::tempdir().unwrap();
    let (local, _) = local(data.path(), "example.org");
    let open = |certificate: PathBuf, key: PathBuf| {
        Tls::open(Source::Files { certificate, key }, now()).unwrap_err().to_string()
    };
    let missing = data.path().join("missing.pem");
    assert!(open(missing.clone(), local.key_file()).contains("The certificate file"));
    assert!(open(local.chain_file(), missing).contains("The key file"));
    assert!(open(local.key_file(), local.chain_file()).contains("has no certificate in PEM form"));
    assert!(open(local.chain_file(), local.chain_file()).contains("has no private key in PEM form"));
}
