"""The same harness over a service with a mistake in it: what it must find, so that it is known to see."""

from collections.abc import Sequence
from typing import Final

from tests.faults.faults.partition import Partitioned
from tests.faults.faults.process import KilledAtPoints
from tests.faults.faults.provider import ProviderFails
from tests.faults.load import Amount
from tests.faults.people import NOBODY_ANSWERS
from tests.faults.problem import Kind
from tests.faults.scenario import TEXTS, Outcome, Scenario
from tests.faults.world import Layout

_FEW = Amount(alarms=6, alarms_per_s=0.5, ordinary_per_s=10.0, manners=NOBODY_ANSWERS)
_PARTITION = Partitioned(seconds=8.0)


def _sabotaged(name: str, *more: str) -> tuple[str, ...]:
    return ("--sabotage", name, *more)


SCENARIOS: Final = {
    "acknowledge-before-commit": Scenario(
        name="sabotage: acknowledged before it is committed",
        layout=Layout(entry=_sabotaged("acknowledge-before-commit")),
        faults=((KilledAtPoints(points=("deciding",)),),),
        amount=_FEW,
        steps=TEXTS,
        settles_within_s=10.0,
    ),
    "naive-retry": Scenario(
        name="sabotage: sent again where no answer came",
        layout=Layout(entry=_sabotaged("naive-retry")),
        # A receipt names the delivery, and would say that it has been sent.
        faults=((ProviderFails(kind="answer_lost", times=2), ProviderFails(kind="callbacks_lost", times=2)),),
        amount=_FEW,
        steps=TEXTS,
    ),
    "no-fence": Scenario(
        name="sabotage: no fence",
        layout=Layout(database="postgresql", entry=_sabotaged("no-fence", "--hasten")),
        faults=((_PARTITION,),),
        amount=_FEW,
        steps=TEXTS,
    ),
}

#: As the last one, with the fence: what is found there is found because of it.
WITH_FENCE: Final = Scenario(
    name="two processes, one cut off, in haste",
    layout=Layout(database="postgresql", entry=("--hasten",)),
    faults=((_PARTITION,),),
    amount=_FEW,
    steps=TEXTS,
)

#: What must be found, one of them at least.
MUST_FIND: Final[dict[str, tuple[Kind, ...]]] = {
    "acknowledge-before-commit": ("lost",),
    "naive-retry": ("doubled",),
    "no-fence": ("doubled",),
}


def blind(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Give the outcomes of sabotage that the judge did not see."""
    names = {id(scenario): name for name, scenario in SCENARIOS.items()}
    return [
        one for one in outcomes if not one.not_run and (one.error or not one.count(*MUST_FIND[names[id(one.scenario)]]))
    ]
