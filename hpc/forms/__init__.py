"""What people type, read and checked before anything is done with it."""

from hpc.forms.jobs import parameters, wish
from hpc.forms.schedulers import LoginForm, SchedulerForm, ShownForm, clusters_text
from operations.forms import blame

__all__ = ["LoginForm", "SchedulerForm", "ShownForm", "blame", "clusters_text", "parameters", "wish"]
