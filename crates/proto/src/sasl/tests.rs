use proptest::prelude::*;

use super::client::{Binding, Client, ClientError};
use super::*;

const DECOY: Decoy<'static> = Decoy { key: b"a secret of the server", iterations: 64 };
const SALTS: Salts = [[1; SALT_LEN], [2; SALT_LEN], [3; SALT_LEN]];

fn credentials(password: &str) -> Credentials {
    Credentials::derive(password, &SALTS, 64).unwrap()
}

fn bindings() -> ChannelBindings {
    ChannelBindings { exporter: Some([7; 32]), server_end_point: Some(vec![8; 48]) }
}

fn mechanism(name: &str) -> Mechanism {
    Mechanism::from_name(name).unwrap()
}

/// The published dialogue of a mechanism, as the server sees it.
struct Vector {
    mechanism: &'static str,
    salt: &'static str,
    client_first: &'static str,
    server_nonce: &'static str,
    server_first: &'static str,
    client_final: &'static str,
    server_final: &'static str,
}

/// RFC 5802 §5, RFC 7677 §3. There is none for SHA-512: its two proofs were computed from the formulas of RFC 5802 §3
/// with the hashlib and hmac modules of Python, for the dialogue of RFC 7677.
const VECTORS: [Vector; 3] = [
    Vector {
        mechanism: "SCRAM-SHA-1",
        salt: "QSXCR+Q6sek8bf92",
        client_first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        server_nonce: "3rfcNHYJY1ZVvWVs7j",
        server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    Vector {
        mechanism: "SCRAM-SHA-256",
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        server_nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
    Vector {
        mechanism: "SCRAM-SHA-512",
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        server_nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
        server_final: "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    },
];

#[test]
fn published_dialogues_server() {
    for vector in VECTORS {
        let salt = BASE64.decode(vector.salt).unwrap();
        let keys = Hash::ALL.map(|hash| ScramKeys::derive(hash, "pencil", &salt, 4096));
        let credentials = Credentials::from_bytes(&Credentials { keys }.to_bytes()).unwrap();
        let (mut exchange, step) = Exchange::start(
            mechanism(vector.mechanism),
            &ChannelBindings::default(),
            Some(vector.client_first.as_bytes()),
        );
        assert_eq!(step, Step::NeedCredentials { user: "user".to_owned() });
        let step = exchange.provide(Some(&credentials), vector.server_nonce, DECOY);
        assert_eq!(step, Step::Challenge(vector.server_first.as_bytes().to_vec()));
        let step = exchange.respond(vector.client_final.as_bytes());
        let data = Some(vector.server_final.as_bytes().to_vec());
        assert_eq!(step, Step::Success { user: "user".to_owned(), authzid: None, data });
    }
}

#[test]
fn published_dialogues_client() {
    for vector in VECTORS {
        let nonce = vector.client_first.split_once(",r=").unwrap().1;
        let mechanism = mechanism(vector.mechanism);
        let mut client = Client::new(mechanism, "user", "pencil", None, nonce, Binding::Unsupported).unwrap();
        assert_eq!(client.initial(), vector.client_first.as_bytes());
        let answer = client.respond(vector.server_first.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), vector.client_final);
        assert_eq!(client.finish(Some(vector.server_final.as_bytes())), Ok(()));
        assert_eq!(client.finish(Some(b"v=AAAA")), Err(ClientError::ServerNotProven));
        assert_eq!(client.finish(None), Err(ClientError::Malformed));
    }
}

/// Lets our client and our server talk until the end.
fn talk(
    mechanism: Mechanism,
    server: &ChannelBindings,
    credentials: Option<&Credentials>,
    mut client: Client,
) -> Step {
    let (mut exchange, mut step) = Exchange::start(mechanism, server, None);
    assert_eq!(step, Step::Challenge(Vec::new()));
    step = exchange.respond(client.initial());
    loop {
        step = match step {
            Step::NeedCredentials { .. } => exchange.provide(credentials, "server-nonce", DECOY),
            Step::Challenge(challenge) => exchange.respond(&client.respond(&challenge).unwrap()),
            Step::Success { ref data, .. } => {
                assert_eq!(client.finish(data.as_deref()), Ok(()));
                return step;
            }
            Step::Failure(_) => return step,
        }
    }
}

fn binding_for(mechanism: Mechanism, server: &ChannelBindings, kind: BindingType) -> Binding {
    if mechanism.is_bound() {
        Binding::Bound(kind, server.get(kind).unwrap().to_vec())
    } else {
        Binding::Unsupported
    }
}

#[test]
fn every_mechanism_with_every_binding() {
    let server = bindings();
    let known = credentials("parrot, blue = 2");
    for mechanism in Mechanism::ALL {
        for kind in BindingType::ALL {
            let login = |password, authzid| {
                let binding = binding_for(mechanism, &server, kind);
                Client::new(mechanism, "a=b,c", password, authzid, "client-nonce", binding).unwrap()
            };
            let step =
                talk(mechanism, &server, Some(&known), login("parrot, blue = 2", Some("a=b@example.org")));
            let Step::Success { user, authzid, .. } = step else { panic!("{mechanism:?}: {step:?}") };
            assert_eq!((user.as_str(), authzid.as_deref()), ("a=b,c", Some("a=b@example.org")));

            let wrong = talk(mechanism, &server, Some(&known), login("Parrot, blue = 2", None));
            let unknown = talk(mechanism, &server, None, login("parrot, blue = 2", None));
            assert_eq!(wrong, Step::Failure(Condition::NotAuthorized));
            assert_eq!(unknown, wrong);
        }
    }
}

#[test]
fn an_unknown_user_is_challenged_like_a_known_one() {
    let known = credentials("secret");
    let challenge = |user: &str, credentials: Option<&Credentials>, key: &[u8]| {
        let first = format!("n,,n={user},r=abc");
        let (mut exchange, _) =
            Exchange::start(mechanism("SCRAM-SHA-256"), &ChannelBindings::default(), Some(first.as_bytes()));
        match exchange.provide(credentials, "def", Decoy { key, ..DECOY }) {
            Step::Challenge(challenge) => String::from_utf8(challenge).unwrap(),
            step => panic!("{step:?}"),
        }
    };
    let real = challenge("alice", Some(&known), b"key");
    let fake = challenge("mallory", None, b"key");
    assert_eq!(real.len(), fake.len());
    assert_eq!(real.split(",i=").nth(1), fake.split(",i=").nth(1));
    assert_eq!(fake, challenge("mallory", None, b"key"), "asked twice, the same salt");
    assert_eq!(fake, challenge("MALLORY", None, b"key"), "names are compared without case");
    assert_ne!(fake, challenge("mallory", None, b"another key"));
    assert_ne!(fake, challenge("mallorx", None, b"key"));
}

#[test]
fn channel_binding_flags() {
    let server = bindings();
    let none = ChannelBindings::default();
    let end_point_only = ChannelBindings { exporter: None, ..bindings() };
    let needs = Step::NeedCredentials { user: "u".to_owned() };
    let malformed = Step::Failure(Condition::MalformedRequest);
    let rows = [
        ("SCRAM-SHA-256", &none, "n,,n=u,r=a", needs.clone()),
        ("SCRAM-SHA-256", &none, "y,,n=u,r=a", needs.clone()),
        ("SCRAM-SHA-256", &server, "n,,n=u,r=a", needs.clone()),
        // Somebody hid our -PLUS mechanisms from the client.
        ("SCRAM-SHA-256", &server, "y,,n=u,r=a", Step::Failure(Condition::NotAuthorized)),
        ("SCRAM-SHA-256", &server, "p=tls-exporter,,n=u,r=a", malformed.clone()),
        ("SCRAM-SHA-256-PLUS", &server, "p=tls-exporter,,n=u,r=a", needs.clone()),
        ("SCRAM-SHA-256-PLUS", &server, "p=tls-server-end-point,,n=u,r=a", needs.clone()),
        ("SCRAM-SHA-256-PLUS", &server, "p=tls-unique,,n=u,r=a", malformed.clone()),
        ("SCRAM-SHA-256-PLUS", &end_point_only, "p=tls-exporter,,n=u,r=a", malformed.clone()),
        ("SCRAM-SHA-256-PLUS", &end_point_only, "p=tls-server-end-point,,n=u,r=a", needs),
        ("SCRAM-SHA-256-PLUS", &server, "n,,n=u,r=a", malformed.clone()),
        ("SCRAM-SHA-256-PLUS", &server, "y,,n=u,r=a", malformed),
    ];
    for (name, bindings, first, expected) in rows {
        let (_, step) = Exchange::start(mechanism(name), bindings, Some(first.as_bytes()));
        assert_eq!(step, expected, "{name} {first}");
    }
}

#[test]
fn another_channel_is_refused() {
    let known = credentials("secret");
    for mechanism in Mechanism::ALL.into_iter().filter(|m| m.is_bound()) {
        for kind in BindingType::ALL {
            let elsewhere = Binding::Bound(kind, b"what the one in the middle sees".to_vec());
            let client = Client::new(mechanism, "u", "secret", None, "nonce", elsewhere).unwrap();
            let step = talk(mechanism, &bindings(), Some(&known), client);
            assert_eq!(step, Step::Failure(Condition::NotAuthorized));
        }
    }
}

#[test]
fn a_changed_flag_is_refused() {
    // The client says `y`; who sits in between makes it `n`, and leaves the proof as it is.
    let known = credentials("secret");
    let mechanism = mechanism("SCRAM-SHA-1");
    let mut client = Client::new(mechanism, "u", "secret", None, "nonce", Binding::Unoffered).unwrap();
    let changed = String::from_utf8(client.initial().to_vec()).unwrap().replacen('y', "n", 1);
    let (mut exchange, _) = Exchange::start(mechanism, &bindings(), Some(changed.as_bytes()));
    let Step::Challenge(challenge) = exchange.provide(Some(&known), "server", DECOY) else { panic!() };
    let step = exchange.respond(&client.respond(&challenge).unwrap());
    assert_eq!(step, Step::Failure(Condition::NotAuthorized));
}

#[test]
fn malformed_first_messages() {
    let messages: [&[u8]; 22] = [
        b"",
        b"n",
        b"n,",
        b"n,,",
        b"n,,n=u",
        b"n,,r=a,n=u",
        b"n,,n=,r=a",
        b"n,,n=u,r=",
        b"n,,n=u,r=a b",
        b"n,,n=u=,r=a",
        b"n,,n=u=2c,r=a",
        b"n,,n=u\0,r=a",
        b"n,a=,n=u,r=a",
        b"n,b,n=u,r=a",
        b"n,,m=ext,n=u,r=a",
        b"n,,n=u,r=a,",
        b"n,,n=u,r=a,xx",
        b"x,,n=u,r=a",
        b"p,,n=u,r=a",
        b"p=,,n=u,r=a",
        b"n,,n=\xff,r=a",
        "n,,n=\u{ad},r=a".as_bytes(),
    ];
    for message in messages {
        let (_, step) = Exchange::start(mechanism("SCRAM-SHA-1"), &ChannelBindings::default(), Some(message));
        assert_eq!(step, Step::Failure(Condition::MalformedRequest), "{}", message.escape_ascii());
    }
    let (_, step) =
        Exchange::start(mechanism("SCRAM-SHA-1"), &ChannelBindings::default(), Some(b"n,,n=u,r=a,x=unknown"));
    assert_eq!(step, Step::NeedCredentials { user: "u".to_owned() }, "optional extensions are ignored");
}

#[test]
fn malformed_final_messages() {
    let known = credentials("secret");
    let rows = [
        ("", Condition::MalformedRequest),
        ("c=biws,r=abcd", Condition::MalformedRequest),
        ("r=abcd,c=biws,p=AAAA", Condition::MalformedRequest),
        ("c=*,r=abcd,p=AAAA", Condition::MalformedRequest),
        ("c=biws,r=abcd,p=*", Condition::MalformedRequest),
        ("c=biws,r=abcd,,p=AAAA", Condition::MalformedRequest),
        ("c=biws,r=abcd,p=", Condition::NotAuthorized),
        ("c=biws,r=abcd,p=AAAA", Condition::NotAuthorized),
        ("c=biws,r=abc,p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", Condition::NotAuthorized),
    ];
    for (message, condition) in rows {
        let (mut exchange, _) =
            Exchange::start(mechanism("SCRAM-SHA-1"), &ChannelBindings::default(), Some(b"n,,n=u,r=ab"));
        exchange.provide(Some(&known), "cd", DECOY);
        assert_eq!(exchange.respond(message.as_bytes()), Step::Failure(condition), "{message:?}");
        assert_eq!(
            exchange.respond(message.as_bytes()),
            Step::Failure(Condition::MalformedRequest),
            "it is over"
        );
    }
}

#[test]
fn malformed_plain_messages() {
    for message in
        [&b""[..], b"u", b"\0u", b"\0u\0", b"\0\0p", b"u\0p", b"\0u\0p\0", b"\0\xff\0p", b"\0u\0\xc3"]
    {
        let (_, step) = Exchange::start(Mechanism::Plain, &ChannelBindings::default(), Some(message));
        assert_eq!(step, Step::Failure(Condition::MalformedRequest), "{}", message.escape_ascii());
    }
    let huge = [b"\0u\0".as_slice(), &[b'p'; MAX_MESSAGE]].concat();
    let (_, step) = Exchange::start(Mechanism::Plain, &ChannelBindings::default(), Some(&huge));
    assert_eq!(step, Step::Failure(Condition::MalformedRequest));
}

#[test]
fn passwords_and_names_are_prepared() {
    // RFC 4013 §3: a soft hyphen is dropped, a Roman numeral unfolds, and other spaces are spaces.
    let known = credentials("I\u{ad}X \u{2168}");
    assert!(known.verify_plain("IX\u{a0}IX"));
    assert!(!known.verify_plain("IX IX "));
    assert!(!known.verify_plain(""));
    assert!(!known.verify_plain("\u{7}"));
    let derive = |password: &str| Credentials::derive(password, &SALTS, 1).err();
    assert_eq!(derive(""), Some(PasswordError::Empty));
    assert_eq!(derive("\u{ad}"), Some(PasswordError::Forbidden));
    assert_eq!(derive("bell\u{7}"), Some(PasswordError::Forbidden));
    assert_eq!(derive("\u{627}1"), Some(PasswordError::Forbidden));
    assert_eq!(derive(&"x".repeat(MAX_PASSWORD + 1)), Some(PasswordError::TooLong));
    assert_eq!(derive(&"x".repeat(MAX_PASSWORD)), None);
    let (_, step) =
        Exchange::start(Mechanism::Plain, &ChannelBindings::default(), Some("\0Ａ\0p".as_bytes()));
    assert_eq!(step, Step::NeedCredentials { user: "A".to_owned() });
}

#[test]
fn credentials_are_kept_as_bytes() {
    let known = credentials("secret");
    let bytes = known.to_bytes();
    assert_eq!(Credentials::from_bytes(&bytes).as_ref(), Some(&known));
    assert_eq!(bytes.len(), 1 + 3 * (4 + 1 + SALT_LEN) + 2 * (20 + 32 + 64));
    assert_eq!(Credentials::from_bytes(&bytes[..bytes.len() - 1]), None);
    assert_eq!(Credentials::from_bytes(&[&bytes[..], &[0]].concat()), None);
    assert_eq!(Credentials::from_bytes(&[&[2], &bytes[1..]].concat()), None);
    assert_eq!(format!("{known:?}"), "Credentials");
}

#[test]
fn names_of_mechanisms() {
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
    }
    assert_eq!(Mechanism::from_name("scram-sha-1"), None);
    assert_eq!(Mechanism::from_name("ANONYMOUS"), None);
}

#[test]
fn base64_of_the_elements() {
    assert_eq!(decode_initial(""), Ok(None));
    assert_eq!(decode_initial("="), Ok(Some(Vec::new())));
    assert_eq!(decode("="), Ok(Vec::new()));
    assert_eq!(decode(""), Ok(Vec::new()));
    assert_eq!(decode("AGE="), Ok(b"\0a".to_vec()));
    assert_eq!(decode("\n  AGE=\n"), Ok(b"\0a".to_vec()), "as the examples of XEP-0388 have it");
    for wrong in ["AGE", "AG=E", "AG E=", "A", "AG\nE=", "ä"] {
        assert_eq!(decode(wrong), Err(Condition::IncorrectEncoding), "{wrong:?}");
    }
    assert_eq!(decode(&"A".repeat(1 << 20)), Err(Condition::MalformedRequest));
    assert_eq!(encode(b""), "=");
    assert_eq!(encode(b"\0a"), "AGE=");
}

#[test]
fn a_hostile_server_is_left() {
    let client =
        || Client::new(mechanism("SCRAM-SHA-1"), "u", "p", None, "abc", Binding::Unsupported).unwrap();
    let rows = [
        ("r=abc,s=AAAA,i=1", ClientError::WrongNonce),
        ("r=xyz,s=AAAA,i=1", ClientError::WrongNonce),
        ("r=abcd,s=AAAA,i=0", ClientError::Malformed),
        ("r=abcd,s=AAAA,i=4294967295", ClientError::TooManyIterations),
        ("r=abcd,s=AAAA", ClientError::Malformed),
        ("m=x,r=abcd,s=AAAA,i=1", ClientError::Malformed),
    ];
    for (message, error) in rows {
        assert_eq!(client().respond(message.as_bytes()), Err(error), "{message}");
    }
}

/// Texts made of what the messages are made of, so that they come far into the parser.
fn near_messages() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "n",
            "y",
            "p=",
            "tls-exporter",
            ",",
            "=",
            "n=",
            "r=",
            "a=",
            "c=",
            "m=",
            "x=",
            "=2C",
            "=3D",
            "biws",
            "u",
            "\0",
            "nonce",
            "ä",
            "\u{ad}",
        ]),
        0..16,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn hostile_messages_never_panic(
        which in 0..Mechanism::ALL.len(),
        first in prop_oneof![near_messages().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..64)],
        last in prop_oneof![near_messages().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..64)],
    ) {
        let decoy = Decoy { key: b"key", iterations: 1 };
        let (mut exchange, step) = Exchange::start(Mechanism::ALL[which], &bindings(), Some(&first));
        if matches!(step, Step::NeedCredentials { .. }) {
            exchange.provide(None, "server", decoy);
        }
        let step = exchange.respond(&last);
        prop_assert!(matches!(step, Step::Failure(_)), "nobody is let in: {step:?}");
    }

    #[test]
    fn hostile_credentials_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        if let Some(credentials) = Credentials::from_bytes(&bytes) {
            prop_assert_eq!(credentials.to_bytes(), bytes);
        }
    }

    #[test]
    fn what_can_be_a_password_signs_in(password in "\\PC{1,12}", user in "\\PC{1,12}", which in 0..Mechanism::ALL.len()) {
        let Ok(known) = Credentials::derive(&password, &SALTS, 1) else { return Ok(()) };
        let mechanism = Mechanism::ALL[which];
        let binding = binding_for(mechanism, &bindings(), BindingType::Exporter);
        let Ok(client) = Client::new(mechanism, &user, &password, None, "nonce", binding) else { return Ok(()) };
        let step = talk(mechanism, &bindings(), Some(&known), client);
        prop_assert!(matches!(step, Step::Success { .. }), "{step:?}");
    }
}

