"""Settings of Apache Kafka's nodes, and a broker whose records outlive it."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from gameshelf.devstack.process import StartFailed
from gameshelf.devstack.servers import Kafka, apache_kafka, choice
from gameshelf.devstack.servers.apache_kafka import KafkaNode, settings_of
from gameshelf.devstack.servers.kafka import TOPICS

with_kafka = pytest.mark.skipif(not choice.are_real(), reason="the embedded broker keeps nothing: ./dev test --real")


def test_a_node_alone_is_its_own_controller_with_one_copy(tmp_path):
    settings = settings_of(tmp_path, 9092, None)
    assert settings["process.roles"] == "broker,controller"
    assert f"CONTROLLER://{settings['controller.quorum.bootstrap.servers']}" in settings["listeners"]
    assert "controller.quorum.voters" not in settings
    assert settings["offsets.topic.replication.factor"] == "1"


def test_several_nodes_know_each_other_and_copy_offsets(tmp_path):
    ports = (19001, 19002, 19003)
    nodes = [settings_of(tmp_path, 19100 + number, KafkaNode(number, ports)) for number in (1, 2, 3)]
    voters = "1@127.0.0.1:19001,2@127.0.0.1:19002,3@127.0.0.1:19003"
    assert {node["controller.quorum.voters"] for node in nodes} == {voters}
    assert [node["listeners"].partition(",")[2] for node in nodes] == [
        f"CONTROLLER://127.0.0.1:{port}" for port in ports
    ]
    assert [node["node.id"] for node in nodes] == ["1", "2", "3"]
    assert not any("offsets.topic.replication.factor" in node for node in nodes)  # Kafka's own value is three


def test_without_java_the_start_says_what_installs_it(monkeypatch, tmp_path):
    (tmp_path / "kafka").mkdir()
    monkeypatch.setattr(choice, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StartFailed, match=r"java is not installed: `\.ci/real-servers`"):
        apache_kafka.launch(tmp_path, 9092, tmp_path / "log")


@pytest.mark.real
@with_kafka
async def test_records_and_topics_outlive_a_killed_broker(server_directory):
    kafka = Kafka(server_directory / "kept")
    await asyncio.to_thread(kafka.start)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(TOPICS[0], b"kept", partition=0)
    await producer.stop()
    kafka.kill()
    await asyncio.to_thread(kafka.start)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
    await consumer.start()
    consumer.assign([TopicPartition(TOPICS[0], 0)])
    await consumer.seek_to_beginning()
    assert (await consumer.getone()).value == b"kept"
    await consumer.stop()
    await asyncio.to_thread(kafka.stop)
