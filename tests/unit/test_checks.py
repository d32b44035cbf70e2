"""What of a configuration is checked without planning it."""

import dataclasses

import pytest
import studies
import synthetic

from facebias.study import Weights, configuration
from facebias.workflow import checks

# Which variant of ResNet50 the weights of a format fit.
VARIANTS = {"torchvision": "torchvision", "vggface2": "caffe"}


def faults(given: str, **changes):
    weights = Weights(source="file.pth", format=given, sha256=None, channel_order="auto")
    settings = synthetic.architecture(**{"width": 1, "input_size": 224, **changes})
    settings = dataclasses.replace(settings, weights=weights)
    found = checks._weights("architectures.a", "resnet50", settings, settings.weights)
    return [line for line in found if ".weights.source" not in line]


@pytest.mark.parametrize("given", VARIANTS)
def test_weights_need_the_variant_that_they_fit(given):
    fits = VARIANTS[given]
    (other,) = {*VARIANTS.values()} - {fits}
    assert faults(given, options={"variant": fits}) == []
    assert faults(given, options={"variant": other}) == [
        f"architectures.a.options.variant: found {other}; weights of the format {given} need {fits}"
    ]


def test_weights_fit_one_width():
    assert faults("torchvision", width=0.5, options={"variant": "torchvision"}) == [
        "architectures.a.width: found 0.5; pretrained weights fit width 1 alone"
    ]


def test_a_fault_of_one_architecture_hides_none_of_another():
    unknown = {"architectures.vgg61": {}, "architectures.tnn3d": {"clips": "wide"}}
    unseen = {"architectures.resnet50": {"clips": "wide"}, "architectures.senet50": {"clips": "x"}}
    study = configuration.load(studies.changed(studies.SMALL, {**unknown, **unseen}))
    faults = [line.partition(":")[0] for line in checks._architectures(study)]
    named = ("vgg61", "tnn3d", "resnet50.clips", "senet50.clips")
    assert faults == [f"architectures.{name}" for name in named]
