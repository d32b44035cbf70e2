"""The RO-Crate of a finished study: what the profile asks for, and what may not be in it."""

import hashlib
import json

import finished_study as made
import pytest
import studies
from rocrate.rocrate import ROCrate

from facebias.presentation.record import stage

PROFILE = "https://w3id.org/ro/wfrun/workflow/0.5"
PICTURES = {".png", ".jpg", ".jpeg", ".mp4", ".npy", ".npz", ".safetensors", ".parquet"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = made.make(tmp_path_factory.mktemp("finished"))
    stage.main(made.arguments(root))
    return root


@pytest.fixture(scope="module")
def entities(root):
    text = (root / "provenance/ro-crate-metadata.json").read_text()
    return {entity["@id"]: entity for entity in json.loads(text)["@graph"]}


def ids(value):
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def action_of(entities):
    (action,) = (entity for entity in entities.values() if entity["@type"] == "CreateAction")
    return action


def test_the_root_has_what_ro_crate_asks_for(entities):
    root = entities["./"]
    assert root["@type"] == "Dataset"
    for name in ("name", "description", "datePublished", "license"):
        assert root[name]
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert "https://w3id.org/ro/crate/1.1" in ids(entities["ro-crate-metadata.json"]["conformsTo"])


def test_the_profiles_are_named_and_described(entities):
    named = ids(entities["./"]["conformsTo"])
    assert PROFILE in named
    assert "https://w3id.org/ro/wfrun/process/0.5" in named
    assert "https://w3id.org/workflowhub/workflow-ro-crate/1.0" in named
    for url in named:
        assert entities[url]["@type"] == "CreativeWork"
        assert url.endswith(entities[url]["version"])


def test_the_main_entity_is_the_workflow_and_its_language_snakemake(entities, root):
    workflow = entities[entities["./"]["mainEntity"]["@id"]]
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert (root / "provenance" / workflow["@id"]).is_file()
    assert entities[workflow["programmingLanguage"]["@id"]]["name"] == "Snakemake"
    for direction in ("input", "output"):
        for slot in ids(workflow[direction]):
            assert entities[slot]["@type"] == "FormalParameter"
            assert entities[slot]["additionalType"] == "File"
            example = entities[entities[slot]["workExample"]["@id"]]
            assert example["exampleOfWork"] == {"@id": slot}


def test_the_run_is_an_action_of_the_workflow(entities):
    action = action_of(entities)
    assert action["instrument"] == entities["./"]["mainEntity"]
    assert entities["./"]["mentions"] == {"@id": action["@id"]}
    assert action["startTime"] == "2026-01-02T03:03:55+00:00"
    assert action["endTime"] == "2026-01-02T03:26:05+00:00"
    assert ids(action["object"]) == ["config.yaml", "#data/manifest.csv"]
    results = ids(action["result"])
    assert {"tables/metrics.csv", "model_cards/vgg16.md", "#report.html"} <= set(results)
    assert "#models/vgg16/regular/fold-0/seed-1/weights.safetensors" in results
    assert set(ids(action["object"]) + results) <= set(entities)
    assert not set(ids(action["object"])) & set(results)


def test_nobody_is_invented(entities):
    assert not {"agent", "author", "creator", "publisher"} & {
        name for entity in entities.values() for name in entity
    }
    assert not {"Person", "Organization"} & {str(entity["@type"]) for entity in entities.values()}


def test_every_file_held_is_there_and_has_its_checksum(entities, root):
    held = [path for path in ids(entities["./"]["hasPart"]) if not path.endswith("/")]
    assert len(held) > 8
    for path in held:
        file = root / "provenance" / path
        assert file.is_file()
        if path != "code/Snakefile":
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            assert entities[path]["sha256"] == digest
            assert int(entities[path]["contentSize"]) == file.stat().st_size
            assert entities[path]["encodingFormat"]


def test_files_outside_are_named_with_their_checksum_and_not_held(entities, root):
    outside = [
        entity
        for entity in entities.values()
        if entity["@id"].startswith("#") and entity["@type"] == "File"
    ]
    assert len(outside) >= 4 * 2 + 3
    for entity in outside:
        file = root / entity["name"]
        assert entity["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert not (root / "provenance" / entity["name"]).exists()


def test_no_picture_weight_or_list_of_people_is_in_the_crate(root):
    files = [path for path in (root / "provenance").rglob("*") if path.is_file()]
    assert len(files) > 50
    assert not {path.suffix for path in files} & PICTURES
    assert not [path for path in files if path.name in ("manifest.csv", "splits.csv")]


def test_it_holds_the_code_as_it_is_now(root):
    copied = root / "provenance/code"
    for name in (
        "Snakefile",
        "workflow/facebias/presentation/record/crate.py",
        "envs/lock.txt",
        "LICENSE",
    ):
        assert (copied / name).read_bytes() == (studies.ROOT / name).read_bytes()
    assert not list(copied.rglob("__pycache__"))


def test_it_names_no_place_on_this_machine(root):
    for path in (root / "provenance").glob("*.json"):
        assert str(root.parent) not in path.read_text()
        assert str(studies.ROOT) not in path.read_text()


def test_rocrate_loads_it(root):
    crate = ROCrate(root / "provenance")
    assert crate.mainEntity.id == "code/Snakefile"
    assert crate.name == "facebias study small"
    action = crate.root_dataset["mentions"]
    assert action["instrument"] is crate.mainEntity
    assert {entity.id for entity in crate.data_entities} == set(
        ids_of(crate.root_dataset["hasPart"])
    )


def ids_of(entities):
    return [entity.id for entity in entities]


def test_a_second_run_replaces_it_whole(tmp_path):
    root = made.make(tmp_path)
    stage.main(made.arguments(root))
    (root / "provenance/tables/stale.csv").write_text("old")
    (root / "provenance/code/stale.smk").write_text("old")
    stage.main(made.arguments(root))
    assert not list((root / "provenance").rglob("stale.*"))
    assert not [path for path in (root / "provenance").iterdir() if path.name.startswith(".")]


def test_the_guide_says_what_is_there(root, entities):
    assert entities["README.md"]["about"] == {"@id": "./"}
    assert entities["README.md"]["encodingFormat"] == "text/markdown"
    guide = (root / "provenance/README.md").read_text()
    for path in (root / "provenance").iterdir():
        if path.name != "README.md":
            assert f"`{path.name}{'/' if path.is_dir() else ''}`" in guide
