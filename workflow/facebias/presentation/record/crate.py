"""The study as an RO-Crate: Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5).

The crate holds the code, the configuration, the tables and the model cards. Weights, predictions,
the manifest and the report are named with their SHA-256 but not copied: they are large, or they
list or show people.
"""

from __future__ import annotations

import mimetypes
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from facebias.core import provenance
from facebias.core.replacement import replacing

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
CODE, README = "code", "README.md"
# The same on every machine: the system's own list of formats is not read.
FORMATS = mimetypes.MimeTypes()
FORMATS.add_type("application/vnd.apache.parquet", ".parquet")
FORMATS.add_type("application/yaml", ".yaml")
FORMATS.add_type("text/markdown", ".md")
FORMATS.add_type("text/plain", ".sha256")
GUIDE = """\
# What made the results of study {study}

| file | what it holds |
|---|---|
| `record.json` | code, versions, seeds, data, models, times and checksums in one readable file |
| `model_cards/` | what every architecture is, whom it was tested on, how it did for each group |
| `checksums/` | SHA-256 of data, models and results |
| `config.yaml` | the configuration with every default |
| `tables/` | the tables of results |
| `code/` | the workflow as it was run, with changes since the commit |
| `ro-crate-metadata.json` | all of it described for machines (Workflow Run RO-Crate 0.5) |

Is everything as it was? In the folder above, run

```
sha256sum --check --quiet provenance/checksums/*.sha256
```

Weights, predictions, the list of samples and the report are named here but not copied: they are
large, or they list or show people.
"""
LICENCE = (
    "No licence is stated for these results; the terms of the data set apply. The code is under "
    "the MIT licence."
)


def copy_code(folder: Path) -> None:
    """Copy the workflow as it is now, changes since the commit included, to ``folder``."""
    folder.mkdir()
    for name in (*provenance.CODE, "LICENSE", "CITATION.cff"):
        source = provenance.ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, folder / name, ignore=ignored)
        elif name != provenance.GUESTS:  # which may be taken away
            shutil.copy2(source, folder)


def write_guide(path: Path, study: str) -> None:
    """Write what a reader of the crate finds where."""
    with replacing(path) as temporary:
        temporary.write_text(GUIDE.format(study=study), encoding="utf-8")


