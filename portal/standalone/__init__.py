"""The portal on one machine: PostgreSQL, Valkey, web, worker and beat under one supervisor, all it keeps in `var/`.

A lock says whether it runs, a pid with its birth time which process is meant; children die with the supervisor.
"""
