"""Which device a model runs on; no GPU is needed, torch's answers about one are made up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import types
import warnings

import pytest
import torch

from facebias import stages
from facebias.models import device, reservation
from facebias.study import StudyError

V100 = ("Tesla V100-SXM2-32GB", (7, 0))
LOCKED = ["sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
LATER = ["sm_75", "sm_80", "sm_90", "sm_120"]


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch):
    for name in device.GIVEN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_locks(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(reservation, "_HELD", {})


@pytest.fixture
def gpu(monkeypatch):
    """Pretend that torch, built for ``kernels``, sees GPUs; ``fault`` is what computing raises."""

    def pretend(name, capability, kernels, fault=None, count=1):
        def ones(*arguments, device):
            assert device.type == "cuda"
            assert device.index in range(count)
            if fault is not None:
                raise fault
            return torch.zeros(1)

        def properties(place):
            return types.SimpleNamespace(uuid=f"GPU-{place}")

        monkeypatch.setattr(torch.version, "cuda", "12.8")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_properties", properties)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda place: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: name)
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: kernels)
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        monkeypatch.setattr(torch, "ones", ones)
        return chosen

    chosen = []
    return pretend


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("capability", "built", "runs"),
    [
        ((7, 0), ["sm_70", "sm_80"], True),
        ((7, 5), ["sm_70"], True),
        ((6, 1), ["sm_70", "sm_80"], False),
        ((8, 6), ["sm_80", "sm_90"], True),
        ((9, 0), ["sm_80"], False),
        ((12, 0), ["sm_80", "compute_90"], True),
        ((9, 0), ["sm_90a"], True),
        ((7, 0), LOCKED, True),
        ((7, 0), LATER, False),
    ],
)
def test_kernels_are_matched_to_the_gpu(capability, built, runs):
    assert device.runs_on(capability, built) is runs


def test_locked_torch_has_kernels_for_a_v100():
    assert torch._C._cuda_getArchFlags().split() == LOCKED


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_gpu_that_computes_is_taken(gpu, wanted):
    gpu(*V100, LOCKED)
    assert device.choose(wanted).type == "cuda"


ANOTHER_JOB = """
import sys, tempfile
from facebias.models import reservation
tempfile.tempdir = sys.argv[1]
if sys.argv[2] == "any":
    print(reservation.first_free(sys.argv[3:]), flush=True)
