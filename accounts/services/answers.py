"""Requests that carry an Idempotency-Key are done once; whoever asks again gets the same answer for a day."""

import base64
import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping

from django.db import OperationalError, connection, transaction
from django.utils.crypto import salted_hmac
from psycopg.errors import LockNotAvailable

from accounts import secrets
from accounts.models import Answered, User
from cloudmesh.errors import Invalid, Reused, Underway

PATIENCE = 5.0  # seconds
LONGEST_KEY = 128


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)


class Turn:
    """One request under its key: `before` is what was answered already; if None, it is to be done now."""

    def __init__(self, answered: Answered, before: Reply | None) -> None:
        self._answered = answered
        self.before = before

    def keep(self, reply: Reply) -> None:
        """Remember what was done. A refusal is not remembered, and of a failure nothing stays."""
        if reply.status >= 500:
            transaction.set_rollback(True)
        elif reply.status >= 400:
            self._answered.delete()
        else:
            self._answered.answer = _seal(self._answered, reply)
            self._answered.save(update_fields=["answer"])


@contextlib.contextmanager
def once(*, actor: User, key: str, sent: bytes, patience: float = PATIENCE) -> Iterator[Turn]:
    """The turn of a request, in one transaction with what it does: both are kept, or neither.

    Of two at the same instant the second waits for the first, `patience` seconds long. Raises Underway where that
    is not enough, Reused where the key came with something else before, Invalid for a key that cannot be.
    """
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Invalid(f"An Idempotency-Key has at most {LONGEST_KEY} printable characters.", field="Idempotency-Key")
    digest = salted_hmac("idempotency", sent, algorithm="sha256").hexdigest()
    with transaction.atomic():
        mine = Answered(user=actor, key=key, digest=digest)
        known = _claim(mine, patience)
        if known.digest != digest:
            raise Reused("This Idempotency-Key was used for another request already. Use a new one for each request.")
        yield Turn(known, None if known.pk == mine.pk else _unseal(known))


def place_of_answer(answered: Answered) -> Mapping[str, str]:
    """What a sealed answer is bound to."""
    return {"tenant": str(answered.user_id), "record": f"answer:{answered.pk}", "field": "answer"}


def _claim(mine: Answered, patience: float) -> Answered:
    """The record of this key: mine, or the one that somebody else committed first."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{patience * 1000:.0f}'")
            Answered.objects.bulk_create([mine], ignore_conflicts=True)
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise Underway("The same request is being done just now. Ask again in a moment.", retry_after=1) from error
    return Answered.objects.get(user=mine.user_id, key=mine.key)


def _seal(answered: Answered, reply: Reply) -> str:
    plain = {
        "status": str(reply.status),
        "headers": json.dumps(dict(reply.headers)),
        "body": base64.b64encode(reply.body).decode(),
    }
    return secrets.seal(secrets.ring(), plain, **place_of_answer(answered))


def _unseal(answered: Answered) -> Reply:
    plain = secrets.unseal(secrets.ring(), answered.answer, **place_of_answer(answered))
    return Reply(int(plain["status"]), json.loads(plain["headers"]), base64.b64decode(plain["body"]))
