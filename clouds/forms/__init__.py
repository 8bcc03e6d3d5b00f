"""What people type or upload, read and checked before anything is done with it."""

from clouds.forms.account import AccountForm, FileForm, NameForm, from_file
from clouds.forms.keys import KeyForm
from operations.forms import blame

__all__ = ["AccountForm", "FileForm", "KeyForm", "NameForm", "blame", "from_file"]
