"""What clients that know groups are asked to show besides: a private group that was there before they came.

Its owner, carol, is in nobody's contacts: all that a client knows of her it has from the group.
"""

import asyncio
import dataclasses
import io

import aiohttp
from slixmpp.xmlstream import ET

import lab
from people import Person, create_account
from pictures import avatar, photograph
from report import possible, until

#: What the group and its owner look like: green and violet.
SIGN = avatar((40, 160, 70))
OWNER_FACE = avatar((130, 60, 190))

#: The names in the group.
OWNER, USER = "carol", "alice"

#: More than an archive's usual page, so that clients turn pages.
SAID_BEFORE = 60

#: What is said around a kill, half of it unanswered when it comes.
STORM = 20

#: XEP-0402, and the server's own description of a file (docs/files.md).
BOOKMARKS = "urn:xmpp:bookmarks:1"
ROOKERY_FILE = "https://rookery.im/file"


@dataclasses.dataclass
class Picture:
    """A picture that was uploaded, and the size at which it is seen."""

    content: bytes
    url: str
    width: int
    height: int


class Meeting:
    """The group with its owner. `said` is every text that must be in it, in the order of the owner's ears."""

    def __init__(self, name, owner):
        self.address = f"{name}-tea@groups.{lab.DOMAIN}"
        self.owner = owner
        self.said = []
        self.picture = None

    async def say(self, *texts):
        """The owner says these texts, and has heard the last of them: they are in the group, in this order."""
        self.speak(*texts)
        await self.owner.heard(texts[-1])

    def speak(self, *texts):
        """The owner says these texts into the wind."""
        for text in texts:
            self.owner.make_message(mto=self.address, mbody=text, mtype="groupchat").send()
        self.said += texts

    async def heard(self, text, seconds=30):
        """The owner hears the client say this."""
        message = await self.owner.heard(text, seconds)
        assert message["from"] == f"{self.address}/{USER}", f"{message['from']} said it"
        self.said.append(text)


async def prepare(name, tablet, server, report):
    """The group with its history; the user's other device has bookmarked it. None if it could not be made."""
    await create_account(f"{name}-carol")
    meeting = Meeting(name, await Person(f"{name}-carol").sign_in())
    failed = report.failed
    async with report.check(f"{name}'s group is made, with its history"):
        await make(meeting, tablet.boundjid.bare)
        await meeting.say(*(f"tea {number}" for number in range(1, SAID_BEFORE + 1)))
        await share_picture(meeting)
        await bookmark(tablet, meeting.address)
    if report.failed > failed:
        await meeting.owner.sign_out()
        return None
    async with report.check(f"{name}'s group has a thumbnail of its picture"):
        possible(server, "makes thumbnails")
        await look_at_thumbnail(meeting)
    return meeting


async def make(meeting, member):
    """A private group as the clients of today make it: for members only, who see who is who (XEP-0045 §10.1.3)."""
    owner, address = meeting.owner, meeting.address
    await owner.wear(OWNER_FACE, public=True)
    rooms = owner["xep_0045"]
    await owner.enter(address, OWNER)
    await rooms.set_room_config(address, owner.form("http://jabber.org/protocol/muc#roomconfig", {
        "muc#roomconfig_roomname": "Tea", "muc#roomconfig_persistentroom": "1", "muc#roomconfig_membersonly": "1",
        "muc#roomconfig_whois": "anyone"}))
    await rooms.set_affiliation(address, "member", jid=member)
    # XEP-0486 §3: the vCard of the group.
    card = owner["xep_0054"].make_vcard()
    card["PHOTO"]["TYPE"] = "image/png"
    card["PHOTO"]["BINVAL"] = SIGN
    await owner["xep_0054"].publish_vcard(card, jid=address)


async def share_picture(meeting):
    """The owner uploads a picture and says where it is, as most clients do (XEP-0363, XEP-0066 §3). It is the last of
    the history, also for clients that keep times in seconds."""
    owner = meeting.owner
    await asyncio.sleep(1.5)
    content = photograph(640, 480, (230, 190, 60))
    url = await owner["xep_0363"].upload_file("teapot.png", len(content), "image/png", input_file=io.BytesIO(content))
    message = owner.make_message(mto=meeting.address, mbody=url, mtype="groupchat")
    message["oob"]["url"] = url
    message.send()
    await owner.heard(url)
    meeting.said.append(url)
    meeting.picture = Picture(content, url, 640, 480)


async def bookmark(person, address):
    """Has all devices of the account enter the group (XEP-0402)."""
    conference = ET.Element(f"{{{BOOKMARKS}}}conference", {"autojoin": "true", "name": "Tea"})
    ET.SubElement(conference, f"{{{BOOKMARKS}}}nick").text = USER
    options = person.form("http://jabber.org/protocol/pubsub#publish-options", {
        "pubsub#persist_items": "true", "pubsub#max_items": "max", "pubsub#send_last_published_item": "never",
        "pubsub#access_model": "whitelist"})
    await person["xep_0060"].publish(person.boundjid.bare, BOOKMARKS, id=address, payload=conference, options=options)


