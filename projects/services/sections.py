"""The sections of an application, declared once: the ten of a project, and those of what is asked for later."""

from projects.models import ApplicationKind
from projects.services.questions import Kind, Question, Section

CATEGORIES = (
    ("computer-science", "Computer science"),
    ("education", "Education"),
    ("interoperability", "Interoperability"),
    ("life-sciences", "Life sciences"),
    ("non-life-sciences", "Sciences other than life sciences"),
    ("technology-development", "Technology development"),
    ("technology-evaluation", "Technology evaluation"),
    ("other", "None of these"),
)
ORIENTATIONS = (
    ("research", "Research"),
    ("education", "Education"),
    ("industry", "Industry"),
    ("government", "Government"),
)
DISCIPLINES = (
    ("computer-science", "Computer and information science"),
    ("software-engineering", "Software engineering"),
    ("networks", "Networks and distributed systems"),
    ("security", "Security and privacy"),
    ("artificial-intelligence", "Artificial intelligence"),
    ("data-science", "Data science"),
    ("electrical-engineering", "Electrical engineering"),
    ("mechanical-engineering", "Mechanical engineering"),
    ("civil-engineering", "Civil and environmental engineering"),
    ("materials", "Materials science"),
    ("mathematics", "Mathematics and statistics"),
    ("physics", "Physics"),
    ("astronomy", "Astronomy"),
    ("chemistry", "Chemistry"),
    ("earth-sciences", "Earth sciences"),
    ("atmospheric-sciences", "Atmospheric sciences"),
    ("ocean-sciences", "Ocean sciences"),
    ("biology", "Biological sciences"),
    ("bioinformatics", "Bioinformatics"),
    ("medicine", "Medicine and health"),
    ("agriculture", "Agriculture"),
    ("psychology", "Psychology"),
    ("economics", "Economics"),
    ("social-sciences", "Social sciences"),
    ("humanities", "Humanities and arts"),
    ("education", "Education"),
    ("other", "Other"),
)
GRANTORS = (
    ("none", "None"),
    ("NSF", "NSF"),
    ("DOE", "DOE"),
    ("DoD", "DoD"),
    ("NIH", "NIH"),
    ("other", "Another"),
)
SERVICES = (
    ("openstack", "OpenStack"),
    ("ec2", "EC2"),
    ("eucalyptus", "Eucalyptus"),
    ("mpi", "MPI"),
    ("hadoop", "Hadoop"),
    ("mapreduce", "MapReduce"),
    ("docker", "Docker"),
    ("other", "Other"),
    ("none", "None"),
)
SOFTWARE = (("hpc", "HPC"), ("other", "Other"))
PROVISIONING = (
    ("vm", "Virtual machines"),
    ("baremetal", "Bare metal"),
    ("container", "Containers"),
    ("iaas", "Infrastructure as a service"),
    ("paas", "Platform as a service"),
    ("other", "Other"),
    ("none", "None"),
)
LONG = 8000


def _agreement(name: str, label: str) -> Question:
    return Question(name=name, label=label, kind=Kind.FLAG, required=True)


