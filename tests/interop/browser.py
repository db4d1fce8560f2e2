"""Chromium without a window, moved by its DevTools protocol, and the pages that it is shown."""

import asyncio
import base64
import functools
import http.server
import itertools
import json
import pathlib
import ssl
import subprocess
import threading

import aiohttp

import lab
from report import until
from screen import AS_USER, Desktop, home

PAGES_PORT = 8443
DEVTOOLS = "http://127.0.0.1:9222"


class Pages:
    """A folder, served at the domain with the lab's certificate: browsers give much only to pages under TLS."""

    def __init__(self, the_lab, folder):
        handler = functools.partial(Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer((lab.ADDRESS, PAGES_PORT), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(the_lab.certificate, the_lab.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


class Browser:
    """One page. What it shows is read again and again, as a person would look at it."""

    def __init__(self, the_lab, name):
        self.lab, self.name = the_lab, name
        self.home, self.environment = home(the_lab, name)
        self.log = (the_lab.out / f"{name}.log").open("w")
        self.numbers = itertools.count(1)
        self.answers = {}
        self.text = self.html = ""
        self.tasks = []
        self.process = self.session = self.page = self.target = None

    async def open(self, url):
        """Starts the browser on this page."""
        self.process = subprocess.Popen(
            [*AS_USER, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--remote-debugging-port=9222", "--window-size=1280,800",
             f"--ignore-certificate-errors-spki-list={self._key()}", f"--user-data-dir={self.home}/profile", "about:blank"],
            env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)
        self.session = aiohttp.ClientSession()
        await self._tab(url)

    async def open_anew(self, url):
        """Goes on with this page in another tab, as one that was never open before."""
        for task in self.tasks:
            task.cancel()
        await self.page.close()
        async with self.session.get(f"{DEVTOOLS}/json/close/{self.target}"):
            self.text = self.html = ""
        await self._tab(url)

    async def _tab(self, url):
        for _ in range(200):
            try:
                async with self.session.put(f"{DEVTOOLS}/json/new?about:blank") as answer:
                    target = await answer.json()
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        else:
            raise TimeoutError("Chromium does not come up")
        self.target = target["id"]
        self.page = await self.session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0)
        self.tasks = [asyncio.ensure_future(self._listen())]
        await self.ask("Runtime.enable")
        await self.ask("Page.navigate", url=url)
        self.tasks.append(asyncio.ensure_future(self._look()))

    def _key(self):
        """The hash of the lab's key: Chromium has no other way to trust an authority for one run only."""
        public = subprocess.run(["openssl", "pkey", "-in", str(self.lab.key), "-pubout", "-outform", "der"],
                                capture_output=True, check=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=public, capture_output=True, check=True)
        return base64.b64encode(digest.stdout).decode()

    async def ask(self, method, **parameters):
        number = next(self.numbers)
        self.answers[number] = asyncio.get_running_loop().create_future()
        await self.page.send_str(json.dumps({"id": number, "method": method, "params": parameters}))
        return await asyncio.wait_for(self.answers[number], 30)

    async def run(self, script):
        """The value of an expression in the page."""
        answer = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer or "result" not in answer:  # nothing: the page went away meanwhile
            raise RuntimeError(json.dumps(answer.get("exceptionDetails"))[:500])
        return answer["result"].get("value")

    async def _listen(self):
        async for message in self.page:
            said = json.loads(message.data)
            if "id" in said:
                future = self.answers.pop(said["id"])
                if not future.done():
                    future.set_result(said.get("result", {}))
            elif said["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.log.write(json.dumps(said["params"])[:2000] + "\n")

    async def _look(self):
        while True:
            try:
                self.text = await self.run("document.body ? document.body.innerText : ''") or ""
                self.html = await self.run("document.documentElement.outerHTML") or ""
            except (RuntimeError, TimeoutError):
                pass
            await asyncio.sleep(0.3)

    async def picture(self, moment):
        """Keeps a picture of the page for a human's eye."""
        shot = await self.ask("Page.captureScreenshot", format="png")
        (self.lab.out / f"{self.name}-{moment}.png").write_bytes(base64.b64decode(shot["data"]))

    async def stop(self):
        if self.page is not None:
            await self.picture("end")
        for task in self.tasks:
            task.cancel()
        if self.session is not None:
            await self.session.close()
        if self.process is not None:
            Desktop.end(self.process)
        self.log.close()


async def shows(browser, text, seconds=30):
    await until(lambda: text in browser.text, f"the page showing “{text}”", seconds)


def pages_folder(the_lab):
    """Where `cargo xtask interop` has put the pages and the libraries from npm."""
    return pathlib.Path(the_lab.out) / "web"
