"""Users: who they are, what signs them in, what they are told."""

from accounts.models.answers import Answered
from accounts.models.keys import (
    ApiToken,
    Authenticator,
    DeviceLogin,
    Impersonation,
    LoginLink,
    RecoveryCode,
    Session,
    SshKey,
    Tries,
)
from accounts.models.mail import Mail
from accounts.models.notices import Delay, Delivery, Notice, NoticeChoice, NoticeKind, Webhook
from accounts.models.people import (
    STUDENTS,
    Acceptance,
    AccountState,
    Agreement,
    InstitutionRole,
    PortalRole,
    Profile,
    User,
)

__all__ = [
    "STUDENTS",
    "Acceptance",
    "AccountState",
    "Agreement",
    "Answered",
    "ApiToken",
    "Authenticator",
    "Delay",
    "Delivery",
    "DeviceLogin",
    "Impersonation",
    "InstitutionRole",
    "LoginLink",
    "Mail",
    "Notice",
    "NoticeChoice",
    "NoticeKind",
    "PortalRole",
    "Profile",
    "RecoveryCode",
    "Session",
    "SshKey",
    "Tries",
    "User",
    "Webhook",
]
