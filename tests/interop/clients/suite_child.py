"""Runs one file of slixmpp's suite and prints a line for each test: its name, and ok or what went wrong."""

import importlib
import logging
import sys
import unittest


class Lines(unittest.TextTestResult):
    def say(self, test, result):
        print(test.id().rsplit(".", 1)[-1], result, flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say(test, "ok")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say(test, f"skipped: {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.say(test, self.brief(error))

    def addError(self, test, error):
        super().addError(test, error)
        self.say(test, self.brief(error))

    @staticmethod
    def brief(error):
        return f"{error[0].__name__}: {error[1]}".splitlines()[0]


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    suite = importlib.import_module(sys.argv[1]).suite
    unittest.TextTestRunner(resultclass=Lines, stream=sys.stderr, verbosity=0).run(suite)
