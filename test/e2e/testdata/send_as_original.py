"""A client in the manner of the original design's: it looks up the API and the user pool in CloudFormation, makes three
users as an administrator, answers the challenge of their temporary passwords, and posts as each of them.

Arguments: the stack's name, and the logical ids of the API, the user pool and its client. Writes a line of JSON a post.
The endpoint and the key are those of the environment, as `lake env` sets them.
"""

import base64
import json
import sys
import urllib.error
import urllib.request

import boto3

stack, api_id, pool_id, client_id = sys.argv[1:]
cloudformation, cognito = boto3.client("cloudformation"), boto3.client("cognito-idp")


def physical(logical):
    answer = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical)
    return answer["StackResourceDetail"]["PhysicalResourceId"]


description = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
api, pool, client = physical(api_id), physical(pool_id), physical(client_id)
assert api and pool == outputs["UserPoolId"] and client == outputs["UserPoolClientId"], outputs


def sign_in(name, read, write):
    temporary, password = "Temporary-1234", "Password-1234!"
    cognito.admin_create_user(
        UserPoolId=pool, Username=name, TemporaryPassword=temporary, MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"},
                        {"Name": "custom:read", "Value": read}, {"Name": "custom:write", "Value": write}])
    challenge = cognito.admin_initiate_auth(
        UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": temporary})
    cognito.admin_respond_to_auth_challenge(
        UserPoolId=pool, ClientId=client, ChallengeName=challenge["ChallengeName"], Session=challenge["Session"],
        ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": password})
    answer = cognito.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password})
    return answer["AuthenticationResult"]["IdToken"]


def post(token, message):
    body = json.dumps({"msg": base64.b64encode(message.encode()).decode(), "encoding": "utf-8"}).encode()
    request = urllib.request.Request(
        outputs["ApiUrl"].rstrip("/") + "/er7", body, {"Authorization": token, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


for user, read, write in ("admin", "hospital", "hospital"), ("reader", "hospital", ""), ("writer", "", "hospital"):
    status, answer = post(sign_in(user + "@example.com", read, write),
                          "MSH|^~\\&|EHR|HERE|LAKE||2016||ADT^A01|1|P|2.3\rPID|1||1^^^HERE||Sample^Sue\r")
    print(json.dumps({"user": user, "status": status, "said": answer.get("detail", answer["status"])}))