def describe(
    folder: Path,
    made: Mapping[str, Any],
    *,
    held: Sequence[str],
    outside: Mapping[str, str],
    configuration: str,
    outputs: Sequence[str],
    given: Sequence[str],
) -> ROCrate:
    """Describe a finished study as a crate.

    Parameters
    ----------
    folder
        The root of the crate, with everything that it holds. Files outside are beside it.
    made
        The record of the study (``study_record.record``).
    held
        Files of the crate, by their path in ``folder``. The code is described as one.
    outside
        SHA-256 of the files that are only named, by their path in the parent of ``folder``.
    configuration
        Which of ``held`` is the configuration.
    outputs
        Which of ``held`` are the tables that the workflow is run for.
    given
        Which of ``outside`` the run is about. All other files are its results.
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    _root(crate, made)
    workflow = _workflow(crate, made, folder)
    files = {path: _held(crate, path, folder) for path in held}
    files |= {path: _outside(crate, path, digest, folder) for path, digest in outside.items()}
    files[README]["about"] = crate.root_dataset
    workflow["input"] = _parameter(crate, files[configuration])
    workflow["output"] = [_parameter(crate, files[path]) for path in outputs]
    _run(crate, made, workflow, files, [configuration, *given])
    return crate


def write(crate: ROCrate, folder: Path) -> None:
    """Write the description of a crate into its folder."""
    with replacing(folder / crate.metadata.id) as temporary:
        crate.metadata.write(temporary.parent)


def _root(crate: ROCrate, made: Mapping[str, Any]) -> None:
    crate.name = f"facebias study {made['study']}"
    crate.description = (
        f"{made['title'] or made['study']}. {len(made['models'])} models of facial expression, "
        f"{made['data']['samples']} samples of {made['data']['subjects']} people: what ran, on "
        "what, and what came out. Files whose identifier begins with # are not in this folder; "
        "they lie in the folder above under the same path."
    )
    if made["end"]:
        crate.root_dataset["datePublished"] = made["end"]
    crate.license = crate.add(
        ContextEntity(
            crate,
            "#licence",
            properties={"@type": "CreativeWork", "name": "Terms of use", "description": LICENCE},
        )
    )
    profiles = [
        ContextEntity(
            crate, url, properties={"@type": "CreativeWork", "name": name, "version": version}
        )
        for url, (name, version) in PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = list(crate.add(*profiles))


def _workflow(crate: ROCrate, made: Mapping[str, Any], folder: Path) -> Entity:
    software = made["software"]
    commit, clean = software["code"]["commit"], software["code"]["clean"]
    version = "no git commit" if commit is None else f"{commit}{'' if clean else ' with changes'}"
    workflow = crate.add_workflow(
        folder / CODE / "Snakefile",
        f"{CODE}/Snakefile",
        main=True,
        lang="snakemake",
        lang_version=software["versions"]["snakemake"],
        properties={
            "name": "facebias: bias studies of facial-expression models",
            "version": version,
            "encodingFormat": "text/plain",
        },
    )
    mit = {"@type": "CreativeWork", "name": "MIT License"}
    workflow["license"] = crate.add(
        ContextEntity(crate, "https://spdx.org/licenses/MIT", properties=mit)
    )
    properties = {"name": "The workflow as it was run"}
    code = crate.add_dataset(folder / CODE, CODE, properties=properties)
    code["hasPart"] = workflow
    return workflow


def _held(crate: ROCrate, path: str, folder: Path) -> Entity:
    facts = _facts(path, folder / path, provenance.digest(folder / path))
    return crate.add_file(folder / path, path, properties=facts)


def _outside(crate: ROCrate, path: str, digest: str, folder: Path) -> Entity:
    """Add a file that is not part of the crate; RO-Crate gives those an identifier with ``#``."""
    facts = {"@type": "File", **_facts(path, folder.parent / path, digest)}
    return crate.add(ContextEntity(crate, f"#{quote(path)}", properties=facts))


def _facts(path: str, file: Path, digest: str) -> dict[str, str]:
    return {
        "name": path,
        "encodingFormat": _format(path),
        "contentSize": str(file.stat().st_size),
        "sha256": digest,
    }


def _format(path: str) -> str:
    return FORMATS.guess_type(path)[0] or "application/octet-stream"


def _parameter(crate: ROCrate, file: Entity) -> Entity:
    """Add the slot of the workflow that ``file`` fills."""
    name = Path(file["name"]).stem
    properties = {
        "@type": "FormalParameter",
        "name": name,
        "additionalType": "File",
        "encodingFormat": file["encodingFormat"],
        "conformsTo": {"@id": PARAMETER},
        "workExample": {"@id": file.id},
    }
    slot = crate.add(ContextEntity(crate, f"#parameter-{name}", properties=properties))
    file["exampleOfWork"] = slot
    return slot


def _run(
    crate: ROCrate,
    made: Mapping[str, Any],
    workflow: Entity,
    files: Mapping[str, Entity],
    begun: Sequence[str],
) -> None:
    time = made["time"]
    action = crate.add_action(
        workflow,
        identifier=f"#{uuid.uuid4()}",
        object=[files[path] for path in begun],
        result=[file for path, file in files.items() if path not in begun],
        properties={
            "@type": "CreateAction",
            "name": f"Run of study {made['study']}",
            "description": (
                f"{time['jobs']} jobs, {time['wall_s']:.0f} s of jobs, {time['gpu_s']:.0f} s of "
                "them on a GPU. The parts may have run at different times: the start is that of "
                "the first, the end that of the last job whose results are here."
            ),
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    for name in ("start", "end"):
        if made[name]:
            action[f"{name}Time"] = made[name]
    crate.root_dataset["mentions"] = action
