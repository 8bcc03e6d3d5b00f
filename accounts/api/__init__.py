"""Users and what signs them in, over REST."""

from accounts.api.agreements import Agreements
from accounts.api.profile import OwnProfile
from accounts.api.sessions import SecondFactor, Sessions
from accounts.api.signin import Devices, DeviceTokens, Login, Logout
from accounts.api.tokens import Tokens

__all__ = [
    "Agreements",
    "DeviceTokens",
    "Devices",
    "Login",
    "Logout",
    "OwnProfile",
    "SecondFactor",
    "Sessions",
    "Tokens",
]
