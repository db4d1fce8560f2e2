"""bitlbee: chat accounts as contacts on IRC. Its XMPP is an implementation of its own."""

import asyncio
import socket
import subprocess

import conversation
import lab
from client import Client
from people import address, password
from report import until
from screen import AS_USER, give, home

#: The nickname that bitlbee's channel has for us.
US = "tester"


class Bitlbee(Client):
    name = "bitlbee"
    cannot = {"has avatars": "IRC has no pictures", "shows history": "bitlbee knows no archive"}

    async def start(self):
        """One bitlbee for one connection, as inetd would start it, with us as its IRC client."""
        folder, environment = home(self.lab, self.name)
        config = folder / "bitlbee.conf"
        config.write_text(f"[settings]\nCAfile = {lab.TRUST}\n")
        give(folder)
        ours, its = socket.socketpair()
        with (self.lab.out / "bitlbee.log").open("w") as log, its:
            self.process = subprocess.Popen([*AS_USER, "bitlbee", "-I", "-c", config, "-d", folder], env=environment,
                                            cwd=folder, stdin=its, stdout=its, stderr=log)
        reader, self.writer = await asyncio.open_connection(sock=ours)
        self.said = []
        self.reading = asyncio.ensure_future(self._read(reader))
        self._send(f"NICK {US}")
        self._send(f"USER {US} 0 * :{US}")
        await self._sees("JOIN :&bitlbee")
        self._command(f"account add jabber {address(self.user)} {password(self.user)}")
        self._command("account jabber set resource bitlbee")
        self._command("set auto_reconnect_delay 2")
        self._command("account jabber on")
        await self._sees("Logged in")

    async def _read(self, reader):
        while line := (await reader.readline()).decode(errors="replace").strip():
            self.said.append(line)
            if line.startswith("PING"):
                self._send(line.replace("PING", "PONG", 1))

    def _send(self, line):
        self.said.append(f"> {line}")
        self.writer.write(f"{line}\r\n".encode())

    def _command(self, text):
        """Tells `root`, the operator of bitlbee's control channel."""
        self._send(f"PRIVMSG &bitlbee :{text}")

    def _has(self, text):
        return any(text in line for line in self.said if not line.startswith(">"))

    async def _sees(self, text):
        await until(lambda: self._has(text), f"bitlbee saying “{text}”")

    async def approve(self):
        await self._sees("wants to add you")
        self._command("yes")

    async def subscribe(self):
        self._command(f"add jabber {address(self.friend)}")

    async def open(self):
        await self._sees("JOIN :&bitlbee")

    async def say(self, text):
        self._send(f"PRIVMSG {self.friend} :{text}")

    def shows(self, text):
        return self._has(text)

    def shows_presence(self, status):
        self._send(f"WHOIS {self.friend}")
        return self._has(status)

    async def stop(self):
        self.reading.cancel()
        self.writer.close()
        self.process.terminate()
        self.process.wait(10)
        (self.lab.out / "bitlbee.txt").write_text("\n".join(self.said) + "\n")


async def test(the_lab, server, report):
    await conversation.converse(Bitlbee, the_lab, server, report)
