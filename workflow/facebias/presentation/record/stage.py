"""The stage ``record``: a finished study in, its record and its RO-Crate out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from facebias import tables
from facebias.core.replacement import replacing
from facebias.presentation.record import checksums, crate, study_record, times
from facebias.stages.report import Record
from facebias.study import configuration

CONFIG, RECORD, TABLES = "config.yaml", "record.json", "tables"


def main(arguments: list[str]) -> None:
    """Write the record of a finished study, and an RO-Crate around it."""
    given = Record.of(arguments)
    asked = given.settings
    config = yaml.safe_load(given.config.read_text(encoding="utf-8"))
    study = configuration.load(config)
    # Not those of the configuration: splits.match_sizes adds some.
    names = study_record.names(study) | {"train_split": list(asked.train_splits)}
    digests = {path.stem: checksums.read(path) for path in given.checksums}
    made = study_record.record(
        study,
        config,
        trained=study_record.models(asked.provenance, names),
        manifest=tables.read(given.manifest, tables.MANIFEST),
        excluded=tables.read(given.excluded, tables.EXCLUDED),
        measured=times.jobs(given.benchmarks, asked.benchmarks, names),
        digests=digests,
        patterns=asked.model_files,
        files=asked.files,
    )
    study_record.write(made, given.out / RECORD)
    crate.write_guide(given.out / crate.README, study.study)
    _fill(given.out, config=given.config, tidy=given.tables)
    beside = [path.relative_to(given.out).as_posix() for path in (*given.cards, *given.checksums)]
    results = [f"{TABLES}/{table.name}" for table in given.tables]
    outside = {path: digest for part in digests.values() for path, digest in part.items()}
    described = crate.describe(
        given.out,
        made,
        held=[crate.README, CONFIG, RECORD, *results, *beside],
        outside={path: digest for path, digest in outside.items() if path not in results},
        configuration=CONFIG,
        outputs=results,
        given=[given.manifest.relative_to(given.out.parent).as_posix()],
    )
    crate.write(described, given.out)


def _fill(folder: Path, *, config: Path, tidy: Sequence[Path]) -> None:
    """Copy into the crate what it holds."""
    with replacing(folder / crate.CODE) as temporary:
        crate.copy_code(temporary)
    with replacing(folder / CONFIG) as temporary:
        shutil.copyfile(config, temporary)
    with replacing(folder / TABLES) as temporary:
        temporary.mkdir()
        for table in tidy:
            shutil.copyfile(table, temporary / table.name)
