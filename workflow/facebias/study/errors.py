"""What is said when a study or its configuration cannot go on."""

from __future__ import annotations


class StudyError(RuntimeError):
    """A study that cannot go on; says what was found, what was expected and what to do.

    The command line prints it without a traceback.
    """


class ConfigError(StudyError):
    """A configuration that cannot be run. ``lines`` holds one readable sentence per fault."""

    def __init__(self, lines: list[str]):
        super().__init__("\n".join(lines))
        self.lines = lines
