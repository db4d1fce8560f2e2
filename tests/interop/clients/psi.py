"""Psi+, on a screen without a monitor. What comes while its chat is closed stands at once in its file of unread events."""

import conversation
from client import Client
from people import address, password
from screen import Desktop, give, holds

#: Its keyring is the profile itself; tips would lie over the other windows; a stranger's request shows itself.
OPTIONS = """\
<!DOCTYPE options>
<options version="1.4.554" xmlns="http://psi-im.org/options"><options>
<keychain><enabled type="bool">false</enabled></keychain>
<ui><tip><show type="bool">false</show></tip><message><auto-popup type="bool">true</auto-popup></message>
<notifications><popup-dialogs><suppress-when-not-on-roster type="bool">false</suppress-when-not-on-roster>
</popup-dialogs></notifications></ui>
</options></options>
"""

#: Where “Add/Auth” is in the window of a request.
AUTHORIZE = (404, 271)


class Psi(Client):
    name = "psi"
    cannot = {
        "sees presence": "Psi keeps no status text where a driver could read it",
        "shows history": "this Psi (1.4) knows no archive",
    }

    async def start(self):
        self.desktop = Desktop(self.lab, self.name)
        await self.desktop.start()
        self.profile = self.desktop.home / ".local/share/psi+/profiles/default"
        folder = self.desktop.home / ".config/psi+/profiles/default"
        folder.mkdir(parents=True)
        (folder / "options.xml").write_text(OPTIONS)
        (folder / "accounts.xml").write_text(self._account())
        give(self.desktop.home)
        self.desktop.spawn("psi-plus")

    def _account(self):
        """An account as Psi writes it itself."""
        return f"""\
<!DOCTYPE accounts>
<accounts version="1.4.554" xmlns="http://psi-im.org/options"><accounts><a0>
<enabled type="bool">true</enabled><auto type="bool">true</auto><reconn type="bool">true</reconn>
<name type="QString">ours</name><jid type="QString">{address(self.user)}</jid>
<password type="QString">{encoded(password(self.user), address(self.user))}</password>
<ssl type="QString">auto</ssl><resource type="QString">psi</resource>
<automaticResource type="bool">false</automaticResource><allow-plain type="QString">over encryped</allow-plain>
<id type="QString">{{11111111-2222-3333-4444-555555555555}}</id>
</a0></accounts></accounts>
"""

    async def approve(self):
        await self.desktop.press(self.friend, *AUTHORIZE)  # it asks back at once

    async def open(self):
        """Closes the window that tells of the friend's approval; it has the same title as the chat."""
        await self.desktop.focus(self.friend)
        await self.desktop.key("Escape")

    async def say(self, text):
        """Opens the chat, which shows what is unread, and closes it again."""
        self.desktop.run("psi-plus", "--remote", f"--uri=xmpp:{address(self.friend)}?message;type=chat")
        await self.desktop.focus(self.friend)
        await self.desktop.type(text)
        self.desktop.picture("chat")
        await self.desktop.key("Escape")

    def shows(self, text):
        return any(text in events.read_text() for events in self.profile.glob("events-*.xml"))

    def shows_avatar(self, picture):
        return holds(self.desktop.home, picture)

    async def stop(self):
        self.desktop.stop()


def encoded(text, key):
    """As Psi keeps a password: each character mixed with one of the address, four digits each."""
    return "".join(f"{ord(character) ^ ord(key[i % len(key)]):04x}" for i, character in enumerate(text))


async def test(the_lab, server, report):
    await conversation.converse(Psi, the_lab, server, report)