async def look_at_thumbnail(meeting):
    """The server tells whoever asks how large the picture is, and where a small one is (XEP-0264)."""
    iq = meeting.owner.make_iq_get(ito=lab.DOMAIN)
    iq.append(ET.Element(f"{{{ROOKERY_FILE}}}info", {"url": meeting.picture.url}))
    answer = (await iq.send(timeout=20)).xml
    file = answer.find(".//{urn:xmpp:file:metadata:0}file")
    size = tuple(int(file.find(f"{{urn:xmpp:file:metadata:0}}{side}").text) for side in ("width", "height"))
    assert size == (meeting.picture.width, meeting.picture.height), size
    thumbnail = file.find("{urn:xmpp:thumbs:1}thumbnail").attrib
    assert (thumbnail["width"], thumbnail["height"]) == ("320", "240"), thumbnail
    kind, small = await download(thumbnail["uri"])
    assert kind == thumbnail["media-type"], kind
    assert small and small != meeting.picture.content


async def meet(client, meeting, tablet, server, report):
    name, owner = client.name, meeting.owner
    failed = report.failed
    async with report.check(f"{name} is in the group"):
        await until(lambda: USER in owner["xep_0045"].get_roster(meeting.address), "the owner seeing it there")
        await client.open_group(meeting.address)
    if report.failed > failed:
        return
    async with report.check(f"{name} has the picture of the group's history"):
        await client.fetch(meeting.picture.url)
        await until_async(lambda: client.shows_picture(meeting.picture), "the client having it")
        await client.keep_picture("group")
    async with report.check(f"{name} has the group's history"):
        possible(client, "has the group's history")
        await client.look_back_in_group()
        texts = meeting.said[:SAID_BEFORE]
        await each_once(client, texts if client.looks_back is None else texts[-client.looks_back:])
    for whose, where, picture in (("the group's avatar", meeting.address, SIGN),
                                  ("the avatar of who is in the group", owner.boundjid.bare, OWNER_FACE)):
        async with report.check(f"{name} has {whose}"):
            possible(client, f"has {whose}")
            await client.ask_for_avatar(where)
            await until(lambda: client.shows_avatar(picture), "the client having it")
    async with report.check(f"{name} speaks in the group"):
        await client.say(f"tea from {name}")
        await meeting.heard(f"tea from {name}")
        await meeting.say(f"tea to {name}")
        await each_once(client, [f"tea from {name}", f"tea to {name}"])
    async with report.check(f"{name} sends a picture to the group"):
        await send_picture(client, meeting)
    await killed(client, meeting, server, report)
    async with report.check(f"the archive of {name}'s group has each word once, in order"):
        archived = await tablet.history_of_group(meeting.address)
        assert archived == meeting.said, difference(archived, meeting.said)


async def send_picture(client, meeting):
    possible(client, "sends files")
    content = photograph(320, 240, (60, 150, 230))
    path = client.lab.folder(f"from-{client.name}") / "cup.png"
    path.write_bytes(content)
    before = len(meeting.owner.messages)
    await client.send_file(path)
    message = await until(lambda: next((m for m in meeting.owner.messages[before:] if m["body"].startswith("https://")),
                                       None), "the owner getting an address")
    assert message["from"] == f"{meeting.address}/{USER}", message["from"]
    meeting.said.append(message["body"])
    kind, got = await download(message["body"])
    assert (kind, got) == ("image/png", content), (kind, len(got))


async def killed(client, meeting, server, report):
    """The server ends at once while both speak. What was said is there after it, once, wherever one looks."""
    name, owner = client.name, meeting.owner
    words = [f"storm {number} over {name}" for number in range(1, STORM + 1)]
    async with report.check(f"{name} goes on in the group after kill -9 of the server", 150):
        possible(server, "outlives a kill")
        resumed = owner.resumed
        await meeting.say(*words[:STORM // 2])
        await client.say(f"{name} in the storm")
        await meeting.heard(f"{name} in the storm")
        meeting.speak(*words[STORM // 2:])
        await owner.heard(words[STORM // 2])
        back = asyncio.ensure_future(owner.back())
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await back
        assert owner.resumed == resumed + 1, "the owner's session was not resumed"
        await client.reconnect()
        await meeting.say("after the storm")
        await has_all(client, [*words, "after the storm"], 100)
        await client.say(f"{name} is dry")
        await meeting.heard(f"{name} is dry")
        heard = [message["body"] for message in owner.messages if message["body"] in set(meeting.said)]
        assert heard == meeting.said, difference(heard, meeting.said)
    async with report.check(f"{name} shows nothing twice after kill -9 of the server"):
        possible(server, "outlives a kill")
        possible(client, "shows nothing twice")
        await each_once(client, [*words, f"{name} in the storm", "after the storm", f"{name} is dry"])


async def has_all(client, texts, seconds=30):
    """Waits until the client has all these texts of the group."""
    missing = lambda: [text for text in texts if not client.times(text)]
    try:
        await until(lambda: not missing(), "", seconds)
    except TimeoutError:
        raise TimeoutError(f"{client.name} has not all {len(texts)} texts after {seconds} s: {missing()}") from None


async def each_once(client, texts):
    """Waits until the client has all these texts of the group; none of them twice."""
    await has_all(client, texts)
    doubles = {text: client.times(text) for text in texts if client.times(text) != 1}
    assert not doubles, f"it has them more than once: {doubles}"


async def until_async(condition, what, seconds=30):
    """`until`, for a condition that has to be asked for."""
    end = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        await asyncio.sleep(0.5)


async def download(url):
    """What is at an address: its media type and bytes."""
    async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(url) as answer:
        return answer.content_type, await answer.read()


def difference(have, want):
    """In a few words, how two lists of texts differ."""
    missing = [text for text in want if text not in have]
    doubled = sorted({text for text in have if have.count(text) > 1})
    return f"missing {missing}, more than once {doubled}, {len(have)} for {len(want)}"
