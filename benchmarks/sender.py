"""One delivery run in a process of its own, for `send.py`: prints its figures as JSON.

`python benchmarks/sender.py prepare|send FOLDER SETTINGS`; SETTINGS is JSON: `port`,
`messages`, `subscribers`, `octets` (about so long is a message), `connections`, `signed`,
`ahead`, `ledger` (false: nothing is written), `loop` ("uvloop" to try that).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from postroom.compose.ahead import sign_ahead
from postroom.compose.letters import MessageBuilder
from postroom.config.sections import RelayConfig
from postroom.delivery.run import deliver
from postroom.delivery.settings import DeliverySettings
from postroom.digests.edition import EditionPlan, VariantPlan
from postroom.files.dkim_key import make_dkim_key, read_dkim_key
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE
from postroom.mail.letter import Letter
from postroom.mail.message import Recipient, Sender, compile_letter
from postroom.posts.publication import MailState, Publication
from postroom.smtp.client import SmtpTransport
from postroom.store.opening import open_ledger
from postroom.store.values import Claim, Claimed, Creation, Owner, UnknownPolicy
from postroom.subscribers.subscriber import Cadence, Consent, SubscriberChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from postroom.mail.dkim import DkimKey
    from postroom.store.base import Store
    from postroom.store.values import Result

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
OWNER = Owner(host="bench.example", boot_id="b", pid=1)
EDITION = "daily-2026-11-23"
SENTENCE = "느린 우편함은 하루에 한 번 열리고, 그 전까지 넣은 편지는 모두 같은 시각을 기다린다. "
SENDER = Sender(
    from_="느린 우편함 <letters@bench.example>",
    reply_to="",
    site_title="느린 우편함",
    site_url="https://bench.example/",
    link_url="https://bench.example/",
    postal_address="서울시 어느 길 4",
    secret=b"a secret of the benchmark alone",
)
SECONDS = timedelta(days=3)
READER = Recipient(7, "reader0000007@mail7.example", "독자 7")


def make_letter(octets: int) -> Letter:
    """A Korean letter whose message is `octets` long or a sentence more."""
    sentences = 1
    while True:
        letter = write_letter(sentences)
        filled = compile_letter(letter, SENDER, EDITION, NOW).fill(READER)
        if len(filled.data) >= octets:
            return letter
        sentences += 1


def write_letter(sentences: int) -> Letter:
    """So many sentences, as HTML and as text."""
    leave = f'<a href="{UNSUBSCRIBE_HOLE}">그만 받기</a> <a href="{PREFERENCES_HOLE}">설정</a>'
    html = f'<p style="margin:0 0 12px;color:#222">{SENTENCE}</p>\n' * sentences
    return Letter(
        language="ko",
        subject="이번 주의 글 열두 편",
        preheader="느린 우편함",
        html=f'<!doctype html><html lang="ko"><body>{html}<p>{leave}</p></body></html>',
        text=(SENTENCE + "\n") * sentences + f"\n그만 받기: {UNSUBSCRIBE_HOLE}\n",
    )


def creation() -> Creation:
    """What the ledger is made with."""
    return Creation(
        authority="bench.example,2026-11-01",
        ledger_id="b" * 32,
        salt=b"s" * 32,
        now=NOW,
    )


def readers(count: int) -> Iterator[SubscriberChange]:
    """So many confirmed subscribers with Korean names."""
    for number in range(count):
        email = f"reader{number:07}@mail{number % 50}.example"
        yield SubscriberChange(
            email=email,
            key=email,
            name=f"독자 {number}",
            consent=Consent.CONFIRMED,
            cadence=Cadence.DAILY,
        )


def prepare(folder: Path, settings: dict[str, Any]) -> None:
    """Subscribers, one frozen edition, a key, and signatures where they are wanted."""
    with open_ledger(folder / "postroom.db", creation) as store:
        store.save_subscribers(
            readers(settings["subscribers"]), NOW, cadence=Cadence.DAILY
        )
        store.record_publications(
            [
                Publication(
                    path="posts/a.md",
                    id="tag:bench.example,2026-11-01:a",
                    digest="0" * 64,
                    first_seen=NOW,
                    number=1,
                    mail=MailState.NUMBERED,
                )
            ]
        )
        variant = VariantPlan(
            number=1,
            language="ko",
            posts=(1,),
            groups=tuple(store.audience(Cadence.DAILY)),
        )
        plan = EditionPlan(
            key=EDITION, cadence=Cadence.DAILY, slot=NOW, mark=1, variants=(variant,)
        )
        started = time.process_time()
        audience = store.freeze(plan, {1: make_letter(settings["octets"])}, NOW)
        print(json.dumps({"audience": audience, "cpu": time.process_time() - started}))
        if settings["signed"]:
            make_dkim_key(folder / "dkim.pem", "rsa-sha256")
        if settings.get("ahead"):
            builder = make_builder(store, folder, keys_of(folder))
            sign_ahead(store, EDITION, builder, folder, time_is_up=lambda: False)


def keys_of(folder: Path) -> tuple[DkimKey, ...]:
    """The site's key."""
    return (
        read_dkim_key(folder / "dkim.pem", domain="bench.example", selector="bench"),
    )


