"""Reading clouds: who to ask, when, and what changed.

`connect` reaches a cloud with an account's credential and keeps its circuit breaker; `schedule` says what is due;
`servers` and `catalogue` take over what the cloud reports.
"""
