"""A task that answers messages until one tells it to end."""

from recorded import Recorded


class Listener(Recorded):
    accepts_messages = True

    def work(self):
        while True:
            message = self.scheduler_messages.get(timeout=60)
            message.respond(f"heard {message.content}")
            if message.content == "end":
                return
