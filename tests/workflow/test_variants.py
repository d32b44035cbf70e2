"""Variants of the preprocessing: which jobs they add, what they share, and what an edit reruns."""

from __future__ import annotations

import dataclasses
import itertools

import placeholders
import pytest
import studies
import yaml

from facebias.study import configuration

# Two more margins of the same key frames, and one frame instead of two.
VARIANTS = {
    "m4": {"margin": 4},
    "m8": {"margin": 8},
    "k1": {"windows": [{"k": 1}]},
}
VARIED = {
    "clips.variants": VARIANTS,
    **{f"architectures.vgg16_{name}": {"network": "vgg16", "clips": name} for name in VARIANTS},
}


CONFIG = studies.ROOT / "config"
STUDY_A = CONFIG / "domnich2021.yaml", CONFIG / "variants" / "domnich2021.yaml"


def planned(tmp_path, changes, *arguments):
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    return studies.jobs(studies.plan(tmp_path, config, *arguments))


def test_a_variant_that_nobody_sees_has_no_jobs(tmp_path):
    (tmp_path / "plain").mkdir()
    plain = planned(tmp_path / "plain", {})
    assert "locate" not in plain
    assert planned(tmp_path, {"clips.variants": VARIANTS}) == plain


def test_variants_share_their_faces(tmp_path):
    jobs = planned(tmp_path, VARIED)
    # Two shards. `clips`, m4 and m8 look for the same faces, k1 for others.
    assert jobs["locate"] == 2
    assert jobs["extract"] == 4 * 2
    assert jobs["index"] == 4
    assert jobs["train_model"] == 5 * 2
    assert jobs["figure_sensitivity"] == 1
    assert jobs["figure_exclusions"] == 4


def test_a_network_on_one_variant_alone_has_no_figure(tmp_path):
    changes = {"clips.variants": VARIANTS, "architectures.vgg16.clips": "m8"}
    jobs = planned(tmp_path, changes)
    assert jobs["train_model"] == 2 * 2
    assert jobs["index"] == 2  # cnn3d sees `clips`
    assert "figure_sensitivity" not in jobs


def test_a_network_of_another_name_has_the_keys_of_its_model():
    study = configuration.load(studies.changed(studies.SMALL, VARIED))
    own, other = study.architectures["vgg16"], study.architectures["vgg16_m8"]
    assert (other.width, other.input_size, other.options) == (0.125, 32, {"pool": 1})
    assert other.training == own.training
    assert (own.clips, other.clips, other.called("vgg16_m8")) == (None, "m8", "vgg16")
    resolved = configuration.resolve(studies.changed(studies.SMALL, VARIED))
    assert configuration.resolve(resolved) == resolved


def test_a_variant_has_the_keys_of_clips_below_its_own():
    study = configuration.load(studies.changed(studies.SMALL, VARIED))
    assert study.clips.of("m8").margin == 8
    assert study.clips.of("m8").windows == study.clips.of(None).windows
    assert study.clips.of("m8").crop_size == 32
    assert study.clips.of("k1").frames == 1


@pytest.mark.parametrize("shared", [True, False])
def test_weights_are_converted_once_for_all_variants(tmp_path, shared):
    file = tmp_path / "file.pth"
    file.write_bytes(b"weights")
    still = {"augmentation": {"flip": 0, "rotate": 0, "brighten": 0}}
    given = {"input_size": 32, "weights": {"source": str(file)}, "training": still}
    changes = {
        **VARIED,
        "architectures.resnet50": {**given, "frozen": "backbone"},
        "architectures.resnet50_m8": {"network": "resnet50", "clips": "m8" if shared else None},
    }
    jobs = planned(tmp_path, changes)
    assert jobs["convert_weights"] == 1
    # What a frozen network makes of other clips is something else; of the same clips it is not.
    assert jobs["features"] == (2 if shared else 1)


