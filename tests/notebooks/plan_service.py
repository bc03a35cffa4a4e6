"""The service that the notebook of a plan applies it to: it does what it is asked, and has two facts afterwards."""

from contextlib import nullcontext

from awsfed_lib.core.apply import Patience
from awsfed_lib.core.outcome import Answer


class Service:
    patience, facts = Patience(2, (0.0, 0.0, 0.0)), ("a",)

    def __init__(self, realm):
        self.realm = realm

    def live(self, table, of):
        return self.facts

    def snapshot(self, table, of):
        return b"{}"

    def send(self, requests):
        self.facts = ("a", "b")
        return [Answer("done", 204) for _ in requests]

    def permit(self, requests):
        return nullcontext()

    def wait(self, seconds):
        pass
