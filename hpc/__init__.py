"""HPC: clusters of many schedulers, their queues and nodes, and the jobs people run there."""
