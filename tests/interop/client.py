"""What a driver must be able to do with its client."""


class Client:
    """A real client that a driver moves. `user` is its account, `friend` whom it talks to."""

    #: As in the verdicts.
    name = ""
    #: Checks that the client, or its driver, cannot take part in, and why.
    cannot = {}

    def __init__(self, the_lab, user, friend):
        self.lab, self.user, self.friend = the_lab, user, friend

    async def start(self):
        """Starts the client; it signs in by itself."""
        raise NotImplementedError

    async def approve(self):
        """Lets the friend, who has asked, see our presence."""
        raise NotImplementedError

    async def subscribe(self):
        """Asks to see the friend's presence, if the client has not asked back by itself."""

    async def open(self):
        """Opens the conversation with the friend, so that `say` goes there."""

    async def look_back(self):
        """Brings the conversation's history into sight, if the client needs to be told."""

    async def say(self, text):
        """Says this in the conversation that is open."""
        raise NotImplementedError

    def shows(self, text):
        """Whether the client has this message, from its screen or its own database."""
        raise NotImplementedError

    def shows_presence(self, status):
        """Whether the client shows the friend's presence with this status text."""
        raise NotImplementedError

    async def ask_for_avatar(self, whose):
        """Has the client fetch the avatar of this address, if it does not by itself."""

    def shows_avatar(self, picture):
        """Whether the client has this avatar: these very bytes."""
        raise NotImplementedError

    async def reconnect(self):
        """Hurries the client as its user might, if by itself it would wait for long."""

    async def stop(self):
        """Ends the client, and keeps a picture of its last state."""
        raise NotImplementedError


class GroupClient(Client):
    """A client that is also taken into a group. It finds the group among the bookmarks of its account."""

    #: How many of the last texts in a group it fetches when it enters; None: all.
    looks_back = None

    async def open_group(self, address):
        """Opens the group's conversation, so that `say` goes there."""
        raise NotImplementedError

    async def look_back_in_group(self):
        """Brings the group's history into sight, if the client needs to be told."""

    def times(self, text):
        """How often the client has this text, from the group."""
        raise NotImplementedError

    async def keep_picture(self, moment):
        """Keeps a picture of what it shows now, if it shows more than text."""

    async def fetch(self, url):
        """Has the client fetch a picture that was sent, if it does not by itself."""

    async def shows_picture(self, picture):
        """Whether the client has fetched this `pictures.Picture`, and shows it if it can show pictures."""
        raise NotImplementedError

    async def send_file(self, path):
        """Sends a file into the conversation that is open."""
        raise NotImplementedError
