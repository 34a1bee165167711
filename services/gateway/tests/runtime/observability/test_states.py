"""A state is logged once when it begins and once when it ends."""

import logging

from gameshelf.gateway.runtime.observability.states import OncePerState, StateLog


def test_a_state_is_logged_at_its_beginning_and_at_its_end(caplog, clock):
    caplog.set_level(logging.INFO)
    states = StateLog(logging.getLogger("states"), clock)
    assert not states.end("kafka", "Kafka is back")
    for _ in range(50):
        states.begin("kafka", "Kafka is away: %s", "KafkaConnectionError")
    assert states.begin("topic", "a topic is refused")
    clock.now = 7.5
    assert "kafka" in states
    assert states.end("kafka", "Kafka is back")
    assert not states.end("kafka", "Kafka is back")
    assert states.begin("kafka", "Kafka is away: %s", "RequestTimedOutError")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Kafka is away: KafkaConnectionError"),
        ("WARNING", "a topic is refused"),
        ("INFO", "Kafka is back"),
        ("WARNING", "Kafka is away: RequestTimedOutError"),
    ]
    assert caplog.records[2].fields == {"state.seconds": 7.5}


def test_states_are_bounded(clock):
    states = StateLog(logging.getLogger("states"), clock)
    for number in range(20_000):
        states.begin(str(number), "state")
    assert "0" not in states
    assert "19999" in states


def test_a_librarys_line_passes_once_while_it_repeats_itself(clock):
    once = OncePerState("aiokafka", clock=clock)

    def passes(name, text, *arguments):
        return once.filter(logging.LogRecord(name, logging.ERROR, "", 0, text, arguments, None))

    lines = [passes("aiokafka.cluster", "Topic %s not found in cluster metadata", str(n % 3)) for n in range(400)]
    assert lines == [True, *[False] * 399]
    assert passes("aiokafka.cluster", "another line")
    assert all(passes("gameshelf.gateway", "ours") for _ in range(3))
    clock.now = 59
    assert not passes("aiokafka.cluster", "Topic %s not found in cluster metadata", "1")
    clock.now = 118  # still the same state: it was repeated within a minute
    assert not passes("aiokafka.cluster", "Topic %s not found in cluster metadata", "1")
    clock.now = 179
    assert passes("aiokafka.cluster", "Topic %s not found in cluster metadata", "1")
