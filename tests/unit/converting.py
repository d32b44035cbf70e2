"""Files of pretrained weights through the conversion, and the small networks that take them."""

from __future__ import annotations

import dataclasses

from facebias import study
from facebias.models.architectures import conversion, formats
from facebias.models.architectures import network as networks
from facebias.models.architectures.files import READERS
from facebias.study import Weights


def backbone(name, *, width=1.0, side=224, options=None):
    settings = study.Backbone(
        width=width, input_size=side, frames=None, frozen="none", options=options or {}
    )
    return networks.build_backbone(name, settings).eval()


def converted(kind, name, path, ours, **changes):
    """Read a file and fill ``ours`` with it, without the stage around."""
    entry = dataclasses.replace(formats.FORMATS[kind][name], **changes)
    found = READERS[entry.reader](path)
    state = conversion.convert(found, entry, ours.state_dict(), where=str(path))
    ours.load_state_dict(state)
    return ours


def convert(path, name, out, *, side=224, options=None, **given):
    """Run the stage."""
    given = {
        "source": str(path),
        "format": "torchvision",
        "sha256": None,
        "channel_order": "auto",
    } | given
    settings = study.settings(
        backbone=study.Backbone(
            width=1.0, input_size=side, frames=None, frozen="none", options=options or {}
        ),
        weights=Weights(**given),
    )
    arguments = ["--settings", settings, "--architecture", name, "--file", str(path)]
    conversion.main([*arguments, "--out", str(out)])
