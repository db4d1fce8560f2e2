//! The servers that are compared, each fresh and with a configuration that is fair: rate limits off, the same features on,
//! passwords hashed in 4,096 rounds, an ECDSA certificate, logs of warnings only.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::crash::free_address;
use crate::shell;

/// Debian's packages of the others.
pub(crate) const PACKAGES: [&str; 5] =
    ["prosody", "lua-dbi-sqlite3", "ejabberd", "erlang-p1-sqlite3", "openssl"];

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// Debian's
    Prosody,
    /// Debian's
    Ejabberd,
    /// A release build of this source
    Rookery,
    /// The relay: no server could be cheaper
    Floor,
}

/// What is kept of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Archive {
    /// Nothing, after delivery.
    Off,
    /// Everything, in the store that the server has by itself.
    Native,
    /// Everything, in SQLite where that is another store.
    Sql,
}

/// The programs and what all servers share.
pub(crate) struct Site {
    pub(crate) rookery: PathBuf,
    pub(crate) load: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A server that runs. It ends with this value.
pub(crate) struct Running {
    process: Child,
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) http: SocketAddr,
    /// Where its rooms live.
    pub(crate) rooms: &'static str,
    pub(crate) websocket: &'static str,
    /// Its configuration, as text.
    pub(crate) configuration: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Prosody => "Prosody",
            Kind::Ejabberd => "ejabberd",
            Kind::Rookery => "Rookery",
            Kind::Floor => "floor",
        }
    }

    /// Its version, as its packager says it.
    pub(crate) fn version(self) -> String {
        let package = match self {
            Kind::Prosody => "prosody",
            Kind::Ejabberd => "ejabberd",
            Kind::Rookery | Kind::Floor => return "this source".to_owned(),
        };
        let mut query = shell::command("dpkg-query");
        query.args(["--show", "--showformat=${Version}", package]);
        let output = query.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        output.unwrap_or_default()
    }

    /// Starts it with everything it keeps in `folder`, which is empty.
    pub(crate) fn start(self, site: &Site, archive: Archive, folder: &Path) -> Result<Running> {
        let ports = [free_address()?, free_address()?, free_address()?];
        let (mut command, configuration) = match self {
            Kind::Rookery => rookery(site, archive, folder, ports)?,
            Kind::Prosody => prosody(site, archive, folder, ports)?,
            Kind::Ejabberd => ejabberd(site, archive, folder, ports)?,
            Kind::Floor => relay(site, ports),
        };
        let log = File::create(folder.join("output")).context("making a log")?;
        let process = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.name()))?;
        let [plain, tls, http] = ports;
        let (rooms, websocket) = match self {
            Kind::Rookery => ("groups.localhost", "/xmpp-websocket"),
            _ => ("conference.localhost", "/xmpp-websocket"),
        };
        let mut running = Running { process, plain, tls, http, rooms, websocket, configuration };
        let begun = Instant::now();
        while std::net::TcpStream::connect(plain).is_err() {
            let ended = running.process.try_wait()?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(folder.join("output")).unwrap_or_default();
                bail!("{} does not listen ({ended:?}): {said}", self.name());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(running)
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// A certificate with an ECDSA key on P-256, for all of them.
pub(crate) fn certificate(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let mut openssl = shell::command("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
    ]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:*.localhost"]);
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null());
    shell::run(&mut openssl)?;
    Ok((certificate, key))
}

type Prepared = Result<(Command, String)>;

fn rookery(site: &Site, archive: Archive, folder: &Path, [plain, tls, http]: [SocketAddr; 3]) -> Prepared {
    let archived = if archive == Archive::Off { "never" } else { "always" };
    let text = format!(
        r#"domain = "localhost"
data = "{folder}/data"
[listen]
c2s = ["{plain}"]
c2s_tls = ["{tls}"]
http = ["{http}"]
https = []
status = []
[tls]
certificate = "{certificate}"
key = "{key}"
[registration]
mode = "open"
per_address_and_hour = 1000000
[archive]
default = "{archived}"
[limits]
messages_per_second = 0
strangers_per_hour = 0
strangers_per_day = 0
subscriptions_per_hour = 0
connections_per_address = 50000
[security]
allow_plain_connections = true
scram_iterations = 4096
[log]
level = "warn"
"#,
        folder = folder.display(),
        certificate = site.certificate.display(),
        key = site.key.display(),
    );
    let config = folder.join("rookery.toml");
    fs::write(&config, &text)?;
    let mut command = Command::new(&site.rookery);
    command.arg("serve").arg("--config").arg(config);
    Ok((command, text))
}

