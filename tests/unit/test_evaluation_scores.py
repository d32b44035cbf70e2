"""Reading, joining, fusing and subsampling of scores."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import scored
from facebias import tables
from facebias.evaluation import counts, scores
from facebias.study import StudyError

SIX = ("happiness", "surprise", "sadness", "anger", "disgust", "contempt")
UPSET = {"upset": ("anger", "disgust", "contempt")}


def films(n_subjects=4, per_label=2):
    """Every subject shows every emotion equally often."""
    random = np.random.default_rng(3)
    rows = [
        (f"p{person}_{label}_{take}", f"p{person}", label)
        for person in range(n_subjects)
        for label in SIX
        for take in range(per_label)
    ]
    frame = pd.DataFrame(rows, columns=["sample", "subject", "label"]).assign(seed=1)
    score = random.dirichlet(np.ones(6), size=len(frame))
    return frame.assign(**{f"score_{name}": score[:, i] for i, name in enumerate(SIX)})


def test_fused_score_is_the_sum_but_the_decision_is_made_before_fusing():
    frame = films(1, 1).iloc[:1]
    for name, score in zip(SIX, (0.4, 0.0, 0.0, 0.2, 0.2, 0.2), strict=True):
        frame = frame.assign(**{f"score_{name}": score})
    fused = scored.scored(frame, fuse=UPSET)
    assert fused.labels == ("happiness", "surprise", "sadness", "upset")
    np.testing.assert_allclose(fused.score, [[0.4, 0, 0, 0.6]])
    assert fused.decision.tolist() == [[True, False, False, False]]


@pytest.mark.parametrize("member", UPSET["upset"])
def test_a_decision_for_a_member_is_one_for_the_fused_class(member):
    frame = films(1, 1).iloc[:1]
    for name in SIX:
        frame = frame.assign(**{f"score_{name}": 0.5 if name == member else 0.1})
    fused = scored.scored(frame, fuse=UPSET)
    assert fused.decision.tolist() == [[False, False, False, True]]


def test_ties_go_to_the_first_label():
    frame = films(1, 1).iloc[:1]
    frame = frame.assign(**{f"score_{name}": 0.25 for name in SIX})
    assert scored.scored(frame).decision[0].tolist() == [True] + [False] * 5


def test_fused_class_is_subsampled_to_the_size_of_the_others_in_every_subject():
    counted = counts.count(scored.scored(films(10), fuse=UPSET, subsample=True))
    positives = counted.table[:, :, 0] + counted.table[:, :, 2]
    assert positives.tolist() == [[2.0] * 4] * 10  # as published: 20 of 60 clips of 10 people


def test_without_subsampling_all_stay():
    assert len(scored.scored(films(), fuse=UPSET).sample) == len(films())


def test_subsample_hangs_on_nothing_but_names_and_seed():
    frame = films(6)
    whole = scored.scored(frame, fuse=UPSET, subsample=True)
    shuffled = scored.scored(frame.sample(frac=1, random_state=1), fuse=UPSET, subsample=True)
    part = scored.scored(frame[frame["subject"] == "p3"], fuse=UPSET, subsample=True)
    assert whole.sample.tolist() == shuffled.sample.tolist()
    assert part.sample.tolist() == whole.sample[whole.subject == "p3"].tolist()
    reseeded = dataclasses.replace(scored.labels(*SIX, subsample=True, **UPSET), seed=2)
    other = scores.assemble(frame, reseeded, source="test")
    assert other.sample.tolist() != whole.sample.tolist()


def test_all_seeds_keep_the_same_samples():
    frame = pd.concat([films(), films().assign(seed=2)])
    both = scored.scored(frame, fuse=UPSET, subsample=True)
    assert set(both.sample[both.seed == 1]) == set(both.sample[both.seed == 2])


def test_subject_with_fused_clips_only_keeps_one():
    frame = films(2)
    frame = frame[(frame["subject"] == "p0") | frame["label"].isin(UPSET["upset"])]
    kept = scored.scored(frame, fuse=UPSET, subsample=True)
    assert (kept.subject == "p1").sum() == 1


def test_units_cannot_be_fused():
    frame = scored.units(np.random.default_rng(0))
    with pytest.raises(StudyError, match=r"labels\.fuse.*units"):
        scored.scored(frame, fuse={"brows": ("AU1", "AU4")})


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.2])
def test_score_that_is_no_probability_is_refused(value):
    frame = films(1)
    frame.loc[3, "score_anger"] = value
    with pytest.raises(StudyError, match=r"score_anger of sample p0_surprise_1.*0 to 1"):
        scored.scored(frame)


def test_label_without_score_suggests_the_nearest():
    frame = films(1)
    frame.loc[0, "label"] = "hapiness"
    with pytest.raises(StudyError, match="did you mean happiness"):
        scored.scored(frame)


# ------------------------------------------------------------------------------- files of a study


def write(folder, frame, *, fold=0, architecture="vgg16"):
    made = frame.drop(columns="label").assign(
        architecture=architecture, train_split="regular", fold=fold
    )
    path = folder / f"{architecture}-{fold}-{made['seed'].iloc[0]}.parquet"
    tables.write(made, path, tables.PREDICTIONS)
    return path


def manifest(frame):
    listed = frame[["sample", "subject", "label"]].drop_duplicates("sample")
    return tables.check(listed.assign(path="x.mp4", publishable=True), tables.MANIFEST)


def read(paths, frame):
    return scores.read(
        paths, manifest(frame), scored.labels(*SIX), architecture="vgg16", train_split="regular"
    )


def test_folds_are_put_together_and_the_order_of_files_is_nothing(tmp_path):
    frame = films()
    first = write(tmp_path, frame[frame["subject"] < "p2"], fold=0)
    second = write(tmp_path, frame[frame["subject"] >= "p2"], fold=1)
    together, turned = read([first, second], frame), read([second, first], frame)
    assert len(together.sample) == len(frame)
    assert together.sample.tolist() == turned.sample.tolist()
    np.testing.assert_array_equal(together.score, turned.score)


def test_sample_tested_in_two_folds_is_refused(tmp_path):
    frame = films()
    paths = [write(tmp_path, frame, fold=fold) for fold in (0, 1)]
    with pytest.raises(StudyError, match="scored twice by seed 1"):
        read(paths, frame)


def test_seeds_must_score_the_same_samples(tmp_path):
    frame = films()
    paths = [write(tmp_path, frame), write(tmp_path, frame.iloc[1:].assign(seed=2))]
    with pytest.raises(StudyError, match=r"p0_happiness_0 is scored by seeds 1 of 1, 2"):
        read(paths, frame)
    paths.append(write(tmp_path, frame.assign(seed=3)))
    with pytest.raises(StudyError, match=r"p0_happiness_0 is scored by seeds 1, 3 of 1, 2, 3"):
        read(paths[::-1], frame)


def test_samples_must_be_scored_by_the_same_seeds(tmp_path):
    # As many seeds for every sample, but others: each sample would count as half of one.
    frame = films()
    first = write(tmp_path, frame[frame["subject"] < "p2"], fold=0)
    other = frame[frame["subject"] >= "p2"].assign(seed=2)
    with pytest.raises(StudyError, match=r"p0_\w+ is scored by seeds 1 of 1, 2"):
        read([first, write(tmp_path, other, fold=1)], frame)


def test_files_of_another_model_are_refused(tmp_path):
    frame = films()
    with pytest.raises(StudyError, match="architecture resnet50 found, expected only vgg16"):
        read([write(tmp_path, frame, architecture="resnet50")], frame)
    paths = [
        write(tmp_path, frame, architecture=name, fold=fold)
        for fold, name in enumerate(("vgg16", "senet50", "cnn3d"))
    ]
    with pytest.raises(StudyError, match="architecture cnn3d, senet50 found, expected only vgg16"):
        read(paths, frame)


def test_sample_outside_the_manifest_is_refused(tmp_path):
    frame = films()
    with pytest.raises(StudyError, match="p0_happiness_0 is not in the manifest"):
        read([write(tmp_path, frame)], frame.iloc[1:])


def test_manifest_without_labels_is_refused(tmp_path):
    frame = films()
    with pytest.raises(StudyError, match="column label is missing"):
        scores.read(
            [write(tmp_path, frame)],
            manifest(frame).drop(columns="label"),
            scored.labels(*SIX),
            architecture="vgg16",
            train_split="regular",
        )
