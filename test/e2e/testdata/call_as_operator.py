"""Asks of a lake what an operator would, with boto3: the state of every key of a stack, and the lines of a function's log
that a pattern finds. Arguments: the stack, a part of the function's name, the pattern. Writes one line of JSON."""

import json
import sys

import boto3

stack, name, pattern = sys.argv[1:]
resources = boto3.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
kms = boto3.client("kms")
states = [kms.describe_key(KeyId=r["PhysicalResourceId"])["KeyMetadata"]["KeyState"]
          for r in resources if r["ResourceType"] == "AWS::KMS::Key"]
functions = [f for page in boto3.client("lambda").get_paginator("list_functions").paginate() for f in page["Functions"]]
group = next(f["LoggingConfig"]["LogGroup"] for f in functions if name in f["FunctionName"])
pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
print(json.dumps({"keys": states, "lines": [event["message"] for page in pages for event in page["events"]]}))
