"""Puts JSON on the queue "tasks" with headers that nearly fill a frame: new_task_large_headers.py URL."""
import json
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue='tasks', durable=True)
channel.basic_publish(
    exchange='',
    routing_key='tasks',
    body=json.dumps({'number': 1}),
    properties=pika.BasicProperties(delivery_mode=2, headers={'tenant': 'a', 'large': 'x' * 100_000}),
)
connection.close()
