#!/usr/bin/env python3
"""Real clients against a server, in a network of their own. `cargo xtask interop` starts this; see README.md."""

import argparse
import asyncio
import os
import sys
import traceback

import lab
from clients import CLIENTS
from people import quiet
from report import Report
from servers import Prosody, Rookery


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clients", nargs="*", metavar="client", help=f"of {', '.join(CLIENTS)}; all of them by default")
    parser.add_argument("--server", choices=["rookery", "prosody"], default="rookery")
    parser.add_argument("--binary", type=os.path.abspath, help="the rookery program")
    parser.add_argument("--out", default="target/interop", help="where logs and pictures go")
    arguments = parser.parse_args()
    for name in arguments.clients:
        if name not in CLIENTS:
            parser.error(f"no client {name}; there are: {', '.join(CLIENTS)}")
    lab.enter()
    the_lab = lab.Lab(arguments.out)
    the_lab.prepare()
    server = Prosody(the_lab) if arguments.server == "prosody" else Rookery(the_lab, arguments.binary)
    report = Report(server.lacks())
    server.start()
    try:
        for name in arguments.clients or CLIENTS:
            print(f"\n{name}", flush=True)
            try:
                asyncio.run(CLIENTS[name](the_lab, server, report))
            except Exception as error:  # the others are still worth trying
                traceback.print_exc()
                report.fail(f"{name} as a whole", error)
    finally:
        server.stop()
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    quiet()
    main()
