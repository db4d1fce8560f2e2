"""Dino, on a screen without a monitor. What it has is read from its database."""

import asyncio
import sqlite3

import conversation
from people import address, password
from report import until
from screen import Desktop, give, holds, rows


class Dino(conversation.Client):
    name = "dino"
    cannot = {"sees presence": "Dino shows no status text"}

    async def start(self):
        self.desktop = Desktop(self.lab, self.name)
        await self.desktop.start()
        self.database = self.desktop.home / ".local/share/dino/dino.db"
        first = self.desktop.spawn("dino-im")  # it makes its database
        await until(lambda: rows(self.database, "SELECT count(*) FROM account"), "Dino's database")
        self.desktop.end(first)
        with sqlite3.connect(self.database) as database:
            database.execute("INSERT INTO account (bare_jid, resourcepart, password, alias, enabled) "
                             "VALUES (?, 'dino', ?, '', 1)", (address(self.user), password(self.user)))
        give(self.desktop.home)
        self.desktop.spawn("dino-im")

    async def approve(self):
        """As the button of its notification does; it asks back at once."""
        found = await until(lambda: rows(
            self.database, "SELECT c.id FROM conversation c JOIN jid j ON j.id = c.jid_id WHERE j.bare_jid = ?",
            address(self.friend)), "Dino's conversation")
        self.desktop.activate("im.dino.Dino", "/im/dino/Dino", "accept-subscription", f"<{found[0][0]}>")

    async def open(self):
        self.desktop.run("dino-im", f"xmpp:{address(self.friend)}?message", seconds=5)
        await asyncio.sleep(3)
        self.desktop.picture("open")

    async def say(self, text):
        await self.desktop.type(text)

    def shows(self, text):
        return bool(rows(self.database, "SELECT 1 FROM message WHERE body = ?", text))

    def shows_avatar(self, picture):
        return holds(self.desktop.home, picture)

    async def stop(self):
        self.desktop.stop()


async def test(the_lab, server, report):
    await conversation.converse(Dino, the_lab, server, report)
