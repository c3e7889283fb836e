"""Builds an organization in the AWS that AWS_ENDPOINT_URL names, with boto3 as anybody would.

    python3 organization.py build    makes the organization, one member account for each case
    python3 organization.py mend     puts the filter of the member `filter-incomplete` right
    python3 organization.py break    stops the trail of the management account
"""

import json
import sys

try:
    import boto3
except ImportError as error:
    sys.exit(f"{error}: run `cargo xtask test`, which installs tests/moto/requirements.txt")

# The eighteen events of CIS 4.15.
EVENTS = [
    "AcceptHandshake",
    "AttachPolicy",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "InviteAccountToOrganization",
    "LeaveOrganization",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdateOrganizationalUnit",
    "UpdatePolicy",
]


def pattern(events, quote='"'):
    names = " || ".join(f"($.eventName = {quote}{event}{quote})" for event in events)
    return f"{{ ($.eventSource = {quote}organizations.amazonaws.com{quote}) && ({names}) }}"


COMPLETE = pattern(EVENTS)
UNQUOTED_BACKWARDS = pattern(reversed(EVENTS), quote="")
INCOMPLETE = pattern([event for event in EVENTS if event != "LeaveOrganization"])

GROUP = "cloudtrail"
FILTER = "organizations-changes"
METRIC = {"Namespace": "CISBenchmark", "MetricName": "OrganizationsChanges"}
PLAIN = METRIC | {"Statistic": "Sum", "Period": 300}
RECOVER = "arn:aws:automate:us-east-1:ec2:recover"
METRIC_MATH = {
    "Metrics": [
        {"Id": "m1", "MetricStat": {"Metric": METRIC, "Period": 300, "Stat": "Sum"}},
    ]
}

# What differs from a complete chain, by member account.
MEMBERS = {
    "complete-in-another-region": {"region": "eu-west-1"},
    "complete-unquoted": {"pattern": UNQUOTED_BACKWARDS},
    "complete-by-metric-math": {"alarm": METRIC_MATH},
    "complete-topic-in-management": {"topic": "management"},
    "trail-absent": None,
    "trail-stopped": {"logging": False},
    "trail-single-region": {"multi_region": False},
    "trail-read-only": {"events": "ReadOnly"},
    "trail-without-log-group": {"group": False},
    "filter-absent": {"pattern": None},
    "filter-incomplete": {"pattern": INCOMPLETE},
    "alarm-absent": {"alarm": None},
    "alarm-in-another-namespace": {"alarm": PLAIN | {"Namespace": "Elsewhere"}},
    "alarm-threshold-five": {"alarm": PLAIN | {"Threshold": 5.0}},
    "alarm-without-action": {"alarm": PLAIN | {"AlarmActions": []}},
    "alarm-actions-disabled": {"alarm": PLAIN | {"ActionsEnabled": False}},
    "alarm-action-is-no-topic": {"alarm": PLAIN | {"AlarmActions": [RECOVER]}},
    "topic-deleted": {"topic": "deleted"},
    "topic-without-subscription": {"subscription": False},
    "closed": None,
}


def enter(account):
    """The account as its administrator sees it."""
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="builder")
    credentials = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def build_chain(
    session,
    region="us-east-1",
    multi_region=True,
    logging=True,
    events="All",
    group=True,
    pattern=COMPLETE,
    alarm=PLAIN,
    topic="own",
    subscription=True,
):
    account = session.client("sts").get_caller_identity()["Account"]
    build_trail(session, region, account, multi_region, logging, events, group)
    logs = session.client("logs", region_name=region)
    logs.create_log_group(logGroupName=GROUP)
    if pattern:
        put_filter(logs, pattern)
    owner = boto3 if topic == "management" else session
    sns = owner.client("sns", region_name=region)
    topic_arn = sns.create_topic(Name=f"changes-of-{account}")["TopicArn"]
    if topic == "management":
        admit_alarms(sns, topic_arn, account)
    if subscription:
        sns.subscribe(TopicArn=topic_arn, Protocol="email", Endpoint="security@example.com")
    if topic == "deleted":
        sns.delete_topic(TopicArn=topic_arn)
    if alarm:
        build_alarm(session, region, alarm, topic_arn)


def admit_alarms(sns, topic_arn, account):
    """A new topic's policy lets alarms of its own account publish, and nobody else's."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic_arn, AttributeName="Policy", AttributeValue=policy)


def build_trail(session, region, account, multi_region, logging, events, group):
    bucket = f"trail-of-{account}"
    session.client("s3", region_name="us-east-1").create_bucket(Bucket=bucket)
    cloudtrail = session.client("cloudtrail", region_name=region)
    delivery = {
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{region}:{account}:log-group:{GROUP}:*",
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{account}:role/CloudTrailToLogs",
    }
    cloudtrail.create_trail(
        Name="audit",
        S3BucketName=bucket,
        IsMultiRegionTrail=multi_region,
        **(delivery if group else {}),
    )
    # AWS gives a new trail a selector for all management events by itself; moto gives it none.
    cloudtrail.put_event_selectors(
        TrailName="audit",
        EventSelectors=[{"ReadWriteType": events, "IncludeManagementEvents": True}],
    )
    cloudtrail.start_logging(Name="audit")
    if not logging:
        cloudtrail.stop_logging(Name="audit")


def put_filter(logs, pattern):
    transformation = {
        "metricNamespace": METRIC["Namespace"],
        "metricName": METRIC["MetricName"],
        "metricValue": "1",
    }
    logs.put_metric_filter(
        logGroupName=GROUP,
        filterName=FILTER,
        filterPattern=pattern,
        metricTransformations=[transformation],
    )


def build_alarm(session, region, alarm, topic_arn):
    cloudwatch = session.client("cloudwatch", region_name=region)
    settings = {
        "AlarmName": FILTER,
        "AlarmActions": [topic_arn],
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    cloudwatch.put_metric_alarm(**(settings | alarm))


def build():
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    build_chain(boto3.Session())
    for name, differences in MEMBERS.items():
        answer = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        account = answer["CreateAccountStatus"]["AccountId"]
        if differences is not None:
            build_chain(enter(account), **differences)
        if name == "closed":
            organizations.close_account(AccountId=account)


def mend():
    pages = boto3.client("organizations").get_paginator("list_accounts").paginate()
    accounts = {account["Name"]: account["Id"] for page in pages for account in page["Accounts"]}
    logs = enter(accounts["filter-incomplete"]).client("logs")
    # AWS replaces a filter of the same name; moto adds a second one.
    logs.delete_metric_filter(logGroupName=GROUP, filterName=FILTER)
    put_filter(logs, COMPLETE)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build"]:
            build()
        case ["mend"]:
            mend()
        case ["break"]:
            boto3.client("cloudtrail").stop_logging(Name="audit")
        case _:
            sys.exit(__doc__)
