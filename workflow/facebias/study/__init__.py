"""A study as configured: one YAML file, read into frozen dataclasses.

Their fields are the keys, with types, bounds, defaults and descriptions; the checks of a
configuration, the JSON schema for editors and the reference in ``config/README.md`` follow from
them. Every stage gets the slice of the study that it uses as one line of JSON, and reads it back
here.
"""

from facebias.study.clips import *
from facebias.study.data import *
from facebias.study.design import *
from facebias.study.errors import *
from facebias.study.models import *
from facebias.study.values import *
from facebias.study.whole import *
