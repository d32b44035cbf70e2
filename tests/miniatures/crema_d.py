"""A miniature of CREMA-D: Flash videos, and the table of demographics."""

from __future__ import annotations

from pathlib import Path

from facebias.data.datasets.crema_d import EMOTIONS
from media import write_video
from miniatures.performers import Performer, perform

TABLE = """\
"ActorID","Age","Sex","Race","Ethnicity"
1001,51,"Male","Caucasian","Not Hispanic"
1002,21,"Female","African American","Not Hispanic"
1003,34,"Female","Asian","Hispanic"
1004,42,"Male","Unknown","Hispanic"
"""


def write(folder: Path, *, emotions: tuple[str, ...] = ("ANG", "HAP", "SAD")) -> Path:
    """Write a film of every emotion by each of four actors."""
    (folder / "VideoFlash").mkdir(parents=True)
    (folder / "VideoDemographics.csv").write_text(TABLE)
    for line in TABLE.splitlines()[1:]:
        actor, age, sex, _, _ = (cell.strip('"') for cell in line.split(","))
        performer = Performer(actor, sex.lower(), age=int(age))
        for emotion in emotions:
            frames = perform(performer, EMOTIONS[emotion], frames=12).frames
            name = f"{actor}_IEO_{emotion}_{'X' if actor == '1004' else 'HI'}.flv"
            write_video(folder / "VideoFlash" / name, frames, fps=30, codec="flv")
    return folder
