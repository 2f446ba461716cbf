"""Puts JSON on the durable queue "tasks", as tutorials do: new_task.py URL FIRST COUNT."""
import json
import sys

import pika

url, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.queue_declare(queue='tasks', durable=True)

for number in range(first, first + count):
    channel.basic_publish(
        exchange='',
        routing_key='tasks',
        body=json.dumps({'number': number}),
        properties=pika.BasicProperties(delivery_mode=2),
    )

connection.close()
