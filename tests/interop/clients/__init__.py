"""The clients by name: each an `async def test(lab, server, report)`."""

from clients import (bitlbee, dino, finch, gajim, mailprograms, mailsenders, mcabber, multimon, pidgin, poezio, profanity, psi, sendxmpp,
                     slix, snpp, suite, tap, web)

CLIENTS = {
    "slixmpp": slix.test,
    "slixmpp-suite": suite.test,
    "profanity": profanity.test,
    "poezio": poezio.test,
    "mcabber": mcabber.test,
    "finch": finch.test,
    "pidgin": pidgin.test,
    "dino": dino.test,
    "gajim": gajim.test,
    "psi": psi.test,
    "bitlbee": bitlbee.test,
    "go-sendxmpp": sendxmpp.test,
    **web.TESTS,
    "mail-programs": mailprograms.test,
    "mail-senders": mailsenders.test,
    "multimon-ng": multimon.test,
    "snpp": snpp.test,
    "tap": tap.test,
}
