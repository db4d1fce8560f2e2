"""TAP: a caller by the published conversation, byte for byte, and a terminal that our client calls; both on TCP."""

import asyncio
import re

import lab
from clients.snpp import output
from people import Person, create_account
from report import Skip

PORT = 4446
TERMINAL_PORT = 4447

#: The example of the standard: pager 123, text ABC, and the sum that it must have.
BLOCK = b"\x02123\rABC\r\x0317;\r"


async def published(doctor, _server):
    reader, writer = await asyncio.open_connection(lab.ADDRESS, PORT)

    async def exchange(said, expected):
        writer.write(said)
        heard = await asyncio.wait_for(reader.readuntil(expected), 10)
        return heard

    await exchange(b"\r", b"ID=")
    await exchange(b"\x1bPG1\r", b"\x06\r\x1b[p\r")
    await exchange(BLOCK.replace(b"17;", b"17:"), b"\x15\r")
    await exchange(BLOCK, b"\x06\r")
    await exchange(b"\x04\r", b"\x1b\x04\r")
    writer.close()
    message = await doctor.heard("ABC")
    assert message["from"].user == "tap", message["from"]


async def our_caller(doctor, server):
    text = "Bring two litres to room 12. " * 20
    await output(server.binary, "pager", "send", f"tap://{lab.ADDRESS}:{PORT}", "123", text)
    await doctor.heard(text.strip())
    await output(server.binary, "pager", "send", f"tap://{lab.ADDRESS}:{PORT}", "999", "x", expect=1)


async def terminal(_doctor, server):
    """A terminal that is hard of hearing: it takes each block only when it comes for the second time."""
    blocks = []

    async def serve(reader, writer):
        assert (await reader.readexactly(1)) == b"\r"
        writer.write(b"ID=")
        assert (await reader.readuntil(b"\r")).startswith(b"\x1bPG1")
        writer.write(b"110 1.8\r\x06\r\x1b[p\r")
        heard = b""
        while True:
            heard += await reader.read(500)
            if heard.startswith(b"\x04"):
                writer.write(b"\x1b\x04\r")
                writer.close()
                return
            if not (whole := re.match(rb"\x02[^\x03\x17]*[\x03\x17]...\r", heard, re.DOTALL)):
                continue
            heard = heard[whole.end():]
            block = whole.group()
            checksum = sum(block[:-4]) & 0xFFF
            assert block[-4:-1] == bytes(0x30 + (checksum >> shift & 15) for shift in (8, 4, 0)), block
            again = block in blocks
            blocks.append(block)
            writer.write(b"\x06\r" if again else b"\x15\r")

    listening = await asyncio.start_server(serve, "127.0.0.1", TERMINAL_PORT)
    async with listening:
        text = "x" * 600
        await output(server.binary, "pager", "send", f"tap://127.0.0.1:{TERMINAL_PORT}", "123", text)
    assert len(blocks) == 6, f"{len(blocks)} blocks"
    assert b"".join(blocks[::2]).count(b"x") == 600


CHECKS = {
    "a caller by TAP pages a person": published,
    "our caller by TAP pages a person": our_caller,
    "a terminal by TAP takes our page": terminal,
}


async def test(_lab, server, report):
    doctor = None
    for name, check in CHECKS.items():
        async with report.check(name, 90):
            if server.name != "rookery":
                raise Skip("it is no paging station")
            if doctor is None:
                await create_account("doctor")
                doctor = await Person("doctor").sign_in()
                await output(server.binary, "--config", server.config, "pager", "add", "doctor", "123")
            await check(doctor, server)
    if doctor is not None:
        await doctor.sign_out()
