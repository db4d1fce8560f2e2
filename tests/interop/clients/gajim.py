"""Gajim, on a screen without a monitor. What it has is read from its archive and asked over D-Bus."""

import asyncio
import json
import sqlite3
import subprocess

import conversation
import lab
from client import GroupClient
from people import address, password
from screen import Desktop, give, holds, rows

ACCOUNT = "ours"

#: The window, in the corner of the screen, and where in it the line for writing is.
SIZE = (1000, 740)
INPUT = (695, 735)

#: Gajim's defaults come from its own modules, which only Debian's Python has.
DEFAULTS = """
import json
from gajim.common import setting_values as values
print(json.dumps({"status_presets": values.STATUS_PRESET_EXAMPLES, "proxies": values.PROXY_EXAMPLES,
                  "workspaces": values.INITAL_WORKSPACE, "soundevents": {}, "plugins": {}}))
"""


class Gajim(GroupClient):
    name = "gajim"

    async def start(self):
        self.desktop = Desktop(self.lab, self.name)
        await self.desktop.start()
        self.archive = self.desktop.home / ".local/share/gajim/logs.db"
        self._settings(self.desktop.home / ".config/gajim")
        give(self.desktop.home)
        self.desktop.spawn("gajim", "-v")

    def _settings(self, folder):
        """Settings as Gajim writes them itself."""
        folder.mkdir()
        defaults = subprocess.run(["/usr/bin/python3", "-c", DEFAULTS], capture_output=True, text=True, check=True)
        settings = json.loads(defaults.stdout)
        settings["app"] = {"use_keyring": False, "check_for_update": False, "plugins_update_check": False,
                           "remote_control": True, "mainwin_width": SIZE[0], "mainwin_height": SIZE[1]}
        account = {"name": self.user, "hostname": lab.DOMAIN, "password": password(self.user), "savepass": True,
                   "active": True, "autoconnect": True, "account_label": ACCOUNT, "resource": "gajim"}
        with sqlite3.connect(folder / "settings.sqlite") as database:
            database.execute("CREATE TABLE settings (name TEXT UNIQUE, settings TEXT)")
            database.execute("CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT)")
            database.executemany("INSERT INTO settings VALUES (?, ?)",
                                 [(name, json.dumps(value)) for name, value in settings.items()])
            everything = {"account": account, "contact": {}, "group_chat": {}}
            database.execute("INSERT INTO account_settings VALUES (?, ?)", (ACCOUNT, json.dumps(everything)))
            database.execute("PRAGMA user_version = 5")

    async def approve(self):
        self.window(f"subscription-accept-{ACCOUNT}", f"<['{address(self.friend)}', '{self.friend}']>")

    def window(self, action, parameter):
        """Does what a button or a menu of Gajim's window does."""
        self.desktop.activate("org.gajim.Gajim", "/org/gajim/Gajim/window/1", action, parameter)

    async def subscribe(self):
        """After an approval Gajim opens its dialog for adding the contact."""
        await self.desktop.focus("Add Contact")
        await self.desktop.key("Return", pause=1.5)  # Next
        await self.desktop.key("Return", pause=1.5)  # Add Contact

    async def open(self):
        self.desktop.run("gajim", f"xmpp:{address(self.friend)}?message", seconds=5)
        await asyncio.sleep(1)
        await self.desktop.key("Return", pause=3)  # takes the contact in “Start / Join Chat”
        self.desktop.picture("open")

    async def say(self, text):
        await self.desktop.click(*INPUT)  # it loses the focus when the connection is lost
        await self.desktop.type(text)

    async def open_group(self, address):
        self.window("add-group-chat", f"<['{ACCOUNT}', '{address}', 'selected']>")
        await asyncio.sleep(2)

    async def keep_picture(self, moment):
        await asyncio.sleep(1)  # until it is drawn
        self.desktop.picture(moment)

    async def send_file(self, path):
        self.window("send-file-httpupload", f"<['{path.as_uri()}']>")
        await asyncio.sleep(2)
        self.desktop.picture("send")
        await self.desktop.key("Return")

    def shows(self, text):
        return self.times(text) > 0

    def times(self, text):
        return len(rows(self.archive, "SELECT 1 FROM logs WHERE message = ?", text))

    async def shows_picture(self, picture):
        """Gajim makes its own small picture of what it has fetched."""
        thumbnails = self.desktop.home / ".cache/gajim/downloads.thumb"
        return holds(self.desktop.home / ".local/share/gajim/downloads", picture.content) and any(thumbnails.iterdir())

    def shows_presence(self, status):
        return status in self.desktop.run("gajim-remote", "list_contacts", ACCOUNT)

    def shows_avatar(self, picture):
        return holds(self.desktop.home, picture)

    async def stop(self):
        self.desktop.stop()


async def test(the_lab, server, report):
    await conversation.converse(Gajim, the_lab, server, report)
