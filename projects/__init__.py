"""Projects: who may do what, under which policy, within which quota."""
