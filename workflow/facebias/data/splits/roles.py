"""The table of roles: who trains, validates and tests in one model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from facebias import tables

ROLES = ("train", "validation", "test", "unused")


def check_disjoint(table: pd.DataFrame, *, source: str = "splits") -> pd.DataFrame:
    """Return ``table`` if every subject has one known role per model, else raise ``TableError``."""
    unknown = set(table["role"]) - set(ROLES)
    if unknown:
        raise tables.TableError(f"{source}: role {sorted(unknown)}; expected one of {ROLES}")
    roles = table.groupby(["train_split", "fold", "seed", "subject"], sort=False)["role"].nunique()
    if (roles > 1).any():
        raise tables.TableError(f"{source}: {roles.idxmax()} has two roles; subjects never cross")
    return table


def read(path: Path | str) -> pd.DataFrame:
    """Read a splits table and check that no subject crosses roles."""
    return check_disjoint(tables.read(path, tables.SPLITS), source=str(path))


def subjects_of(
    table: pd.DataFrame, *, train_split: str, fold: int, seed: int, role: str
) -> list[str]:
    """List the subjects with ``role`` in one model's split."""
    chosen = (
        (table["train_split"] == train_split)
        & (table["fold"] == fold)
        & (table["seed"] == seed)
        & (table["role"] == role)
    )
    return table.loc[chosen, "subject"].tolist()
