"""Verdicts: one line a check, `PASS name`, `FAIL name: why` or `SKIP name: why`."""

import asyncio
import contextlib


class Report:
    """`lacks`: checks that this server is known not to pass, and why. They are skipped when they fail, and fail when
    they pass, so that the list stays true."""

    def __init__(self, lacks):
        self.failed = 0
        self.lacks = lacks

    def passed(self, name):
        if name in self.lacks:
            self.fail(name, "it passes now: take it out of the list of what this server lacks")
            return
        print(f"PASS {name}", flush=True)

    def fail(self, name, why):
        self.failed += 1
        print(f"FAIL {name}: {one_line(why)}", flush=True)

    def skip(self, name, why):
        print(f"SKIP {name}: {one_line(why)}", flush=True)

    @contextlib.asynccontextmanager
    async def check(self, name, seconds=60):
        """The body is one check: it passes unless it raises or takes too long. The run goes on either way."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except Exception as error:
            self._judge(name, error, seconds)
        else:
            self.passed(name)

    def _judge(self, name, error, seconds):
        if name in self.lacks:
            self.skip(name, f"known: {self.lacks[name]}")
        elif isinstance(error, Skip):
            self.skip(name, error)
        elif isinstance(error, TimeoutError):
            self.fail(name, error if str(error) else f"took longer than {seconds} s")
        else:
            self.fail(name, f"{type(error).__name__}: {error}" if str(error) else repr(error))


class Skip(Exception):
    """Raised in a check that cannot be made here; the text says why."""


def possible(who, what):
    """Leaves the check if this client or server cannot take part in it (its `cannot` says why)."""
    if what in who.cannot:
        raise Skip(who.cannot[what])


def one_line(text):
    return " ".join(str(text).split())[:300]


async def until(condition, what, seconds=30, every=0.25):
    """Waits until `condition()` is true, and returns what it returned."""
    end = asyncio.get_running_loop().time() + seconds
    while not (result := condition()):
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        await asyncio.sleep(every)
    return result
