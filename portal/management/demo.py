"""Who and what is in the demonstration portal. All names are made up."""

#: user name | first names | last name | institution | role there | country | state | portal role
PEOPLE = """
abena      | Abena     | Osei        | University of Accra       | faculty       | Ghana          | active    | reviewer
achen      | Alice     | Chen        | Lakeside University       | faculty       | United States  | active    | reviewer
agarcia    | Ana       | García      | Universidad del Valle     | phd           | Spain          | active    |
aivanov    | Anton     | Ivanov      | Technical University East | staff         | Bulgaria       | active    | operator
amohamed   | Amira     | Mohamed     | Nile Institute            | masters       | Egypt          | active    |
bjorn      | Björn     | Lindqvist   | Nordic Polytechnic        | faculty       | Sweden         | active    | reviewer
bnguyen    | Bao       | Nguyen      | Lakeside University       | undergraduate | United States  | active    |
carla      | Carla     | Rossi       | Politecnico della Valle   | phd           | Italy          | active    |
csmith     | Casey     | Smith       | Prairie State University  | staff         | United States  | active    | operator
dkim       | Dong-hyun | Kim         | Han River University      | faculty       | Korea          | active    |
dpatel     | Dev       | Patel       | Western Institute         | masters       | India          | active    |
efischer   | Eva       | Fischer     | Universität am See        | faculty       | Germany        | active    | auditor
emartin    | Élodie    | Martin      | Université du Lac         | phd           | France         | active    |
fali       | Fatima    | Ali         | Gulf Science University   | faculty       | Qatar          | active    |
gbrown     | Grace     | Brown       | Prairie State University  | undergraduate | United States  | active    |
hsato      | Haruto    | Sato        | Institute of Science East | phd           | Japan          | active    |
ikaya      | İpek      | Kaya        | Bosphorus Technical       | masters       | Turkey         | active    |
jjones     | Jordan    | Jones       | Lakeside University       | faculty       | United States  | active    |
jmuller    | Jonas     | Müller      | Universität am See        | masters       | Germany        | active    |
kwhite     | Kim       | White       | Prairie State University  | faculty       | United States  | active    |
lsilva     | Luísa     | Silva       | Universidade do Norte     | phd           | Brazil         | active    |
mhansen    | Mette     | Hansen      | Nordic Polytechnic        | staff         | Denmark        | active    |
mlopez     | Mateo     | López       | Universidad del Valle     | undergraduate | Spain          | active    |
nkowalski  | Natalia   | Kowalski    | Vistula Institute         | phd           | Poland         | active    |
omwangi    | Otieno    | Mwangi      | Rift Valley University    | masters       | Kenya          | active    |
psingh     | Priya     | Singh       | Western Institute         | faculty       | India          | active    |
qzhang     | Qing      | Zhang       | Harbour University        | phd           | China          | active    |
rcohen     | Rafi      | Cohen       | Coastal Institute         | faculty       | Israel         | active    |
rtaylor    | Robin     | Taylor      | Lakeside University       | staff         | United States  | active    |
sduarte    | Sofia     | Duarte      | Universidade do Norte     | masters       | Portugal       | active    |
sokafor    | Sade      | Okafor      | Lagos Tech                | undergraduate | Nigeria        | active    |
twilson    | Terry     | Wilson      | Prairie State University  | other         | United States  | active    |
ublum      | Ute       | Blum        | Universität am See        | staff         | Austria        | active    |
vpetrov    | Vera      | Petrova     | Technical University East | masters       | Serbia         | suspended |
wlee       | Wei       | Lee         | Harbour University        | undergraduate | Singapore      | confirmed |
xdiaz      | Ximena    | Díaz        | Universidad del Valle     | phd           | Mexico         | confirmed |
ykhan      | Yusuf     | Khan        | Gulf Science University   | masters       | Pakistan       | applied   |
znovak     | Zdeněk    | Novák       | Vltava Polytechnic        | other         | Czechia        | denied    |
aquinn     | Alex      | Quinn       | Emerald College           | staff         | Ireland        | blocked   |
bosman     | Bram      | Osman       | Delta University          | masters       | Netherlands    | expired   |
"""

#: name | title | category | discipline | lead | members | what becomes of it
PROJECTS = """
fg82 | Testbeds for teaching | education | computer-science | jjones | bnguyen gbrown rtaylor mlopez sokafor | active
fg104 | Ocean models on elastic clusters | non-life-sciences | ocean-sciences | dkim | hsato qzhang | active
fg117 | Genome assembly as a service | life-sciences | bioinformatics | psingh | dpatel omwangi amohamed | active
fg131 | Fair scheduling across clouds | computer-science | networks | fali | ikaya carla | change
fg140 | Benchmarks of object stores | technology-evaluation | computer-science | kwhite | twilson csmith | renewal
fg152 | Privacy of federated learning | computer-science | security | rcohen | emartin nkowalski | pending
fg153 | Digital humanities corpora | education | humanities | agarcia | sduarte | pending
fg154 | Edge to cloud for river sensors | technology-development | earth-sciences | lsilva | mhansen | returned
fg155 | A course on cloud operating | education | education | jmuller | | draft
fg90 | Container start-up at scale | technology-evaluation | software-engineering | mhansen | ublum | completed
fg61 | Mining of virtual coins | other | economics | twilson | | denied
fg99 | Simulated traffic of cities | non-life-sciences | civil-engineering | ublum | jmuller | blocked
fg77 | Weather ensembles on spot instances | non-life-sciences | atmospheric-sciences | carla | hsato | expired
"""

#: name | effect | subject kind | subject | service | limits | what becomes of it
POLICIES = """
teaching-small | allow | project | fg82 | cloud:* | cores=16 instances=20 | approved
bare-metal-reviewed | ask | rule | project in (fg104, fg131) | machines:i[1-8] | nodes=4 | approved
sierra-is-busy | ask | everyone | | cloud:sierra | cores=64 | proposed
no-coins | deny | user | twilson | cloud:* | | approved
night-machines | allow | role | lead, manager | machines:i[9-12] | nodes=2 | draft
"""

#: project | who boots how many servers now | on which simulated clouds | quotas
FLEETS = """
fg82  | bnguyen=2 gbrown=3 mlopez=1 | alamo sierra | instances=20 cores=40
fg104 | hsato=3 qzhang=1            | india        | instances=10 cores=16
fg117 | dpatel=2 omwangi=2          | alamo india  | instances=12 cores=24
fg140 | csmith=1                    | alamo        | instances=4 cores=8
"""


def numbers(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (each.partition("=") for each in text.split())}


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
