"""``./dev publish`` knows the service's topics without importing the service."""

import subprocess
import sys

from gameshelf.devstack.consumed_topics import consumed_topics, topics_of_the_service


def test_the_generated_topics_are_those_of_the_service():
    assert consumed_topics() == topics_of_the_service(), "run `python -m gameshelf.devstack.consumed_topics`"


def test_an_event_is_encoded_without_importing_the_service():
    program = (
        "import sys\n"
        "from gameshelf.devstack.events import CloudEvent\n"
        "event = CloudEvent('com.platform.payment.purchase.completed.v1', {'userId': 'u'})\n"
        "print(event.topic, event.key, sorted(name for name in sys.modules if name.startswith('gameshelf.gateway')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "com.platform.payment.events.v1 u []\n"
