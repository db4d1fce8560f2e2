"""Where clients show themselves: a terminal (tmux) or a screen without a monitor (Xvfb)."""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess

from report import until

#: nobody: Gajim and poezio refuse to run as root.
UNPRIVILEGED = 65534
AS_USER = ("setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups")


def home(the_lab, name):
    """A home folder for one client, and the environment that makes it feel at home there."""
    folder = the_lab.folder(f"home-{name}", UNPRIVILEGED)
    environment = {**os.environ, "HOME": str(folder), "LANG": "C.UTF-8"}
    for variable, sub in (("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share"),
                          ("XDG_CACHE_HOME", ".cache"), ("XDG_RUNTIME_DIR", "run")):
        path = folder / sub
        path.mkdir(parents=True)
        environment[variable] = str(path)
    (folder / "run").chmod(0o700)
    give(folder)
    return folder, environment


def give(folder):
    """Gives a home and all in it to the unprivileged user."""
    for root, folders, files in os.walk(folder):
        for path in (root, *(os.path.join(root, name) for name in (*folders, *files))):
            os.chown(path, UNPRIVILEGED, UNPRIVILEGED)


def rows(database, statement, *parameters):
    """Rows of a client's own database; none while it has no such table."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(statement, parameters).fetchall()
    except sqlite3.OperationalError:
        return []


def holds(folder, content):
    """Whether a file with exactly this content is in the folder, at any depth."""
    return any(path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
               for path in folder.rglob("*"))


class Terminal:
    """One program in a tmux of its own."""

    SIZE = ("-x", "150", "-y", "45")

    def __init__(self, the_lab, name):
        self.lab, self.name = the_lab, name
        self.home, self.environment = home(the_lab, name)
        self.environment["TERM"] = "screen-256color"
        self.socket = str(the_lab.work / f"tmux-{name}")

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *arguments], env=self.environment,
                              capture_output=True, text=True, timeout=10)
        return done.stdout

    def start(self, *command):
        self.tmux("new-session", "-d", *self.SIZE, "-c", str(self.home), *AS_USER, *command)

    async def line(self, text, pause=0.5):
        """Types a line. A leading slash goes alone: poezio takes a fast burst for something pasted."""
        if text.startswith("/"):
            self.tmux("send-keys", "-l", "/")
            await asyncio.sleep(0.3)
            text = text[1:]
        self.tmux("send-keys", "-l", text)
        await asyncio.sleep(0.3)
        self.tmux("send-keys", "Enter")
        await asyncio.sleep(pause)

    def key(self, *keys):
        self.tmux("send-keys", *keys)

    def text(self):
        """What is on the screen: frames are taken out, and lines that were broken are joined."""
        return re.sub(r"\s+", " ", re.sub("[│▒┃]", " ", self.tmux("capture-pane", "-p")))

    def stop(self):
        """Ends the terminal; what it showed last is kept."""
        (self.lab.out / f"{self.name}.txt").write_text(self.tmux("capture-pane", "-p"))
        self.tmux("kill-server")


class Desktop:
    """An X screen in memory with a window manager and a session bus, for one client."""

    DISPLAY = ":7"  # any will do: the lab has its own sockets

    def __init__(self, the_lab, name):
        self.lab, self.name = the_lab, name
        self.home, self.environment = home(the_lab, name)
        self.environment.update(DISPLAY=self.DISPLAY, GDK_BACKEND="x11", NO_AT_BRIDGE="1", GTK_USE_PORTAL="0",
                                LIBGL_ALWAYS_SOFTWARE="1", GSK_RENDERER="cairo")
        self.log = (the_lab.out / f"{name}.log").open("w")
        self.processes = []

    async def start(self):
        self.spawn("Xvfb", self.DISPLAY, "-nolock", "-screen", "0", "1280x800x24", "-nolisten", "tcp", as_root=True)
        await until(lambda: self.run("xdotool", "getdisplaygeometry"), "the X screen")
        self.spawn("openbox")
        bus = f"unix:path={self.home}/run/bus"
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus
        self.spawn("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}")
        await until((self.home / "run/bus").exists, "the session bus")

    def spawn(self, *command, as_root=False):
        """Starts a program on this screen; it ends with the screen at the latest."""
        user = () if as_root else AS_USER
        process = subprocess.Popen([*user, *command], env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=self.log, start_new_session=True)
        self.processes.append(process)
        return process

    def run(self, *command, seconds=10):
        """Runs a small program on this screen, and returns what it printed; nothing if it failed."""
        try:
            done = subprocess.run([*AS_USER, *command], env=self.environment, cwd=self.home, capture_output=True,
                                  text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    async def type(self, text, pause=0.5):
        """Types into the focused window, and presses Return."""
        self.run("xdotool", "type", "--delay", "25", "--", text)
        await asyncio.sleep(0.3)
        await self.key("Return", pause=pause)

    async def key(self, *keys, pause=0.5):
        self.run("xdotool", "key", *keys)
        await asyncio.sleep(pause)

    async def click(self, x, y, pause=0.5):
        self.run("xdotool", "mousemove", str(x), str(y), "click", "1")
        await asyncio.sleep(pause)

    async def focus(self, title, seconds=10):
        """Waits for the window with this title, and gives it the keys."""
        await until(lambda: self.run("xdotool", "search", "--onlyvisible", "--name", title), f"the window “{title}”", seconds)
        self.run("xdotool", "search", "--onlyvisible", "--name", title, "windowactivate", "--sync")
        await asyncio.sleep(0.5)

    async def press(self, title, x, y):
        """Clicks at a place of the window with this title, counted from its corner."""
        await self.focus(title)
        self.run("xdotool", "search", "--onlyvisible", "--name", title, "mousemove", "--window", "%1", str(x), str(y),
                 "click", "1")

    def activate(self, program, where, action, parameter):
        """Presses a button of a GTK program by its name (GAction over D-Bus)."""
        self.run("gdbus", "call", "--session", "--dest", program, "--object-path", where,
                 "--method", "org.gtk.Actions.Activate", action, f"[{parameter}]", "{}")

    def picture(self, moment):
        """Keeps a picture of the screen for a human's eye."""
        path = self.home / f"{moment}.png"
        self.run("import", "-window", "root", str(path))
        if path.exists():
            (self.lab.out / f"{self.name}-{moment}.png").write_bytes(path.read_bytes())

    @staticmethod
    def end(process):
        """Ends a program and what it started."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def stop(self):
        self.picture("end")
        for process in reversed(self.processes):
            self.end(process)
        self.log.close()
