"""Profanity, in a terminal."""

import conversation
from client import GroupClient
from people import address, password
from report import until
from screen import holds, Terminal


class Profanity(GroupClient):
    name = "profanity"

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

    def shows(self, text):
        return text in self.terminal.text()

    def shows_presence(self, status):
        return status in self.terminal.text()

    async def ask_for_avatar(self):
        await self.terminal.line(f"/avatar get {address(self.friend)}")

    def shows_avatar(self, picture):
        return holds(self.terminal.home, picture)

    async def stop(self):
        self.lab.keep(self.terminal.home / "log", "profanity.log")
        self.terminal.stop()


async def test(the_lab, server, report):
    await conversation.converse(Profanity, the_lab, server, report)
