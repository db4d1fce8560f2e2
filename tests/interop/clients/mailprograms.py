"""Mail programs by IMAP: curl, Python's imaplib, imapclient, mbsync (both ways) and mutt, which a person would sit before. All see the
same mails, which came by SMTP."""

import asyncio
import email.message
import email.policy
import imaplib
import pathlib
import smtplib
import ssl

import lab
from people import Person, address, password
from report import until
from screen import Terminal

USER = "mailreader"
SUBJECTS = [f"Letter {number}" for number in range(1, 6)]


def letter(number, subject):
    mail = email.message.EmailMessage()
    mail["From"] = "Jürgen Maß <juergen@elsewhere.test>"
    mail["To"] = address(USER)
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{number}@elsewhere.test>"
    mail["Date"] = f"Mon, 0{number} Jan 2024 10:00:00 +0100"
    mail.set_content(f"Dear reader, this is number {number}, with grüße.\n")
    mail.add_attachment(bytes(range(256)) * 8, maintype="application", subtype="octet-stream", filename="bytes.bin")
    return mail


def bring(*mails):
    with smtplib.SMTP(lab.ADDRESS, 25, local_hostname="elsewhere.test") as server:
        for mail in mails:
            server.send_message(mail)


def trusting():
    return ssl.create_default_context()


def signed_in():
    """imaplib, in TLS from the start."""
    program = imaplib.IMAP4_SSL(lab.DOMAIN, 993, ssl_context=trusting())
    program.login(address(USER), password(USER))
    return program


def answered(answer):
    status, data = answer
    assert status == "OK", data
    return data


def with_imaplib():
    program = imaplib.IMAP4(lab.DOMAIN, 143)
    answered(program.starttls(trusting()))
    answered(program.login(address(USER), password(USER)))
    names = b" ".join(answered(program.list()))
    assert all(role in names for role in (b"\\Sent", b"\\Drafts", b"\\Junk", b"\\Trash", b"\\Archive")), names
    there = answered(program.select("INBOX"))
    assert there == [str(len(SUBJECTS)).encode()], there
    for number, subject in enumerate(SUBJECTS, 1):
        [(_, raw), _] = answered(program.fetch(str(number), "(BODY.PEEK[])"))
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert mail["Subject"] == subject and mail["From"] == "Jürgen Maß <juergen@elsewhere.test>", mail["From"]
        [attachment] = mail.iter_attachments()
        assert attachment.get_content() == bytes(range(256)) * 8, "the file is another"
    program.literal = "GRÜßE".encode()
    found = answered(program.uid("SEARCH", "CHARSET", "UTF-8", "BODY"))
    assert found == [b"1 2 3 4 5"], found
    found = answered(program.search(None, "UNSEEN", "SUBJECT", '"Letter 3"'))
    assert found == [b"3"], found
    answered(program.append("Drafts", r"(\Draft)", imaplib.Time2Internaldate(0), b"Subject: draft\r\n\r\nnot yet\r\n"))
    program.logout()


def with_imapclient():
    import imapclient

    with imapclient.IMAPClient(lab.DOMAIN, ssl_context=trusting()) as program:
        program.login(address(USER), password(USER))
        program.select_folder("INBOX")
        found = program.fetch(program.search(), ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "RFC822.SIZE", "INTERNALDATE"])
        assert [mail[b"ENVELOPE"].subject.decode() for mail in found.values()] == SUBJECTS
        assert all(mail[b"BODYSTRUCTURE"].is_multipart for mail in found.values())
        program.create_folder("Ordner/Übung")
        program.copy([1, 2], "Ordner/Übung")
        program.move([2], "Archive")
        program.add_flags([1], [imapclient.FLAGGED, b"$Work"])
        assert {imapclient.FLAGGED, b"$Work"} <= set(program.get_flags([1])[1]), program.get_flags([1])
        assert program.folder_status("Ordner/Übung", ["MESSAGES"])[b"MESSAGES"] == 2
        assert program.find_special_folder(b"\\Sent") == "Sent"
        assert program.get_quota_root("INBOX")
        program.idle()
        bring(letter(6, "Letter 6"))
        heard = program.idle_check(timeout=20)
        assert any(b"EXISTS" in one for one in heard), heard
        program.idle_done()
        program.select_folder("Archive")
        program.delete_messages([1])
        program.expunge()
        program.delete_folder("Ordner/Übung")


async def run(*command, **options):
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, **options)
    output, _ = await process.communicate()
    output = output.decode(errors="replace")
    assert process.returncode == 0, output[-500:]
    return output


