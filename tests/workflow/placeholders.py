"""Files that stand for those of SASE-FE, CK+ and the Actor Study: right in number and name, empty.

Enough to plan a study, which opens no video and no picture.
"""

from __future__ import annotations

from pathlib import Path

from facebias.data.datasets.sase_fe import EMOTIONS

WEIGHTS = ("weights/senet50_ft_weight.pkl", "weights/vgg_face_dag.pth")
ACTORS, DARK, MEN, PEOPLE = 21, 19, 47, 144


def sase_fe(folder: Path) -> Path:
    """Make 18 women and 32 men with 12 videos each, and the files of weights."""
    people = [f"{number:02d},{'female' if number <= 18 else 'male'}" for number in range(1, 51)]
    root = folder / "data" / "sase_fe"
    for person in people:
        for emotion in EMOTIONS:
            for kind in ("genuine", "fake"):
                _write(root / person[:2] / f"{emotion}_{kind}.mp4", "x")
    _write(root / "subjects.csv", "\n".join(["subject,gender", *people]))
    for name in WEIGHTS:
        _write(folder / name, "x")
    return folder


def action_units(folder: Path) -> Path:
    """Make 144 people, 47 men and 19 with dark skin among them: 21 actors, the rest from CK+."""
    root = folder / "data"
    rows = ["subject,gender,skin"]
    for number in range(PEOPLE - ACTORS):
        subject = f"S{number + 5:03d}"
        rows.append(f"{subject},{_of(number)}")
        place = f"{subject}/001/{subject}_001_00000001"
        _write(root / "ckplus" / "cohn-kanade-images" / f"{place}.png", "x")
        _write(root / "ckplus" / "FACS" / f"{place}_facs.txt", "   1.0000000e+00   3.0000000e+00\n")
    _write(root / "ckplus" / "subjects.csv", "\n".join(rows))
    people, frames = ["subject,gender,skin"], ["subject,path,AU1"]
    for number in range(PEOPLE - ACTORS, PEOPLE):
        people.append(f"actor{number},{_of(number)}")
        frames.append(f"actor{number},actor{number}.png,1")
        _write(root / "actor_study" / f"actor{number}.png", "x")
    _write(root / "actor_study" / "subjects.csv", "\n".join(people))
    _write(root / "actor_study" / "annotations.csv", "\n".join(frames))
    return folder


def _of(number: int) -> str:
    """Say gender and skin of a person; both groups are spread over the two data sets."""
    return f"{'male' if number % 3 == 0 and number < 3 * MEN else 'female'}," + (
        "dark" if number % 7 == 1 and number < 7 * DARK else "light"
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
