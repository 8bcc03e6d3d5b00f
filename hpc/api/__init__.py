"""HPC over REST: clusters with their queues and nodes, jobs and what they leave, templates, schedulers."""
