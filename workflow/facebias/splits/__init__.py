"""Who trains, validates and tests: named conditions on attributes, hold-outs and folds."""

from facebias.splits.conditions import *
from facebias.splits.drawing import *
from facebias.splits.references import *
from facebias.splits.roles import *
