"""Augmentation, schedules, losses, number formats and random streams of training."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import SafetensorError
from sklearn import metrics as sk
from torch.nn import functional

from facebias.models import determinism
from facebias.models.training import augmentation, feeding, losses, precision, stage
from facebias.models.training.augmentation import Changes
from facebias.models.training.schedules import SCHEDULES
from facebias.study import Augmentation, StudyError

ALL = Augmentation(flip=0.5, rotate=0.5, degrees=15.0, brighten=0.5, brightness=0.3)


def still(n: int, **changes: np.ndarray) -> Changes:
    nothing = Changes(flip=np.zeros(n, bool), degrees=np.zeros(n), brightness=np.ones(n))
    return dataclasses.replace(nothing, **changes)


def change(clips: torch.Tensor, changes: Changes) -> torch.Tensor:
    sent = feeding.send(changes.parameters(), clips.device)
    return augmentation.apply(clips, **sent)


def test_each_change_comes_with_its_own_probability():
    drawn = augmentation.draw(4000, ALL, np.random.default_rng(0))
    kinds = np.stack([drawn.flip, drawn.degrees != 0, drawn.brightness != 1])
    assert np.allclose(kinds.mean(1), 0.5, atol=0.03)
    assert np.allclose(np.corrcoef(kinds), np.eye(3), atol=0.05)
    assert np.abs(drawn.degrees).max() == pytest.approx(15, abs=0.1)
    assert drawn.brightness.min() == pytest.approx(0.7, abs=0.01)
    off = dataclasses.replace(ALL, flip=0.0, rotate=0.0, brighten=0.0)
    none = augmentation.draw(50, off, np.random.default_rng(0))
    assert not none.flip.any()
    assert not none.degrees.any()
    assert (none.brightness == 1).all()


def test_nothing_drawn_changes_nothing():
    clips = torch.rand(3, 2, 3, 9, 9)
    assert torch.equal(change(clips, still(3)), clips)


def test_flip_mirrors_the_chosen_clips():
    clips = torch.rand(2, 2, 3, 5, 6)
    found = change(clips, still(2, flip=np.array([False, True])))
    assert torch.equal(found[0], clips[0])
    assert torch.equal(found[1], clips[1].flip(-1))


def test_rotation_by_a_quarter_turns_the_picture_counter_clockwise():
    clips = torch.rand(2, 2, 3, 8, 8)
    found = change(clips, still(2, degrees=np.array([90.0, 0.0])))
    # float32: a place is off by some 2**-22 of the 8 pixels, and neighbours differ by at most 1.
    assert torch.allclose(found[0], clips[0].rot90(1, (-2, -1)), rtol=0, atol=2 * 8 * 2**-22)
    assert torch.equal(found[1], clips[1])


def test_all_frames_of_a_clip_are_changed_alike():
    frame = torch.rand(4, 1, 3, 16, 16)
    clips = frame.expand(4, 5, 3, 16, 16)
    drawn = augmentation.draw(4, dataclasses.replace(ALL, rotate=1.0), np.random.default_rng(1))
    found = change(clips, drawn)
    assert torch.equal(found, found[:, :1].expand_as(found))
    assert not torch.equal(found, clips)


def test_brightness_scales_and_stays_in_range():
    clips = torch.rand(2, 1, 3, 4, 4)
    found = change(clips, still(2, brightness=np.array([0.7, 1.3])))
    assert torch.allclose(found[0], clips[0] * 0.7)
    assert torch.allclose(found[1], (clips[1] * 1.3).clamp(max=1))


@pytest.mark.parametrize("total", [10, 137])
def test_one_cycle_equals_torch(total):
    weights = [torch.zeros(1, requires_grad=True)]
    optimiser = torch.optim.SGD(weights, lr=0.1)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=0.5, total_steps=total, cycle_momentum=False
    )
    for step in range(total):
        expected = optimiser.param_groups[0]["lr"]
        assert 0.5 * SCHEDULES["one_cycle"](step, total) == pytest.approx(expected, rel=1e-6)
        optimiser.step()
        if step < total - 1:
            reference.step()


def test_cosine_equals_torch():
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=20)
    for step in range(20):
        expected = optimiser.param_groups[0]["lr"]
        assert 0.5 * SCHEDULES["cosine"](step, 20) == pytest.approx(expected, rel=1e-6)
        optimiser.step()
        reference.step()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 3])
def test_schedules_stand_the_shortest_training(name, total):
    factors = [SCHEDULES[name](step, total) for step in range(total)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert max(factors) > 0


def test_softmax_loss_equals_its_formula():
    scores, targets = torch.randn(5, 3).double(), torch.tensor([0, 1, 2, 1, 0])
    logs = scores.log_softmax(1)
    sharp = -logs[range(5), targets].mean()
    assert torch.allclose(losses.loss(scores, targets, kind="classes"), sharp)
    smooth = 0.9 * sharp - 0.1 * logs.mean()
    assert torch.allclose(losses.loss(scores, targets, kind="classes", smoothing=0.1), smooth)


def test_masked_loss_ignores_what_is_not_annotated():
    scores = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    targets = [[1, 0, math.nan], [math.nan] * 3, [0, 1, 1], [1, math.nan, 0]]
    targets = torch.tensor(targets, dtype=torch.float64)
    known = ~targets.isnan()
    expected = functional.binary_cross_entropy_with_logits(scores[known], targets[known])
    found = losses.loss(scores, targets, kind="units")
    assert torch.allclose(found, expected)
    found.backward()
    assert (scores.grad[~known] == 0).all()
    assert (scores.grad[known] != 0).all()
    right, decisions = losses.correct(scores, targets, kind="units")
    assert decisions == 7
    assert right == ((scores > 0)[known] == (targets[known] == 1)).sum()


def slow_loss(scores, targets, average):
    """The masked loss entry by entry."""
    by_unit = {}
    for sample, unit in itertools.product(range(len(scores)), range(scores.shape[1])):
        score, target = scores[sample, unit].item(), targets[sample, unit].item()
        if not math.isnan(target):
            said = 1 / (1 + math.exp(-score))
            own = -math.log(said if target == 1 else 1 - said)
            by_unit.setdefault(unit, []).append(own)
    if average == "units":
        return sum(sum(each) / len(each) for each in by_unit.values()) / len(by_unit)
    every = [own for each in by_unit.values() for own in each]
    return sum(every) / len(every)


@pytest.mark.parametrize("there", [(0, 1, 2, 3), (0, 2), (1,)])
def test_macro_recall_and_f1_of_classes_are_those_of_scikit_learn_over_labels_that_occur(there):
    random = np.random.default_rng(1)
    targets = random.choice(there, size=60)
    scores = torch.from_numpy(random.random((60, 4)))
    said = scores.argmax(1).numpy()
    found = losses.macro(scores, torch.from_numpy(targets), kind="classes")
    wanted = {"labels": there, "average": "macro", "zero_division": 0}
    assert found["macro_recall"] == pytest.approx(sk.recall_score(targets, said, **wanted))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(targets, said, **wanted))


def test_macro_recall_and_f1_of_units_are_those_of_scikit_learn_where_they_are_annotated():
    random = np.random.default_rng(1)
    targets = (random.random((60, 4)) < 0.3).astype(np.float32)
    targets[random.random((60, 4)) < 0.2] = np.nan
    targets[:, 2] = 0  # never shown
    targets[:, 3] = np.nan  # never annotated
    scores = random.normal(size=(60, 4))
    found = losses.macro(torch.from_numpy(scores), torch.from_numpy(targets), kind="units")
    recall, f1 = [], []
    for place in (0, 1):
        known = ~np.isnan(targets[:, place])
        pair = targets[known, place], scores[known, place] > 0
        recall.append(sk.balanced_accuracy_score(*pair))
        f1.append(sk.f1_score(*pair))
    assert found["macro_recall"] == pytest.approx(np.mean(recall))
    assert found["macro_f1"] == pytest.approx(np.mean(f1))


def test_without_any_label_there_is_no_macro_recall():
    scores, targets = torch.ones(3, 2), torch.tensor([[0.0, math.nan]] * 3)
    found = losses.macro(scores, targets, kind="units")
    assert all(map(math.isnan, found.values()))


def test_finding_a_unit_everywhere_or_nowhere_is_no_recall():
    targets = torch.tensor([[1.0], [0], [0], [0]])
    for score in (-1.0, 1.0):
        found = losses.macro(torch.full((4, 1), score), targets, kind="units")
        assert found["macro_recall"] == 0.5


@pytest.mark.parametrize("average", list(losses.AVERAGES))
def test_masked_loss_equals_a_slow_loop_and_has_no_gradient_where_nothing_is_annotated(average):
    random = torch.Generator().manual_seed(4)
    for seed in range(20):
        scores = torch.randn(6, 4, generator=random, dtype=torch.float64, requires_grad=True)
        targets = torch.randint(2, (6, 4), generator=random).double()
        targets[torch.rand(6, 4, generator=random) < 0.15 * (seed % 5)] = math.nan
        if seed % 2:
            targets[:, 1] = math.nan
        found = losses.loss(scores, targets, kind="units", average=average)
        assert float(found.detach()) == pytest.approx(slow_loss(scores, targets, average))
        found.backward()
        known = ~targets.isnan()
        assert (scores.grad[~known] == 0).all()
        assert (scores.grad[known] != 0).all()


@pytest.mark.parametrize("kind", ["classes", *losses.AVERAGES])
@pytest.mark.parametrize("sizes", [[6], [2, 4], [1, 2, 3], [1] * 6])
def test_losses_of_parts_add_up_to_that_of_the_batch(kind, sizes):
    """Also where parts differ in what of them is annotated."""
    random = torch.Generator().manual_seed(4)
    scores = torch.randn(6, 4, generator=random, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(4, (6,), generator=random)
    given = {"kind": kind, "smoothing": 0.1}
    if kind != "classes":
        targets = torch.randint(2, (6, 4), generator=random).double()
        targets[0] = targets[2:4, 1] = targets[:, 3] = math.nan
        given = {"kind": "units", "average": kind}
    whole = losses.loss(scores, targets, **given)
    parts = [
        losses.loss(*pair, **given, batch=targets)
        for pair in zip(scores.split(sizes), targets.split(sizes), strict=True)
    ]
    assert sum(parts).item() == pytest.approx(whole.item(), rel=1e-14)
    found, expected = (torch.autograd.grad(loss, scores)[0] for loss in (sum(parts), whole))
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)


def test_averaging_over_units_gives_rarely_annotated_units_the_same_weight():
    scores = torch.zeros(8, 2, dtype=torch.float64, requires_grad=True)
    targets = torch.ones(8, 2, dtype=torch.float64)
    targets[1:, 1] = math.nan
    weights = {}
    for average in losses.AVERAGES:
        (slopes,) = torch.autograd.grad(
            losses.loss(scores, targets, kind="units", average=average), scores
        )
        weights[average] = (slopes.sum(0) / slopes.sum()).tolist()
    assert weights["units"] == pytest.approx([0.5, 0.5])
    assert weights["entries"] == pytest.approx([8 / 9, 1 / 9])


@pytest.mark.parametrize("average", list(losses.AVERAGES))
def test_loss_of_a_batch_without_annotations_is_zero(average):
    scores = torch.randn(2, 3, requires_grad=True)
    loss = losses.loss(scores, torch.full((2, 3), math.nan), kind="units", average=average)
    loss.backward()
    assert loss == 0
    assert (scores.grad == 0).all()


@pytest.mark.parametrize(
    ("capability", "auto", "refused"),
    [
        ((6, 1), "fp32", {"fp16", "bf16"}),
        ((7, 0), "fp16", {"bf16"}),
        ((7, 5), "fp16", {"bf16"}),
        ((8, 0), "bf16", set()),
        ((9, 0), "bf16", set()),
        ((12, 0), "bf16", set()),
    ],
)
def test_number_format_follows_the_compute_capability(monkeypatch, capability, auto, refused):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)  # by emulation
    device = torch.device("cuda")
    assert precision.choose("auto", device).name == auto
    for name in ("fp32", "fp16", "bf16"):
        if name in refused:
            with pytest.raises(
                StudyError, match=rf"found {name}, but a GPU .* not have it in hard"
            ):
                precision.choose(name, device)
        else:
            chosen = precision.choose(name, device)
            assert chosen.name == name
            assert chosen.scaled == (name == "fp16")


def test_a_cpu_computes_in_32_bits():
    device = torch.device("cpu")
    assert precision.choose("auto", device).name == "fp32"
    for name in ("fp16", "bf16"):
        with pytest.raises(StudyError, match=rf"training.precision: found {name}, but a CPU"):
            precision.choose(name, device)
    chosen = precision.choose("auto", device)
    assert not chosen.scaler().is_enabled()
    with chosen.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_random_streams_are_named():
    assert determinism.entropy(1, "vgg16", "female", 0) == determinism.entropy(
        1, "vgg16", "female", 0
    )
    streams = {
        tuple(determinism.entropy(seed, name, fold))
        for seed in (1, 2)
        for name in ("vgg16", "vggface")
        for fold in (0, 1)
    }
    assert len(streams) == 8
    seeds = {determinism.torch_seed([1, 2], epoch, 0) for epoch in range(50)}
    assert len(seeds) == 50


def test_determinism_is_set_and_unset(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    determinism.configure(deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    determinism.configure(deterministic=False)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False


def test_weights_that_cannot_be_written_say_what_to_do(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(stage.weights, "save", full)
    fault = r"model: the weights cannot be written \(No space left on device\); make room on that"
    with pytest.raises(StudyError, match=fault):
        stage._write(tmp_path / "model", {}, pd.DataFrame(), {}, {})
    assert not list(tmp_path.iterdir())
