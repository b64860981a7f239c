"""Kill, look, run again, judge: many times, over all variants of a site."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.kill import forks
from tests.kill.deaths import (
    AtLine,
    AtMoment,
    AtPlace,
    Death,
    count_lines,
    count_passes,
)
from tests.kill.judge import (
    Terms,
    Verdict,
    delivery_of,
    journals,
    judge,
    look,
    outbox,
    public,
    rows,
)
from tests.kill.points import RECOVERING, suit
from tests.kill.power import PowerCut, boot_as
from tests.kill.relay import relaying
from tests.kill.scene import NOW, VARIANTS, Variant, make_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.kill.judge import Expected, Taken
    from tests.kill.relay import Relay
    from tests.kill.scene import Scene
    from tests.stage import Site

READERS = 24
BETWEEN_RUNS = timedelta(minutes=20)
"""Longer than any first or second wait of a deferred letter."""
RUNS_LIMIT = 8
"""So many runs must be enough to finish."""
AGAIN = 0.3
"""Chance that the next run is killed as well."""
AGAIN_RECOVERING = 0.5
"""Chance that this happens while it settles what the killed one left."""
KILLS_IN_A_ROW = 4
NEEDS_A_PERSON = 1


@dataclass(slots=True)
class Tally:
    """Figures of many trials."""

    kills: int = 0
    trials: int = 0
    lost: int = 0
    duplicates: int = 0
    unknown: int = 0
    arrived: int = 0
    problems: list[str] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    """How often a run died at each place, or what else there is to count."""
    exits: dict[str, int] = field(default_factory=dict)
    """Exit codes of runs that were interfered with."""
    seconds: float = 0.0
    cpu: float = 0.0

    def add(self, verdict: Verdict, kills: int, name: str) -> None:
        """Count one trial; `name` is how to find it again."""
        self.trials += 1
        self.kills += kills
        self.lost += verdict.lost
        self.duplicates += verdict.duplicates
        self.unknown += verdict.unknown
        self.arrived += verdict.arrived
        self.problems += [f"{name}: {problem}" for problem in verdict.problems]

    def ended(self, code: int) -> None:
        """Count an exit code."""
        self.exits[f"{code}"] = self.exits.get(f"{code}", 0) + 1

    def dumps(self) -> str:
        """All of it on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)


class Stage:
    """A scene, a relay, and what a run that nobody kills leads to."""

    def __init__(self, folder: Path, scene: Scene, relay: Relay) -> None:
        self.folder = folder
        self.scene = scene
        self.relay = relay
        self.expected: Expected = frozenset()
        self._public: Mapping[str, bytes] = {}
        self._made = 0

    def site(self, variant: Variant) -> Site:
        """A new copy of the site, with a relay to suit."""
        self._made += 1
        self.relay.begin(
            pipelining=variant.pipelining,
            deferring=variant.deferring,
            milliseconds=variant.milliseconds,
        )
        return self.scene.copy(
            self.folder / f"trial-{self._made}", variant, self.relay.port
        )

    def measure(self) -> None:
        """Learn from a run that nobody disturbs; it also warms this process."""
        site = self.site(VARIANTS[0])
        forks.keep_warm(lambda: forks.run_here(site, words_at(0)))
        self.expected = frozenset(delivery_of(row) for row in rows(site))
        self._public = public(site)
        assert len(self.expected) == len(self.scene.readers), self.expected
        shutil.rmtree(site.root)

    def taken(self, site: Site, variant: Variant) -> list[Taken]:
        """What has reached its receiver."""
        self.relay.settle()
        return self.relay.taken() if variant.transport == "smtp" else outbox(site)

    def judge(self, site: Site, terms: Terms) -> Verdict:
        """Judge a site whose work is done, then remove it."""
        taken = self.taken(site, terms.variant)
        verdict = judge(terms, rows(site), taken, self.expected)
        verdict.problems += look(site)
        if journals(site) > terms.kills:
            verdict.problems.append("a run that ended well left its journal")
        if terms.same_pages and public(site) != self._public:
            verdict.problems.append("the pages are not what they should be")
        if not verdict.problems:
            shutil.rmtree(site.root)
        return verdict

    def finish(
        self,
        site: Site,
        variant: Variant,
        runs: int,
        prepare: Callable[[], object] | None = None,
    ) -> list[str]:
        """Publish until nothing is left to do; what was wrong with that."""
        prepare = prepare or (lambda: suit(variant))
        for number in range(runs, runs + RUNS_LIMIT):
            ended = forks.run(site, words_at(number * variant.deferring), prepare)
            allowed = {0, NEEDS_A_PERSON} if variant.deferring else {0}
            if not ended.is_clean or ended.code not in allowed:
                return [f"the run after it ended with {ended.code}: {ended.err}"]
            if not any(row.state in {"queued", "deferred"} for row in rows(site)):
                return []
        return ["no end of it"]


