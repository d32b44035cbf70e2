"""What a job is asked, declared once: the options of its command, its rule's command, its types.

A stage has a class of jobs here. Its fields are the options of ``python -m facebias STAGE``, and
each says which part of a rule gives it. So a rule does not repeat them (``Job.command``), and the
function that runs the stage gets them as values of these types (``Job.of``).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from facebias import stages
from facebias.study import build

WILDCARDS, INPUT, OUTPUT, PARAMS, THREADS = "wildcards", "input", "output", "params", "threads"
# Taken as they are typed; any other type is read from JSON.
PLAIN = (str, int, float, Path)


def _declared(part: str) -> Callable[..., Any]:
    def declare(
        description: str = "",
        *,
        of: str = "",
        unnamed: bool = False,
        chosen: bool = False,
        default: Any = dataclasses.MISSING,
    ) -> Any:
        """Declare an option of a job's command.

        Parameters
        ----------
        description
            What it is, for ``--help``.
        of
            What the rule calls it, where that is another name.
        unnamed
            Whether it stands in the command without its name.
        chosen
            Whether jobs are told apart by it, as by wildcards.
        default
            What it is where a command leaves it out. Without one it must be given, but for those
            that may be None.
        """
        metadata = {"part": part, "of": of, "unnamed": unnamed, "chosen": chosen}
        metadata["description"] = description
        return dataclasses.field(default=default, metadata=metadata)

    return declare


# By the part of a rule that gives them: what the names of its files say, files, and parameters.
wildcard, input_file, output_file, parameter = map(_declared, (WILDCARDS, INPUT, OUTPUT, PARAMS))
threads = _declared(THREADS)


@typing.dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field,)
)
@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What one job is asked. A subclass is named as its stage; its fields are the options."""

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def stage(cls) -> str:
        """Return the name of the stage, as a command has it."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def of(cls, arguments: list[str]) -> Self:
        """Read the arguments of a command; ``--help`` and wrong ones end the process."""
        return cls(**_read(cls.parser(), arguments))

    @classmethod
    def typed(cls, arguments: list[str]) -> dict[str, Any]:
        """Read some arguments of a command: values by the names of their fields."""
        return _read(cls.parser(whole=False), arguments)

    @classmethod
    def parser(cls, *, whole: bool = True) -> argparse.ArgumentParser:
        """Return what reads those arguments; not ``whole``: any of them may be left out."""
        name = cls.stage()
        purpose = stages.STAGES[name].purpose
        made = argparse.ArgumentParser(prog=f"facebias {name}", description=_sentence(purpose))
        kinds = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            taken = _taken(field, kinds[field.name])
            if not whole:
                taken |= {"default": argparse.SUPPRESS}
                taken |= {"required": False} if option(field) else {"nargs": "?"}
            made.add_argument(option(field) or field.name, **taken)
        return made

    @classmethod
    def command(cls) -> str:
        """Return the command of a rule whose jobs these are, every word quoted."""
        words = ["python -m facebias", cls.stage()]
        for field in dataclasses.fields(cls):
            words += [*filter(None, [option(field)]), _placeholder(field)]
        return " ".join([*words, "2> {log:q}"])


def command(stage: str) -> str:
    """Return the command of a rule that runs a stage."""
    return stages.job_class(stage).command()


def _read(parser: argparse.ArgumentParser, arguments: list[str]) -> dict[str, Any]:
    found = vars(parser.parse_args(arguments))
    return {name: tuple(one) if isinstance(one, list) else one for name, one in found.items()}


def is_written(field: dataclasses.Field[Any]) -> bool:
    """Tell whether a field says where results go."""
    return field.metadata["part"] == OUTPUT or field.name == "out"


def is_choice(field: dataclasses.Field[Any]) -> bool:
    """Tell whether a field tells jobs of a study apart, and is no file or number of theirs."""
    return field.metadata["part"] == WILDCARDS or field.metadata["chosen"]


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def option(field: dataclasses.Field[Any]) -> str | None:
    """Return the name of a field in a command; None: it stands there without one."""
    return None if field.metadata["unnamed"] else f"--{field.name.replace('_', '-')}"


def _placeholder(field: dataclasses.Field[Any]) -> str:
    part, of = field.metadata["part"], field.metadata["of"]
    if part == THREADS:
        return "{threads}"
    # A rule with one output gives it no name.
    whole = part == OUTPUT and field.name == "out" and not of
    return "{" + (part if whole else f"{part}.{of or field.name}") + ":q}"


def _taken(field: dataclasses.Field[Any], kind: Any) -> dict[str, Any]:
    """Return how argparse is to take an option of a type."""
    required = field.default is dataclasses.MISSING
    known: dict[str, Any] = {"help": field.metadata["description"] or None}
    if not required:
        known["default"] = field.default
    parts = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        known |= {"type": parts[0], "nargs": "+" if required else "*"}
    elif types.NoneType in parts:
        (one,) = set(parts) - {types.NoneType}
        # A rule gives it in any case, and no file behind it where there is none.
        known |= {"type": one, "nargs": "?", "default": None}
        required = False
    elif kind in PLAIN:
        known |= {"type": kind}
    else:
        known |= {"type": _json(kind), "metavar": "JSON", "help": _parts(kind)}
    return known | ({"required": True} if required and option(field) else {})


def _json(kind: Any) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return build(kind, json.loads(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _parts(kind: Any) -> str | None:
    return ", ".join(each.name for each in dataclasses.fields(kind)) if is_section(kind) else None


def is_section(kind: Any) -> bool:
    """Tell whether a type of settings is a class with fields."""
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)
