"""Every process, and the database, killed in the middle of an import: nothing acknowledged is lost, nothing doubled."""

import os
import random
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from foothold.goals.v1 import facts_pb2

from tests.faults.history import found, history
from tests.faults.importing import Import, outcomes_of_sending_again
from tests.faults.standing import Standing, heads, positions, standing, wait_until_followed
from tests.platform import Platform, running_platform

_FACTS: Final = 6_000
_BATCH: Final = 12
# Each is killed at least once; goals and the database, where the facts are, more often.
_TARGETS: Final = ("goals", "postgres", "incentives", "identity", "training", "gateway")
_KILLS: Final = (*_TARGETS, "goals", "goals", "postgres", "postgres", "incentives")
_RESTART_SECONDS: Final = 120


def _undisturbed(folder: Path, facts: list[facts_pb2.Fact]) -> Standing:
    """What a platform that nobody disturbs says after being told everything once."""
    with running_platform(folder) as platform:
        found(platform)
        wait_until_followed(platform)
        outcomes = outcomes_of_sending_again(platform, facts)
        assert set(outcomes.values()) == {facts_pb2.FACT_OUTCOME_RECORDED}
        return standing(platform)


def _wait_for_a_new_process(platform: Platform, target: str, before: int) -> None:
    until = time.monotonic() + _RESTART_SECONDS
    while platform.pid(target) == before or not Path(f"/proc/{platform.pid(target)}").exists():
        assert time.monotonic() < until, f"{target} was not started again\n{platform.told()}"
        time.sleep(0.02)


def _tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Whatever comes of the test, its seed and what it did are told."""
    with capsys.disabled():
        sys.stdout.write(f"{line}\n")


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_killed_at_random_moments_of_an_import_it_ends_as_if_nothing_had_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("FOOTHOLD_FAULTS_SEED") or random.SystemRandom().randrange(10**9))
    _tell(capsys, f"\nseed {seed} (FOOTHOLD_FAULTS_SEED={seed} draws the same kills)")
    chance = random.Random(seed)
    facts = history(chance, _FACTS)
    expected = _undisturbed(tmp_path / "undisturbed", facts)
    batches = [facts[begin : begin + _BATCH] for begin in range(0, len(facts), _BATCH)]
    victims = chance.sample(_KILLS, len(_KILLS))
    moments = sorted(chance.sample(range(5, len(batches) - 5), len(victims)))

    with running_platform(tmp_path / "disturbed", split=True) as platform:
        found(platform)
        wait_until_followed(platform)
        importing = Import(platform, batches)
        importing.start()
        killed = []
        for victim, moment in zip(victims, moments, strict=True):
            while importing.answered < moment and importing.alive():
                time.sleep(0.001)
            time.sleep(chance.random() * 0.02)
            if not importing.alive():
                break
            pid, before, began = platform.kill(victim), importing.answered, time.monotonic()
            _wait_for_a_new_process(platform, victim, pid)
            while importing.answered == before and importing.alive():
                time.sleep(0.005)
            killed.append(f"{victim} {time.monotonic() - began:.1f} s")
        importing.finish(180)
        cut = importing.interrupted
        _tell(
            capsys,
            f"{len(killed)} kills, and when facts were taken again: {', '.join(killed)}; {cut} calls cut off",
        )
        assert len(killed) == len(_KILLS)
        assert {each.partition(" ")[0] for each in killed} == set(_TARGETS)
        platform.wait_ready()

        acknowledged = importing.acknowledged
        assert acknowledged == {(fact.external_id, fact.version) for fact in facts}
        again = outcomes_of_sending_again(platform, chance.sample(facts, len(facts)))
        assert set(again.values()) == {facts_pb2.FACT_OUTCOME_ALREADY_KNOWN}, (
            "something acknowledged was lost"
        )
        ended = standing(platform)
        assert ended == expected
        for service, head in heads(platform).items():
            assert positions(platform, service) == list(range(1, head + 1))
