//! The patterns that the versions of the benchmark publish, written from what they say about fields.

/// A published pattern and the versions in which it stands.
pub(super) struct Published {
    pub(super) slug: &'static str,
    pub(super) versions: &'static str,
    pub(super) pattern: String,
}

/// The names of the controls that require events by name, with the source if their pattern has one.
pub(super) const BY_NAME: [(&str, Option<&str>, &str); 11] = [
    (
        "iam-policy-changes",
        None,
        "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy \
         CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy \
         AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
    ),
    (
        "cloudtrail-changes",
        None,
        "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging",
    ),
    (
        "kms-key-deletion",
        Some("kms.amazonaws.com"),
        "DisableKey ScheduleKeyDeletion",
    ),
    (
        "s3-bucket-policy-changes",
        Some("s3.amazonaws.com"),
        "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication \
         DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
    ),
    (
        "config-changes",
        Some("config.amazonaws.com"),
        "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
    ),
    (
        "security-group-changes",
        None,
        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress \
         RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup ModifySecurityGroupRules",
    ),
    (
        "network-acl-changes",
        None,
        "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry \
         ReplaceNetworkAclEntry ReplaceNetworkAclAssociation",
    ),
    (
        "network-gateway-changes",
        None,
        "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway \
         DeleteInternetGateway DetachInternetGateway",
    ),
    (
        "route-table-changes",
        None,
        "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable \
         DeleteRoute DisassociateRouteTable",
    ),
    (
        "vpc-changes",
        None,
        "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection \
         DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc \
         DisableVpcClassicLink EnableVpcClassicLink",
    ),
    (
        "organizations-changes",
        Some("organizations.amazonaws.com"),
        "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy DeclineHandshake \
         DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType \
         EnablePolicyType InviteAccountToOrganization LeaveOrganization MoveAccount \
         RemoveAccountFromOrganization UpdateOrganizationalUnit UpdatePolicy",
    ),
];

/// `($.eventName = A) || ($.eventName = B)`
pub(super) fn any_name<'a>(names: impl IntoIterator<Item = &'a str>, quote: &str) -> String {
    let tests: Vec<String> = names
        .into_iter()
        .map(|name| format!("($.eventName = {quote}{name}{quote})"))
        .collect();
    tests.join(" || ")
}

/// A pattern as the benchmark writes it.
pub(super) fn by_name<'a>(
    source: Option<&str>,
    names: impl IntoIterator<Item = &'a str>,
    quote: &str,
) -> String {
    let names = any_name(names, quote);
    match source {
        Some(source) => format!("{{ ($.eventSource = {source}) && ({names}) }}"),
        None => format!("{{ {names} }}"),
    }
}

pub(super) fn published() -> Vec<Published> {
    let of = |slug, versions, pattern: &str| Published {
        slug,
        versions,
        pattern: pattern.to_owned(),
    };
    let mut all = vec![
        of(
            "unauthorized-api-calls",
            "v1.2",
            r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }"#,
        ),
        of(
            "unauthorized-api-calls",
            "v1.4 to v3.0",
            r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")
                 || ($.sourceIPAddress != "delivery.logs.amazonaws.com") || ($.eventName != "HeadBucket") }"#,
        ),
        of(
            "unauthorized-api-calls",
            "v4.0 to v7.0",
            r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")
                 && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }"#,
        ),
        of(
            "unauthorized-api-calls",
            "as v4.0 is meant",
            r#"{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*"))
                 && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }"#,
        ),
        of(
            "console-sign-in-without-mfa",
            "all",
            r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#,
        ),
        of(
            "console-sign-in-without-mfa",
            "with less noise",
            r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes")
                 && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }"#,
        ),
        of(
            "root-usage",
            "all",
            r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }"#,
        ),
        of(
            "console-authentication-failures",
            "all",
            r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#,
        ),
        of(
            "route-table-changes",
            "v4.0 to v7.0",
            "{ ($.eventSource = ec2.amazonaws.com) && ($.eventName = CreateRoute) || ($.eventName = CreateRouteTable)
               || ($.eventName = ReplaceRoute) || ($.eventName = ReplaceRouteTableAssociation)
               || ($.eventName = DeleteRouteTable) || ($.eventName = DeleteRoute)
               || ($.eventName = DisassociateRouteTable) }",
        ),
    ];
    for (slug, source, names) in BY_NAME {
        for (versions, quote) in [("all", ""), ("all, in quotes", "\"")] {
            let pattern = by_name(source, names.split_whitespace(), quote);
            all.push(Published {
                slug,
                versions,
                pattern,
            });
        }
    }
    all
}
