"""Dino, on a screen without a monitor. What it has is read from its database."""

import asyncio
import sqlite3

import conversation
from client import GroupClient
from people import address, password
from report import until
from screen import Desktop, give, holds, rows

#: Where the button for files is, in a window of the first size in the middle of the screen.
ATTACH = (377, 713)
#: And where a file is that was sent last.
LAST_FILE = (450, 650)


class Dino(GroupClient):
    name = "dino"
    cannot = {"sees presence": "Dino shows no status text"}
    # It asks for one page of 20 when it enters, of which one is the picture, and mostly for no other (dino issues 1386, 1558).
    looks_back = 19

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
        await self.conversation("accept-subscription", address(self.friend))

    async def conversation(self, action, address):
        """Does what a button that belongs to a conversation does."""
        found = await until(lambda: rows(
            self.database, "SELECT c.id FROM conversation c JOIN jid j ON j.id = c.jid_id WHERE j.bare_jid = ?",
            address), "Dino's conversation")
        self.desktop.activate("im.dino.Dino", "/im/dino/Dino", action, f"<{found[0][0]}>")

    async def open(self):
        self.desktop.run("dino-im", f"xmpp:{address(self.friend)}?message", seconds=5)
        await asyncio.sleep(3)
        self.desktop.picture("open")

    async def say(self, text):
        await self.desktop.type(text)

    async def open_group(self, address):
        await self.conversation("open-conversation", address)
        await asyncio.sleep(2)

    async def keep_picture(self, moment):
        await asyncio.sleep(1)  # until it is drawn
        self.desktop.picture(moment)

    async def send_file(self, path):
        """By the button for files, the dialogue that it opens, and the question whether it is the right one."""
        await self.desktop.click(*ATTACH, pause=2)
        await self.desktop.type(str(path), pause=2)
        self.desktop.picture("send")
        await self.desktop.key("Return")

    def shows(self, text):
        return self.times(text) > 0

    def times(self, text):
        return len(rows(self.database, "SELECT 1 FROM message WHERE body = ?", text))

    async def fetch(self, url):
        """By itself Dino fetches only what contacts send. It takes an address alone for a file."""
        await self.desktop.click(*LAST_FILE)

    async def shows_picture(self, picture):
        return holds(self.desktop.home / ".local/share/dino/files", picture.content)

    def shows_avatar(self, picture):
        return holds(self.desktop.home, picture)

    async def stop(self):
        self.desktop.stop()


async def test(the_lab, server, report):
    await conversation.converse(Dino, the_lab, server, report)
