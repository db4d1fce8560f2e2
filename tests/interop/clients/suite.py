"""slixmpp's own integration suite, from its source distribution: an outside judge.

Each of its files runs in a process of its own with a time limit, so that one that hangs fails alone.
"""

import asyncio
import importlib.metadata
import os
import pathlib
import re
import sys
import tarfile

import lab
from people import address, create_account, password

CHILD = pathlib.Path(__file__).with_name("suite_child.py")
SECONDS = 40

#: What test_component connects as, and to.
COMPONENT = ("slix." + lab.DOMAIN, "secret", lab.DOMAIN, 5347)


async def test(the_lab, server, report):
    tree = unpack(the_lab)
    for name in ("suite-1", "suite-2"):
        await create_account(name)
    log = the_lab.out / "slixmpp-suite.log"
    log.write_text("")
    passed, total = 0, 0
    async with await asyncio.start_server(all_is_well, lab.ADDRESS, lab.STATUS_PORT):
        for file in sorted((tree / "itests").glob("test_*.py")):
            for name, result in (await run_file(tree, file, log)).items():
                total += 1
                passed += result == "ok"
                async with report.check(f"suite {file.stem}.{name}"):
                    if result != "ok":
                        raise Failed(result)
    print(f"slixmpp's suite: {passed} of {total} passed", flush=True)


async def all_is_well(reader, writer):
    """The status page that the server names for its outages (XEP-0455 §3.2): there is none."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()


class Failed(Exception):
    """A test of the suite that did not pass; the text says what it said."""


def unpack(the_lab):
    """The suite, changed in one thing: the component test has its addresses written into it."""
    name = f"slixmpp-{importlib.metadata.version('slixmpp')}"
    folder = the_lab.folder("suite")
    with tarfile.open(the_lab.out / f"{name}.tar.gz") as archive:
        suite = [member for member in archive.getmembers() if member.name.startswith(f"{name}/itests/")]
        archive.extractall(folder, suite, filter="data")
    tree = folder / name
    component = tree / "itests/test_component.py"
    text = component.read_text()
    for name, value in zip(("CI_JID", "CI_SECRET", "CI_SERVER", "CI_PORT"), COMPONENT):
        text = re.sub(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
    component.write_text(text)
    return tree


async def run_file(tree, file, log):
    """What became of each test of a file: ok, skipped, or what went wrong."""
    results = {name: "did not end" for name in re.findall(r"async def (test_\w+)", file.read_text())}
    environment = {
        **os.environ,
        "CI": "woodpecker",  # the component test runs only there
        "CI_ACCOUNT1": address("suite-1"), "CI_ACCOUNT1_PASSWORD": password("suite-1"),
        "CI_ACCOUNT2": address("suite-2"), "CI_ACCOUNT2_PASSWORD": password("suite-2"),
        "CI_MUC_SERVER": f"groups.{lab.DOMAIN}",
        "PYTHONPATH": str(tree),
    }
    with log.open("ab") as errors:
        child = await asyncio.create_subprocess_exec(
            sys.executable, CHILD, f"itests.{file.stem}", cwd=tree, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors)
        try:
            async with asyncio.timeout(SECONDS):
                async for line in child.stdout:
                    name, result = line.decode().strip().split(" ", 1)
                    results[name] = result
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
    return results
