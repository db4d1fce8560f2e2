"""slixmpp: the whole of what an XMPP library asks of a server, between two of its sessions."""

import asyncio

import conversation
from people import Person, create_account
from report import until


async def test(_lab, server, report):
    names = ("slix-alice", "slix-bob")
    failed = report.failed
    async with report.check("slixmpp registers"):
        for name in names:
            await create_account(name)
    alice, bob = (Person(name) for name in names)
    async with report.check("slixmpp signs in"):
        await alice.sign_in()
        await bob.sign_in()
    if report.failed > failed:
        return
    async with report.check("slixmpp subscribes both ways"):
        await alice.befriend(bob)
    async with report.check("slixmpp sees presence"):
        bob.send_presence(pshow="away", pstatus="at lunch")
        await alice.sees("slix-bob", ("away",), "at lunch")
    async with report.check("slixmpp sees the avatar, and fetches it"):
        await bob.wear(conversation.FACE)
        notice = await until(lambda: next(iter(alice.avatars), None), "word of it")
        item = notice["pubsub_event"]["items"]["item"]
        fetched = await alice["xep_0084"].retrieve_avatar(bob.boundjid.bare, item["id"])
        assert fetched["pubsub"]["items"]["item"]["avatar_data"]["value"] == conversation.FACE
    async with report.check("slixmpp talks both ways"):
        alice.say("slix-bob", "hello bob")
        await bob.heard("hello bob")
        bob.say("slix-alice", "hello alice")
        await alice.heard("hello alice")
    await second_device(alice, report)
    async with report.check("slixmpp resumes after a lost connection (XEP-0198)"):
        await lose(alice)
        bob.say("slix-alice", "sent into the gap")
        await alice.heard("sent into the gap")
        await until(lambda: alice.resumed == 1, "resumption")
    await restart(server, alice, bob, report)
    async with report.check("slixmpp signs off, and is gone at once (RFC 6120 §4.4)"):
        bob.presences.clear()
        await alice.sign_out()
        await bob.sees("slix-alice", ("unavailable",), seconds=5)
    await bob.sign_out()


async def second_device(alice, report):
    phone = Person("slix-alice", "phone")
    async with report.check("slixmpp reads the history on a second device (XEP-0313)"):
        await phone.sign_in()
        texts = await phone.history("slix-bob")
        assert texts == ["hello bob", "hello alice"], texts
    async with report.check("slixmpp gets carbons (XEP-0280)"):
        alice.say("slix-bob", "copied to the phone")
        await until(lambda: any(m["body"] == "copied to the phone" for m in phone.carbons), "the carbon")
    await phone.sign_out()


async def lose(person):
    """Cuts the line, and waits until it is known to be cut."""
    gone = asyncio.ensure_future(person.wait_until("disconnected", 10))
    person.cut()
    await gone


async def restart(server, alice, bob, report):
    name = "slixmpp resumes across a restart of the server"
    before = (alice.resumed, bob.resumed)
    async with report.check("slixmpp is there again after a restart of the server"):
        gone = [asyncio.ensure_future(person.wait_until("disconnected", 30)) for person in (alice, bob)]
        again = [asyncio.ensure_future(person.back()) for person in (alice, bob)]
        await asyncio.to_thread(server.stop)
        await asyncio.gather(*gone)
        await asyncio.to_thread(server.start)
        await asyncio.gather(*again)
        alice.say("slix-bob", "after the restart")
        await bob.heard("after the restart")
        bob.say("slix-alice", "and back")
        await alice.heard("and back")
        for person, text in ((bob, "after the restart"), (alice, "and back")):
            count = sum(m["body"] == text for m in person.messages)
            assert count == 1, f"“{text}” came {count} times"
    async with report.check(name):
        assert (alice.resumed, bob.resumed) == (before[0] + 1, before[1] + 1), (alice.resumed, bob.resumed)
