"""Sends what is no JSON with a text for a key: odd_records.py BROKERS TOPIC."""
import struct
import sys

from kafka import KafkaProducer

brokers, topic = sys.argv[1], sys.argv[2]

producer = KafkaProducer(bootstrap_servers=brokers.split(','))
producer.send(topic, key=struct.pack('>q', -42), value=b'"key of a number"')
producer.send(topic, key=b'customer-1', value=None)
producer.send(topic, value=b'"headers"', headers=[('bytes', b'\xff\x00'), ('twice', b'1'), ('twice', b'2')])
producer.send(topic, key=b'customer-2', value=b'\x00\x01')
producer.flush()
producer.close()