def words_at(run: int) -> list[str]:
    """The command of run number `run`, counted from 0, each later than the one before."""
    now = datetime.fromisoformat(NOW) + run * BETWEEN_RUNS
    return ["publish", "--now", now.isoformat()]


@contextmanager
def staged(folder: Path, readers: int = READERS) -> Iterator[Stage]:
    """Everything set up in `folder`, and this process ready to be forked."""
    forks.import_everything()
    with relaying(folder / "relay.log") as relay:
        scene = make_scene(folder / "site", readers, _run_well)
        stage = Stage(folder, scene, relay)
        stage.measure()
        yield stage


def _run_well(site: Site, words: Sequence[str]) -> None:
    ended = forks.run(site, words)
    assert ended.code == 0, ended.err


class Trials:
    """One kind of death, over and over; the same seed chooses the same ones."""

    def __init__(self, stage: Stage, kind: str, seed: int) -> None:
        self.tally = Tally()
        self._stage = stage
        self._kind = kind
        self._dice = random.Random(f"{kind} {seed}")  # noqa: S311 - moments, not secrets
        self._known: dict[str, Counter[str]] = {}
        self._hits: Counter[str] = Counter()

    def run(self, kills: int) -> Tally:
        """Go on until there were so many kills."""
        number = 0
        while self.tally.kills < kills:
            self._try(VARIANTS[number % len(VARIANTS)], number)
            number += 1
        self.tally.hits = dict(self._hits)
        return self.tally

    def _try(self, variant: Variant, number: int) -> None:
        """One site, killed once or a few times in a row, and then finished."""
        deaths = [self._choose(variant, 0)]
        while self._dice.random() < AGAIN and len(deaths) < KILLS_IN_A_ROW:
            deaths.append(self._choose(variant, len(deaths)))
        site = self._stage.site(variant)
        kills, problems = 0, list[str]()
        for run, death in enumerate(deaths):
            words = words_at(run * variant.deferring)
            ended = death.run(site, words, variant)
            self._stage.relay.settle()
            kills += ended.killed
            problems += look(site)
            if not ended.killed and not ended.is_clean:
                problems.append(f"not killed, but {ended.code}: {ended.err}")
        terms = Terms(variant=variant, kills=kills)
        prepare: Callable[[], object] | None = None
        if self._kind == "power":
            prepare = partial(boot_as, len(deaths))
            if variant.durability == "process":
                bound = len(self._stage.scene.readers)
                terms = replace(terms, bound=bound, may_forget_ids=True)
        problems += self._stage.finish(site, variant, len(deaths), prepare)
        verdict = self._stage.judge(site, terms)
        verdict.problems = problems + verdict.problems
        self.tally.add(verdict, kills, f"{number} {variant} {site.root.name} {deaths}")

    def _choose(self, variant: Variant, run: int) -> Death | PowerCut:
        if self._kind == "named":
            if run and self._dice.random() < AGAIN_RECOVERING:
                return AtPlace(place=self._dice.choice(RECOVERING), number=1)
            return self._place(variant)
        if self._kind == "power":
            place = self._place(variant)
            return PowerCut(death=place, boot=run, dice=self._dice)
        known = self._ask(variant)["total"]
        if self._kind == "lines":
            return AtLine(number=self._dice.randint(1, known))
        return AtMoment(seconds=self._dice.uniform(0.0, known / 1e6))

    def _place(self, variant: Variant) -> AtPlace:
        """The place that was hit least so far, at any of its passes."""
        counts = self._ask(variant)
        least = min(self._hits[place] for place in counts)
        places = sorted(place for place in counts if self._hits[place] == least)
        place = self._dice.choice(places)
        self._hits[place] += 1
        return AtPlace(place=place, number=self._dice.randint(1, counts[place]))

    def _ask(self, variant: Variant) -> Counter[str]:
        """What a whole run of that variant passes, found out once."""
        known = self._known.get(str(variant))
        if known is None:
            known = self._known[str(variant)] = self._find_out(variant)
        return known

    def _find_out(self, variant: Variant) -> Counter[str]:
        site = self._stage.site(variant)
        told = self._stage.folder / "told"
        match self._kind:
            case "named" | "power":
                ended = count_passes(site, words_at(0), variant, told)
                found = Counter(json.loads(told.read_text(encoding="utf-8")))
            case "lines":
                ended = count_lines(site, words_at(0), variant, told)
                found = Counter(total=int(told.read_text(encoding="ascii")))
            case _:
                ended = forks.run(site, words_at(0), lambda: suit(variant))
                found = Counter(total=int(ended.seconds * 1e6))
        assert ended.is_clean, ended.err
        assert ended.code in {0, NEEDS_A_PERSON}, ended
        shutil.rmtree(site.root)
        return found
