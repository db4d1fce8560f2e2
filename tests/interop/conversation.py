"""What every client is asked to show, whatever it is made of: the same conversation for each."""

import asyncio

from people import Person, avatar, create_account
from report import Skip, until

AWAY = "out for lunch"

#: What the friend looks like: orange, so that it is seen in the pictures.
FACE = avatar((240, 130, 20))


class Client:
    """A real client that a driver moves. `user` is its account, `friend` whom it talks to."""

    #: As in the verdicts.
    name = ""
    #: Checks that the client, or its driver, cannot take part in, and why.
    cannot = {}

    def __init__(self, the_lab, user, friend):
        self.lab, self.user, self.friend = the_lab, user, friend

    async def start(self):
        """Starts the client; it signs in by itself."""
        raise NotImplementedError

    async def approve(self):
        """Lets the friend, who has asked, see our presence."""
        raise NotImplementedError

    async def subscribe(self):
        """Asks to see the friend's presence, if the client has not asked back by itself."""

    async def open(self):
        """Opens the conversation with the friend, so that `say` goes there."""

    async def look_back(self):
        """Brings the conversation's history into sight, if the client needs to be told."""

    async def say(self, text):
        raise NotImplementedError

    def shows(self, text):
        """Whether the client has this message, from its screen or its own database."""
        raise NotImplementedError

    def shows_presence(self, status):
        """Whether the client shows the friend's presence with this status text."""
        raise NotImplementedError

    async def ask_for_avatar(self):
        """Has the client fetch the friend's avatar, if it does not by itself."""

    def shows_avatar(self, picture):
        """Whether the client has the friend's avatar: these very bytes."""
        raise NotImplementedError

    async def reconnect(self):
        """Hurries the client as its user might, if by itself it would wait for long."""

    async def stop(self):
        """Ends the client, and keeps a picture of its last state."""
        raise NotImplementedError


async def converse(client_class, the_lab, server, report):
    """Runs the conversation. What fails does not stop what can still be tried; only a failed sign-in does."""
    name = client_class.name
    user, friend = f"{name}-alice", f"{name}-bob"
    for account in (user, friend):
        await create_account(account)
    bob, tablet = await Person(friend).sign_in(), await Person(user, "tablet").sign_in(priority=-1)
    if "subscribes" in client_class.cannot:
        await tablet.befriend(bob)
    tablet.say(friend, "said before the client came")
    await bob.heard("said before the client came")
    client = client_class(the_lab, user, friend)
    try:
        failed = report.failed
        async with report.check(f"{name} signs in", 90):
            await client.start()
            await until(lambda: signed_in(tablet, user), "the client's presence at the account's other session", 60)
        if report.failed == failed:
            await talk(client, bob, tablet, server, report)
    finally:
        await client.stop()
        await bob.sign_out()
        await tablet.sign_out()


def signed_in(tablet, user):
    return any(p["from"].user == user and p["from"] != tablet.boundjid and p["type"] != "unavailable"
               for p in tablet.presences)


async def talk(client, bob, tablet, server, report):
    name, user, friend = client.name, client.user, client.friend
    async with report.check(f"{name} subscribes both ways", 90):
        possible(client, "subscribes")
        bob.send_presence_subscription(pto=tablet.boundjid.bare)
        await tablet.asked_by(friend)
        await client.approve()
        await bob.sees(user, ("subscribed",))
        await client.subscribe()
        await bob.asked_by(user)
        bob.send_presence_subscription(pto=tablet.boundjid.bare, ptype="subscribed")
        await tablet.sees(friend)
        await bob.sees(user)
    async with report.check(f"{name} sends a message"):
        await client.open()
        await client.say(f"ping from {name}")
        await bob.heard(f"ping from {name}")
    async with report.check(f"{name} gets a message"):
        bob.say(user, f"pong to {name}")
        await until(lambda: client.shows(f"pong to {name}"), "the client showing it")
    async with report.check(f"{name} sees presence"):
        bob.send_presence(pshow="away", pstatus=AWAY)
        await tablet.sees(friend, ("away",), AWAY)
        possible(client, "sees presence")
        await until(lambda: client.shows_presence(AWAY), "the client showing it")
    async with report.check(f"{name} has the friend's avatar"):
        await bob.wear(FACE)
        possible(client, "has avatars")
        await client.ask_for_avatar()
        await until(lambda: client.shows_avatar(FACE), "the client having it")
    async with report.check(f"{name}'s words are in the history of a second device"):
        texts = await tablet.history(friend)
        want = ["said before the client came", f"ping from {name}", f"pong to {name}"]
        assert texts == want, texts
    async with report.check(f"{name} shows the history from before it came"):
        possible(client, "shows history")
        await client.look_back()
        await until(lambda: client.shows("said before the client came"), "the client showing it")
    await restart(client, bob, tablet, server, report)


def possible(client, what):
    if what in client.cannot:
        raise Skip(client.cannot[what])


async def restart(client, bob, tablet, server, report):
    name = client.name
    async with report.check(f"{name} goes on after a restart of the server", 180):
        possible(client, "reconnects")
        bob.presences.clear()
        tablet.presences.clear()
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await asyncio.gather(bob.back(), tablet.back())
        await client.reconnect()
        bob.say(client.user, "after the restart")
        await until(lambda: client.shows("after the restart"), "the client showing what came after", 120)
        await client.say(f"{name} is back")
        await bob.heard(f"{name} is back")
        count = sum(message["body"] == f"{name} is back" for message in bob.messages)
        assert count == 1, f"it came {count} times"
