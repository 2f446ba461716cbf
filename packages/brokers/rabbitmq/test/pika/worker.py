"""Works on the durable queue "tasks", as tutorials do, and prints what it has done: worker.py URL."""
import json
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue='tasks', durable=True)


def callback(ch, method, properties, body):
    print(json.dumps(json.loads(body)), flush=True)
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='tasks', on_message_callback=callback)
channel.start_consuming()
