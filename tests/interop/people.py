"""People at the other end: slixmpp sessions that a check talks through, and looks with."""

import asyncio
import hashlib
import logging

import slixmpp

import lab
from pictures import AVATAR_SIZE
from report import until

PLUGINS = ("xep_0004", "xep_0030", "xep_0045", "xep_0054", "xep_0060", "xep_0066", "xep_0077", "xep_0084", "xep_0085",
           "xep_0115", "xep_0184", "xep_0198", "xep_0199", "xep_0280", "xep_0313", "xep_0363")


class Person(slixmpp.ClientXMPP):
    """One session of an account. It keeps what it gets and answers nothing by itself."""

    def __init__(self, name, resource="slixmpp", register=False):
        super().__init__(address(name, resource), password(name))
        self.messages = []
        self.carbons = []
        self.presences = []
        self.requests = []
        self.avatars = []
        self.groups = {}
        self.resumed = 0
        self.priority = 0
        self._signed_in = False
        self._leaving = False
        self._registers = register
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self["xep_0077"].create_account = register
        self["xep_0077"].force_registration = register
        self.auto_authorize = None
        self.auto_subscribe = False
        self.add_event_handler("register", self._register)
        self.add_event_handler("message", self.messages.append)
        self.add_event_handler("carbon_received", self._carbon)
        self.add_event_handler("carbon_sent", self._carbon)
        self.add_event_handler("avatar_metadata_publish", self.avatars.append)
        self.add_event_handler("presence_subscribe", self.requests.append)
        self.add_event_handler("session_resumed", self._resumed)
        self.add_event_handler("disconnected", self._disconnected)
        for shown in ("available", "unavailable", "subscribed", "unsubscribed"):
            self.add_event_handler(f"presence_{shown}", self.presences.append)
        # slixmpp tells available presence apart by its show; these are the shows.
        for show in ("away", "xa", "dnd", "chat"):
            self.add_event_handler(f"presence_{show}", self.presences.append)

    async def sign_in(self, priority=0):
        started = asyncio.ensure_future(self.wait_until("session_start", 20))
        self.priority = priority
        self.connect()
        await started
        self._signed_in = True
        await self.get_roster()
        await self["xep_0280"].enable()
        self.send_presence(ppriority=priority)
        return self

    async def sign_out(self):
        self._leaving = True
        await self.disconnect()

    def say(self, to, body):
        message = self.make_message(mto=address(to), mbody=body, mtype="chat")
        message.send()
        return message["id"]

    async def wear(self, picture, public=False):
        """Publishes an avatar (XEP-0084): the picture, and then word of it. A public one is seen by who is in the same
        group, too, not by contacts alone."""
        access = {"pubsub#access_model": "open"}
        options = self.form("http://jabber.org/protocol/pubsub#publish-options", access) if public else None
        await self["xep_0084"].publish_avatar(picture, options=options)
        about = {"id": hashlib.sha1(picture).hexdigest(), "type": "image/png", "bytes": str(len(picture)),
                 "width": str(AVATAR_SIZE), "height": str(AVATAR_SIZE)}
        await self["xep_0084"].publish_avatar_metadata(about, options=options)

    def form(self, kind, values):
        """A form that is submitted (XEP-0004)."""
        form = self["xep_0004"].make_form(ftype="submit")
        for key, value in {"FORM_TYPE": kind, **values}.items():
            form.add_field(var=key, value=value)
        return form

    async def heard(self, body, seconds=30):
        """The message with this text, sent to us (not a carbon)."""
        return await until(lambda: next((m for m in self.messages if m["body"] == body), None),
                           f"{self.boundjid} getting “{body}”", seconds)

    async def sees(self, name, show=("available",), status=None, seconds=30):
        """A presence of `name` that shows one of `show` (or type unavailable, subscribed …)."""
        def find():
            for presence in reversed(self.presences):
                if presence["from"].bare == address(name) and presence["type"] in show:
                    if status is None or presence["status"] == status:
                        return presence
            return None
        return await until(find, f"{self.boundjid} seeing {name} {'/'.join(show)}", seconds)

    async def befriend(self, other):
        """Both subscribe to each other, by request and approval."""
        self.send_presence_subscription(pto=other.boundjid.bare)
        await other.asked_by(self.boundjid.local)
        other.send_presence_subscription(pto=self.boundjid.bare, ptype="subscribed")
        await self.sees(other.boundjid.local, ("subscribed",))
        other.send_presence_subscription(pto=self.boundjid.bare)
        await self.asked_by(other.boundjid.local)
        self.send_presence_subscription(pto=other.boundjid.bare, ptype="subscribed")
        await other.sees(self.boundjid.local, ("subscribed",))
        await self.sees(other.boundjid.local)
        await other.sees(self.boundjid.local)

    async def asked_by(self, name, seconds=30):
        """A subscription request of `name`."""
        return await until(lambda: next((p for p in self.requests if p["from"].bare == address(name)), None),
                           f"{self.boundjid} being asked by {name}", seconds)

    async def history(self, name):
        """The texts of the archived conversation with `name`, in order (XEP-0313)."""
        return await self._texts(with_jid=address(name))

    async def history_of_group(self, group):
        """The texts in a group's own archive, in order (XEP-0313)."""
        return await self._texts(jid=group)

    async def _texts(self, **where):
        texts = []
        async for result in self["xep_0313"].iterate(rsm={"max": "50"}, **where):
            body = result["mam_result"]["forwarded"]["stanza"]["body"]
            if body:
                texts.append(body)
        return texts

    async def back(self, seconds=60):
        """After the server went away and came: until our session is resumed, or a new one has begun."""
        waits = [asyncio.ensure_future(self.wait_until(event, seconds)) for event in ("session_resumed", "session_start")]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        began_anew = waits[1].done()
        for wait in waits:
            wait.cancel()
        if began_anew:
            await self.get_roster()
            await self["xep_0280"].enable()
            self.send_presence(ppriority=self.priority)
            for group, nick in self.groups.items():
                await self.enter(group, nick)

    async def enter(self, group, nick):
        """Enters a group, and whenever a new session begins after a loss."""
        await self["xep_0045"].join_muc_wait(group, nick, maxstanzas=0, timeout=20)
        self.groups[group] = nick

    def cut(self):
        """Loses the connection as a train in a tunnel does: without a word."""
        self.transport.abort()

    async def _register(self, _form):
        iq = self.Iq()
        iq["type"] = "set"
        iq["register"]["username"] = self.boundjid.local
        iq["register"]["password"] = self.password
        await iq.send(timeout=20)

    def _carbon(self, message):
        inner = message["carbon_received"] if message.match("message/carbon_received") else message["carbon_sent"]
        self.carbons.append(inner)

    def _resumed(self, _stanza):
        self.resumed += 1

    async def _disconnected(self, _reason):
        if self._signed_in and not self._leaving:
            await asyncio.sleep(0.5)
            self.connect()


async def create_account(name):
    """Makes an account by in-band registration (XEP-0077)."""
    person = Person(name, "register", register=True)
    await person.sign_in()
    await person.sign_out()


def address(name, resource=None):
    bare = name if "@" in str(name) else f"{name}@{lab.DOMAIN}"
    return f"{bare}/{resource}" if resource else bare


def password(name):
    return f"{name}-secret"


def quiet():
    """slixmpp's own log would drown the verdicts."""
    logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
