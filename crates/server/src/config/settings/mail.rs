//! `[mail]`

use std::net::SocketAddr;
use std::path::PathBuf;

use rookery_gateway::mail::Smarthost;

use super::super::{Config, value};
use super::{Section, Setting, host, put};

/// Where mail goes that is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Out {
    /// To the mail servers of its recipients' domains.
    Direct,
    /// Everything to this one.
    Smarthost(Smarthost),
}

/// Where the operator's own front server brings mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Front {
    /// At an address.
    Address(SocketAddr),
    /// At a socket of this machine.
    Socket(PathBuf),
}

impl std::fmt::Display for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Front::Address(address) => address.fmt(f),
            Front::Socket(path) => path.display().fmt(f),
        }
    }
}

/// What the operator decided about mail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mail {
    /// Whether there is any.
    pub enabled: bool,
    /// Where other mail servers bring it.
    pub listen: Vec<SocketAddr>,
    /// Where mail programs read it (IMAP), with STARTTLS.
    pub imap: Vec<SocketAddr>,
    /// The same, in TLS from the start.
    pub imap_tls: Vec<SocketAddr>,
    /// Where mail programs hand in what is to be sent (SMTP submission), with STARTTLS.
    pub submission: Vec<SocketAddr>,
    /// The same, in TLS from the start.
    pub submission_tls: Vec<SocketAddr>,
    /// Recipients that one account may send to within an hour by such programs.
    pub sent_per_hour: u32,
    /// What the server calls itself; `None`: the domain.
    pub hostname: Option<String>,
    /// The host of correspondents; `None`: `mail.` before the domain.
    pub host: Option<String>,
    /// The largest mail, bytes.
    pub largest: usize,
    /// Whether it is found out whom a mail is from.
    pub verify: bool,
    /// Where the operator's own front server brings it (LMTP).
    pub lmtp: Option<Front>,
    /// Whether servers that are new are asked to come again.
    pub greylist: bool,
    /// Where rspamd is, if it is asked.
    pub rspamd: Option<String>,
    /// Whether mail is taken while rspamd does not answer.
    pub unfiltered: bool,
    /// Where it goes that is sent; `None`: nothing is.
    pub smarthost: Option<Out>,
}

impl Config {
    /// The host that correspondents by mail have, where there is mail.
    pub fn mail_host(&self) -> Option<String> {
        let host = || self.mail.host.clone().unwrap_or_else(|| format!("mail.{}", self.domain));
        self.mail.enabled.then(host)
    }
}

pub(super) const SECTION: Section = Section {
    name: "mail",
    about: "A mailbox for every number: docs/mail.md. Off until it is enabled.",
    settings: &[
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
            key: "mail.imap_tls",
            default: "[]",
            about: "Where mail programs read their owner's mail (IMAP), in TLS from the start: [\"[::]:993\"] is where they look for \
                it. Nobody reads mail so while this and mail.imap are empty.",
            set: |config, value| put(&mut config.mail.imap_tls, value::addresses(value)),
        },
        Setting {
            key: "mail.imap",
            default: "[]",
            about: "The same for programs that begin without TLS, usually [\"[::]:143\"]. Passwords are taken after STARTTLS only, \
                and from this machine itself.",
            set: |config, value| put(&mut config.mail.imap, value::addresses(value)),
        },
        Setting {
            key: "mail.submission_tls",
            default: "[]",
            about: "Where mail programs hand in what their owner sends, in TLS from the start: [\"[::]:465\"] is where they look for \
                it. Nobody sends so while this and mail.submission are empty.",
            set: |config, value| put(&mut config.mail.submission_tls, value::addresses(value)),
        },
        Setting {
            key: "mail.submission",
            default: "[]",
            about: "The same for programs that begin without TLS, usually [\"[::]:587\"]. Passwords are taken after STARTTLS only, \
                and from this machine itself.",
            set: |config, value| put(&mut config.mail.submission, value::addresses(value)),
        },
        Setting {
            key: "mail.sent_per_hour",
            default: "300",
            about: "How many recipients one account may send to within an hour by mail programs.",
            set: |config, value| put(&mut config.mail.sent_per_hour, value::number(value, 1..=100_000)),
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
            key: "mail.verify",
            default: "true",
            about: "Whether SPF, DKIM and DMARC of mail that comes in are looked up: what a domain wants refused is refused, what it \
                wants set aside is set aside. Switch it off behind a mail server that does so itself.",
            set: |config, value| put(&mut config.mail.verify, value::boolean(value)),
        },
        Setting {
            key: "mail.greylist",
            default: "false",
            about: "Whether mail servers that are new are asked to come again in some minutes. Theirs do, and much of what sends junk \
                does not; but the first mail of each comes late.",
            set: |config, value| put(&mut config.mail.greylist, value::boolean(value)),
        },
        Setting {
            key: "mail.rspamd",
            default: "\"\"",
            about: "The address of a rspamd that is asked about mail that comes in, such as \"http://127.0.0.1:11333\". What it wants \
                refused is refused, what it takes for junk is junk.",
            set: |config, value| put(&mut config.mail.rspamd, value::base_url(value)),
        },
        Setting {
            key: "mail.rspamd_failure",
            default: "\"later\"",
            about: "What becomes of mail while rspamd does not answer: \"later\", other servers are told to come again; or \"take\".",
            set: |config, value| {
                put(&mut config.mail.unfiltered, value::choice(value, &[("later", false), ("take", true)]))
            },
        },
        Setting {
            key: "mail.lmtp",
            default: "\"\"",
            about: "Where a mail server of your own, in front of this one, brings mail by LMTP: an address with a port, such as \
                \"127.0.0.1:24\", or the path of a socket. What comes in there is judged by that server, and not by this one: nobody \
                else may reach it. Nobody brings mail so while this is empty.",
            set: |config, value| put(&mut config.mail.lmtp, value::front(value)),
        },
        Setting {
            key: "mail.smarthost",
            default: "\"\"",
            about: "The mail server that everything goes through that is sent, such as that of your provider: \
                \"smtps://name:password@smtp.example.net\" (port 465), or \"smtp://...\" (port 587, with STARTTLS). In name and \
                password %40 is an @, %3A a colon and %25 a percent sign. Without a name, and with smtp://, a server that offers no \
                TLS is used without. \"direct\": no such server; mail goes straight to the servers of its recipients (port 25). Nothing \
                is sent while this is empty.",
            set: |config, value| put(&mut config.mail.smarthost, value::smarthost(value)),
        },
    ],
};
