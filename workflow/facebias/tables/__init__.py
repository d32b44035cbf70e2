"""The tidy tables that stages hand to one another, as contracts.

Each ``Table`` names its columns and their types. ``read`` and ``write`` hold a file to them, so a
stage never meets a column it does not expect, and a killed job leaves no half-written file.
"""

from facebias.tables.contract import *
from facebias.tables.data import *
from facebias.tables.files import *
from facebias.tables.metrics import *
from facebias.tables.models import *
from facebias.tables.relevance import *
