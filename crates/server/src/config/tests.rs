use super::*;
use rookery_core::xep::extdisco::Key;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("rookery.toml"))
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn defaults() {
    let config = Config::default();
    assert_eq!(config.domain, "localhost");
    assert_eq!(config.data, Path::new("./rookery-data"));
    assert_eq!(config.listen_c2s, ["[::]:5222".parse().unwrap()]);
    assert_eq!(config.resumption, Duration::from_secs(600));
    assert_eq!(config.retention_days, None);
    assert_eq!(config.registration, Registration::Invite);
    assert_eq!(config.scram_iterations, rookery_proto::sasl::DEFAULT_ITERATIONS);
    assert!(!config.allow_plain_connections);
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn the_example_is_the_default_with_and_without_its_comments() {
    assert_eq!(parse(&example()), Ok(Config::default()));
    // Uncommented, it says the same: a setting's line begins with `#` and no space.
    let live: String = example()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_eq!(live.matches(" = ").count(), settings::all().count());
    assert_eq!(parse(&live), Ok(Config::default()));
}

#[test]
fn every_setting_stands_in_its_section() {
    for section in SECTIONS {
        for setting in section.settings {
            let table = setting.key.rsplit_once('.').map_or("", |(table, _)| table);
            assert_eq!(table, section.name, "{}", setting.key);
        }
    }
}

#[test]
fn the_manual_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == reference(), "run `cargo run -- config --reference > docs/configuration.md`");
}

#[test]
fn what_can_be_set() {
    let config = parse(
        "domain = 'Example.ORG'\n\
         [listen]\nc2s = ['127.0.0.1:5222', '[::1]:5222']\nstatus = []\n\
         [registration]\nmode = 'open'\nreserved_numbers = ['10050-10099', '11111']\n\
         [archive]\nretention_days = 0x1e\ndefault = 'roster'\n\
         [limits]\nresumption_minutes = 5\nstanza_bytes = 100_000\n\
         [log]\nlevel = 'info,rookery::net=debug'\nformat = 'json'\n",
    )
    .unwrap();
    assert_eq!(config.domain, "example.org");
    assert_eq!(config.listen_c2s.len(), 2);
    assert!(config.listen_status.is_empty());
    assert_eq!(config.registration, Registration::Open);
    assert_eq!(config.reserved_numbers, [10_050..=10_099, 11_111..=11_111]);
    assert_eq!(config.retention_days, Some(30));
    assert_eq!(config.archive_default, ArchiveDefault::Roster);
    assert_eq!(config.resumption, Duration::from_secs(300));
    assert_eq!(config.stanza_bytes, 100_000);
    assert_eq!(config.log_format, LogFormat::Json);
}

#[test]
fn unknown_keys_are_errors_with_a_suggestion() {
    let rows = [
        ("domian = 'x'", "line 1: there is no setting `domian`. Did you mean `domain`?"),
        (
            "\n[listen]\n\nc2s_tsl = []",
            "line 4: there is no setting `listen.c2s_tsl`. Did you mean `listen.c2s_tls`?",
        ),
        (
            "retention_days = 3",
            "line 1: there is no setting `retention_days`. Did you mean `archive.retention_days`?",
        ),
        ("[listn]\nc2s = []", "line 1: there is no setting `listn`. Did you mean `listen`?"),
        (
            "[log]\nfrobnicate = 1",
            "line 2: there is no setting `log.frobnicate`. `rookery config` prints all there are.",
        ),
        ("[[log]]\nlevel = 'info'", "line 1: there is no setting `log`."),
    ];
    for (text, expected) in rows {
        let error = error(text);
        assert!(error.starts_with(&format!("rookery.toml, {expected}")), "{error}");
    }
}

