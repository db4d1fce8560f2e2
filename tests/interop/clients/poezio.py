"""poezio, in a terminal: slixmpp as a person uses it."""

import conversation
import lab
from client import Client
from people import address, password
from report import until
from screen import give, holds, Terminal


class Poezio(Client):
    name = "poezio"

    async def start(self):
        self.terminal = Terminal(self.lab, self.name)
        folder = self.terminal.home / ".config/poezio"
        folder.mkdir()
        # Without a log of its own all history comes from the archive.
        (folder / "poezio.cfg").write_text(f"""\
[Poezio]
jid = {address(self.user)}
password = {password(self.user)}
ca_cert_path = {lab.TRUST}
use_log = false
""")
        give(self.terminal.home)
        self.terminal.start("poezio", "-d", str(self.terminal.home / "log"))
        await until(lambda: "Authentication success" in self.terminal.text(), "poezio signed in")

    async def approve(self):
        await self.terminal.line(f"/accept {address(self.friend)}")  # it asks back at once

    async def open(self):
        await self.terminal.line(f"/message {address(self.friend)}")

    async def say(self, text):
        await self.terminal.line(text)

    def shows(self, text):
        return text in self.terminal.text()

    def shows_presence(self, status):
        return status in self.terminal.text()

    def shows_avatar(self, picture):
        return holds(self.terminal.home, picture)

    async def stop(self):
        self.lab.keep(self.terminal.home / "log", "poezio.log")
        self.terminal.stop()


async def test(the_lab, server, report):
    await conversation.converse(Poezio, the_lab, server, report)
