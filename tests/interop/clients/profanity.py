"""Profanity, in a terminal."""

import conversation
from client import GroupClient
from people import address, password
from report import until
from screen import holds, Terminal


class Profanity(GroupClient):
    name = "profanity"
    cannot = {
        "has the group's avatar": "Profanity knows no avatars of groups",
        "has the avatar of who is in the group": "Profanity hears of its contacts' avatars only",
        "shows nothing twice": "after a resumption libstrophe 0.12 sends the whole session again, and with it that it "
                               "enters the group: what a newcomer is told comes besides what was missed",
    }
    #: What servers tell who enters a group: twenty messages or more, and the picture is the last.
    looks_back = 19

    async def start(self):
        self.terminal = Terminal(self.lab, self.name)
        self.terminal.start("profanity", "-l", "DEBUG", "-f", str(self.terminal.home / "log"))
        await until(lambda: "Profanity" in self.terminal.text(), "Profanity's first screen")
        for command in ("/account add a", f"/account set a jid {address(self.user)}",
                        f"/account set a password {password(self.user)}", "/account set a tls force",
                        "/reconnect 3", "/autoping set 10", "/history on", "/mam on",
                        "/presence chat all", "/roster show status", "/connect a"):
            await self.terminal.line(command)
        await until(lambda: "logged in successfully" in self.terminal.text(), "Profanity signed in")

    async def subscribe(self):
        await self.terminal.line(f"/roster add {address(self.friend)}")
        await self.terminal.line(f"/sub request {address(self.friend)}")

    async def approve(self):
        await self.terminal.line(f"/sub allow {address(self.friend)}")

    async def open(self):
        await self.terminal.line(f"/msg {address(self.friend)}", 1)

    async def look_back(self):
        # The request for authorisation opened the window without asking for history; a new window asks.
        await self.terminal.line("/close")
        await self.open()

    async def say(self, text):
        await self.terminal.line(text)

    async def open_group(self, address):
        await self.terminal.line(f"/win {address}", 1)

    async def send_file(self, path):
        await self.terminal.line(f"/sendfile {path}")

    def shows(self, text):
        return text in self.terminal.text()

    def times(self, text):
        return self.terminal.text().count(f"{text} ")

    def shows_presence(self, status):
        return status in self.terminal.text()

    async def ask_for_avatar(self, whose):
        await self.terminal.line(f"/avatar get {whose}")

    def shows_avatar(self, picture):
        return holds(self.terminal.home, picture)

    async def fetch(self, url):
        await self.terminal.line(f"/url save {url} {self.terminal.home}/fetched", 2)

    async def shows_picture(self, picture):
        """A terminal shows none, but fetches it."""
        return holds(self.terminal.home, picture.content)

    async def stop(self):
        self.lab.keep(self.terminal.home / "log", "profanity.log")
        self.terminal.stop()


async def test(the_lab, server, report):
    await conversation.converse(Profanity, the_lab, server, report)