def make_builder(store: Store, folder: Path, keys: Sequence[DkimKey]) -> MessageBuilder:
    """What composes, as `publish` makes it."""
    return MessageBuilder(store, SENDER, ZoneInfo("Asia/Seoul"), keys, folder)


class LimitedStore:
    """A real store, of which one run sends no more than so many."""

    def __init__(self, store: Store, messages: int) -> None:
        self._store = store
        self._left = messages

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def begin_claim(
        self, run: int, limit: int, now: datetime, **more: Any
    ) -> Callable[[], Claimed]:
        """As the store, until enough were claimed."""
        limit = min(limit, self._left)
        self._left -= limit
        return self._store.begin_claim(run, limit, now, **more)


class NoLedger:
    """Claims out of memory, nothing written: what sending costs without a ledger."""

    octets = 0

    def __init__(self, store: Store, messages: int) -> None:
        self._left = messages
        self._given = 0
        self.letters = store.letters

    def open_deliveries(self) -> Counter[Any]:
        """None are known."""
        return Counter()

    def open_journal(self, run: int, durability: object) -> NoLedger:
        """This is the journal, too."""
        return self

    def write(self, results: object, intents: object) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Nothing is open."""

    def begin_results(self, results: Sequence[Result]) -> Callable[[], None]:
        """Keep nothing."""
        return lambda: None

    def begin_claim(
        self, run: int, limit: int, now: datetime, **more: Any
    ) -> Callable[[], Claimed]:
        """The next subscribers, made up."""
        count = min(limit, self._left)
        self._left -= count
        first, self._given = self._given, self._given + count
        return lambda: Claimed(
            [
                Claim(
                    EDITION,
                    1,
                    number + 1,
                    1,
                    f"reader{number:07}@mail{number % 50}.example",
                    f"독자 {number}",
                    0,
                    1,
                    NOW,
                )
                for number in range(first, first + count)
            ],
            {},
        )


def send(folder: Path, settings: dict[str, Any]) -> None:
    """One run into the sink; prints messages, seconds, CPU seconds, octets, RSS."""
    if settings.get("loop") == "uvloop":
        import asyncio  # noqa: PLC0415 - only for this trial

        import uvloop  # noqa: PLC0415 - as above

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    relay = RelayConfig(
        host="127.0.0.1",
        port=settings["port"],
        tls="none",
        connections=settings["connections"],
    )
    transport = SmtpTransport(relay, root=Path(), password="")
    with open_ledger(folder / "postroom.db", creation) as store:
        run = store.begin_run(OWNER, NOW)
        store.recover(run, NOW, UnknownPolicy.RESEND)
        builder = make_builder(
            store, folder, keys_of(folder) if settings["signed"] else ()
        )
        limited: Any = (LimitedStore if settings["ledger"] else NoLedger)(
            store, settings["messages"]
        )
        delivery = DeliverySettings(
            run=run, clock=lambda: NOW, random=lambda: 0.0, max_retry=SECONDS
        )
        wall, cpu = time.perf_counter(), time.process_time()
        if settings.get("profile"):
            import cProfile  # noqa: PLC0415 - only where asked for

            profile = cProfile.Profile()
            delivered = profile.runcall(
                deliver, limited, [transport], builder, delivery
            )
            profile.dump_stats(settings["profile"])
        else:
            delivered = deliver(limited, [transport], builder, delivery)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if delivered.fault:
            raise delivered.fault
        store.end_run(run, NOW)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "counts": {str(k): v for k, v in delivered.counts.items()},
                "messages": sum(delivered.counts.values()),
                "seconds": wall,
                "cpu": cpu,
                "whole_cpu": usage.ru_utime + usage.ru_stime,
                "rss_mb": usage.ru_maxrss / 1024,
            }
        )
    )


def compose(folder: Path, settings: dict[str, Any]) -> None:
    """What one message costs to compose, and to compose and sign, in µs."""
    date = NOW.astimezone(ZoneInfo("Asia/Seoul"))
    letter = make_letter(settings["octets"])
    make_dkim_key(folder / "compose.pem", "rsa-sha256")
    key = read_dkim_key(
        folder / "compose.pem", domain="bench.example", selector="bench"
    )
    plain = compile_letter(letter, SENDER, EDITION, date)
    signed = compile_letter(letter, SENDER, EDITION, date, [key])
    kept = signed.draft(READER).signed()
    print(
        json.dumps(
            {
                "octets": len(plain.fill(READER).data),
                "fill": _best(lambda: plain.fill(READER), 2000),
                "sign": _best(lambda: signed.draft(READER).sign(), 300),
                "complete": _best(lambda: signed.draft(READER).complete(kept), 2000),
            }
        )
    )


def _best(work: Any, times: int) -> float:
    """Microseconds of CPU, the best of seven."""
    best = float("inf")
    for _ in range(7):
        started = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - started) / times)
    return best * 1e6


if __name__ == "__main__":
    told = json.loads(sys.argv[3])
    {"prepare": prepare, "send": send, "compose": compose}[sys.argv[1]](
        Path(sys.argv[2]), told
    )
