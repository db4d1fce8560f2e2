"""Pidgin, on a screen without a monitor. What it has is asked over D-Bus (libpurple's own interface)."""

import ast
import asyncio

import conversation
from client import Client
from people import address, password
from screen import Desktop, give, holds

SERVICE, OBJECT, INTERFACE = "im.pidgin.purple.PurpleService", "/im/pidgin/purple/PurpleObject", "im.pidgin.purple.PurpleInterface"

#: Where the last button of a question is, in a list of the first size in the corner of the screen.
AUTHORIZE = (212, 367)


class Pidgin(Client):
    name = "pidgin"
    cannot = {"shows history": "libpurple knows no archive"}

    async def start(self):
        self.desktop = Desktop(self.lab, self.name)
        await self.desktop.start()
        folder = self.desktop.home / ".purple"
        folder.mkdir()
        (folder / "accounts.xml").write_text(f"""\
<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account><protocol>prpl-jabber</protocol><name>{address(self.user)}/pidgin</name>
<password>{password(self.user)}</password>
<settings><setting name='connection_security' type='string'>require_tls</setting></settings>
<settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings></account></account>
""")
        # Without a tray nothing else would show the list; and each conversation has a window, to be found by its title.
        (folder / "prefs.xml").write_text("""\
<?xml version='1.0' encoding='UTF-8' ?>
<pref version='1' name='/'><pref name='pidgin'>
<pref name='blist'><pref name='list_visible' type='bool' value='1'/></pref>
<pref name='conversations'><pref name='tabs' type='bool' value='0'/></pref>
<pref name='docklet'><pref name='show' type='string' value='never'/></pref>
</pref></pref>
""")
        give(self.desktop.home)
        self.desktop.spawn("pidgin", "-d", "-c", str(folder))

    async def approve(self):
        await asyncio.sleep(1.5)  # the question comes at the foot of the list
        await self.desktop.click(*AUTHORIZE)

    async def subscribe(self):
        """After an approval Pidgin opens its dialog for adding the contact."""
        await self.desktop.focus("Add Buddy")
        await self.desktop.key("alt+a")

    async def open(self):
        self.desktop.run("purple-remote", f"jabber:goim?screenname={address(self.friend)}")
        self.desktop.picture("open")

    async def say(self, text):
        await self.desktop.focus(self.friend)
        await self.desktop.type(text)

    def shows(self, text):
        return any(text in log.read_text() for log in self.desktop.home.glob(".purple/logs/**/*.html"))

    def shows_presence(self, status):
        """Of the list's entry for the friend, the active status' message."""
        accounts, = self.purple("AccountsGetAllActive")
        buddy, = self.purple("FindBuddy", accounts[0], address(self.friend))
        presence, = self.purple("BuddyGetPresence", buddy)
        active, = self.purple("PresenceGetActiveStatus", presence)
        message, = self.purple("StatusGetAttrString", active, "message")
        return message == status

    def purple(self, function, *arguments):
        """What a function of libpurple returns: a tuple of numbers, strings and lists."""
        answer = self.desktop.run("gdbus", "call", "--session", "--dest", SERVICE, "--object-path", OBJECT, "--method",
                                  f"{INTERFACE}.Purple{function}", *(str(argument) for argument in arguments))
        return ast.literal_eval(answer)

    async def reconnect(self):
        accounts, = self.purple("AccountsGetAllActive")
        self.purple("AccountConnect", accounts[0])

    def shows_avatar(self, picture):
        return holds(self.desktop.home, picture)

    async def stop(self):
        self.desktop.stop()


async def test(the_lab, server, report):
    await conversation.converse(Pidgin, the_lab, server, report)