/// The example of XEP-0474 §6.3.
#[test]
fn what_was_announced_is_told() {
    let offer = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"];
    let first = Some(b"n,,n=user,r=abc".as_slice());
    let (mut exchange, _) = Exchange::start(mechanism("SCRAM-SHA-1"), &bindings(), first);
    exchange.announce(&offer);
    let Step::Challenge(challenge) = exchange.provide(Some(&credentials("pencil")), "def", DECOY) else {
        panic!("no challenge")
    };
    let text = String::from_utf8(challenge.clone()).unwrap();
    assert!(text.ends_with(",i=64,h=G6k/rBLDqgOhRRaCuuatSDFkJ08="), "{text}");
    let client = |saw: &[&str]| {
        let plain = mechanism("SCRAM-SHA-1");
        let mut client = Client::new(plain, "user", "pencil", None, "abc", Binding::Unsupported).unwrap();
        client.saw(saw, &bindings());
        client.respond(&challenge)
    };
    assert_eq!(client(&["SCRAM-SHA-1"]), Err(ClientError::Tampered));
    let answer = client(&["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"]).unwrap();
    assert!(matches!(exchange.respond(&answer), Step::Success { .. }));
}

/// Who removes what was announced is in the middle of the proof too.
#[test]
fn what_was_announced_cannot_be_taken_away() {
    let (mut exchange, _) =
        Exchange::start(mechanism("SCRAM-SHA-256"), &bindings(), Some(b"n,,n=user,r=abc"));
    exchange.announce(&["SCRAM-SHA-256", "SCRAM-SHA-512"]);
    let Step::Challenge(challenge) = exchange.provide(Some(&credentials("pencil")), "def", DECOY) else {
        panic!("no challenge")
    };
    let text = String::from_utf8(challenge).unwrap();
    let without = text.rsplit_once(",h=").unwrap().0;
    let plain = mechanism("SCRAM-SHA-256");
    let mut client = Client::new(plain, "user", "pencil", None, "abc", Binding::Unsupported).unwrap();
    let answer = client.respond(without.as_bytes()).unwrap();
    assert_eq!(exchange.respond(&answer), Step::Failure(Condition::NotAuthorized));
}

#[test]
fn keys_are_upgraded_one_by_one() {
    let old = credentials("pencil");
    assert!(old.is_behind(Hash::Sha256, 65) && !old.is_behind(Hash::Sha256, 64));
    let salt = [9; SALT_LEN];
    let salted = Hash::Sha256.salted_password("pencil", &salt, 128);
    let new = old.upgraded(Hash::Sha256, &salted, &salt, 128).unwrap();
    assert!(new.keys(Hash::Sha256) == &ScramKeys::derive(Hash::Sha256, "pencil", &salt, 128));
    assert!(new.keys(Hash::Sha512) == old.keys(Hash::Sha512));
    assert!(new.verify_plain("pencil") && !new.verify_plain("pen"));
    assert!(old.upgraded(Hash::Sha512, &salted, &salt, 128).is_none(), "it is not of this hash");
}
