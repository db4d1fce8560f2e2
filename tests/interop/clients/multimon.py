"""multimon-ng: a receiver of radio paging. It decodes the sound that `rookery pager encode` makes, with its correction of errors
switched off, so that a wrong bit is a wrong page."""

import asyncio
import random
import string

from report import Skip

#: Pages of one kind at one rate, in transmissions of at most so many.
PAGES = 1000
TRANSMISSION = 250
RATES = (512, 1200, 2400)

#: No pager has these: their code words would be the idle word and the one that synchronises.
RESERVED = {0x7A89C197 >> 13, 0x7CD215D8 >> 13, 0}


class Kind:
    def __init__(self, letter, mode, label, signs, longest):
        self.letter, self.mode, self.label, self.signs, self.longest = letter, mode, label, signs, longest

    def page(self, dice):
        ric = 8
        while ric >> 3 in RESERVED or ric == 8:
            ric = dice.randrange(8, 1 << 21)
        text = "".join(dice.choice(self.signs) for _ in range(dice.randint(1, self.longest)))
        # A space at an end is not told from what fills up.
        return ric, text.strip() or "0"


PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
KINDS = {
    "texts": Kind("t", "alpha", "Alpha:   ", PRINTABLE, 80),
    "digits": Kind("n", "numeric", "Numeric: ", "0123456789U-", 40),
}


async def run(*command, stdin):
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate(stdin)
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}"
    return output


async def hear(server, rate, kind, pages):
    """Sends pages in one transmission; what the receiver heard, as it tells it."""
    listed = "".join(f"{ric} {kind.letter} {text}\n" for ric, text in pages).encode()
    options = ("--rate", rate, "--pages", "-", "--length", 80, "--raw")
    sound = await run(server.binary, "pager", "encode", *options, stdin=listed)
    decoder = ("multimon-ng", "-q", "-t", "raw", "-a", f"POCSAG{rate}", "-b", "0", "-f", kind.mode, "-")
    lines = (await run(*decoder, stdin=sound)).decode("latin-1").splitlines()
    heard = []
    for line in lines:
        head, _, text = line.partition(kind.label)
        heard.append((int(head.split()[2]), text.rstrip()))
    return sorted(heard)


async def test(_lab, server, report):
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    for rate in RATES:
        for what, kind in KINDS.items():
            async with report.check(f"multimon-ng reads {PAGES} random {what} at {rate} bit/s", 120):
                if server.name != "rookery":
                    raise Skip("it is no paging station")
                for _ in range(PAGES // TRANSMISSION):
                    pages = [kind.page(dice) for _ in range(TRANSMISSION)]
                    heard = await hear(server, rate, kind, pages)
                    wrong = [page for page in heard if page not in pages][:3]
                    assert heard == sorted(pages), f"seed {seed}: {len(heard)} of {len(pages)}, such as {wrong}"
