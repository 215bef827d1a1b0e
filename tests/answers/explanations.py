"""Explanations of drawn cases, each with what the oracle is asked for."""

from typing import NamedTuple

from hypothesis import strategies as st

from storemon import explain
from storemon.answers.explanation.parts import Explanation
from storemon.engine.question import Policy
from tests.engine.asking import frames_of, windows_as_asked
from tests.oracle.cases import Case
from tests.oracle.exceptional_cases import exceptional_cases, written_windows
from tests.oracle.exceptions import Exceptions
from tests.oracle.questions import Question, questions

POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))


class Explained(NamedTuple):
    case: Case
    explanation: Explanation
    question: Question
    exceptions: Exceptions


@st.composite
def explained(draw: st.DrawFn) -> list[Explained]:
    """Of all stores of a case in one window."""
    case, policy = draw(exceptional_cases()), draw(POLICIES)
    window = draw(written_windows(case, max_size=1))
    facts = (case.polls, case.hours, case.zones, case.as_of)
    exceptions = Exceptions(special_hours=case.special_hours, maintenance=case.maintenance)
    found = []
    for store_id, (asked,) in (
        (store_id, by_window.values())
        for store_id, by_window in questions(*facts, windows=window, **exceptions).items()
    ):
        explanation = explain(
            frames_of(case),
            store_id,
            windows=windows_as_asked(window),
            policy=policy,
            as_of=case.as_of,
            carry_limit=case.carry_limit,
        )
        found.append(Explained(case, explanation, *asked))
    return found