async def with_curl():
    login = ("-sS", "--user", f"{address(USER)}:{password(USER)}")
    listed = await run("curl", *login, f"imaps://{lab.DOMAIN}/")
    assert '"INBOX"' in listed and "\\Sent" in listed, listed
    mail = await run("curl", *login, f"imaps://{lab.DOMAIN}/INBOX;MAILINDEX=1")
    assert "Subject: Letter 1" in mail, mail
    found = await run("curl", *login, "--ssl-reqd", f"imap://{lab.DOMAIN}/INBOX?SUBJECT%20Letter")
    assert found.split()[:2] == ["*", "SEARCH"] and "5" in found, found


async def with_mbsync(the_lab):
    """Both ways: what is here is there, what is marked or made on either side is so on the other."""
    folder = the_lab.folder("mbsync")
    config = pathlib.Path(folder) / "mbsyncrc"
    config.write_text(f"""\
IMAPAccount ours
Host {lab.DOMAIN}
User {address(USER)}
Pass {password(USER)}
SSLType IMAPS

IMAPStore far
Account ours

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Archive Drafts Sent
Create Both
Expunge Both
SyncState *
""")
    (pathlib.Path(folder) / "mail").mkdir()

    async def sync():
        await run("mbsync", "-c", config, "-a")

    def mails(name):
        return sorted(path for sub in ("cur", "new") for path in (pathlib.Path(folder) / "mail" / name / sub).glob("*"))

    await sync()
    program = signed_in()
    there = int(answered(program.select("INBOX"))[0])
    assert len(mails("INBOX")) == there, f"{len(mails('INBOX'))} of {there}"
    # Seen and removed here, it is so there; removed there, it is so here; made here, it is there.
    seen, gone = mails("INBOX")[0], mails("INBOX")[1]
    flags = seen.name.partition(":2,")[2]
    marked = seen.parent.parent / "cur" / f"{seen.name.partition(':2,')[0]}:2,{''.join(sorted({*flags, 'S'}))}"
    seen.rename(marked)
    gone.unlink()
    new = pathlib.Path(folder) / "mail" / "Sent" / "cur" / "1.made.here:2,S"
    new.write_text("Subject: made here\nFrom: a@b.test\n\nhello\n")
    await sync()
    assert int(answered(program.select("INBOX"))[0]) == there - 1
    assert answered(program.search(None, "SEEN")) != [b""]
    answered(program.select("Sent"))
    assert answered(program.search(None, "SUBJECT", '"made here"')) != [b""]
    answered(program.select("INBOX"))
    answered(program.store("1", "+FLAGS", r"(\Deleted)"))
    answered(program.expunge())
    await sync()
    assert len(mails("INBOX")) == there - 2
    program.logout()


async def with_mutt(the_lab):
    """A person opens the inbox, reads a mail, and leaves."""
    terminal = Terminal(the_lab, "mutt")
    (terminal.home / ".muttrc").write_text(f"""\
set folder="imaps://{lab.DOMAIN}/" spoolfile="+INBOX"
set imap_user="{address(USER)}" imap_pass="{password(USER)}"
set ssl_force_tls=yes mail_check=1 timeout=1 sort=date
set header_cache="" message_cachedir=""
""")
    bring(letter(7, "Letter for mutt"))
    terminal.start("mutt")
    try:
        await until(lambda: "Letter for mutt" in terminal.text(), "the list of mails", 20)
        terminal.key("End", "Enter")
        await until(lambda: "this is number 7, with grüße" in terminal.text(), "the mail", 20)
        bring(letter(8, "Letter meanwhile"))
        terminal.key("i")
        await until(lambda: "Letter meanwhile" in terminal.text(), "a mail that comes", 20)
        terminal.key("q")
    finally:
        terminal.stop()
    program = signed_in()
    answered(program.select("INBOX", readonly=True))
    assert answered(program.search(None, "SEEN", "SUBJECT", '"for mutt"')) != [b""], "it is not marked as read"
    program.logout()


async def in_thread(work):
    await asyncio.to_thread(work)


async def test(the_lab, server, report):
    if server.name != "rookery":
        report.skip("mail programs", "it is no mail server")
        return
    person = await Person(USER, register=True).sign_in()
    async with report.check("mails come by SMTP"):
        await in_thread(lambda: bring(*(letter(number, subject) for number, subject in enumerate(SUBJECTS, 1))))
        await until(lambda: len(person.messages) >= len(SUBJECTS), "the mails as messages", 40)
    async with report.check("curl lists, fetches and searches mail"):
        await with_curl()
    async with report.check("imaplib reads mail after STARTTLS, and brings some"):
        await in_thread(with_imaplib)
    async with report.check("imapclient reads, files and awaits mail"):
        await in_thread(with_imapclient)
    async with report.check("mbsync follows both ways", 120):
        await with_mbsync(the_lab)
    async with report.check("mutt shows mail, and what comes meanwhile", 120):
        await with_mutt(the_lab)
    await person.sign_out()
