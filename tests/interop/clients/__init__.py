"""The clients by name: each an `async def test(lab, server, report)`."""

from clients import dino, finch, gajim, mcabber, profanity, slix, suite, web

CLIENTS = {
    "slixmpp": slix.test,
    "slixmpp-suite": suite.test,
    "profanity": profanity.test,
    "dino": dino.test,
    "gajim": gajim.test,
    "mcabber": mcabber.test,
    "finch": finch.test,
    **web.TESTS,
}
