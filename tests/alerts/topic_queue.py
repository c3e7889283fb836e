"""A topic of SNS with a queue of SQS behind it, on the server that AWS_ENDPOINT_URL names.

usage: topic_queue.py make <name of the topic>    prints the ARN of the topic and the URL of the queue
       topic_queue.py read <URL of the queue>     prints what is in the queue, as a JSON line each
"""

import json
import sys

import boto3


def make(name):
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    fifo = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
    topic = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
    fifo = {"FifoQueue": "true"} if fifo else {}
    queue = sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    print(topic, queue, flush=True)


def read(queue):
    sqs = boto3.client("sqs")
    while True:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        messages = answer.get("Messages", [])
        if not messages:
            return
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            print(json.dumps(json.loads(message["Body"])), flush=True)


if __name__ == "__main__":
    {"make": make, "read": read}[sys.argv[1]](sys.argv[2])
