"""The drawn people: attributes of each, balanced and seeded."""

from __future__ import annotations

import pandas as pd

from facebias.data.datasets.drawn.seeds import generator
from facebias.study import Drawn

GENDERS = ("female", "male")
SKIN_BANDS = ("light", "medium", "dark")
AGES = (18, 75)


def people(drawn: Drawn) -> pd.DataFrame:
    """List the drawn people.

    Gender alternates, and the skin bands take turns within each gender, so both are balanced and
    independent of one another at any number of subjects divisible by six. A person depends on
    ``drawn.seed`` and on their own number only.

    Returns
    -------
    DataFrame
        One row per person: ``subject`` (``P001``...), ``gender``, ``skin`` (a third of the tone
        scale each), ``skin_tone`` (0 lightest to 1 darkest), ``age`` (whole years, 18 to 75) and
        ``publishable`` (always true).
    """
    rows = [_person(drawn.seed, number) for number in range(drawn.subjects)]
    return pd.DataFrame(rows)


def _person(seed: int, number: int) -> dict[str, object]:
    subject = f"P{number + 1:03d}"
    random = generator(seed, "person", subject)
    band = number // len(GENDERS) % len(SKIN_BANDS)
    tone = (band + random.random()) / len(SKIN_BANDS)
    return {
        "subject": subject,
        "gender": GENDERS[number % len(GENDERS)],
        "skin": SKIN_BANDS[band],
        "skin_tone": round(tone, 4),
        "age": int(random.integers(AGES[0], AGES[1] + 1)),
        "publishable": True,
    }