INFORMATION = Section(
    name="information",
    label="Information",
    help="What the project is called, and what it is about in a few words.",
    questions=(
        Question(name="title", label="Title", required=True),
        Question(name="category", label="Category", kind=Kind.CHOICE, choices=CATEGORIES, required=True),
        Question(name="keywords", label="Keywords", help="With commas between.", required=True),
        Question(name="url", label="Web page", kind=Kind.URL, help="Of the project, if it has one."),
    ),
)
VOCABULARY = Section(
    name="vocabulary",
    label="Vocabulary",
    help="How the project is counted in reports.",
    questions=(
        Question(name="orientation", label="Orientation", kind=Kind.CHOICE, choices=ORIENTATIONS, required=True),
        Question(
            name="primary_discipline",
            label="Primary discipline",
            kind=Kind.CHOICE,
            choices=DISCIPLINES,
            required=True,
        ),
    ),
)
CONTACTS = Section(
    name="contacts",
    label="Contacts",
    help="Whom to ask. The applicant leads the project; others are invited once it is active.",
    questions=(
        Question(name="contact", label="Contact", help="Name and e-mail address.", required=True),
        Question(name="managers", label="Managers", kind=Kind.LINES, help="Who will help to run it.", most=2000),
        Question(name="members", label="Members", kind=Kind.LINES, help="Who will work in it.", most=LONG),
    ),
)
DETAILS = Section(
    name="details",
    label="Details",
    help="What the committee reads first.",
    questions=(
        Question(name="abstract", label="Abstract", kind=Kind.LINES, required=True, most=LONG),
        Question(
            name="intellectual_merit",
            label="Intellectual merit",
            kind=Kind.LINES,
            help="What will be known afterwards that is not known now.",
            required=True,
            most=LONG,
        ),
        Question(
            name="broader_impact",
            label="Broader impact",
            kind=Kind.LINES,
            help="Whom it helps beyond the project.",
            required=True,
            most=LONG,
        ),
        Question(name="results", label="Results so far", kind=Kind.LINES, help="Publications, software.", most=LONG),
    ),
)
AGREEMENTS = Section(
    name="agreements",
    label="Agreements",
    help="What everybody who uses the testbed promises.",
    questions=(
        _agreement("use", "We use the resources only for this project and keep the portal's terms of use."),
        _agreement("slides", "We will give a few slides about the project when asked."),
        _agreement("support", "We will help to answer questions of others about what we do here."),
        _agreement("software", "We will share the software that we write here, or say why we cannot."),
        _agreement("documentation", "We will document what others can use, and name the testbed in publications."),
    ),
)
GRANT = Section(
    name="grant",
    label="Related grant",
    questions=(
        Question(name="organization", label="Organization", kind=Kind.CHOICE, choices=GRANTORS, required=True),
        Question(name="id", label="Grant number"),
        Question(name="url", label="Web page", kind=Kind.URL),
    ),
)
RESOURCES = Section(
    name="resources",
    label="Resource requirements",
    help="What is needed. Limits in numbers are asked for as an allocation once the project is active.",
    questions=(
        Question(name="services", label="Services", kind=Kind.CHOICES, choices=SERVICES, required=True),
        Question(name="software", label="Software", kind=Kind.CHOICES, choices=SOFTWARE),
        Question(name="clusters", label="Clouds and clusters", help="Names, with commas between."),
        Question(name="provision", label="Provisioning", kind=Kind.CHOICES, choices=PROVISIONING, required=True),
        Question(name="comment", label="Comment", kind=Kind.LINES, most=2000),
        Question(
            name="use",
            label="Use of the testbed",
            kind=Kind.LINES,
            help="What will run here, and why here.",
            required=True,
            most=LONG,
        ),
        Question(
            name="scale",
            label="Scale of use",
            kind=Kind.LINES,
            help="How many machines, how large, for how long.",
            required=True,
            most=2000,
        ),
    ),
)
OTHER = Section(
    name="other",
    label="Other",
    questions=(
        Question(
            name="comments",
            label="Comments",
            kind=Kind.LINES,
            help="Whatever else the committee should know.",
            most=LONG,
        ),
    ),
)
MEMBERSHIP = Section(
    name="membership",
    label="Membership",
    help="Who may come in later.",
    questions=(
        Question(name="join_open", label="People may ask to join", kind=Kind.FLAG),
        Question(name="join_notification", label="Tell the leads when somebody asks", kind=Kind.FLAG),
    ),
)
LOCATION = Section(
    name="location",
    label="Location",
    help="Where the project is at home.",
    questions=(
        Question(name="name", label="Institution", required=True),
        Question(name="street", label="Street"),
        Question(name="additional", label="Address, second line"),
        Question(name="state", label="State or province"),
        Question(name="country", label="Country", required=True),
    ),
)
TEN = (
    INFORMATION, VOCABULARY, CONTACTS, DETAILS, AGREEMENTS, GRANT, RESOURCES, OTHER, MEMBERSHIP, LOCATION
)  # fmt: skip

REASON = Section(
    name="reason",
    label="Reason",
    questions=(Question(name="text", label="Why the project changes", kind=Kind.LINES, required=True, most=2000),),
)
RENEWAL = Section(
    name="renewal",
    label="Renewal",
    questions=(
        Question(name="ends_at", label="New end date", kind=Kind.DATE, required=True),
        Question(
            name="reason",
            label="What was done, and what is left to do",
            kind=Kind.LINES,
            required=True,
            most=LONG,
        ),
    ),
)
ALLOCATION = Section(
    name="allocation",
    label="Allocation",
    questions=(
        Question(
            name="limits",
            label="Limits",
            kind=Kind.LIMITS,
            help="How much the project may have at most, in all or at one place. Memory in MiB, disk in GiB.",
            required=True,
        ),
        Question(name="reason", label="What it is needed for", kind=Kind.LINES, required=True, most=LONG),
    ),
)


def sections_of(kind: str) -> tuple[Section, ...]:
    """The sections of an application of this kind, in their order."""
    return {
        ApplicationKind.CHANGE: (REASON, *TEN),
        ApplicationKind.RENEWAL: (RENEWAL,),
        ApplicationKind.ALLOCATION: (ALLOCATION,),
    }.get(ApplicationKind(kind), TEN)
