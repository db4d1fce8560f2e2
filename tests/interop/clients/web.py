"""Clients in a browser: strophe.js by WebSocket and by BOSH, @xmpp/client, and Converse."""

import asyncio
import base64
import json
import urllib.parse

import conversation
import lab
from browser import PAGES_PORT, Browser, Pages, pages_folder, shows
from client import Client, GroupClient
from people import password


class Page(Client):
    """A page of tests/interop/web. It has functions for what a person would click."""

    page = ""
    way = "websocket"
    cannot = {"has avatars": "the page shows no pictures"}

    async def start(self):
        self.pages = Pages(self.lab, pages_folder(self.lab))
        self.browser = Browser(self.lab, self.name)
        asked = urllib.parse.urlencode({"user": self.user, "password": password(self.user), "domain": lab.DOMAIN,
                                        "port": lab.HTTPS_PORT, "way": self.way})
        self.url = f"https://{lab.DOMAIN}:{PAGES_PORT}/{self.page}?{asked}"
        await self.browser.open(self.url)
        await self.started()

    async def started(self):
        await shows(self.browser, "connected")

    async def call(self, function, *arguments):
        written = ", ".join(json.dumps(argument) for argument in arguments)
        await self.browser.run(f"(async () => {{ await client.{function}({written}); }})()")

    async def approve(self):
        await self.call("approve", self.friend)

    async def subscribe(self):
        await self.call("subscribe", self.friend)

    async def look_back(self):
        await self.call("lookBack", self.friend)

    async def say(self, text):
        await self.call("say", self.friend, text)

    def shows(self, text):
        return text in self.browser.text

    def shows_presence(self, status):
        return status in self.browser.text

    async def stop(self):
        await self.browser.stop()
        self.pages.stop()


class StropheWebSocket(Page):
    name = "strophe-websocket"
    page = "strophe.html"


class StropheBosh(Page):
    name = "strophe-bosh"
    page = "strophe.html"
    way = "bosh"


class XmppClient(Page):
    name = "xmpp-client"
    page = "xmpp.html"


class Converse(Page, GroupClient):
    name = "converse"
    page = "converse.html"
    cannot = {"sees presence": "Converse shows by a colour that somebody is away, and not the words: see the picture"}

    async def started(self):
        self.opened = self.friend  # and its presence is waited for

    async def open(self):
        await self.call("open", self.friend)
        await asyncio.sleep(1)
        await self.browser.picture("open")

    async def open_group(self, address):
        """In a fresh tab: at the second loss of its connection Converse 14 does not resume, and yet does not always ask for
        what it missed, as it still holds itself for resumed."""
        self.opened = address
        await self.browser.open_anew(self.url)
        await shows(self.browser, "Tea")
        await self.call("openGroup", address)

    async def look_back_in_group(self):
        """Who scrolls to the top gets the page before."""
        await self.call("scrollUp")

    async def say(self, text):
        await self.call("say", self.opened, text)

    async def send_file(self, path):
        await self.call("sendFile", self.opened, path.name, base64.b64encode(path.read_bytes()).decode())

    def times(self, text):
        return self.browser.text.splitlines().count(text)

    def shows_avatar(self, picture):
        return base64.b64encode(picture).decode() in self.browser.html

    async def shows_picture(self, picture):
        return await self.browser.run(f"client.shows({json.dumps(picture.url)}, {picture.width})")

    async def keep_picture(self, moment):
        await self.browser.picture(moment)


def test_of(client):
    async def test(the_lab, server, report):
        await conversation.converse(client, the_lab, server, report)
    return test


TESTS = {client.name: test_of(client) for client in (StropheWebSocket, StropheBosh, XmppClient, Converse)}
