from django.apps import AppConfig


class HpcConfig(AppConfig):
    name = "hpc"
