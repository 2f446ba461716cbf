"""Sends JSON with a key to a topic, as tutorials do: producer.py BROKERS TOPIC FIRST COUNT."""
import json
import sys

from kafka import KafkaProducer

brokers, topic, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

producer = KafkaProducer(
    bootstrap_servers=brokers.split(','),
    key_serializer=str.encode,
    value_serializer=lambda value: json.dumps(value).encode('utf-8'),
)

for number in range(first, first + count):
    producer.send(topic, key=f'customer-{number % 5}', value={'number': number})

producer.flush()
producer.close()