@pytest.mark.slow
def test_an_edit_of_one_variant_reruns_what_sees_it(tmp_path):
    targets = [f"results/small/clips{ending}/index.parquet" for ending in ("", "_m4", "_m8", "_k1")]
    config = studies.write(studies.changed(studies.SMALL, VARIED), tmp_path)
    done = studies.snakemake(tmp_path, config, "--", *targets)
    assert studies.jobs(done)["locate"] == 2, done.stdout

    def again(**changes):
        return planned(tmp_path, {**VARIED, **changes}, "--", *targets)

    assert again() == {}
    own = {"clips.variants": {**VARIANTS, "m8": {"margin": 9}}}
    assert again(**own) == {"extract": 2, "index": 1}
    # Of `clips` itself, margins that variants set are theirs.
    assert again(**{"clips.margin": 2}) == {"extract": 4, "index": 2}
    assert again(**{"clips.variants": {**VARIANTS, "k1": {"windows": [{"k": 2}]}}}) == {
        "extract": 2, "index": 1,
    }  # fmt: skip
    # Faces that are looked for otherwise are cut again by all who share them.
    assert again(**{"clips.min_face": 30}) == {"locate": 2, "extract": 8, "index": 4}


def test_the_overlay_of_study_a_adds_variants_alone():
    base, overlay = (yaml.safe_load(path.read_text()) for path in STUDY_A)
    assert set(overlay) == {"study", "clips", "architectures"}
    assert overlay["study"] == base["study"]
    assert set(overlay["clips"]) == {"variants"}
    study = configuration.load(configuration.merge(base, overlay))
    alone = configuration.load(base)
    assert {name: study.architectures[name] for name in alone.architectures} == alone.architectures
    cuts = {name: (clips.margin, clips.frames) for name, clips in study.clips.variants.items()}
    # With the margin and K of the main job, every margin with every K.
    assert {*cuts.values(), (40, 20)} == set(itertools.product((0, 25, 40, 65), (10, 20, 50)))
    assert len(cuts) == 4 * 3 - 1
    windows = {
        k: [study.clips.of(name).windows for name, (_, n) in cuts.items() if n == k]
        for k in (10, 50)
    }
    (whole,), (first, second) = windows[10][0], windows[50][0]
    assert (whole.k, whole.skip_frames, tuple(whole.part)) == (10, 0, (0, 1))
    assert [(one.k, tuple(one.part)) for one in (first, second)] == [(20, (0, 0.5)), (30, (0.5, 1))]
    assert all(one == found[0] for found in windows.values() for one in found)
    named = {one.clips for one in study.architectures.values()} - {None}
    assert {cuts[name] for name in named} == {(0, 20), (25, 20), (65, 20), (40, 10), (40, 50)}
    for name, architecture in study.architectures.items():
        network = architecture.called(name)
        assert architecture.head == alone.architectures[network].head
        # Some are computed in parts, where 50 frames would not fit (test_published_studies).
        trained = dataclasses.replace(architecture.training, micro_batch=None)
        assert trained == alone.architectures[network].training
    assert len(study.architectures) == 6 * (1 + len(named))


@pytest.mark.slow
def test_the_overlay_of_study_a_plans_108_models_and_three_searches_for_faces(tmp_path):
    folder = placeholders.sase_fe(tmp_path)
    laid_over = ("--configfile", *map(str, STUDY_A))
    jobs = studies.jobs(studies.plan(folder, STUDY_A[0], *laid_over))
    assert jobs["train_model"] == jobs["predict"] == 6 * 6 * 3
    shards = 24
    assert jobs["extract"] == 6 * shards
    # Margins 0, 25, 40 and 65 share theirs; K = 10 and K = 50 have one variant each, which looks
    # for its faces where it cuts them.
    assert jobs["locate"] == shards
    assert (jobs["fetch_weights"], jobs["convert_weights"]) == (2, 4)
    assert jobs["figure_sensitivity"] == 1
