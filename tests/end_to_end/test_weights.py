"""A study that starts from pretrained weights and keeps them: fetched, converted, computed once."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import studies
import torch
import torchvision

from facebias.core import provenance

pytestmark = pytest.mark.slow
STILL = {"flip": 0, "rotate": 0, "brighten": 0}


def planned(clone, config):
    jobs = studies.jobs(studies.plan(clone, config, "--", "predictions", root=clone))
    return {name: number for name, number in jobs.items() if name != "predictions"}


def test_study_from_an_address_to_the_predictions(tmp_path):
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet50(weights=None).state_dict(), tmp_path / "published.pth")
    digest = provenance.digest(tmp_path / "published.pth")
    weights = {"source": (tmp_path / "published.pth").as_uri(), "sha256": digest}
    network = {"input_size": 32, "frozen": "backbone", "weights": weights}
    changes = {
        "architectures": {"resnet50": network},
        "training.augmentation": STILL,
        "explanation": ...,
    }
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    clone = studies.clone(tmp_path / "clone")
    done = studies.snakemake(clone, config, "predictions", root=clone)
    jobs = studies.jobs(done)
    assert {name: jobs[name] for name in ("fetch_weights", "convert_weights", "features")} == {
        "fetch_weights": 1,
        "convert_weights": 1,
        "features": 1,
    }
    assert (jobs["train_model"], jobs["predict"]) == (2, 2)

    out = clone / "results/small"
    clips = pd.read_parquet(out / "clips/index.parquet")
    features = np.load(out / "features/resnet50.npy")
    assert features.shape == ((clips["row"] >= 0).sum(), 2, 2048)
    backbone = safetensors.torch.load_file(out / "weights/resnet50.safetensors")
    for model in (out / "models/resnet50").glob("*/fold-0/seed-1"):
        trained = safetensors.torch.load_file(model / "weights.safetensors")
        assert all(torch.equal(trained[f"backbone.{key}"], backbone[key]) for key in backbone)
        facts = json.loads((model / "provenance.json").read_text())
        assert facts["pretrained"] == {
            "source": weights["source"],
            "format": "torchvision",
            "sha256": digest,
        }
    assert planned(clone, config) == {}

    # Another learning rate trains again, and computes no features again.
    changes["training.learning_rate"] = 0.02
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    again = planned(clone, config)
    assert again == {"train_model": 2, "predict": 2}

    # Fewer frames of a clip are other features.
    network["frames"] = 1
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    again = planned(clone, config)
    assert again == {"features": 1, "train_model": 2, "predict": 2}
