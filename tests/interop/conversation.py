"""What every client is asked to show, whatever it is made of: the same conversation for each."""

import asyncio

import group
from client import GroupClient
from people import Person, address, create_account
from pictures import avatar
from report import possible, until

AWAY = "out for lunch"

#: What the friend looks like: orange, so that it is seen in the pictures.
FACE = avatar((240, 130, 20))


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
    meeting = await group.prepare(name, tablet, server, report) if issubclass(client_class, GroupClient) else None
    others = [bob, tablet, *([meeting.owner] if meeting else [])]
    client = client_class(the_lab, user, friend)
    try:
        failed = report.failed
        async with report.check(f"{name} signs in", 90):
            await client.start()
            await until(lambda: signed_in(tablet, user), "the client's presence at the account's other session", 60)
        if report.failed == failed:
            await talk(client, bob, tablet, report)
            await restart(client, bob, others, server, report)
            if meeting is not None:
                await group.meet(client, meeting, tablet, server, report)
    finally:
        await client.stop()
        for person in others:
            await person.sign_out()


def signed_in(tablet, user):
    return any(p["from"].user == user and p["from"] != tablet.boundjid and p["type"] != "unavailable"
               for p in tablet.presences)


async def talk(client, bob, tablet, report):
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
        await client.ask_for_avatar(address(friend))
        await until(lambda: client.shows_avatar(FACE), "the client having it")
    async with report.check(f"{name}'s words are in the history of a second device"):
        texts = await tablet.history(friend)
        want = ["said before the client came", f"ping from {name}", f"pong to {name}"]
        assert texts == want, texts
    async with report.check(f"{name} shows the history from before it came"):
        possible(client, "shows history")
        await client.look_back()
        await until(lambda: client.shows("said before the client came"), "the client showing it")


async def restart(client, bob, others, server, report):
    name = client.name
    async with report.check(f"{name} goes on after a restart of the server", 180):
        possible(client, "reconnects")
        for person in others:
            person.presences.clear()
        back = asyncio.gather(*(person.back() for person in others))
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await back
        await client.reconnect()
        bob.say(client.user, "after the restart")
        await until(lambda: client.shows("after the restart"), "the client showing what came after", 120)
        await client.say(f"{name} is back")
        await bob.heard(f"{name} is back")
        count = sum(message["body"] == f"{name} is back" for message in bob.messages)
        assert count == 1, f"it came {count} times"