#[test]
fn wrong_values_say_what_would_be_right() {
    let rows = [
        ("domain = 3", "`domain`: this must be a text in quotation marks."),
        ("domain = 'a b'", "`domain`: \"a b\" is no domain, such as \"example.org\"."),
        ("data = ''", "`data`: this must name a folder."),
        (
            "listen.c2s = '[::]:5222'",
            "`listen.c2s`: this must be a list of addresses with ports, such as [\"[::]:5222\"].",
        ),
        (
            "listen.c2s = ['localhost']",
            "`listen.c2s`: \"localhost\" is no address with a port, such as \"192.0.2.1:5222\".",
        ),
        (
            "registration.mode = 'opne'",
            "`registration.mode`: this must be one of \"closed\", \"invite\", \"review\", \"open\".",
        ),
        (
            "registration.reserved_numbers = ['9-1']",
            "`registration.reserved_numbers`: \"9-1\" is no range such as \"10050-10099\".",
        ),
        (
            "security.scram_iterations = 1",
            "`security.scram_iterations`: this must be a whole number from 4096 to 1000000.",
        ),
        (
            "security.scram_iterations = -1",
            "`security.scram_iterations`: this must be a whole number from 4096 to 1000000.",
        ),
        (
            "security.allow_plain_connections = 'no'",
            "`security.allow_plain_connections`: this must be true or false.",
        ),
        (
            "log.level = 'loud=very'",
            "`log.level`: this must be a level such as \"info\", or \"info,rookery::net=debug\".",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(error(text), format!("rookery.toml, line 1: {expected}"));
    }
}

#[test]
fn what_is_not_toml_names_the_line() {
    let error = error("domain = 'x'\nlisten = \n");
    assert!(error.starts_with("rookery.toml, line 2: this is not TOML: "), "{error}");
    let error = self::error("domain = 'x'\ndomain = 'y'\n");
    assert!(error.starts_with("rookery.toml, line 2: this is not TOML: duplicate key"), "{error}");
}

#[test]
fn the_command_line_decides_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some.toml");
    std::fs::write(&file, "domain = 'one.example'\ndata = '/one'\n").unwrap();
    let mut overrides = Overrides { file: Some(file), ..Overrides::default() };
    assert_eq!(Config::load(&overrides).unwrap().domain, "one.example");
    overrides.domain = Some("Two.example".to_owned());
    overrides.data = Some("/two".into());
    let config = Config::load(&overrides).unwrap();
    assert_eq!((config.domain.as_str(), config.data.as_path()), ("two.example", Path::new("/two")));
    overrides.domain = Some("no domain".to_owned());
    let error = Config::load(&overrides).unwrap_err().to_string();
    assert_eq!(error, "--domain: \"no domain\" is no domain, such as \"example.org\".");
    overrides.file = Some("/nowhere/rookery.toml".into());
    let error = Config::load(&overrides).unwrap_err().to_string();
    assert!(
        error.starts_with("The configuration /nowhere/rookery.toml cannot be read: No such file"),
        "{error}"
    );
}

#[test]
fn settings_that_belong_together() {
    let check = |text: &str| parse(text).unwrap().check().unwrap_err().to_string();
    assert!(check("tls.key = '/key.pem'").contains("belong together"));
    assert!(check("listen.c2s = []\nlisten.c2s_tls = []").contains("nobody could connect"));
}

#[test]
fn components_and_services_are_tables() {
    let config = parse(
        "[contact]\nabuse = ['mailto:abuse@example.org']\nadmin = []\noutage = ['https://status.example']\n\
         [[component]]\nhost = 'IRC.localhost'\nsecret = 'one'\n\
         [[component]]\nhost = 'sms.localhost'\nsecret = 'zweites'\nstanza_bytes = 20_000\n\
         [[service]]\ntype = 'stun'\nhost = 'stun.localhost'\n\
         [[service]]\ntype = 'turn'\nhost = 'turn.localhost'\nport = 3478\ntransport = 'udp'\nsecret = 'x'\nhours = 2\n",
    )
    .unwrap();
    assert_eq!(config.check(), Ok(()));
    let hosts: Vec<_> = config.components.iter().map(|c| (c.host.as_str(), c.stanza_bytes)).collect();
    assert_eq!(hosts, [("irc.localhost", 262_144), ("sms.localhost", 20_000)]);
    assert_eq!(config.services[0].key, Key::None);
    assert_eq!(config.services[1].key, Key::Shared { secret: "x".into(), seconds: 7_200 });
    assert_eq!(config.contacts, [("abuse-addresses", vec!["mailto:abuse@example.org".to_owned()])]);
    assert!(!format!("{config:?}").contains("zweites"), "a secret is not for the log");
}

#[test]
fn tables_are_checked() {
    let rows = [
        ("component = 'x'", "`component`: these must be tables in double brackets."),
        ("[[component]]\nhost = 'a'", "`component`: `secret` is missing in a table."),
        ("[[component]]\nhost = 'a'\nsecret = ''", "`component`: `secret`: this must not be empty."),
        (
            "[[component]]\nhost = 'a'\nsekret = 'b'",
            "`component`: there is no `sekret` in it, only host, secret, stanza_bytes.",
        ),
        (
            "[[service]]\ntype = 'turn'\nhost = 'a'\nusername = 'b'",
            "`service`: a service has `username` and `password`, or `secret`, or none of them.",
        ),
        (
            "contact.abuse = ['abuse@a']",
            "`contact.abuse`: \"abuse@a\" is no address such as \"mailto:admin@example.org\".",
        ),
    ];
    for (text, expected) in rows {
        let error = error(text);
        assert!(error.ends_with(expected), "{error}");
    }
    let check = |text: &str| parse(text).unwrap().check().unwrap_err().to_string();
    let at = |host: &str, one: &str, other: &str| {
        format!("Two services are at {host}: {one} and {other}. Each needs a host of its own.")
    };
    let component = "a `[[component]]`";
    let of_domain = check("[[component]]\nhost = 'localhost'\nsecret = 'a'");
    assert_eq!(of_domain, at("localhost", "the domain", component));
    let taken = check("[[component]]\nhost = 'pubsub.localhost'\nsecret = 'a'");
    assert_eq!(taken, at("pubsub.localhost", component, "`pubsub.host`"));
    let groups = check("[pubsub]\nhost = 'groups.localhost'");
    assert_eq!(groups, at("groups.localhost", "`groups.host`", "`pubsub.host`"));
    let two = "[[component]]\nhost = 'a'\nsecret = 'a'\n";
    assert_eq!(check(&format!("{two}{two}")), at("a", component, component));
}

