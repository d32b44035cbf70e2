"""Settings of data sets with Action Units, for tests."""

from __future__ import annotations

from pathlib import Path

from facebias import __main__, study
from media import data_settings, label_settings
from miniatures import actor_study, ckplus

PEOPLE, SEQUENCES = 4, 2
UNITS = ("AU1", "AU2", "AU4", "AU12", "AU14")
CLASSES = ("surprise", "happiness", "anger", "sadness")


def ckplus_section(samples: str = "sequences", last_frames=None, min_intensity: int = 1):
    return {"samples": samples, "last_frames": last_frames, "min_intensity": min_intensity}


def ckplus_settings(*options, **changes):
    section = ckplus_section(*options)
    defaults = {
        "adapter": "ckplus",
        "manifest": None,
        "attributes": ["gender", "skin"],
        "ckplus": section,
    }
    return data_settings(**(defaults | changes))


def actor_settings(min_intensity: int = 1, **changes):
    section = {"annotations": "annotations.csv", "min_intensity": min_intensity}
    defaults = {"adapter": "actor_study", "manifest": None, "actor_study": section}
    return data_settings(**(defaults | changes))


def combined_settings(**changes):
    sets = {
        "ck": {
            "adapter": "ckplus",
            "root": "ckplus",
            "subjects": "subjects.csv",
            "ckplus": ckplus_section("frames"),
        },
        "actors": {
            "adapter": "actor_study",
            "root": "actor_study",
            "subjects": "subjects.csv",
            "publishable": True,
            "actor_study": {"annotations": "annotations.csv", "min_intensity": 1},
        },
    }
    defaults = {
        "adapter": "combined",
        "manifest": None,
        "subjects": None,
        "attributes": ["gender", "skin", "data_set"],
        "sets": sets,
    }
    return data_settings(**(defaults | changes))


def units(names: tuple[str, ...] = UNITS):
    return label_settings("units", names)


def landmarks(data, root: Path, out: Path) -> int:
    arguments = ["--settings", study.settings(data=data), "--root", str(root), "--out", str(out)]
    return __main__.main(["landmarks", *arguments])


def write(folder: Path) -> Path:
    """Draw a miniature of CK+ and one of the Actor Study."""
    ckplus.write(folder / "ckplus", ckplus.people(PEOPLE), sequences=SEQUENCES)
    actor_study.write(folder / "actor_study", actor_study.people(3))
    return folder
