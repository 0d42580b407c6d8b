"""kafka-python and confluent-kafka, driven by lines (the protocol is in interop/README.md).

    driver.py kafka-python|confluent BOOTSTRAP
"""
import hashlib
import json
import sys
import time

LIMIT_SECONDS = 45
library, bootstrap = sys.argv[1], sys.argv[2]


def record_of(options, n):
    """The n-th record: partition, timestamp in ms, key, value, headers."""
    index = int(options["first"]) + n
    name = options["name"]
    key = None if index % 10 == 0 else b"key-%d" % (index % 97)
    value = f"{name}/{options['label']}/{index}/ä€".encode() + b"x" * (index * 37 % 300)
    headers = [("n", str(index).encode()), ("source", name.encode())]
    partition = index % int(options["partitions"])
    value = None if index % 50 == 49 else value
    return partition, 1_700_000_000_000 + index, key, value, headers


class Seen:
    """What was seen of a partition, as hashes over lines."""

    def __init__(self):
        self.count, self.first, self.next = 0, -1, 0
        self.hashes = {name: hashlib.sha256() for name in ("body", "times", "headers")}

    def add(self, offset, timestamp, key, value, headers):
        if self.first < 0:
            self.first = offset
        self.next = offset + 1
        self.count += 1
        text = [b"-" if part is None else part for part in (key, value)]
        self.line("body", b"%d|%s|%s" % (offset, *text))
        self.line("times", b"%d|%d" % (offset, timestamp))
        joined = b",".join(b"%s=%s" % (name.encode(), value) for name, value in headers or [])
        self.line("headers", b"%d|%s" % (offset, joined))

    def line(self, name, text):
        self.hashes[name].update(text + b"\n")

    def json(self, partition):
        hashes = {name: each.hexdigest() for name, each in self.hashes.items()}
        counts = {"count": self.count, "first": self.first, "next": self.next}
        return {"partition": partition, **counts, **hashes}


def answer(seen):
    return {"partitions": [seen[partition].json(partition) for partition in sorted(seen)]}


class KafkaPython:
    def produce(self, options, records):
        from kafka import KafkaProducer

        codec = options.get("codec", "none")
        producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            linger_ms=5,
            compression_type=None if codec == "none" else codec,
            enable_idempotence=options.get("idempotent") == "1",
        )
        sent = [
            producer.send(
                options["topic"],
                key=key,
                value=value,
                headers=headers,
                partition=partition,
                timestamp_ms=timestamp,
            )
            for partition, timestamp, key, value, headers in records
        ]
        producer.flush()
        for each in sent:
            each.get(timeout=LIMIT_SECONDS)
        producer.close()

    def consumer(self, options):
        from kafka import KafkaConsumer

        self.instance = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=options.get("group"),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        )
        return self.instance

    def assign(self, options):
        from kafka import TopicPartition

        consumer = self.consumer(options)
        all_of_them = [
            TopicPartition(options["topic"], n) for n in range(int(options["partitions"]))
        ]
        consumer.assign(all_of_them)
        for each in all_of_them:
            consumer.seek(each, 0)

    def subscribe(self, options):
        self.consumer(options).subscribe([options["topic"]])

    def poll(self):
        for records in self.instance.poll(timeout_ms=200).values():
            for record in records:
                fields = (record.key, record.value, record.headers)
                yield record.partition, (record.offset, record.timestamp, *fields)

    def commit(self, topic, offsets):
        from kafka import OffsetAndMetadata, TopicPartition

        self.instance.commit(
            {
                TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1)
                for partition, offset in offsets.items()
            }
        )

    def close(self):
        self.instance.close()


class Confluent:
    def produce(self, options, records):
        from confluent_kafka import Producer

        failures = []
        producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "linger.ms": 5,
                "compression.type": options.get("codec", "none"),
                "enable.idempotence": options.get("idempotent") == "1",
            }
        )
        for partition, timestamp, key, value, headers in records:
            producer.produce(
                options["topic"],
                key=key,
                value=value,
                headers=headers,
                partition=partition,
                timestamp=timestamp,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
        left = producer.flush(LIMIT_SECONDS)
        if failures or left:
            raise RuntimeError(f"{left} not delivered, {failures[:1]}")

    def consumer(self, options):
        from confluent_kafka import Consumer

        self.instance = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": options.get("group", "none"),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )
        return self.instance

    def assign(self, options):
        from confluent_kafka import TopicPartition

        partitions = range(int(options["partitions"]))
        self.consumer(options).assign(
            [TopicPartition(options["topic"], partition, 0) for partition in partitions]
        )

    def subscribe(self, options):
        self.consumer(options).subscribe([options["topic"]])

    def poll(self):
        for message in self.instance.consume(100, 0.2):
            if message.error():
                raise RuntimeError(str(message.error()))
            timestamp = message.timestamp()[1]
            fields = (message.key(), message.value(), message.headers())
            yield message.partition(), (message.offset(), timestamp, *fields)

    def commit(self, topic, offsets):
        from confluent_kafka import TopicPartition

        self.instance.commit(
            offsets=[TopicPartition(topic, *each) for each in offsets.items()],
            asynchronous=False,
        )

    def close(self):
        self.instance.close()


def collect(client, seen, wanted):
    limit = time.monotonic() + LIMIT_SECONDS
    count = 0
    while count < wanted and time.monotonic() < limit:
        for partition, fields in client.poll():
            if count == wanted:
                break
            seen.setdefault(partition, Seen()).add(*fields)
            count += 1


def perform(line):
    name, *words = line.split()
    options = dict(word.split("=", 1) for word in words)
    client = KafkaPython() if library == "kafka-python" else Confluent()
    count = int(options["count"])
    if name == "produce":
        client.produce(options, (record_of(options, n) for n in range(count)))
        return {"ok": True}
    seen = {}
    if name == "read":
        seen = {partition: Seen() for partition in range(int(options["partitions"]))}
        client.assign(options)
        collect(client, seen, count)
    elif name == "group":
        client.subscribe(options)
        collect(client, seen, count)
        offsets = {partition: each.next for partition, each in seen.items()}
        client.commit(options["topic"], offsets)
    else:
        raise ValueError(name)
    client.close()
    return answer(seen)


for line in sys.stdin:
    try:
        result = perform(line)
    except Exception as error:  # Whatever a library throws is the answer.
        result = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)
