"""Finch, in a terminal: libpurple, the library of Pidgin."""

import asyncio

import conversation
from client import Client
from people import address, password
from report import until
from screen import give, holds, Terminal


class Finch(Client):
    name = "finch"
    cannot = {
        "subscribes": "left to the account's other session",
        "sees presence": "the driver does not reach Finch's list",
        "shows history": "libpurple knows no archive",
        "reconnects": "the driver does not reach Finch's windows anew",
    }

    async def start(self):
        self.terminal = Terminal(self.lab, self.name)
        folder = self.terminal.home / ".purple"
        folder.mkdir()
        (folder / "accounts.xml").write_text(f"""\
<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account><protocol>prpl-jabber</protocol><name>{address(self.user)}/finch</name>
<password>{password(self.user)}</password>
<settings><setting name='connection_security' type='string'>require_tls</setting></settings>
<settings ui='gnt-purple'><setting name='auto-login' type='bool'>1</setting></settings></account></account>
""")
        give(self.terminal.home)
        self.terminal.start("finch")
        await until(lambda: "Buddy List" in self.terminal.text(), "Finch's list")

    async def open(self):
        self.terminal.key("C-o")  # the list's menu; its first entry is “Send IM…”
        await asyncio.sleep(1)
        self.terminal.key("Enter")
        await asyncio.sleep(1)
        self.terminal.key("-l", address(self.friend))
        await asyncio.sleep(0.5)
        self.terminal.key("Tab")
        await asyncio.sleep(0.3)
        self.terminal.key("Enter")
        await asyncio.sleep(1)

    async def say(self, text):
        await self.terminal.line(text)

    def shows(self, text):
        return text in self.terminal.text()

    def shows_avatar(self, picture):
        return holds(self.terminal.home, picture)

    async def stop(self):
        self.terminal.stop()


async def test(the_lab, server, report):
    await conversation.converse(Finch, the_lab, server, report)
