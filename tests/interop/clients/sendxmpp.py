"""go-sendxmpp: a small program of scripts. One listens (by STARTTLS), and each message is sent by another (by direct TLS)."""

import asyncio
import os
import subprocess

import conversation
import lab
from client import Client
from people import address, password
from screen import AS_USER


class GoSendxmpp(Client):
    name = "go-sendxmpp"
    cannot = {
        "subscribes": "it knows no roster",
        "sees presence": "it tells of messages only",
        "has avatars": "it tells of messages only",
        "shows history": "it knows no archive",
        "reconnects": "it ends with its connection",
    }

    async def start(self):
        self.heard = self.lab.out / "go-sendxmpp.log"
        self.command = [*AS_USER, "go-sendxmpp", "-u", address(self.user), "-p", password(self.user)]
        with self.heard.open("w") as heard:
            self.listener = subprocess.Popen([*self.command, "-l"], stdin=subprocess.DEVNULL, stdout=heard, stderr=heard)

    async def say(self, text):
        sender = await asyncio.create_subprocess_exec(
            *self.command, "-t", "-j", f"{lab.DOMAIN}:{lab.DIRECT_TLS_PORT}", address(self.friend),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = await sender.communicate(text.encode())
        assert sender.returncode == 0, output.decode(errors="replace")

    def shows(self, text):
        return text in self.heard.read_text(errors="replace")

    async def stop(self):
        self.listener.terminate()
        self.listener.wait(10)


async def test(the_lab, server, report):
    await conversation.converse(GoSendxmpp, the_lab, server, report)
