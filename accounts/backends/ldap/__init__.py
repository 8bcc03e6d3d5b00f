"""Signing in with a directory: LDAP over TLS, as FutureSystems has it."""
