"""The conda environment files under envs/, written from the lock.

``python tests/environments.py --write`` writes them; a test holds them equal to the lock.
"""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.requirements import Requirement

ENVS = Path(__file__).parents[1] / "envs"
BASE = ("jinja2", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml", "tqdm")
TORCH = ("torch", "torchvision")
FACES = ("av", "facenet-pytorch", "opencv-python-headless", "pillow", "scikit-learn")
DRAWING = ("matplotlib", "pillow", "pygments")
# What the rules of one kind import.
ENVIRONMENTS = {
    "analysis": (
        *BASE,
        *DRAWING,
        "markdown-it-py",
        "rocrate",
        "scikit-learn",
        "scipy",
        "snakemake",
    ),
    "clips": (*BASE, *TORCH, *FACES),
    "models": (*BASE, *TORCH, "captum", "h5py", "safetensors", "scipy", "zennit"),
}
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.0"}


def locked() -> dict[str, str]:
    """Return the version of every package that the lock holds for Python 3.11."""
    lines = (ENVS / "lock.txt").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or "python" not in str(pin.marker) or pin.marker.evaluate(PYTHON)
    }


def text(name: str) -> str:
    """Return the text of one conda environment file."""
    versions = locked()
    pins = [f"      - {package}=={versions[package]}\n" for package in sorted(ENVIRONMENTS[name])]
    return (
        "# Written from envs/lock.txt by `make lock`; a test keeps them equal.\n"
        "channels:\n  - conda-forge\n  - nodefaults\n"
        "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n" + "".join(pins)
    )


if __name__ == "__main__" and "--write" in sys.argv:
    for environment in ENVIRONMENTS:
        (ENVS / f"{environment}.yaml").write_text(text(environment))
