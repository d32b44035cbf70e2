"""The figure that compares variants of the clips."""

from __future__ import annotations

import json

import numpy as np
import pytest
import study_tables as made
from drawing import GENDER, draw, texts

from facebias.presentation.figures.request import FigureError

GIVEN = {"metrics": made.metrics(), "fairness": made.fairness()}


def drawn(variants=made.VARIANTS, **changes):
    return draw("sensitivity", GIVEN | changes, **GENDER, variants=json.dumps(variants))


def test_numbers_are_those_of_the_tables():
    _, numbers = drawn()
    assert list(numbers["network"].unique()) == ["vgg16", "resnet50"]
    assert "vggface" not in set(numbers["architecture"])  # sees one variant alone
    accuracy = numbers[numbers["measure"] == "accuracy"]
    # 5 architectures, 3 train splits; on the first test split.
    assert len(accuracy) == 15
    assert set(accuracy["test_split"]) == {"all"}
    metrics = GIVEN["metrics"].set_index(["architecture", "train_split", "test_split"])
    for row in accuracy.itertuples():
        cell = metrics.loc[(row.architecture, row.train_split, "all")]
        cell = cell[(cell["metric"] == "accuracy") & (cell["label"] == "overall")].iloc[0]
        assert (row.estimate, row.ci_low, row.ci_high) == (
            cell["value"], cell["ci_low"], cell["ci_high"],
        )  # fmt: skip
    gaps = numbers[numbers["measure"] == "equal_opportunity"]
    fairness = GIVEN["fairness"]
    signed = fairness[
        (fairness["criterion"] == "equal_opportunity") & (fairness["definition"] == "signed")
    ].set_index(["architecture", "train_split", "first", "second"])
    for row in gaps.itertuples():
        cell = signed.loc[(row.architecture, row.train_split, row.first, row.second)]
        assert row.estimate == cell["estimate"]
    kept = numbers.set_index("architecture")
    assert set(kept.loc["cnn3d", "clips"]) == {"m0"}
    assert set(kept.loc["cnn3d", "margin"]) == {0}
    assert set(kept.loc["resnet3d", "key_frames"]) == {50}


def test_variants_stand_in_the_order_of_the_configuration():
    _, numbers = drawn()
    assert list(numbers["architecture"].unique()) == [
        "vgg16", "cnn3d", "resnet3d", "resnet50", "senet50",
    ]  # fmt: skip
    figure, _ = drawn()
    found = texts(figure)
    assert "m0: margin 0, K 20" in found
    assert "clips: margin 40, K 20" in found


def test_a_gap_that_cannot_be_estimated_is_no_zero():
    fairness = GIVEN["fairness"].copy()
    mine = fairness["architecture"] == "cnn3d"
    fairness.loc[mine, ["estimate", "ci_low", "ci_high"]] = np.nan
    figure, numbers = drawn(fairness=fairness)
    gaps = numbers[(numbers["architecture"] == "cnn3d") & (numbers["measure"] != "accuracy")]
    assert len(gaps)
    assert gaps["estimate"].isna().all()
    assert texts(figure).count("n/a") == 3  # a train split each
    fairness["estimate"] = np.nan
    figure, numbers = drawn(fairness=fairness.assign(note="too few"))
    assert set(numbers["measure"]) == {"accuracy"}
    assert any(
        "No gap can be estimated: too few" in text.replace("\n", " ") for text in texts(figure)
    )


def test_one_variant_alone_is_refused():
    alone = {name: made.VARIANTS[name] for name in ("vgg16", "resnet50")}
    with pytest.raises(FigureError, match="no network stands there with several variants"):
        drawn(alone)
