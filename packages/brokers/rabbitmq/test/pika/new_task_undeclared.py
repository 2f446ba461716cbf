"""Puts JSON on the queue "tasks" and leaves it to others to declare it: new_task_undeclared.py URL."""
import json
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue='tasks', passive=True)
channel.basic_publish(exchange='', routing_key='tasks', body=json.dumps({'number': 1}))
connection.close()
