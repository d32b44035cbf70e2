"""Faces: found in photographs, cut as squares."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from facebias.clips import UnusableError, faces
from media import clip_settings, needs_london, photograph

torch.set_num_threads(1)
BLACK = np.zeros((160, 160, 3), np.uint8)


def detections(
    boxes: list[list[float] | None], counts: list[int] | None = None
) -> faces.Detections:
    """Faces as a detector would report them, landmarks at the middle of each box."""
    found = np.array([box or [np.nan] * 4 for box in boxes], float)
    middle = (found[:, :2] + found[:, 2:]) / 2
    return faces.Detections(
        boxes=found,
        landmarks=np.repeat(middle[:, None], 5, axis=1),
        probability=np.where(np.isnan(found[:, 0]), np.nan, 0.99),
        counts=np.array(counts or [int(box is not None) for box in boxes]),
    )


@needs_london
@pytest.mark.parametrize("subject", ["001", "010", "020", "031", "061", "066"])
@pytest.mark.parametrize("detect_size", [0, 320])
def test_finds_the_face_of_a_photograph(subject, detect_size):
    settings = clip_settings(min_face=150, detect_size=detect_size)
    found = faces.Detector(settings).find([photograph(subject)])
    assert found.counts.tolist() == [1]
    assert found.probability[0] > 0.95
    left, top, right, bottom = found.boxes[0]
    assert 100 < left < 300 < right < 575
    assert 100 < top < 320 < bottom < 650
    eyes, nose, mouth = found.landmarks[0][:2], found.landmarks[0][2], found.landmarks[0][3:]
    assert eyes[0, 0] < nose[0] < eyes[1, 0]
    assert eyes[:, 1].max() < nose[1] < mouth[:, 1].min() < bottom


@needs_london
def test_boxes_of_a_reduced_frame_are_scaled_back():
    # A wide frame, so that a mix-up of the axes shows.
    frame = cv2.copyMakeBorder(photograph(), 0, 0, 200, 300, cv2.BORDER_REPLICATE)
    whole = faces.Detector(clip_settings(min_face=150, detect_size=0)).find([frame])
    reduced = faces.Detector(clip_settings(min_face=150, detect_size=400)).find([frame])
    assert np.abs(whole.boxes - reduced.boxes).max() < 20
    assert np.abs(whole.landmarks - reduced.landmarks).max() < 12


@needs_london
def test_frame_without_face_does_not_disturb_its_batch():
    detector = faces.Detector(clip_settings())
    photo = photograph(side=160)
    alone, mixed = detector.find([photo]), detector.find([BLACK, photo, BLACK])
    assert mixed.counts.tolist() == [0, 1, 0]
    assert np.isnan(mixed.boxes[[0, 2]]).all()
    assert np.allclose(mixed.boxes[1], alone.boxes[0], atol=0.01)
    assert detector.find([BLACK]).counts.tolist() == [0]


@needs_london
def test_detector_that_fails_on_one_frame_keeps_the_others(monkeypatch):
    detector = faces.Detector(clip_settings())
    photo = photograph(side=160)
    detect = detector._network.detect

    def fragile(batch, landmarks):
        if (batch.reshape(len(batch), -1).max(axis=1) == 0).any():
            raise IndexError("The shape of the mask [3] does not match")
        return detect(batch, landmarks=landmarks)

    monkeypatch.setattr(detector._network, "detect", fragile)
    assert detector.find([photo, BLACK, photo]).counts.tolist() == [1, 0, 1]


def test_frame_whose_candidates_all_lie_outside_shows_no_face():
    detector = faces.Detector(clip_settings())

    def far_outside(first, frames, found):
        moves, chances = found
        chances = torch.zeros_like(chances)
        chances[:, 1, 0, 0] = 1
        return torch.full_like(moves, 1000.0), chances

    detector._network.pnet.register_forward_hook(far_outside)
    assert detector.find([BLACK]).counts.tolist() == [0]


def test_faces_that_the_detector_is_not_sure_of_do_not_count(monkeypatch):
    detector = faces.Detector(clip_settings(min_probability=0.9, min_face=20, detect_size=0))
    boxes = np.array([[0, 0, 100, 100], [10, 20, 60, 90], [0, 0, 40, 40]])
    found = boxes, np.array([0.89, 0.9, 0.99]), np.zeros((3, 5, 2))
    monkeypatch.setattr(
        detector._network, "detect", lambda batch, landmarks: tuple([part] for part in found)
    )
    seen = detector.find([BLACK])
    assert seen.counts.tolist() == [2]
    assert seen.boxes[0].tolist() == [10, 20, 60, 90]
    assert seen.probability.tolist() == [0.9]


def test_lack_of_memory_is_not_a_frame_without_face(monkeypatch):
    detector = faces.Detector(clip_settings())

    def exhausted(batch, landmarks):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(detector._network, "detect", exhausted)
    with pytest.raises(RuntimeError, match="memory"):
        detector.find([BLACK, BLACK])


@needs_london
def test_largest_face_is_taken():
    frame = np.full((320, 480, 3), 200, np.uint8)
    frame[80:240, 20:180] = photograph("002", side=160)
    frame[:, 160:480] = photograph("001", side=320)
    found = faces.Detector(clip_settings(min_face=40, detect_size=0)).find([frame])
    assert found.counts.tolist() == [2]
    assert found.boxes[0, 0] > 200


@needs_london
@pytest.mark.parametrize(("min_face", "expected"), [(60, 1), (100, 0)])
def test_small_faces_do_not_count(min_face, expected):
    # The face is about 72 pixels high.
    found = faces.Detector(clip_settings(min_face=min_face)).find([photograph(side=160)])
    assert found.counts.tolist() == [expected]


def test_frame_smaller_than_a_face():
    with pytest.raises(UnusableError, match="too small: 8 x 8 pixels, a face must have 60"):
        faces.Detector(clip_settings()).find([BLACK[:8, :8]])


def test_frames_that_only_a_face_would_fill_show_none(monkeypatch):
    detector = faces.Detector(clip_settings(min_face=160))
    monkeypatch.setattr(detector._network, "detect", lambda *given, **more: pytest.fail("asked"))
    found = detector.find([BLACK] * 3)
    assert found.counts.tolist() == [0, 0, 0]
    assert np.isnan(found.boxes).all()


def test_many_large_frames_go_to_the_network_in_parts(monkeypatch):
    monkeypatch.setattr(faces, "PIXELS_AT_ONCE", 2 * 160 * 160)
    detector = faces.Detector(clip_settings())
    sizes = []

    def seen(batch, landmarks):
        sizes.append(len(batch))
        none = np.full(len(batch), None)
        return none, none, none

    monkeypatch.setattr(detector._network, "detect", seen)
    detector.find([BLACK] * 5)
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(("margin", "expected"), [(0, 100), (25, 111), (40, 119), (65, 134)])
def test_margin_is_in_pixels_of_the_crop(margin, expected):
    """The published margins on crops of 256 pixels: side + margin * side / (256 - margin)."""
    box = np.array([[100.0, 50.0, 180.0, 150.0]])
    (cut,) = faces.square(box, margin=margin, crop_size=256)
    assert cut[2] - cut[0] == cut[3] - cut[1] == expected
    assert np.abs((cut[:2] + cut[2:]) / 2 - [140, 100]).max() <= 0.5
    # What the box takes of the crop is the crop less the margin.
    assert 100 / expected * 256 == pytest.approx(256 - margin, abs=1.5)


def test_aspect_is_kept_and_edges_repeat():
    frame = np.full((100, 100, 3), 10, np.uint8)
    cv2.circle(frame, (30, 30), 20, (200, 200, 200), -1)
    frame[:, 0] = 99
    # The square reaches 30 pixels past the left edge.
    found = detections([[20, 0, 40, 100]])
    crops = faces.cut([frame], found, clip_settings(crop_size=100))
    assert crops.boxes[0].tolist() == [-20, 0, 80, 100]
    assert (crops.pixels[0][:, :20] == 99).all()
    bright = np.argwhere(crops.pixels[0][..., 0] == 200)
    height, width = bright.max(axis=0) - bright.min(axis=0)
    assert height == width


def test_landmarks_are_in_pixels_of_the_crop():
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[120:122, 70:72] = 255
    found = detections([[40, 80, 120, 180]])
    found.landmarks[0] = [71, 121]
    crops = faces.cut([frame], found, clip_settings(crop_size=50, margin=10))
    y, x = np.unravel_index(crops.pixels[0][..., 0].argmax(), (50, 50))
    assert np.abs(crops.landmarks[0] - [x + 0.5, y + 0.5]).max() <= 0.75


def test_box_of_the_clip_is_the_median_and_does_not_jitter():
    frames = [np.zeros((100, 100, 3), np.uint8)] * 4
    found = detections([[10, 10, 50, 50], [12, 12, 52, 52], None, [22, 12, 62, 52]])
    crops = faces.cut(frames, found, clip_settings(box="clip"))
    assert (crops.boxes == [12, 12, 52, 52]).all()


def test_box_per_frame_is_filled_from_its_neighbours():
    frames = [np.zeros((100, 100, 3), np.uint8)] * 5
    found = detections([None, [10, 10, 50, 50], [20, 10, 60, 50], None, [40, 10, 80, 50]])
    crops = faces.cut(frames, found, clip_settings(box="frame"))
    assert crops.boxes[:, 0].tolist() == [10, 10, 20, 30, 40]
    assert not np.isnan(crops.landmarks).any()
    assert np.allclose(crops.landmarks, 24)


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [([0, 0, 0, 0], "in 4 of 4"), ([1, 0, 0, 1], "in 2 of 4"), ([0], "in 1 of 1")],
)
def test_clip_needs_a_face_in_more_than_half_of_its_frames(boxes, reason):
    found = detections([[10, 10, 50, 50] if box else None for box in boxes])
    with pytest.raises(UnusableError, match=f"no face: {reason} key frames"):
        faces.cut([BLACK] * len(boxes), found, clip_settings())


@pytest.mark.parametrize(
    ("counts", "several"), [([2, 2, 2, 1], True), ([2, 2, 1, 1], False), ([2, 1, 1, 1], False)]
)
def test_several_faces(counts, several):
    found = detections([[10, 10, 50, 50]] * 4, counts)
    faces.cut([BLACK] * 4, found, clip_settings(several_faces="largest"))
    if several:
        with pytest.raises(UnusableError, match="several faces: 2"):
            faces.cut([BLACK] * 4, found, clip_settings(several_faces="exclude"))
    else:
        faces.cut([BLACK] * 4, found, clip_settings(several_faces="exclude"))


def test_clip_without_a_face_that_lasts():
    found = detections([[10, 10, 50, 50]] * 2 + [None] * 2, [1, 1, 1, 2])
    with pytest.raises(
        UnusableError, match="no lasting face: 4 of 4 key frames show one, at most 2"
    ):
        faces.cut([BLACK] * 4, found, clip_settings())


def across(step: int, frames: int = 4) -> list[list[float]]:
    """A face of 40 pixels that moves to the right."""
    return [[20.0 + step * n, 60.0, 60.0 + step * n, 100.0] for n in range(frames)]


@pytest.mark.parametrize(("step", "held"), [(0, 4), (10, 4), (13, 4), (14, 2), (30, 2)])
def test_face_that_leaves_the_box_of_its_clip(step, held):
    found = detections(across(step))
    frames = [np.zeros((160, 320, 3), np.uint8)] * 4
    each = faces.cut(frames, found, clip_settings(box="frame"))
    assert (faces.inside(found.boxes, each.boxes) > 0.9).all()
    if held == 4:
        kept = faces.cut(frames, found, clip_settings(box="clip"))
        assert (faces.inside(found.boxes, kept.boxes) >= faces.HALF).all()
    else:
        with pytest.raises(UnusableError, match=rf"moving face: .* in {held} of 4 key frames"):
            faces.cut(frames, found, clip_settings(box="clip"))


def test_share_of_a_box_inside_a_square():
    boxes = np.array([[0.0, 0, 10, 20], [5, 0, 15, 20], [30, 0, 40, 20], [np.nan] * 4])
    squares = np.array([[0.0, 0, 10, 20]] * 4)
    assert faces.inside(boxes, squares)[:3].tolist() == [1, 0.5, 0]
    assert np.isnan(faces.inside(boxes, squares)[3])


def test_large_crops_are_averaged_when_they_shrink():
    frame = np.zeros((400, 400, 3), np.uint8)
    frame[3::8] = frame[4::8] = 200  # all that sampling without averaging would see
    found = detections([[0, 0, 400, 400]])
    crops = faces.cut([frame], found, clip_settings(crop_size=50))
    assert (crops.pixels == 50).all()