else:
    reservation.share(sys.argv[2])
    print("shared", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def job(tmp_path):
    """Start jobs that take a GPU and keep it; give what each says that it took."""

    def start(wanted="any", count=2):
        gpus = [f"GPU-{place}" for place in range(count)]
        process = subprocess.Popen(
            [sys.executable, "-c", ANOTHER_JOB, str(tmp_path), wanted, *gpus],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | stages.environment(),
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    started = []
    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_jobs_take_one_gpu_each(gpu, job):
    """Two others have the first two; when one is killed, its GPU is free again."""
    chosen = gpu(*V100, LOCKED, count=3)
    (killed, first), (_, second) = job(count=3), job(count=3)
    assert (first, second) == ("0", "1")
    assert device.choose("cuda") == torch.device("cuda", 2)
    assert chosen == [torch.device("cuda", 2)]
    assert job(count=3)[1] == "None"
    killed.kill()
    killed.communicate()
    assert job(count=3)[1] == "0"


def test_a_job_keeps_its_gpu(gpu, job):
    gpu(*V100, LOCKED, count=2)
    first, _ = job()
    assert device.choose("auto") == torch.device("cuda", 1)
    first.kill()
    first.communicate()
    assert device.choose("auto") == torch.device("cuda", 1)


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_more_jobs_than_gpus_are_refused(gpu, job, wanted):
    gpu(*V100, LOCKED, count=2)
    job()
    job()
    fault = (
        rf"^training.device: found {wanted}, but other jobs of facebias hold all 2 GPUs of .*; "
        r"run at most one job per GPU at a time \(--resources gpu=2, over all studies\)"
    )
    with pytest.raises(StudyError, match=fault):
        device.choose(wanted)


def test_a_gpu_is_shared_by_its_number(gpu, job):
    """Whoever asks for any GPU stays away from it."""
    gpu(*V100, LOCKED, count=2)
    assert job("GPU-0")[1] == "shared"
    assert device.choose("cuda:0") == torch.device("cuda", 0)
    assert job()[1] == "1"
    assert device.choose("cuda:1") == torch.device("cuda", 1)


def test_a_single_gpu_is_taken_as_it_is(gpu, job):
    gpu(*V100, LOCKED)
    assert job(count=1)[1] == "0"
    assert device.choose("cuda") == torch.device("cuda", 0)


def test_a_gpu_that_does_not_exist_is_named(gpu):
    gpu(*V100, LOCKED, count=2)
    fault = r"found cuda:2, but the last GPU that torch sees on .* is cuda:1; take that, or cuda"
    with pytest.raises(StudyError, match=fault):
        device.choose("cuda:2")


def test_gpus_that_cannot_be_told_apart_are_an_error(gpu, monkeypatch):
    def properties(place):
        raise RuntimeError("CUDA error: unspecified launch failure")

    gpu(*V100, LOCKED, count=2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties)
    with pytest.raises(StudyError, match="cannot compute on the GPU: CUDA error: unspecified"):
        device.choose("auto")


def test_a_lock_of_another_user_is_enough(tmp_path, job):
    path = tmp_path / "facebias-gpu-GPU-0.lock"
    path.touch(mode=0o444)
    assert job(count=1)[1] == "0"
    assert job(count=1)[1] == "None"


def test_without_locks_the_first_gpu_is_taken(gpu, monkeypatch, tmp_path):
    gpu(*V100, LOCKED, count=2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert device.choose("cuda") == torch.device("cuda", 0)


def test_cpu_is_taken_where_there_is_no_gpu_and_none_was_given(no_gpu):
    assert device.choose("auto").type == "cpu"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLURM_JOB_GPUS", "0"),
        ("SLURM_STEP_GPUS", "1,2"),
        ("SLURM_GPUS", "v100:1"),
        ("CUDA_VISIBLE_DEVICES", "0"),
        ("CUDA_VISIBLE_DEVICES", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"),
    ],
)
def test_given_gpu_that_cannot_be_used_is_an_error(no_gpu, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(StudyError) as caught:
        device.choose("auto")
    said = str(caught.value)
    assert said.startswith(f"training.device: found auto and this job was given a GPU ({name}=")
    assert "finds no working GPU; see whether nvidia-smi shows one" in said
    assert "set training.device to cpu" in said
    assert device.choose("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLURM_JOB_GPUS", ""),
        ("SLURM_GPUS", "0"),
        ("CUDA_VISIBLE_DEVICES", ""),
        ("CUDA_VISIBLE_DEVICES", "-1"),
        ("CUDA_VISIBLE_DEVICES", "NoDevFiles"),
    ],
)
def test_empty_hand_is_no_gpu(no_gpu, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert device.choose("auto").type == "cpu"


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_v100_without_kernels_is_named_with_the_fix(gpu, wanted):
    gpu(*V100, LATER)
    with pytest.raises(StudyError) as caught:
        device.choose(wanted)
    said = str(caught.value)
    assert (
        "has kernels for sm_75, sm_80, sm_90, sm_120 and none for Tesla V100-SXM2-32GB, "
        "compute capability 7.0; take another GPU or install a torch with kernels for this one"
    ) in said
    assert "torch 2.10 as locked" in said
    assert "CUDA 12.6" in said


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_gpu_that_fails_to_compute_is_an_error(gpu, wanted):
    fault = "CUDA error: CUDA-capable device(s) is/are busy or unavailable\nFor debugging consider"
    gpu(*V100, LOCKED, fault=RuntimeError(fault))
    with pytest.raises(StudyError) as caught:
        device.choose(wanted)
    said = str(caught.value)
    assert "cannot compute on the GPU: CUDA error: CUDA-capable device(s) is/are busy" in said
    assert "nvidia-smi" in said
    assert "\n" not in said


def test_driver_that_is_too_old_is_an_error(monkeypatch):
    def available():
        warnings.warn("The NVIDIA driver on your system is too old (found 11040).", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", available)
    with pytest.raises(StudyError, match=r"no working GPU: The NVIDIA driver .* too old"):
        device.choose("auto")


def test_gpu_is_demanded_in_vain(no_gpu):
    with pytest.raises(
        StudyError, match=r"^training.device: found cuda, but on .*finds no working GPU; see"
    ):
        device.choose("cuda")


def test_torch_without_cuda_is_named(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    assert device.choose("auto").type == "cpu"
    with pytest.raises(StudyError, match="is built without CUDA; install the locked torch"):
        device.choose("cuda")
