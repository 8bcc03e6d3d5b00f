"""What a server is besides running, as its cloud keeps it. A handler asks once; see `clouds.tasks.servers`."""

from clouds.sync import connect, schedule
from clouds.tasks.steps import MINUTES, learn, server_of
from operations.engine import Done, Outcome, handles
from operations.models import Operation


@handles("server.label", deadline=5 * MINUTES)
def label_server(operation: Operation) -> Outcome:
    server, labels, remove = server_of(operation), operation.params["labels"], operation.params["remove"]
    with connect.reaching(server.account) as driver:
        driver.label_server(server.provider_id, labels, remove=remove)
        learn(operation, server, driver.server(server.provider_id))
        schedule.hurry(server.account)
    said = [*(f"{key}={value}" for key, value in labels.items()), *(f"{key}-" for key in remove)]
    return Done(step=f"labelled {' '.join(said)}"[:200])
