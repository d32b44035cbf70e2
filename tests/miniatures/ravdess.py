"""A miniature of RAVDESS: videos with and without sound, spoken and sung, in folders of actors."""

from __future__ import annotations

from pathlib import Path

from facebias.data.datasets.drawn import film
from facebias.data.datasets.ravdess import CODES
from miniatures.performers import Performer, perform

EMOTIONS = CODES["emotion"]


def write(folder: Path, actors: int = 4, *, emotions: tuple[str, ...] = ("01", "03", "06")) -> Path:
    """Write for each actor: spoken films of the emotions, one of them sung, all in both kinds."""
    for actor in range(1, actors + 1):
        performer = Performer(f"{actor:02d}", "male" if actor % 2 else "female")
        place = folder / f"Actor_{actor:02d}"
        place.mkdir(parents=True)
        for emotion in emotions:
            frames = perform(performer, EMOTIONS[emotion], frames=12).frames
            for modality in ("01", "02"):
                for channel in ("01", "02") if emotion == emotions[-1] else ("01",):
                    name = f"{modality}-{channel}-{emotion}-01-02-01-{actor:02d}.mp4"
                    film.write(frames, place / name, fps=30)
        (place / f"03-01-{emotions[0]}-01-02-01-{actor:02d}.wav").write_bytes(b"RIFF")
    return folder
