"""A closed network for one run: its own addresses, names and certificate authority.

`enter` starts this program anew in fresh namespaces (network, mounts, processes): nothing it does there is seen
outside, nothing from outside gets in, and every process it starts ends with it. `prepare` then sets the network up:
loopback, a name server that knows ours.test, and certificates that every program inside trusts.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

DOMAIN = "ours.test"
ADDRESS = "127.0.0.13"
STARTTLS_PORT = 5222
DIRECT_TLS_PORT = 5223
HTTPS_PORT = 5443
#: Where the service says how it is when the server cannot (XEP-0455).
STATUS_PORT = 8455

INSIDE = "ROOKERY_INTEROP_INSIDE"
TRUST = "/etc/ssl/certs/ca-certificates.crt"


def enter():
    """Goes on inside the lab; returns at once if we are there already."""
    if os.environ.get(INSIDE) == "1":
        return
    environment = {**os.environ, INSIDE: "1", "SSL_CERT_FILE": TRUST, "LANG": "C.UTF-8"}
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    os.execvpe("unshare", ["unshare", *namespaces, sys.executable, *sys.argv], environment)


class Lab:
    """What the run leaves in `out`: certificates, logs, pictures. What it only needs meanwhile is in `work`."""

    def __init__(self, out):
        self.out = pathlib.Path(out).resolve()
        self.work = self.out / "work"
        self.certificate = self.work / "ours.crt"
        self.key = self.work / "ours.key"

    def prepare(self):
        self.out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        self._mount("tmpfs", self.work, "-t", "tmpfs", "-o", "mode=755")
        sockets = pathlib.Path("/tmp/.X11-unix")
        sockets.mkdir(exist_ok=True)
        self._mount("tmpfs", sockets, "-t", "tmpfs", "-o", "mode=1777")
        self._network()
        self._certificates()
        self._etc()
        self._names()

    def folder(self, name, owner=None):
        """A fresh folder that is gone after the run."""
        path = self.work / name
        path.mkdir(parents=True)
        if owner is not None:
            os.chown(path, owner, owner)
        return path

    def keep(self, path, name):
        """Keeps a file of `work` beyond the run."""
        if path.exists():
            shutil.copyfile(path, self.out / name)

    def _mount(self, what, where, *options):
        run("mount", *options, what, where)

    def _network(self):
        run("ip", "link", "set", "lo", "up")
        # GLib (Dino, Gajim) holds itself offline and glibc's AI_ADDRCONFIG finds no address family with nothing but
        # loopback, so there is a link that leads nowhere (192.0.2.0/24 is RFC 5737's, for documentation).
        run("ip", "link", "add", "end0", "type", "veth", "peer", "name", "end1")
        run("ip", "address", "add", "192.0.2.1/24", "dev", "end0")
        run("ip", "link", "set", "end0", "up")
        run("ip", "link", "set", "end1", "up")
        run("ip", "route", "add", "default", "via", "192.0.2.254")

    def _certificates(self):
        authority, secret = self.work / "ca.crt", self.work / "ca.key"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        usage = "keyUsage=critical,keyCertSign,cRLSign"
        run("openssl", "req", "-x509", *new_key, "-days", "2", "-subj", "/CN=Rookery interop", "-addext", usage,
            "-keyout", secret, "-out", authority)
        request, extensions = self.work / "ours.csr", self.work / "ours.ext"
        run("openssl", "req", *new_key, "-subj", f"/CN={DOMAIN}", "-keyout", self.key, "-out", request)
        extensions.write_text(f"subjectAltName=DNS:{DOMAIN},DNS:*.{DOMAIN}\nextendedKeyUsage=serverAuth\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", secret, "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", self.certificate)

    def _etc(self):
        """Puts our own files over those of /etc, for the processes of this lab only."""
        resolver, hosts = self.work / "resolv.conf", self.work / "hosts"
        resolver.write_text("nameserver 127.0.0.1\n")
        hosts.write_text("127.0.0.1 localhost\n")
        self._mount(resolver, os.path.realpath("/etc/resolv.conf"), "--bind")
        self._mount(hosts, "/etc/hosts", "--bind")
        authority = (self.work / "ca.crt").read_text()
        trust = self.work / "ssl"
        shutil.copytree("/etc/ssl", trust, symlinks=True)
        bundle = trust / "certs/ca-certificates.crt"
        bundle.parent.mkdir(exist_ok=True)
        with bundle.open("a") as file:
            file.write(authority)
        (trust / "certs/rookery-interop.pem").write_text(authority)
        hashed = run("openssl", "x509", "-hash", "-noout", "-in", self.work / "ca.crt").strip()
        (trust / f"certs/{hashed}.0").symlink_to("rookery-interop.pem")
        self._mount(trust, "/etc/ssl", "--bind")

    def _names(self):
        lines = ["no-resolv", "no-hosts", "listen-address=127.0.0.1", "bind-interfaces", "cache-size=0", "user=root",
                 "local=/#/", "host-record=localhost,127.0.0.1", f"address=/{DOMAIN}/{ADDRESS}",
                 f"srv-host=_xmpp-client._tcp.{DOMAIN},{DOMAIN},{STARTTLS_PORT},0,5",
                 f"srv-host=_xmpps-client._tcp.{DOMAIN},{DOMAIN},{DIRECT_TLS_PORT},5,5"]
        config = self.work / "dnsmasq.conf"
        config.write_text("\n".join(lines) + "\n")
        run("dnsmasq", "--conf-file=" + str(config), "--pid-file=" + str(self.work / "dnsmasq.pid"))


def run(*command, **options):
    """Runs a program of the lab's own set-up; its output is returned, its failure ends the run."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def wait_for(condition, what, seconds=20):
    """Looks until `condition()` holds; for set-up that tells nobody when it is ready."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} not seen within {seconds} s")
        time.sleep(0.1)
