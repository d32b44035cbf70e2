"""Who trains, validates and tests: named conditions on attributes, hold-outs and folds."""

from facebias.data.splits.conditions import *
from facebias.data.splits.drawing import *
from facebias.data.splits.references import *
from facebias.data.splits.roles import *
