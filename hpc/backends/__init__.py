"""Where the commands of a scheduler run: on this machine, or on a login node through ssh."""
