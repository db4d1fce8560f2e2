//! All that can be set, in the order of the file.

use std::time::Duration;

use rookery_core::Registration;
use rookery_core::xep::pep::Creators;
use rookery_store::ArchiveDefault;
use toml::de::DeValue;

use super::tables;
use super::value::{self, Read};
use super::{Config, LogFormat};

/// One setting.
pub struct Setting {
    /// The dotted key.
    pub key: &'static str,
    /// The default as it stands in the file.
    pub default: &'static str,
    /// What it means, in whole sentences; lines are wrapped where it is printed.
    pub about: &'static str,
    /// Reads the value into the configuration.
    pub set: fn(&mut Config, &DeValue<'_>) -> Read<()>,
}

/// A table of the file.
pub struct Section {
    /// Its name; empty for what stands before the first.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
}

/// The tables, in the order of the file.
pub const SECTIONS: &[Section] = &[
    Section { name: "", about: "What everything else stands on, and lists of tables." },
    Section { name: "listen", about: "Where the server can be reached. An empty list switches off." },
    Section {
        name: "tls",
        about: "The certificate. Without one a local certificate is made in the data directory.",
    },
    Section { name: "security", about: "How clients sign in." },
    Section { name: "http", about: "Browsers and applications in them: WebSocket and BOSH." },
    Section { name: "registration", about: "Who may make an account with a client." },
    Section { name: "archive", about: "What is kept of messages." },
    Section { name: "groups", about: "Rooms in which many speak with each other (XEP-0045)." },
    Section { name: "pubsub", about: "The publish-subscribe service (XEP-0060): docs/pubsub.md." },
    Section { name: "files", about: "Files that people share (XEP-0363): docs/files.md." },
    Section { name: "mail", about: "A mailbox for every number: docs/mail.md. Off until it is enabled." },
    Section { name: "previews", about: "What is shown of links in messages: docs/previews.md." },
    Section { name: "limits", about: "What one client, and all of them, may take." },
    Section {
        name: "moderation",
        about: "Block lists of others, and a program of yours that judges messages.",
    },
    Section { name: "contact", about: "Whom people can turn to; clients show it (XEP-0157)." },
    Section { name: "log", about: "What the server writes to its standard error." },
];

const YEARS_100: u64 = 36_500;

/// More megabytes or gigabytes than any disk has, and few enough to be counted in bytes.
const MEGABYTES: u64 = 1_000_000_000;

impl Config {
    /// The state before the defaults are read into it.
    pub(super) fn blank() -> Config {
        Config {
            domain: String::new(),
            data: Default::default(),
            listen_c2s: Vec::new(),
            listen_c2s_tls: Vec::new(),
            listen_http: Vec::new(),
            listen_https: Vec::new(),
            listen_components: Vec::new(),
            listen_status: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            allow_plain_connections: false,
            http_public_url: None,
            http_origins: Vec::new(),
            http_trusted_proxies: Vec::new(),
            http_internal_networks: Vec::new(),
            scram_iterations: 0,
            registration: Registration::Closed,
            members_invite: false,
            second_factor: false,
            registrations_per_hour: 0,
            reserved_numbers: Vec::new(),
            archive_default: ArchiveDefault::Always,
            retention_days: None,
            group_retention_days: None,
            files_largest: 0,
            files_quota: None,
            files_total: None,
            files_unnamed_days: None,
            files_scan_command: None,
            files_scan_clamd: String::new(),
            files_s3: Default::default(),
            mail: super::Mail::default(),
            previews: false,
            resumption: Duration::ZERO,
            groups_host: None,
            pubsub_enabled: false,
            pubsub_host: None,
            pubsub_create: Creators::Nobody,
            stanza_bytes: 0,
            connections: 0,
            connections_per_address: 0,
            pace: rookery_core::pace::Limits::OFF,
            lists: Vec::new(),
            list_files: Vec::new(),
            hook: None,
            hook_about_all: false,
            hook_patience: Duration::ZERO,
            hook_fails_open: false,
            components: Vec::new(),
            services: Vec::new(),
            contacts: Vec::new(),
            terms: None,
            outage: Vec::new(),
            log_level: String::new(),
            log_format: LogFormat::Text,
        }
    }
}

fn put<T>(field: &mut T, value: Read<T>) -> Read<()> {
    *field = value?;
    Ok(())
}

/// A host; an empty one is none.
fn host(value: &DeValue<'_>) -> Read<Option<String>> {
    Some(value::text(value)?).filter(|host| !host.is_empty()).map(value::domain).transpose()
}

/// Every setting, in the order of the file.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "domain",
        default: "\"localhost\"",
        about: "The domain that accounts live at, as in 10001@example.org. Choose it before the first account is \
                made: addresses do not move.",
        set: |config, value| put(&mut config.domain, value::text(value).and_then(value::domain)),
    },
    Setting {
        key: "data",
        default: "\"./rookery-data\"",
        about: "The data directory: accounts, messages, the local certificate and the socket for `rookery` commands. \
                A path that does not begin with / is seen from where the server is started.",
        set: |config, value| {
            put(&mut config.data, value::file(value)?.ok_or_else(|| "this must name a folder.".to_owned()))
        },
    },
    Setting {
        key: "component",
        default: "[]",
        about: "External components (XEP-0114): other programs that serve a host beside this one, such as gateways. Each \
                is a table [[component]] at the end of the file, with host (\"irc.example.org\") and secret, and perhaps \
                stanza_bytes, if not as for clients.",
        set: |config, value| put(&mut config.components, tables::components(value)),
    },
    Setting {
        key: "service",
        default: "[]",
        about: "External services that clients are told of (XEP-0215), such as STUN and TURN for calls. Each is a table \
                [[service]] at the end of the file, with type (\"turn\") and host, and perhaps port, transport (\"udp\") \
                and name. With secret, clients get credentials for so many hours (24) that a TURN server with the same \
                shared secret accepts; with username and password all get these.",
        set: |config, value| put(&mut config.services, tables::services(value)),
    },
    Setting {
        key: "listen.c2s",
        default: "[\"[::]:5222\"]",
        about: "Clients that ask for TLS after they have connected (STARTTLS). [::] is every address of this machine, \
                of IPv4 too.",
        set: |config, value| put(&mut config.listen_c2s, value::addresses(value)),
    },
    Setting {
        key: "listen.c2s_tls",
        default: "[\"[::]:5223\"]",
        about: "Clients that connect with TLS (direct TLS).",
        set: |config, value| put(&mut config.listen_c2s_tls, value::addresses(value)),
    },
    Setting {
        key: "listen.http",
        default: "[\"127.0.0.1:5280\"]",
        about: "HTTP without TLS: WebSocket at /xmpp-websocket, BOSH at /http-bind. For browsers on this machine, and for a \
                reverse proxy that has the certificate.",
        set: |config, value| put(&mut config.listen_http, value::addresses(value)),
    },
    Setting {
        key: "listen.https",
        default: "[\"[::]:5443\"]",
        about: "The same with TLS and the server's own certificate.",
        set: |config, value| put(&mut config.listen_https, value::addresses(value)),
    },
    Setting {
        key: "listen.components",
        default: "[\"127.0.0.1:5347\"]",
        about: "External components. Nothing listens here as long as there is no [[component]]. The connection is not \
                encrypted: keep it on this machine or in a network that you trust.",
        set: |config, value| put(&mut config.listen_components, value::addresses(value)),
    },
    Setting {
        key: "listen.status",
        default: "[\"127.0.0.1:9280\"]",
        about: "HTTP for who watches the server: /metrics for Prometheus, /health and /ready. It has no password: keep \
                it on this machine or in a network that you trust.",
        set: |config, value| put(&mut config.listen_status, value::addresses(value)),
    },
    Setting {
        key: "tls.certificate",
        default: "\"\"",
        about: "The certificate chain as a PEM file, the server's own certificate first. It must be valid for the \
                domain. The file is looked at each minute and on SIGHUP, and a new one is taken without a restart; a \
                bad one is reported in the log, and the old one stays.",
        set: |config, value| put(&mut config.tls_certificate, value::file(value)),
    },
    Setting {
        key: "tls.key",
        default: "\"\"",
        about: "The key of the certificate as a PEM file, readable for the server's user only.",
        set: |config, value| put(&mut config.tls_key, value::file(value)),
    },
    Setting {
        key: "security.allow_plain_connections",
        default: "false",
        about: "Whether clients may sign in without TLS. Passwords and messages can then be read on the way: only for \
                tests, or behind something that encrypts.",
        set: |config, value| put(&mut config.allow_plain_connections, value::boolean(value)),
    },
    Setting {
        key: "security.scram_iterations",
        default: "10000",
        about: "Rounds of hashing for new passwords. More make a stolen database harder to guess, and each sign-in \
                slower, on phones too. Passwords that exist keep theirs.",
        set: |config, value| put(&mut config.scram_iterations, value::number(value, 4096..=1_000_000)),
    },
    Setting {
        key: "security.second_factor",
        default: "false",
        about: "Whether administrators need a second factor, an application that makes codes, before they can administer the \
                server from a client. Without this, each of them decides for the own account.",
        set: |config, value| put(&mut config.second_factor, value::boolean(value)),
    },
    Setting {
        key: "http.public_url",
        default: "\"\"",
        about: "The address under which a reverse proxy offers this server, such as \"https://example.org\". Clients are told \
                in /.well-known/host-meta. When it is empty, that is the domain with the port of `listen.https`.",
        set: |config, value| put(&mut config.http_public_url, value::base_url(value)),
    },
    Setting {
        key: "http.origins",
        default: "[]",
        about: "Pages of other sites that may connect from their visitors' browsers, such as \
                [\"https://web.example.com\"]; [\"*\"] lets all. Pages of this server and of the domain always may, and \
                so may what is no browser.",
        set: |config, value| put(&mut config.http_origins, value::origins(value)),
    },
    Setting {
        key: "http.trusted_proxies",
        default: "[\"127.0.0.1\", \"::1\"]",
        about: "Addresses or networks of reverse proxies. Only from them X-Forwarded-For and X-Forwarded-Proto are \
                believed: who connects through them may sign in if they say that it was by https.",
        set: |config, value| put(&mut config.http_trusted_proxies, value::networks(value)),
    },
    Setting {
        key: "http.internal_networks",
        default: "[]",
        about: "Addresses or networks that are not public and that people may nevertheless have this server ask by HTTP, such \
                as [\"10.1.0.0/16\"] with a push service of an intranet. Never this machine's own, if others trust it.",
        set: |config, value| put(&mut config.http_internal_networks, value::networks(value)),
    },
    Setting {
        key: "registration.mode",
        default: "\"invite\"",
        about: "\"closed\": only `rookery account create` makes accounts. \"invite\": so does who holds an invitation, of a \
                member's or of `rookery invite create`. \"review\": everybody can, within the limit below, and who has no invitation waits for an administrator. \
                \"open\": everybody can, within the limit below.",
        set: |config, value| {
            let modes = [
                ("closed", Registration::Closed),
                ("invite", Registration::Invite),
                ("review", Registration::Review),
                ("open", Registration::Open),
            ];
            put(&mut config.registration, value::choice(value, &modes))
        },
    },
    Setting {
        key: "registration.members_invite",
        default: "true",
        about: "Whether every member may invite people who have no account here, while `registration.mode` is \"invite\": one \
                person an invitation, a few in a week. Administrators always may. Members who invite each other \
                to be contacts need no permission.",
        set: |config, value| put(&mut config.members_invite, value::boolean(value)),
    },
    Setting {
        key: "registration.per_address_and_hour",
        default: "5",
        about: "Accounts that can be made from one network address in an hour. An IPv6 address counts as its /64.",
        set: |config, value| put(&mut config.registrations_per_hour, value::number(value, 1..=1_000_000)),
    },
    Setting {
        key: "registration.reserved_numbers",
        default: "[]",
        about: "Numbers that are not given out, such as [\"10050-10099\", \"11111\"].",
        set: |config, value| put(&mut config.reserved_numbers, value::number_ranges(value)),
    },
    Setting {
        key: "archive.default",
        default: "\"always\"",
        about: "What is archived of who has not decided in their client. \"always\": everything. \"roster\": only what \
                comes from or goes to contacts. \"never\": nothing; messages are still kept until they are delivered.",
        set: |config, value| {
            let defaults = [
                ("always", ArchiveDefault::Always),
                ("roster", ArchiveDefault::Roster),
                ("never", ArchiveDefault::Never),
            ];
            put(&mut config.archive_default, value::choice(value, &defaults))
        },
    },
    Setting {
        key: "archive.retention_days",
        default: "0",
        about: "Days after which messages are deleted; 0 keeps them forever.",
        set: |config, value| {
            let days = value::number(value, 0..=YEARS_100)?;
            put(&mut config.retention_days, Ok(Some(days).filter(|days| *days > 0)))
        },
    },
    Setting {
        key: "groups.host",
        default: "\"\"",
        about: "The host that groups live at, as in 700001@groups.example.org. When it is empty, that is groups. before the \
                domain. Choose it before the first group is made: addresses do not move.",
        set: |config, value| put(&mut config.groups_host, host(value)),
    },
    Setting {
        key: "pubsub.enabled",
        default: "true",
        about: "Whether there is a service at which members make nodes, such as feeds. What it keeps stays kept while it is \
                off. What people keep in their own accounts has nothing to do with it.",
        set: |config, value| put(&mut config.pubsub_enabled, value::boolean(value)),
    },
    Setting {
        key: "pubsub.host",
        default: "\"\"",
        about: "The host of the service. When it is empty, that is pubsub. before the domain. Choose it before the first node \
                is made: addresses do not move.",
        set: |config, value| put(&mut config.pubsub_host, host(value)),
    },
    Setting {
        key: "pubsub.create",
        default: "\"members\"",
        about: "Who may make nodes: \"members\", \"administrators\" or \"nobody\". Who has made one keeps it.",
        set: |config, value| {
            let creators = [
                ("members", Creators::Members),
                ("administrators", Creators::Administrators),
                ("nobody", Creators::Nobody),
            ];
            put(&mut config.pubsub_create, value::choice(value, &creators))
        },
    },
    Setting {
        key: "groups.retention_days",
        default: "0",
        about: "Days after which what was said in groups is deleted from their archives; 0 keeps it as long as all else. A \
                group's owner may choose fewer.",
        set: |config, value| {
            let days = value::number(value, 0..=YEARS_100)?;
            put(&mut config.group_retention_days, Ok(Some(days).filter(|days| *days > 0)))
        },
    },
    Setting {
        key: "files.largest_mb",
        default: "100",
        about: "The largest file, in megabytes. With 0 there are no uploads. A reverse proxy must let bodies of this size \
                pass.",
        set: |config, value| {
            put(&mut config.files_largest, value::number(value, 0..=MEGABYTES).map(|mb: u64| mb * 1_000_000))
        },
    },
    Setting {
        key: "files.quota_mb",
        default: "2000",
        about: "Megabytes that the files of one account may take; 0 is no limit. It is told before an upload that has no \
                room.",
        set: |config, value| {
            let mb: u64 = value::number(value, 0..=MEGABYTES)?;
            put(&mut config.files_quota, Ok(Some(mb * 1_000_000).filter(|bytes| *bytes > 0)))
        },
    },
    Setting {
        key: "files.total_gb",
        default: "0",
        about: "Gigabytes that all files together may take; 0 is as much as the disk has.",
        set: |config, value| {
            let gb: u64 = value::number(value, 0..=MEGABYTES)?;
            put(&mut config.files_total, Ok(Some(gb * 1_000_000_000).filter(|bytes| *bytes > 0)))
        },
    },
    Setting {
        key: "files.unnamed_days",
        default: "30",
        about: "A file goes with the last message that names it. One that no message is seen to name goes after so many \
                days; 0 keeps it. Messages that are encrypted end to end name their files where the server cannot see it.",
        set: |config, value| {
            let days = value::number(value, 0..=YEARS_100)?;
            put(&mut config.files_unnamed_days, Ok(Some(days).filter(|days| *days > 0)))
        },
    },
    Setting {
        key: "files.scan_command",
        default: "\"\"",
        about: "A program that looks at each file before it is kept; it gets the file's path. 0: clean; 1: not, and the first \
                line of its output says why; anything else: it failed, and nothing is kept.",
        set: |config, value| put(&mut config.files_scan_command, value::file(value)),
    },
    Setting {
        key: "files.scan_clamd",
        default: "\"\"",
        about: "ClamAV's daemon, which looks at each file before it is kept: a socket such as \"/run/clamav/clamd.ctl\", or \
                \"127.0.0.1:3310\". Without its answer nothing is kept.",
        set: |config, value| put(&mut config.files_scan_clamd, value::text(value).map(str::to_owned)),
    },
    Setting {
        key: "files.s3_url",
        default: "\"\"",
        about: "A store of objects for the files, in place of the data directory: the address of S3, or of a service that \
                speaks its protocol, as \"https://s3.example.net\".",
        set: |config, value| {
            put(&mut config.files_s3.url, value::base_url(value).map(Option::unwrap_or_default))
        },
    },
    Setting {
        key: "files.s3_bucket",
        default: "\"\"",
        about: "The bucket, which is there already and need not be public.",
        set: |config, value| put(&mut config.files_s3.bucket, value::text(value).map(str::to_owned)),
    },
    Setting {
        key: "files.s3_region",
        default: "\"us-east-1\"",
        about: "Its region; many services do not mind.",
        set: |config, value| put(&mut config.files_s3.region, value::text(value).map(str::to_owned)),
    },
    Setting {
        key: "files.s3_key_id",
        default: "\"\"",
        about: "The id of a key that may put, get and delete objects.",
        set: |config, value| put(&mut config.files_s3.key, value::text(value).map(str::to_owned)),
    },
    Setting {
        key: "files.s3_secret",
        default: "\"\"",
        about: "The key.",
        set: |config, value| put(&mut config.files_s3.secret, value::text(value).map(str::to_owned)),
    },
    Setting {
        key: "mail.enabled",
        default: "false",
        about: "Whether mail to NUMBER@domain and NAME@domain is taken, and comes into people's conversations. Files must be \
                switched on: a mail is kept whole beside its message, and counts in its recipient's quota.",
        set: |config, value| put(&mut config.mail.enabled, value::boolean(value)),
    },
    Setting {
        key: "mail.listen",
        default: "[\"[::]:25\"]",
        about: "Where other mail servers bring mail (SMTP).",
        set: |config, value| put(&mut config.mail.listen, value::addresses(value)),
    },
    Setting {
        key: "mail.hostname",
        default: "\"\"",
        about: "What this server calls itself towards other mail servers: the name that the domain's MX record points to, and \
                that its address has in the DNS. When it is empty, that is the domain.",
        set: |config, value| put(&mut config.mail.hostname, host(value)),
    },
    Setting {
        key: "mail.host",
        default: "\"\"",
        about: "The host that correspondents have in the messenger, as in user\\40example.org@mail.example.net. When it is empty, \
                that is \"mail.\" before the domain.",
        set: |config, value| put(&mut config.mail.host, host(value)),
    },
    Setting {
        key: "mail.largest_mb",
        default: "25",
        about: "The largest mail that is taken, in megabytes, as it travels: files in it are a third smaller.",
        set: |config, value| {
            put(&mut config.mail.largest, value::number(value, 1..=200).map(|mb: usize| mb * 1_000_000))
        },
    },
    Setting {
        key: "previews.enabled",
        default: "true",
        about: "Whether the server fetches pages that people link to, and shows what they say of themselves. Only public pages \
                are fetched, so it needs a way out to ports 80 and 443; the sites see this server's address, and not those of its people.",
        set: |config, value| put(&mut config.previews, value::boolean(value)),
    },
    Setting {
        key: "limits.resumption_minutes",
        default: "10",
        about: "How long a session waits for a client that lost its connection, before others see it as gone. Messages \
                are safe either way.",
        set: |config, value| {
            let minutes: u64 = value::number(value, 1..=1440)?;
            put(&mut config.resumption, Ok(Duration::from_secs(60 * minutes)))
        },
    },
    Setting {
        key: "limits.stanza_bytes",
        default: "262144",
        about: "The largest stanza that a client may send. Avatars need some 200 KB; files do not go this way.",
        set: |config, value| put(&mut config.stanza_bytes, value::number(value, 65_536..=1_048_576)),
    },
    Setting {
        key: "limits.connections",
        default: "50000",
        about: "Connections at a time. Each needs a file descriptor: see `ulimit -n`, or LimitNOFILE of systemd.",
        set: |config, value| put(&mut config.connections, value::number(value, 1..=10_000_000)),
    },
    Setting {
        key: "limits.connections_per_address",
        default: "500",
        about: "Connections of one network address at a time; many people can share one. A trusted proxy is not \
                counted, but who comes through it is.",
        set: |config, value| put(&mut config.connections_per_address, value::number(value, 1..=10_000_000)),
    },
    Setting {
        key: "limits.messages_per_second",
        default: "50",
        about: "Messages that an account may send in a second, in the long run, and for twenty seconds at once: what a device \
                catches up with after a gap. Above it messages are refused with an error that says when to try again. 0: no \
                limit. `rookery account unlimited` takes bots and bridges out of this limit and the next three.",
        set: |config, value| put(&mut config.pace.messages_per_second, value::number(value, 0..=1_000_000)),
    },
    Setting {
        key: "limits.strangers_per_hour",
        default: "60",
        about: "People who do not know an account, that it may write to for the first time in an hour: nobody does by hand what \
                spam needs. To answer, and to write again, is free. 0: no limit.",
        set: |config, value| put(&mut config.pace.strangers_per_hour, value::number(value, 0..=1_000_000)),
    },
    Setting {
        key: "limits.strangers_per_day",
        default: "200",
        about: "The same in a day.",
        set: |config, value| put(&mut config.pace.strangers_per_day, value::number(value, 0..=1_000_000)),
    },
    Setting {
        key: "limits.subscriptions_per_hour",
        default: "100",
        about: "Contacts that an account may ask for in an hour, and twice as many at once: who moves here brings a contact list. \
                0: no limit.",
        set: |config, value| {
            put(&mut config.pace.subscriptions_per_hour, value::number(value, 0..=1_000_000))
        },
    },
    Setting {
        key: "moderation.lists",
        default: "[]",
        about: "Block lists that services publish (real-time block lists), as [\"rtbl.example.org/muc_bans_sha256\"]: the \
                service and its node. Today a service can be a component. Who is on a list is refused as a stranger.",
        set: |config, value| put(&mut config.lists, value::lists(value)),
    },
    Setting {
        key: "moderation.list_files",
        default: "[]",
        about: "Block lists in files: on each line an address, a domain, or the SHA-256 of one in hexadecimal; # begins a \
                comment. They are looked at each minute, and taken again when they have changed.",
        set: |config, value| put(&mut config.list_files, value::files(value)),
    },
    Setting {
        key: "moderation.hook",
        default: "\"\"",
        about: "The Unix socket of a program that is asked about messages before they are stored; see the page on moderation.",
        set: |config, value| put(&mut config.hook, value::file(value)),
    },
    Setting {
        key: "moderation.hook_about",
        default: "\"strangers\"",
        about: "\"strangers\": only messages from people whom the recipient does not know. \"all\": every message between accounts.",
        set: |config, value| {
            put(&mut config.hook_about_all, value::choice(value, &[("strangers", false), ("all", true)]))
        },
    },
    Setting {
        key: "moderation.hook_milliseconds",
        default: "2000",
        about: "How long the program may take for an answer.",
        set: |config, value| {
            put(&mut config.hook_patience, value::number(value, 10..=60_000).map(Duration::from_millis))
        },
    },
    Setting {
        key: "moderation.hook_silent",
        default: "\"refuse\"",
        about: "What becomes of a message when the program does not answer in time, or is not there: \"refuse\" it, with an \
                error that says to try again later, or \"allow\" it.",
        set: |config, value| {
            put(&mut config.hook_fails_open, value::choice(value, &[("refuse", false), ("allow", true)]))
        },
    },
    Setting {
        key: "contact.abuse",
        default: "[]",
        about: "Who is told of abuse: addresses such as \"mailto:abuse@example.org\" or \"xmpp:alice@example.org\".",
        set: |config, value| tables::contact(config, "abuse-addresses", value),
    },
    Setting {
        key: "contact.admin",
        default: "[]",
        about: "Who runs the server.",
        set: |config, value| tables::contact(config, "admin-addresses", value),
    },
    Setting {
        key: "contact.feedback",
        default: "[]",
        about: "Who likes to hear what people think of it.",
        set: |config, value| tables::contact(config, "feedback-addresses", value),
    },
    Setting {
        key: "contact.sales",
        default: "[]",
        about: "Who sells what is sold here.",
        set: |config, value| tables::contact(config, "sales-addresses", value),
    },
    Setting {
        key: "contact.security",
        default: "[]",
        about: "Who is told of weaknesses.",
        set: |config, value| tables::contact(config, "security-addresses", value),
    },
    Setting {
        key: "contact.status",
        default: "[]",
        about: "Where people read how the server is doing.",
        set: |config, value| tables::contact(config, "status-addresses", value),
    },
    Setting {
        key: "contact.support",
        default: "[]",
        about: "Who helps.",
        set: |config, value| tables::contact(config, "support-addresses", value),
    },
    Setting {
        key: "contact.terms",
        default: "\"\"",
        about: "Where people read under which terms they use the server: one address. Clients are told it with what becomes of \
                their data (XEP-0504).",
        set: |config, value| put(&mut config.terms, value::uri(value)),
    },
    Setting {
        key: "contact.outage",
        default: "[]",
        about: "Where clients look what is wrong when the server is not there (XEP-0455): addresses of a JSON file on \
                another machine, such as \"https://status.example.net/example.org.json\".",
        set: |config, value| put(&mut config.outage, value::uris(value)),
    },
    Setting {
        key: "log.level",
        default: "\"info\"",
        about: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"; for a part of the server alone \
                \"info,rookery::net=debug\". What people write to each other is never logged.",
        set: |config, value| {
            let level = value::text(value)?;
            let filter: Result<tracing_subscriber::filter::Targets, _> = level.parse();
            filter.map_err(|_| "this must be a level such as \"info\", or \"info,rookery::net=debug\".")?;
            put(&mut config.log_level, Ok(level.to_owned()))
        },
    },
    Setting {
        key: "log.format",
        default: "\"text\"",
        about: "\"text\" for people, \"json\" for programs.",
        set: |config, value| {
            let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
            put(&mut config.log_format, value::choice(value, &formats))
        },
    },
];