#[test]
fn a_smarthost_is_one_setting() {
    use super::Out;
    use rookery_gateway::mail::Protection::{Direct, Offered, Required};
    let read =
        |url: &str| Config::parse(&format!("[mail]\nsmarthost = '{url}'\n"), Path::new("rookery.toml"));
    for (url, host, port, protection, login) in [
        ("smtps://a%40b:p%3Aw@smtp.example.net", "smtp.example.net", 465, Direct, Some(("a@b", "p:w"))),
        ("smtp://a:b@smtp.example.net", "smtp.example.net", 587, Required, Some(("a", "b"))),
        ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Offered, None),
        ("smtp://[::1]:25/", "::1", 25, Offered, None),
    ] {
        let Some(Out::Smarthost(smarthost)) = read(url).unwrap().mail.smarthost else { panic!("{url}") };
        let found = smarthost.login.as_ref().map(|(name, password)| (name.as_str(), password.as_str()));
        assert_eq!(
            (smarthost.host.as_str(), smarthost.port, smarthost.protection, found),
            (host, port, protection, login)
        );
    }
    assert_eq!(read("direct").unwrap().mail.smarthost, Some(Out::Direct));
    for url in [
        "smtp.example.net",
        "http://a",
        "smtp://",
        "smtp://a@b",
        "smtps://a:%zz@b",
        "smtp://a/b",
        "smtp://a?b",
    ] {
        assert!(read(url).is_err(), "{url}");
    }
}

