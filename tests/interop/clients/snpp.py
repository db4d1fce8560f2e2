"""SNPP: callers that page a person here (sendpage of HylaFAX, Net::SNPP of Perl), and a carrier that we page (Net::SNPP::Server)."""

import asyncio
import pathlib

import lab
from people import Person, create_account
from report import Skip, until

PORT = 4444
CARRIER_PORT = 4445
FOLDER = pathlib.Path(__file__).with_name("perl")


async def output(*command, expect=0, seconds=30):
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await asyncio.wait_for(process.communicate(), seconds)
    assert process.returncode == expect, f"{command[0]} ended with {process.returncode}: {said.decode(errors='replace')}"
    return said.decode(errors="replace")


def perl(script, *arguments):
    return ("perl", FOLDER / script, lab.ADDRESS, PORT, *arguments)


async def sendpage(nurse, _server):
    await output("sendpage", "-h", f"{lab.ADDRESS}:{PORT}", "-p", "nurse", "Two litres to room 12")
    await nurse.heard("Two litres to room 12")


async def perl_one_way(nurse, _server):
    await output(*perl("one_way.pl", "nurse", "Fire in the laundry"))
    message = await nurse.heard("‼️ Fire in the laundry")
    assert message["from"].user == "ward\\203", message["from"]


async def perl_two_way(nurse, _server):
    said = await output(*perl("two_way.pl", "nurse", "Room 12, please"))
    tag, code = said.split()[:2]
    message = await nurse.heard("Room 12, please\n1: Coming\n2: Not now")

    async def status(expected):
        async def asked():
            return (await output(*perl("status.pl", tag, code))).strip()
        for _ in range(40):
            if (last := await asked()).startswith(expected):
                return last
            await asyncio.sleep(0.25)
        raise AssertionError(f"{expected} was expected, and is {last}")

    await status("861")
    nurse.say(message["from"].bare, "1")
    assert (await status("888")).endswith("1 1")


async def perl_unknown(_nurse, _server):
    said = await output(*perl("one_way.pl", "nobody", "x"), expect=1)
    assert "550" in said, said


async def our_caller(_nurse, server):
    """Our client against a carrier of Perl: both what it takes and what it does not."""
    carrier = await asyncio.create_subprocess_exec(
        "perl", FOLDER / "carrier.pl", str(CARRIER_PORT), stdout=asyncio.subprocess.PIPE)
    try:
        await carrier.stdout.readline()
        url = f"snpp://127.0.0.1:{CARRIER_PORT}"
        said = await output(server.binary, "pager", "send", url, "5551234", "Two litres\nto room 12", "--two-way")
        assert "Ask for it by" in said, said
        page = (await asyncio.wait_for(carrier.stdout.readline(), 10)).decode()
        assert "5551234" in page and "Two litres" in page and "to room 12" in page, page
        await output(server.binary, "pager", "send", url, "12", "x", expect=1)
    finally:
        carrier.terminate()
        await carrier.wait()


CHECKS = {
    "sendpage pages a person": sendpage,
    "Net::SNPP pages a person": perl_one_way,
    "Net::SNPP hears what became of a page": perl_two_way,
    "Net::SNPP hears that a pager is nobody's": perl_unknown,
    "Net::SNPP::Server takes our page": our_caller,
}


async def test(_lab, server, report):
    nurse = None
    for name, check in CHECKS.items():
        async with report.check(name, 60):
            if server.name != "rookery":
                raise Skip("it is no paging station")
            if nurse is None:
                await create_account("nurse")
                nurse = await Person("nurse").sign_in()
            await check(nurse, server)
    if nurse is not None:
        await nurse.sign_out()