fn prosody(site: &Site, archive: Archive, folder: &Path, [plain, tls, http]: [SocketAddr; 3]) -> Prepared {
    let mam = if archive == Archive::Off { "" } else { r#""mam","# };
    let storage = match archive {
        Archive::Sql => format!(
            "storage = \"sql\"\nsql = {{ driver = \"SQLite3\", database = \"{}/p.sqlite\" }}",
            folder.display()
        ),
        _ => "storage = \"internal\"".to_owned(),
    };
    let text = format!(
        r#"run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {tls} }}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
modules_enabled = {{
  "roster", "saslauth", "tls", "disco", "carbons", "pep", "private", "blocklist", "vcard4", "ping", "register",
  {mam} "smacks", "websocket",
}}
modules_disabled = {{ "s2s" }}
allow_registration = true
min_seconds_between_registrations = 0
registration_throttle_max = 1000000
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_websocket_secure = true
mam_smart_enable = false
authentication = "internal_hashed"
{storage}
ssl = {{ certificate = "{certificate}"; key = "{key}" }}
log = {{ {{ levels = {{ min = "warn" }}, to = "console" }} }}
VirtualHost "localhost"
  http_host = "localhost"
Component "conference.localhost" "muc"
  muc_room_default_persistent = false
"#,
        folder = folder.display(),
        plain = plain.port(),
        tls = tls.port(),
        http = http.port(),
        certificate = site.certificate.display(),
        key = site.key.display(),
    );
    let config = folder.join("prosody.cfg.lua");
    fs::write(&config, &text)?;
    fs::create_dir(folder.join("data"))?;
    let mut command = Command::new("prosody");
    command.arg("-F").arg("--config").arg(config);
    Ok((command, text))
}

fn ejabberd(site: &Site, archive: Archive, folder: &Path, [plain, tls, http]: [SocketAddr; 3]) -> Prepared {
    let sql = format!("default_db: sql\nsql_type: sqlite\nsql_database: \"{}/e.sqlite\"\n", folder.display());
    let (sql, mam) = match archive {
        Archive::Off => ("", ""),
        Archive::Native => ("", "  mod_mam: { default: always, db_type: mnesia }\n"),
        Archive::Sql => (sql.as_str(), "  mod_mam: { default: always, db_type: sql }\n"),
    };
    // Both in one file, as it wants them.
    let chain = folder.join("chain.pem");
    fs::write(&chain, [fs::read(&site.key)?, fs::read(&site.certificate)?].concat())?;
    let text = format!(
        r#"hosts: [ "localhost" ]
loglevel: warning
certfiles: [ "{chain}" ]
auth_method: [internal]
auth_password_format: scram
registration_timeout: infinity
{sql}listen:
  - {{ port: {plain}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true, access: c2s, shaper: none, backlog: 1024 }}
  - {{ port: {tls}, ip: "127.0.0.1", module: ejabberd_c2s, tls: true, access: c2s, shaper: none, backlog: 1024 }}
  - {{ port: {http}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {{ /xmpp-websocket: ejabberd_http_ws }} }}
access_rules:
  c2s: {{ allow: all }}
shaper_rules: {{ max_user_sessions: 100, max_user_offline_messages: 100000 }}
modules:
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
{mam}  mod_muc: {{ access_create: all, max_users: 20000, default_room_options: {{ max_users: 20000 }} }}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub: {{ plugins: [flat, pep] }}
  mod_register: {{ ip_access: all, access: all }}
  mod_roster: {{ versioning: true }}
  mod_stream_mgmt: {{ resume_timeout: 60 }}
  mod_vcard: {{}}
"#,
        chain = chain.display(),
        plain = plain.port(),
        tls = tls.port(),
        http = http.port(),
    );
    let config = folder.join("ejabberd.yml");
    fs::write(&config, &text)?;
    let spool = folder.join("spool");
    fs::create_dir(&spool)?;
    // Without Erlang's distribution, so that nothing listens for other nodes; otherwise as its own script starts it.
    let mut command = Command::new("erl");
    command.args(["-noinput", "+K", "true", "+P", "250000", "+Q", "65536", "-mnesia", "dir"]);
    command.arg(format!("\"{}\"", spool.display())).args(["-s", "ejabberd"]);
    command.env("EJABBERD_CONFIG_PATH", config).env("EJABBERD_LOG_PATH", folder.join("ejabberd.log"));
    command.env("ERL_LIBS", "/usr/lib/x86_64-linux-gnu").env("HOME", folder);
    command.env("ERL_CRASH_DUMP", folder.join("crash.dump"));
    Ok((command, text))
}

fn relay(site: &Site, [plain, _, _]: [SocketAddr; 3]) -> (Command, String) {
    let mut command = Command::new(&site.load);
    command.arg("relay").arg("--listen").arg(plain.to_string());
    (command, String::new())
}
