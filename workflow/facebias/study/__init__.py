"""A study as configured: one YAML file, read into frozen dataclasses.

The JSON schema ``workflow/schemas/config.schema.yaml`` holds the keys, their types, defaults and
descriptions; ``configuration`` applies it. Every stage gets the slice of the study that it uses as
one line of JSON, and reads it back here.
"""

from facebias.study.clips import *
from facebias.study.data import *
from facebias.study.design import *
from facebias.study.errors import *
from facebias.study.models import *
from facebias.study.values import *
from facebias.study.whole import *
