"""From video to face crops: beside detection on every frame, over cores, and the memory it takes.

The naive side is what one writes in an afternoon: every frame decoded to colour, facenet-pytorch
called for each with its defaults. Everything runs on one core per process.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import studies
import torch
import yaml
from facenet_pytorch import MTCNN
from threadpoolctl import threadpool_limits

from facebias import study
from facebias.clips import faces, keyframes, stage
from facebias.clips.decode import Footage
from facebias.data.datasets.drawn import film
from facebias.study import Preprocessing, configuration

WIDTH, HEIGHT, FPS, FRAMES = 1280, 960, 100, 350  # a video of SASE-FE
VIDEOS_OF_STUDY_A = 600  # 50 people, 12 videos of each
NAIVE_FRAMES = 6
MINUTES = (1, 3, 10)
TRIES = 3


@pytest.fixture(scope="module")
def settings() -> Preprocessing:
    """The main setting of study A: 20 key frames after the first 100 frames, crops of 256."""
    config = yaml.safe_load((studies.ROOT / "config/domnich2021.yaml").read_text())
    return configuration.load(config).clips.of(None)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn person filmed at the size, speed and length of SASE-FE."""
    folder = tmp_path_factory.mktemp("video")
    changes = {
        "data.drawn": {"subjects": 2, "repetitions": 1, "shards": 1, "size": 480, "frames": 50},
        "labels": {"names": ["happiness", "surprise"]},
    }
    demo = yaml.safe_load((studies.ROOT / "config/demo.yaml").read_text())
    made = configuration.load(configuration.resolve(studies.changed(demo, changes)))
    given = study.settings(drawn=made.data.drawn, labels=made.labels.names)
    command = ["draw", "--settings", given, "--shard", "0", "--out", str(folder / "drawn")]
    subprocess.run([sys.executable, "-m", "facebias", *command], check=True, env=environment())
    drawn = min(folder.glob("drawn/*.mp4"))
    with av.open(str(drawn)) as container:
        small = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    side = (WIDTH - HEIGHT) // 2
    large = [
        cv2.copyMakeBorder(
            cv2.resize(frame, (HEIGHT, HEIGHT), interpolation=cv2.INTER_CUBIC),
            *(0, 0, side, side),
            cv2.BORDER_REPLICATE,
        )
        for frame in small
    ]
    # Slow motion: every drawn frame several times, each with noise of its own, as a sensor has it.
    random = np.random.default_rng(1)
    noise = random.normal(0, 2, (7, HEIGHT, WIDTH, 1)).astype(np.float32)
    frames = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(FRAMES):
        seen = large[number * len(large) // FRAMES] + noise[number % len(noise)]
        frames[number] = np.clip(seen, 0, 255)
    film.write(frames, folder / "film.mp4", fps=FPS)
    return folder / "film.mp4"


def environment() -> dict[str, str]:
    return {**studies.ENVIRONMENT, "PYTHONPATH": str(studies.ROOT / "workflow")}


@pytest.fixture(autouse=True)
def _one_thread():
    stage.one_thread()
    with threadpool_limits(limits=1):
        yield


def cpu(work, tries: int = TRIES) -> float:
    """Return the median of the seconds of processor time that ``work`` takes."""
    taken = []
    for _ in range(tries):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def decode(path: Path) -> int:
    """Decode a video and do nothing with it."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        return sum(1 for _ in container.decode(video=0))


def test_video_to_faces(results, settings, video, tmp_path):
    """A video of study A, and one of ten seconds: faces are looked for in 20 frames of each."""
    detector = faces.Detector(settings)
    long = tmp_path / "long.mp4"
    n_long = repeat(video, long, 3)
    alone = cpu(lambda: decode(video)) / FRAMES
    frames = list(Footage(video).colour(list(range(0, FRAMES, FRAMES // NAIVE_FRAMES))))
    naive = MTCNN(device=torch.device("cpu"))

    def detect_every_frame():
        for frame in frames:
            naive.detect(frame)

    detected = cpu(detect_every_frame, tries=1) / len(frames)
    decoded = cpu(lambda: list(Footage(video).colour(list(range(0, FRAMES, 5))))) / FRAMES
    theirs = detected + decoded
    for path, n in ((long, n_long), (video, FRAMES)):
        ours = cpu(lambda path=path: stage.make_clip(path, settings, detector)) / n
        results.add(
            f"video of {n:,} frames, 1280x960 at 100 fps, to 20 face crops: CPU s per 1,000 frames",
            f"{1000 * ours:.1f}",
            peer=f"{1000 * theirs:.0f} (MTCNN on every full frame)",
            ratio=theirs / ours,
            goal="50 times less",
            limit=(1 / ours, 1 / alone, "frames per CPU s, decoding alone"),
        )
    each = FRAMES * VIDEOS_OF_STUDY_A / 3600
    results.add(
        f"study A, {VIDEOS_OF_STUDY_A} videos x {FRAMES} frames cut: CPU h",
        f"{each * ours:.2f}",
        peer=f"{each * theirs:.1f} (MTCNN on every full frame)",
        ratio=theirs / ours,
    )


def test_boxes_of_reduced_frames(results, settings, video):
    """How far are boxes found in reduced frames from those found in full ones?

    And how far are those from themselves, when every frame is moved by a pixel?
    """
    positions = keyframes.choose(
        Footage(video).grey(settings.cluster_size), settings.windows, seed=settings.seed
    )
    frames = list(Footage(video).colour(positions))
    naive = MTCNN(device=torch.device("cpu"))

    def search(pictures: list[np.ndarray]) -> np.ndarray:
        return np.stack([naive.detect(picture)[0][0].astype(float) for picture in pictures])

    full = search(frames)
    width = np.median(full[:, 2] - full[:, 0])

    def off(boxes: np.ndarray) -> str:
        each = np.abs(boxes - full).max(axis=1) / width
        cut = np.abs(np.median(boxes, axis=0) - np.median(full, axis=0)).max() / width
        return (
            f"{100 * cut:.1f} % of the face width; of a frame {100 * np.median(each):.1f} %, "
            f"at most {100 * each.max():.1f} %"
        )

    border = (1, 0, 1, 0, cv2.BORDER_REPLICATE)
    moved = [cv2.copyMakeBorder(frame, *border)[:HEIGHT, :WIDTH] for frame in frames]
    results.add(
        "box of a clip found in reduced frames, off that of MTCNN's defaults in full frames by",
        off(faces.Detector(settings).find(frames).boxes),
        peer=f"{off(search(moved) - 1)} (MTCNN's defaults, frames moved by a pixel)",
        goal="within 2 %",
    )


def test_key_frames_beside_decoding(results, settings, video):
    both = cpu(
        lambda: keyframes.choose(
            Footage(video).grey(settings.cluster_size), settings.windows, seed=settings.seed
        )
    )
    alone = cpu(lambda: decode(video))
    results.add(
        "decoding with key frames, frames per CPU s",
        f"{FRAMES / both:.0f}",
        goal="70 % of the limit",
        limit=(FRAMES / both, FRAMES / alone, "frames per CPU s, decoding alone"),
    )


def _cut(given: tuple[Path, Preprocessing, int | None]) -> None:
    video, settings, threads = given
    if threads == 1:
        stage.one_thread()
    stage.make_clip(video, settings, faces.Detector(settings))


def throughput(video: Path, settings: Preprocessing, processes: int, threads: int | None) -> float:
    """Return the clips per second of so many processes at once, their start not counted."""
    context = multiprocessing.get_context("spawn")
    given = (video, settings, threads)
    with context.Pool(processes) as pool:
        pool.map(_cut, [given] * processes, chunksize=1)  # all have started
        start = time.perf_counter()
        pool.map(_cut, [given] * 2 * processes, chunksize=1)
        return 2 * processes / (time.perf_counter() - start)


def test_extraction_over_cores(results, settings, video):
    cores = len(os.sched_getaffinity(0))
    one, all_ = (throughput(video, settings, n, 1) for n in (1, cores))
    default = throughput(video, settings, cores, None)
    results.add(
        f"clips per second from 1 process to {cores}",
        f"{one:.2f} to {all_:.2f}",
        goal="90 % of the limit",
        limit=(all_, cores * one, "clips per s, linear"),
    )
    results.add(
        f"clips per second of {cores} processes, one torch thread each",
        f"{all_:.2f}",
        peer=f"{default:.2f} (torch's default threads)",
        ratio=all_ / default,
    )


# The peak of the process itself: ru_maxrss would be that of the tests, which started it.
PEAK = """
import json, sys
from pathlib import Path
from facebias.clips import faces, stage
from facebias.study import Preprocessing, build
settings = build(Preprocessing, json.loads(sys.argv[2])["clips"])
stage.one_thread()
stage.make_clip(Path(sys.argv[1]), settings, faces.Detector(settings))
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""


def test_memory_of_long_videos(results, settings, video, tmp_path):
    """Up to ten minutes at 100 fps; the three videos are cut side by side."""
    given = study.settings(clips=settings)
    started = []
    for minutes in MINUTES:
        long = tmp_path / f"{minutes}.mp4"
        frames = repeat(video, long, minutes * 60 * FPS // FRAMES)
        command = [sys.executable, "-c", PEAK, str(long), given]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        )
    peaks = [int(process.communicate()[0]) / 1024**2 for process in started]
    each = ", ".join(f"{peak:.2f} GB" for peak in peaks)
    results.add(
        f"memory for the clip of a video of {', '.join(map(str, MINUTES))} minutes "
        f"({frames:,} frames)",
        each,
        goal="under 1.5 GB",
    )


def repeat(video: Path, long: Path, times: int) -> int:
    """Write the same packets again and again, without encoding; give the number of frames."""
    with av.open(str(video)) as source, av.open(str(long), "w") as target:
        stream = source.streams.video[0]
        out = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.dts is not None]
        length = round(FRAMES / FPS / float(stream.time_base))
        kept = [(bytes(packet), packet.pts, packet.dts, packet.is_keyframe) for packet in packets]
        for number in range(times):
            for content, pts, dts, is_key in kept:
                packet = av.Packet(content)
                packet.stream, packet.time_base = out, stream.time_base
                packet.pts, packet.dts = pts + number * length, dts + number * length
                packet.is_keyframe = is_key
                target.mux(packet)
    return times * FRAMES
