"""Reads a topic as a member of a group, as tutorials do, and prints what it has read: consumer.py BROKERS TOPIC GROUP."""
import json
import sys

from kafka import KafkaConsumer

brokers, topic, group = sys.argv[1], sys.argv[2], sys.argv[3]

consumer = KafkaConsumer(
    topic,
    bootstrap_servers=brokers.split(','),
    group_id=group,
    auto_offset_reset='earliest',
    enable_auto_commit=True,
    value_deserializer=lambda value: json.loads(value.decode('utf-8')),
)

for message in consumer:
    print(json.dumps({'key': message.key and message.key.decode(), 'value': message.value}), flush=True)
