"""Mail programs that send: swaks, Python's smtplib, curl, msmtp and mutt hand in mail, and Chatmail's program (deltachat-rpc-server)
chats over both doors."""

import asyncio
import email.message
import email.policy
import pathlib
import shutil
import smtplib

import lab
from clients.mailprograms import answered, in_thread, run, trusting
from people import Person, address, password
from report import Skip, until
from screen import Terminal

SENDER, READER = "mailsender", "mailgetter"
OUTSIDE = "someone@elsewhere.test"


def letter(subject, to, body="Words with grüße.\n"):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = address(SENDER), to, subject
    mail.set_content(body)
    return mail


async def swaks(*arguments, expect=0):
    process = await asyncio.create_subprocess_exec(
        "swaks", "--server", lab.DOMAIN, "--from", address(SENDER), "--timeout", "20", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    said = said.decode(errors="replace")
    assert process.returncode == expect, f"{process.returncode} instead of {expect}: {said[-400:]}"
    return said


LOGIN = ("--auth-user", address(SENDER), "--auth-password", password(SENDER))


async def with_swaks(reader):
    for number, door in enumerate((("--port", "587", "--tls", "--auth", "PLAIN"), ("--port", "465", "--tlsc", "--auth", "LOGIN"))):
        await swaks(*door, *LOGIN, "--to", address(READER), "--header", f"Subject: By swaks {number}")
        await until(lambda: any(f"By swaks {number}" in str(one) for one in reader.messages), "the mail as a message", 20)


async def with_bad_swaks():
    """What must not go: swaks says by its exit code at which step it was refused (28: sign-in, 23: MAIL, 24: RCPT, 26: the mail)."""
    tls = ("--port", "587", "--tls")
    await swaks(*tls, "--auth", "PLAIN", "--auth-user", SENDER, "--auth-password", "wrong", "--to", OUTSIDE, expect=28)
    await swaks(*tls, "--to", OUTSIDE, expect=23)
    await swaks(*tls, "--auth", "PLAIN", *LOGIN, "--from", address(READER), "--to", OUTSIDE, expect=23)
    await swaks(*tls, "--auth", "PLAIN", *LOGIN, "--to", f"nobody-at-all@{lab.DOMAIN}", expect=24)
    await swaks(*tls, "--auth", "PLAIN", *LOGIN, "--to", OUTSIDE, "--h-From", address(READER), expect=26)
    # Port 25 is for other servers: it relays for nobody, whoever says to be from here.
    await swaks("--port", "25", "--to", OUTSIDE, expect=24)


def with_smtplib():
    with smtplib.SMTP_SSL(lab.DOMAIN, 465, context=trusting()) as server:
        server.login(address(SENDER), password(SENDER))
        refused = server.send_message(letter("By smtplib", OUTSIDE), to_addrs=[OUTSIDE, address(READER)])
        assert not refused, refused


async def with_curl(the_lab):
    path = pathlib.Path(the_lab.folder("curl-mail")) / "mail"
    path.write_bytes(letter("By curl", OUTSIDE).as_bytes(policy=email.policy.SMTP))
    await run("curl", "-sS", "--ssl-reqd", "--user", f"{address(SENDER)}:{password(SENDER)}", "--mail-from", address(SENDER),
              "--mail-rcpt", OUTSIDE, "--upload-file", path, f"smtp://{lab.DOMAIN}:587")


async def with_msmtp(the_lab):
    config = pathlib.Path(the_lab.folder("msmtp")) / "msmtprc"
    config.write_text(f"account default\nhost {lab.DOMAIN}\nport 465\ntls on\ntls_starttls off\nauth on\n"
                      f"user {address(SENDER)}\npassword {password(SENDER)}\nfrom {address(SENDER)}\n")
    config.chmod(0o600)
    mail = letter("By msmtp", OUTSIDE).as_bytes()
    process = await asyncio.create_subprocess_exec("msmtp", "-C", config, OUTSIDE, stdin=asyncio.subprocess.PIPE,
                                                   stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate(mail)
    assert process.returncode == 0, said.decode()


async def with_mutt(the_lab):
    """A person reads a mail and answers it; the answer is a message for whoever wrote."""
    with smtplib.SMTP(lab.ADDRESS, 25, local_hostname="elsewhere.test") as server:
        question = letter("A question for mutt", address(SENDER), "How are you?\n")
        question.replace_header("From", OUTSIDE)
        server.send_message(question, from_addr=OUTSIDE)
    terminal = Terminal(the_lab, "mutt-sends")
    (terminal.home / ".muttrc").write_text(f"""\
set folder="imaps://{lab.DOMAIN}/" spoolfile="+INBOX" record="+Sent" postponed="+Drafts"
set imap_user="{address(SENDER)}" imap_pass="{password(SENDER)}"
set smtp_url="smtps://{SENDER}%40{lab.DOMAIN}@{lab.DOMAIN}/" smtp_pass="{password(SENDER)}"
set from="{address(SENDER)}" realname="Sender" use_from=yes ssl_force_tls=yes timeout=1 mail_check=1
set header_cache="" message_cachedir="" editor="true" include=yes fast_reply=yes autoedit=yes abort_unmodified=no
""")
    terminal.start("mutt")
    try:
        await until(lambda: "A question for mutt" in terminal.text(), "the list of mails", 20)
        terminal.key("End", "Enter")
        await until(lambda: "How are you?" in terminal.text(), "the mail", 20)
        terminal.key("r")
        await until(lambda: "y:Send" in terminal.text(), "the answer before it is sent", 20)
        terminal.key("y")
        await until(lambda: "Mail sent" in terminal.text(), "that it was sent", 30)
        terminal.key("q")
    finally:
        terminal.stop()


class Chatmail:
    """deltachat-rpc-server: JSON-RPC, a line each."""

    def __init__(self, the_lab, program):
        self.folder, self.program, self.number, self.waiting = the_lab.folder("deltachat"), program, 0, {}
        self.log = (the_lab.out / "deltachat.log").open("w")

    async def start(self):
        import os

        environment = {**os.environ, "DC_ACCOUNTS_PATH": str(self.folder / "accounts")}
        self.process = await asyncio.create_subprocess_exec(
            self.program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self.log, env=environment,
            limit=1 << 24)
        self.reading = asyncio.ensure_future(self._read())

    async def _read(self):
        import json

        while line := await self.process.stdout.readline():
            answer = json.loads(line)
            if (waits := self.waiting.pop(answer.get("id"), None)) is not None:
                waits.set_result(answer)

    async def call(self, method, *parameters):
        import json

        self.number += 1
        self.waiting[self.number] = asyncio.get_running_loop().create_future()
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": list(parameters)}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        answer = await self.waiting[self.number]
        assert "error" not in answer, f"{method}: {answer.get('error')}"
        return answer.get("result")

    async def account(self, name):
        number = await self.call("add_account")
        await self.call("add_or_update_transport", number, {
            "addr": address(name), "password": password(name), "certificateChecks": "acceptInvalidCertificates",
            "imapServer": lab.DOMAIN, "imapPort": 993, "imapSecurity": "ssl", "imapUser": address(name),
            "smtpServer": lab.DOMAIN, "smtpPort": 465, "smtpSecurity": "ssl", "smtpUser": address(name),
            "smtpPassword": password(name), "oauth2": False})
        await self.call("start_io", number)
        return number

    async def texts(self, account):
        """All that was said to an account."""
        found = []
        for chat in await self.call("get_chatlist_entries", account, None, None, None):
            for message in await self.call("get_message_ids", account, chat, False, False):
                found.append((await self.call("get_message", account, message))["text"])
        return found

    async def stop(self):
        self.process.terminate()
        await self.process.wait()
        self.reading.cancel()
        self.log.close()


async def with_deltachat(the_lab):
    """Two people who met by a code chat end-to-end encrypted over mail."""
    program = shutil.which("deltachat-rpc-server", path=str(pathlib.Path(__import__("sys").executable).parent))
    if program is None:
        raise Skip("deltachat-rpc-server is not there")
    chat = Chatmail(the_lab, program)
    await chat.start()
    try:
        one, two = await chat.account(SENDER), await chat.account(READER)
        code = await chat.call("get_chat_securejoin_qr_code", one, None)
        theirs = await chat.call("secure_join", two, code)

        async def heard(account, text):
            while text not in await chat.texts(account):
                await asyncio.sleep(0.5)
        # They greet each other by mail first.
        while True:
            try:
                await chat.call("misc_send_text_message", two, theirs, "Hello over mail")
                break
            except AssertionError:
                await asyncio.sleep(1)
        await heard(one, "Hello over mail")
        [mine] = [number for number in await chat.call("get_chatlist_entries", one, None, None, None)
                  if "Hello over mail" in [(await chat.call("get_message", one, it))["text"]
                                           for it in await chat.call("get_message_ids", one, number, False, False)]]
        await chat.call("misc_send_text_message", one, mine, "And back")
        await heard(two, "And back")
    finally:
        await chat.stop()


def sent_once():
    """A program that files a copy of what it has sent has it there once."""
    import imaplib

    program = imaplib.IMAP4_SSL(lab.DOMAIN, 993, ssl_context=trusting())
    program.login(address(SENDER), password(SENDER))
    answered(program.select("Sent", readonly=True))
    found = answered(program.search(None, "SUBJECT", '"A question for mutt"'))
    assert len(found[0].split()) == 1, found
    program.logout()


async def test(the_lab, server, report):
    if server.name != "rookery":
        report.skip("mail programs that send", "it is no mail server")
        return
    sender = await Person(SENDER, register=True).sign_in()
    reader = await Person(READER, register=True).sign_in()
    async with report.check("swaks hands in mail, over both doors"):
        await with_swaks(reader)
    async with report.check("swaks is refused what is not its own", 120):
        await with_bad_swaks()
    async with report.check("smtplib, curl and msmtp hand in mail"):
        await in_thread(with_smtplib)
        await with_curl(the_lab)
        await with_msmtp(the_lab)
    async with report.check("mutt answers a mail", 120):
        await with_mutt(the_lab)
    async with report.check("what a program files in Sent is there once"):
        await in_thread(sent_once)
    async with report.check("deltachat chats over mail", 180):
        await with_deltachat(the_lab)
    await sender.sign_out()
    await reader.sign_out()
