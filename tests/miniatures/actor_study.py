"""A miniature of the Actor Study: annotated frames as pictures, of every third actor as a video."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from facebias.data.datasets.drawn import film
from facebias.data.datasets.drawn.expressions import UNITS
from miniatures.performers import Performer, Take, perform

# The drawn units but for AU14, which nobody annotated here.
ANNOTATED = tuple(unit for unit in UNITS if unit != 14)
SHOWN = ("sadness", "surprise", "happiness", "anger", "disgust", "contempt")


def people(n: int) -> list[Performer]:
    """Return ``n`` actors, every other one a woman."""
    return [
        Performer(f"actor{number:02d}", ("female", "male")[number % 2])
        for number in range(1, n + 1)
    ]


def write(folder: Path, performers: Iterable[Performer], *, frames: int = 6) -> Path:
    """Write the frames, the table of annotations and that of subjects.

    The last annotated unit of every first frame is empty: nobody looked.
    """
    people = ["subject,gender,skin"]
    rows = [",".join(["subject", "path", "frame", *(f"AU{unit}" for unit in ANNOTATED)])]
    for number, performer in enumerate(performers):
        people.append(f"{performer.subject},{performer.gender},{performer.skin}")
        take = perform(performer, SHOWN[number % len(SHOWN)], frames=frames)
        paths = _filmed(folder, performer, take, video=number % 3 == 2)
        for frame, path in enumerate(paths):
            shown = take.shown(frame)
            cells = [str(shown.get(unit, 0)) for unit in ANNOTATED]
            if frame == 0:
                cells[-1] = ""
            rows.append(",".join([performer.subject, path, str(frame), *cells]))
    (folder / "subjects.csv").write_text("\n".join(people) + "\n")
    (folder / "annotations.csv").write_text("\n".join(rows) + "\n")
    return folder


def _filmed(folder: Path, performer: Performer, take: Take, *, video: bool) -> list[str]:
    place = Path("center", performer.subject)
    (folder / place).mkdir(parents=True)
    if video:
        path = place / "low_speed.mp4"
        film.write(take.frames, folder / path, fps=25)
        return [path.as_posix()] * len(take.frames)
    paths = [place / f"{frame:06d}.png" for frame in range(len(take.frames))]
    for pixels, path in zip(take.frames, paths, strict=True):
        Image.fromarray(pixels).save(folder / path)
    return [path.as_posix() for path in paths]
