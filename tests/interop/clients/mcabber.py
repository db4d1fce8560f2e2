"""mcabber, in a terminal: an old client with a library of its own (loudmouth)."""

import conversation
import lab
from client import Client
from people import address, password
from report import until
from screen import Terminal, give


class Mcabber(Client):
    name = "mcabber"
    cannot = {
        "subscribes": "left to the account's other session",
        "has avatars": "mcabber shows no pictures",
        "shows history": "mcabber knows no archive",
        "reconnects": "mcabber waits for minutes",
    }

    async def start(self):
        self.terminal = Terminal(self.lab, self.name)
        config = self.terminal.home / "mcabberrc"
        config.write_text(f"""\
set jid = {address(self.user)}
set password = {password(self.user)}
set server = {lab.DOMAIN}
set tls = 1
set ssl_ignore_checks = 0
set ssl_ca_file = {lab.TRUST}
""")
        config.chmod(0o600)
        give(self.terminal.home)
        self.terminal.start("mcabber", "-f", str(config))
        await until(lambda: self.friend in self.terminal.text(), "mcabber's roster")

    async def open(self):
        await self.terminal.line(f"/roster search {address(self.friend)}")
        self.terminal.key("Enter")

    async def say(self, text):
        await self.terminal.line(f"/say_to {address(self.friend)} {text}")

    def shows(self, text):
        return text in self.terminal.text()

    def shows_presence(self, status):
        return status in self.terminal.text()

    async def stop(self):
        self.terminal.stop()


async def test(the_lab, server, report):
    await conversation.converse(Mcabber, the_lab, server, report)
