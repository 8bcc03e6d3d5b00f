"""What people type about projects, read and checked before anything is done with it."""

from projects.forms.application import SectionForm
from projects.forms.beginning import DecisionForm, StartForm

__all__ = ["DecisionForm", "SectionForm", "StartForm"]