#[test]
fn carriers_of_pages() {
    use rookery_gateway::pager::feed::Outlet;
    let read = |text: &str| Config::parse(&format!("[[pager.carrier]]\n{text}\n"), Path::new("rookery.toml"));
    let way = |text: &str| read(text).unwrap().pager.carriers.remove(0).way;
    let Way::Snpp(endpoint) = way("name = 'a'\nurl = 'snpp://us:secret@carrier.example'") else { panic!() };
    assert_eq!((endpoint.host.as_str(), endpoint.port), ("carrier.example", 444));
    assert_eq!(endpoint.login, Some(("us".to_owned(), "secret".to_owned())));
    assert!(matches!(way("name = 'a'\nurl = 'tap://127.0.0.1:3001'"), Way::Tap(_)));
    let radio = way("name = 'a'\ntcp = '127.0.0.1:7355'\nrate = 512\ngerman = true");
    assert!(matches!(radio, Way::Pocsag(rate, _, Outlet::Tcp(_, 7355)) if rate.bits() == 512));
    for bad in [
        "url = 'snpp://x'",
        "name = 'a'",
        "name = 'a'\nurl = 'tap://x'",
        "name = 'a'\nurl = 'http://x:1'",
        "name = 'a'\nfolder = '/x'\nprogram = '/y'",
        "name = 'a'\nfolder = '/x'\nurl = 'snpp://x'",
        "name = 'a'\nfolder = '/x'\nrate = 9600",
        "name = 'a'\ntcp = 'x'",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn providers_of_short_messages() {
    use rookery_gateway::sms::smpp::Joining;
    let read = |text: &str| Config::parse(&format!("[[sms.provider]]\n{text}\n"), Path::new("rookery.toml"));
    let one = |text: &str| read(text).unwrap().sms.providers.remove(0);
    let smpp = |text: &str| match one(text).by {
        By::Smpp(smpp) => smpp,
        By::Http(_) => panic!("by HTTP: {text}"),
    };
    let plain = smpp("name = 'a'\nurl = 'smpp://us:secret@carrier.example'");
    assert_eq!((plain.host.as_str(), plain.port, plain.tls), ("carrier.example", 2775, false));
    assert_eq!((plain.settings.system_id.as_str(), plain.settings.password.as_str()), ("us", "secret"));
    let full = smpp(
        "name = 'a'\nurl = 'smpps://us:s%40@[::1]:9'\nsender = '+49 30 1234567'\nprefixes = ['+49']\njoining = 'sar'",
    );
    assert_eq!((full.host.as_str(), full.port, full.tls), ("::1", 9, true));
    assert_eq!((full.settings.sender.as_str(), full.settings.joining), ("+49301234567", Joining::Sar));
    for bad in [
        "url = 'smpp://us:x@y'",
        "name = 'a'",
        "name = 'a b'\nurl = 'smpp://us:x@y'",
        "name = 'a'\nurl = 'ftp://us:x@y'",
        "name = 'a'\nurl = 'smpp://us:x@y'\nbody = '{to} {text}'",
        "name = 'a'\nurl = 'smpp://y'",
        "name = 'a'\nurl = 'smpp://us:ninechars@y'",
        "name = 'a'\nurl = 'smpp://us:x@y'\nsender = 'more than eleven'",
        "name = 'a'\nurl = 'smpp://us:x@y'\nprefixes = ['49']",
        "name = 'a'\nurl = 'smpp://us:x@y'\n[[sms.provider]]\nname = 'a'\nurl = 'smpp://us:x@z'",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn providers_of_short_messages_by_http() {
    use rookery_gateway::sms::http::{Kind, Method};
    let read = |text: &str| {
        let file = format!("[[sms.provider]]\nname = 'a'\n{text}\n");
        Config::parse(&file, Path::new("rookery.toml")).map(|mut config| config.sms.providers.remove(0).by)
    };
    let one = |text: &str| match read(text) {
        Ok(By::Http(http)) => *http,
        other => panic!("{text}: {other:?}"),
    };
    let short = one("url = 'http://10.0.0.2:8080/send?to={number}&text={text}'");
    assert_eq!((short.template.method, short.template.headers.len(), short.hook), (Method::Get, 0, None));
    let full = one(
        "url = 'https://us:s%40@sms.example/2/{sender}'\nbody = 'To={to}&Body={text}'\nformat = 'form'\n\
         headers = ['X-Key: a:b']\nanswer_id = '/sid'\nanswer_error = 'text:ERR '\nsender = '+49 30 1234567'\n\
         hook_token = 'sixteen-letters-'\nhook_text = '/Body'\nhook_from = ['/From', '/Author']",
    );
    let template = &full.template;
    assert_eq!((template.method, template.kind), (Method::Post, Kind::Form));
    assert_eq!(template.url, "https://sms.example/2/{sender}");
    let headers: Vec<_> =
        template.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("x-key", "a:b"), ("authorization", "Basic dXM6c0A=")]);
    let hook = full.hook.expect("it posts");
    assert_eq!((hook.fields.from, hook.signature), (vec!["/From".to_owned(), "/Author".to_owned()], None));
    let sent = "url = 'https://sms.example/{to}/{text}'\n";
    let signed = "hook_secret = 's'\nhook_header = 'X-Signature'\nhook_timestamp = 'X-Timestamp'\n\
                  hook_receipt = '/payload/id'\nhook_state = '/event'";
    let signature = one(&format!("{sent}{signed}")).hook.and_then(|hook| hook.signature).expect("it signs");
    assert_eq!(
        (signature.signed.as_str(), signature.timestamp.as_str()),
        ("{body}{timestamp}", "x-timestamp")
    );
    for bad in [
        "url = 'https://sms.example/{to}'",
        "url = 'https://sms.example/{text}'",
        "url = 'https://{to}/{text}'",
        "url = 'https://user@sms.example/{to}/{text}'",
        "url = 'https:///{to}/{text}'",
        "url = 'https://sms.example/{to}/{text}'\njoining = 'sar'",
        "url = 'https://sms.example/{to}/{text}'\nmethod = 'GET'\nbody = 'x'",
        "url = 'https://sms.example/{to}/{text}'\nheaders = ['Authorization']",
        "url = 'https://sms.example/{to}/{text}'\nanswer_id = 'sid'",
        "url = 'https://sms.example/{to}/{text}'\nhook_text = '/a'\nhook_from = '/b'",
        "url = 'https://sms.example/{to}/{text}'\nhook_token = 'sixteen-letters-'",
        "url = 'https://sms.example/{to}/{text}'\nhook_token = 'sixteen-letters-'\nhook_text = '/a'",
        "url = 'https://sms.example/{to}/{text}'\nhook_token = 'short'\nhook_text = '/a'\nhook_from = '/b'",
        "url = 'https://sms.example/{to}/{text}'\nhook_secret = 's'\nhook_text = '/a'\nhook_from = '/b'",
        "url = 'https://sms.example/{to}/{text}'\nhook_header = 'X-S'\nhook_token = 'sixteen-letters-'\nhook_text = '/a'\nhook_from = '/b'",
        "url = 'https://sms.example/{to}/{text}'\nhook_token = 'sixteen-letters-'\nhook_text = 'a'\nhook_from = '/b'",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
