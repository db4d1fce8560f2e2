"""The servers that a run can talk to. Each listens on the lab's address with the lab's certificate."""

import pathlib
import signal
import socket
import subprocess

import lab


class Server:
    """A process that is started, stopped as an operator stops it, and started again on the same data."""

    name = ""
    #: Checks that it cannot take part in, whatever the client, and why.
    cannot = {}

    def __init__(self, the_lab):
        self.lab = the_lab
        self.folder = the_lab.folder("server")
        self.log = the_lab.out / "server.log"
        self.process = None
        self.log.write_text("")

    def command(self):
        raise NotImplementedError

    def lacks(self):
        """Checks that this server is known not to pass yet, and why."""
        lines = pathlib.Path(__file__).with_name(f"lacks-{self.name}.txt").read_text().splitlines()
        return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        lab.wait_for(self._listening, f"the server on port {lab.STARTTLS_PORT} (its log: {self.log})")

    def stop(self):
        """SIGTERM, and until the process has ended."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
            finally:
                self.process = None

    def kill(self):
        """SIGKILL: the process ends where it stands, as when the machine's memory runs out."""
        self.process.kill()
        self.process.wait(30)
        self.process = None

    def _listening(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"the server ended with {self.process.returncode}:\n{tail}")
        with socket.socket() as probe:
            return probe.connect_ex((lab.ADDRESS, lab.STARTTLS_PORT)) == 0


class Rookery(Server):
    name = "rookery"

    def __init__(self, the_lab, binary):
        super().__init__(the_lab)
        self.binary = binary
        self.config = self.folder / "rookery.toml"
        self.config.write_text(f"""\
domain = "{lab.DOMAIN}"
data = "{self.folder}/data"

[listen]
c2s = ["{lab.ADDRESS}:{lab.STARTTLS_PORT}"]
c2s_tls = ["{lab.ADDRESS}:{lab.DIRECT_TLS_PORT}"]
components = ["{lab.ADDRESS}:5347"]
https = ["{lab.ADDRESS}:{lab.HTTPS_PORT}"]

[mail]
enabled = true
listen = ["{lab.ADDRESS}:25"]
imap = ["{lab.ADDRESS}:143"]
imap_tls = ["{lab.ADDRESS}:993"]
submission = ["{lab.ADDRESS}:587"]
submission_tls = ["{lab.ADDRESS}:465"]
smarthost = "smtp://{lab.ADDRESS}:2525"

[tls]
certificate = "{the_lab.certificate}"
key = "{the_lab.key}"

[registration]
mode = "open"
per_address_and_hour = 1000

[pager]
enabled = true
snpp = ["{lab.ADDRESS}:4444"]
tap = ["{lab.ADDRESS}:4446"]

[contact]
outage = ["http://{lab.DOMAIN}:{lab.STATUS_PORT}/status.json"]

[[component]]
host = "slix.{lab.DOMAIN}"
secret = "secret"
""")

    def command(self):
        return [self.binary, "serve", "--config", self.config]


class Prosody(Server):
    """Debian's, as a control: what fails here too is not ours to mend."""

    name = "prosody"
    cannot = {
        "makes thumbnails": "it keeps files and does not look at them",
        "outlives a kill": "it keeps its sessions in memory, and what was not yet acknowledged with them",
    }

    def __init__(self, the_lab):
        super().__init__(the_lab)
        self.config = self.folder / "prosody.cfg.lua"
        self.config.write_text(f"""\
run_as_root = true
pidfile = "{self.folder}/prosody.pid"
data_path = "{self.folder}/data"
interfaces = {{ "{lab.ADDRESS}" }}
component_interfaces = {{ "{lab.ADDRESS}" }}
component_ports = {{ 5347 }}
plugin_paths = {{ "/usr/lib/prosody/modules" }}
modules_enabled = {{
  "roster", "saslauth", "tls", "disco", "carbons", "pep", "private", "blocklist", "vcard4", "vcard_legacy", "version",
  "uptime", "time", "ping", "register", "mam", "csi_simple", "smacks", "lastactivity", "bookmarks",
  "websocket", "bosh",
}}
allow_registration = true
min_seconds_between_registrations = 0
registration_throttle_max = 1000
authentication = "internal_hashed"
storage = "internal"
mam_smart_enable = false
c2s_require_encryption = true
c2s_direct_tls_ports = {{ {lab.DIRECT_TLS_PORT} }}
ssl = {{ certificate = "{the_lab.certificate}"; key = "{the_lab.key}" }}
https_ssl = ssl
https_ports = {{ 5281, {lab.HTTPS_PORT} }}
http_cors_override = {{ bosh = {{ enabled = true }}, websocket = {{ enabled = true }} }}
cross_domain_websocket = true
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
VirtualHost "{lab.DOMAIN}"
  disco_items = {{ {{ "groups.{lab.DOMAIN}" }}, {{ "upload.{lab.DOMAIN}" }} }}
Component "groups.{lab.DOMAIN}" "muc"
  modules_enabled = {{ "muc_mam", "muc_moderation", "vcard_muc" }}
Component "upload.{lab.DOMAIN}" "http_file_share"
  http_host = "{lab.DOMAIN}"
  http_external_url = "https://{lab.DOMAIN}:5281/"
Component "slix.{lab.DOMAIN}"
  component_secret = "secret"
""")
        (self.folder / "data").mkdir()

    def command(self):
        return ["prosody", "-F", "--config", self.config]
