"""The explanation of one store, asked in words."""

from storemon.answers.explain import explain
from storemon.answers.explanation.parts import Explanation
from storemon.calendar.windows import LAST_DAY
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Means, Question


def answer(question: Question, store_id: str, snapshot: Snapshot, means: Means) -> Explanation:
    """Explain the figures of a store, by default in the last day.

    Raises:
        StoremonError: as for `storemon.answers.explain.explain`.

    """
    return explain(snapshot, store_id, **question.asked(question.now(snapshot), question.windows(LAST_DAY), means))
