//! The fifteen monitoring controls of the CIS AWS Foundations Benchmark (4.1 to 4.15), with the
//! filter patterns that it publishes.
//!
//! Written down here a second time and on purpose: what a world holds must not come from the
//! catalogue that is tested against it.

use serde::Deserialize;

/// A control, named as the benchmark's readers name its subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchmarkControl {
    UnauthorizedApiCalls,
    ConsoleSignInWithoutMfa,
    RootUsage,
    IamPolicyChanges,
    CloudtrailChanges,
    ConsoleAuthenticationFailures,
    KmsKeyDeletion,
    S3BucketPolicyChanges,
    ConfigChanges,
    SecurityGroupChanges,
    NetworkAclChanges,
    NetworkGatewayChanges,
    RouteTableChanges,
    VpcChanges,
    #[default]
    OrganizationsChanges,
}

/// What is known of one control.
struct Entry {
    slug: &'static str,
    /// What somebody is told when its alarm goes off.
    message: &'static str,
    pattern: Pattern,
}

/// How the benchmark writes a pattern.
enum Pattern {
    /// No list of events: the whole text.
    Whole(&'static str),
    Events {
        source: Option<&'static str>,
        names: &'static [&'static str],
        spelling: Spelling,
    },
}

#[derive(Clone, Copy)]
enum Spelling {
    /// `($.eventName = "X") || ($.eventName = "Y")`
    Quoted,
    /// `($.eventName = X) || ($.eventName = Y)`
    Bare,
    /// `($.eventName=X)||($.eventName=Y)`
    Tight,
}

const TABLE: [Entry; 15] = [
    Entry {
        slug: "unauthorized-api-calls",
        message: "A call was refused",
        pattern: Pattern::Whole(
            "{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }",
        ),
    },
    Entry {
        slug: "console-sign-in-without-mfa",
        message: "Somebody signed in to the console without MFA",
        pattern: Pattern::Whole(
            "{ ($.eventName = \"ConsoleLogin\") && ($.additionalEventData.MFAUsed != \"Yes\") }",
        ),
    },
    Entry {
        slug: "root-usage",
        message: "The root user was used",
        pattern: Pattern::Whole(
            "{ $.userIdentity.type = \"Root\" && $.userIdentity.invokedBy NOT EXISTS && \
             $.eventType != \"AwsServiceEvent\" }",
        ),
    },
    Entry {
        slug: "iam-policy-changes",
        message: "An IAM policy was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "DeleteGroupPolicy",
                "DeleteRolePolicy",
                "DeleteUserPolicy",
                "PutGroupPolicy",
                "PutRolePolicy",
                "PutUserPolicy",
                "CreatePolicy",
                "DeletePolicy",
                "CreatePolicyVersion",
                "DeletePolicyVersion",
                "AttachRolePolicy",
                "DetachRolePolicy",
                "AttachUserPolicy",
                "DetachUserPolicy",
                "AttachGroupPolicy",
                "DetachGroupPolicy",
            ],
            spelling: Spelling::Tight,
        },
    },
    Entry {
        slug: "cloudtrail-changes",
        message: "CloudTrail was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "CreateTrail",
                "UpdateTrail",
                "DeleteTrail",
                "StartLogging",
                "StopLogging",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "console-authentication-failures",
        message: "Somebody failed to sign in to the console",
        pattern: Pattern::Whole(
            "{ ($.eventName = ConsoleLogin) && ($.errorMessage = \"Failed authentication\") }",
        ),
    },
    Entry {
        slug: "kms-key-deletion",
        message: "A customer key was disabled or is to be deleted",
        pattern: Pattern::Events {
            source: Some("kms.amazonaws.com"),
            names: &["DisableKey", "ScheduleKeyDeletion"],
            spelling: Spelling::Tight,
        },
    },
    Entry {
        slug: "s3-bucket-policy-changes",
        message: "A bucket's policy was changed",
        pattern: Pattern::Events {
            source: Some("s3.amazonaws.com"),
            names: &[
                "PutBucketAcl",
                "PutBucketPolicy",
                "PutBucketCors",
                "PutBucketLifecycle",
                "PutBucketReplication",
                "DeleteBucketPolicy",
                "DeleteBucketCors",
                "DeleteBucketLifecycle",
                "DeleteBucketReplication",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "config-changes",
        message: "AWS Config was changed",
        pattern: Pattern::Events {
            source: Some("config.amazonaws.com"),
            names: &[
                "StopConfigurationRecorder",
                "DeleteDeliveryChannel",
                "PutDeliveryChannel",
                "PutConfigurationRecorder",
            ],
            spelling: Spelling::Tight,
        },
    },
    Entry {
        slug: "security-group-changes",
        message: "A security group was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "AuthorizeSecurityGroupIngress",
                "AuthorizeSecurityGroupEgress",
                "RevokeSecurityGroupIngress",
                "RevokeSecurityGroupEgress",
                "CreateSecurityGroup",
                "DeleteSecurityGroup",
                "ModifySecurityGroupRules",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "network-acl-changes",
        message: "A network ACL was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "CreateNetworkAcl",
                "CreateNetworkAclEntry",
                "DeleteNetworkAcl",
                "DeleteNetworkAclEntry",
                "ReplaceNetworkAclEntry",
                "ReplaceNetworkAclAssociation",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "network-gateway-changes",
        message: "A network gateway was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "CreateCustomerGateway",
                "DeleteCustomerGateway",
                "AttachInternetGateway",
                "CreateInternetGateway",
                "DeleteInternetGateway",
                "DetachInternetGateway",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "route-table-changes",
        message: "A route table was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "CreateRoute",
                "CreateRouteTable",
                "ReplaceRoute",
                "ReplaceRouteTableAssociation",
                "DeleteRouteTable",
                "DeleteRoute",
                "DisassociateRouteTable",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "vpc-changes",
        message: "A VPC was changed",
        pattern: Pattern::Events {
            source: None,
            names: &[
                "CreateVpc",
                "DeleteVpc",
                "ModifyVpcAttribute",
                "AcceptVpcPeeringConnection",
                "CreateVpcPeeringConnection",
                "DeleteVpcPeeringConnection",
                "RejectVpcPeeringConnection",
                "AttachClassicLinkVpc",
                "DetachClassicLinkVpc",
                "DisableVpcClassicLink",
                "EnableVpcClassicLink",
            ],
            spelling: Spelling::Bare,
        },
    },
    Entry {
        slug: "organizations-changes",
        message: "AWS Organizations was changed",
        pattern: Pattern::Events {
            source: Some("organizations.amazonaws.com"),
            names: &[
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
                "UpdatePolicy",
                "UpdateOrganizationalUnit",
            ],
            spelling: Spelling::Quoted,
        },
    },
];

impl BenchmarkControl {
    /// Every control, in the order of the benchmark.
    pub const ALL: [Self; 15] = [
        Self::UnauthorizedApiCalls,
        Self::ConsoleSignInWithoutMfa,
        Self::RootUsage,
        Self::IamPolicyChanges,
        Self::CloudtrailChanges,
        Self::ConsoleAuthenticationFailures,
        Self::KmsKeyDeletion,
        Self::S3BucketPolicyChanges,
        Self::ConfigChanges,
        Self::SecurityGroupChanges,
        Self::NetworkAclChanges,
        Self::NetworkGatewayChanges,
        Self::RouteTableChanges,
        Self::VpcChanges,
        Self::OrganizationsChanges,
    ];

    /// Its place in [`ALL`](Self::ALL), from 0 on.
    pub(crate) fn position(self) -> usize {
        self as usize
    }

    fn entry(self) -> &'static Entry {
        &TABLE[self.position()]
    }

    /// Its name: `organizations-changes`.
    pub fn slug(self) -> &'static str {
        self.entry().slug
    }

    /// Its number in the benchmark from v1.3 to v5.0: `4.15`.
    pub fn section(self) -> String {
        format!("4.{}", self.position() + 1)
    }

    /// What somebody is told when its alarm goes off.
    pub fn message(self) -> &'static str {
        self.entry().message
    }

    /// The events whose names its pattern lists; none where it looks at other fields.
    pub fn events(self) -> &'static [&'static str] {
        match &self.entry().pattern {
            Pattern::Whole(_) => &[],
            Pattern::Events { names, .. } => names,
        }
    }

    /// The pattern as the benchmark publishes it.
    pub fn pattern(self) -> String {
        self.pattern_for(self.events().iter().copied())
    }

    /// The pattern in the same spelling for other events. A control without a list of events has
    /// one pattern only.
    pub fn pattern_for<'a>(self, events: impl IntoIterator<Item = &'a str>) -> String {
        let (source, spelling) = match &self.entry().pattern {
            Pattern::Whole(text) => return (*text).to_owned(),
            Pattern::Events {
                source, spelling, ..
            } => (source, *spelling),
        };
        let terms: Vec<String> = events
            .into_iter()
            .map(|event| match spelling {
                Spelling::Quoted => format!("($.eventName = \"{event}\")"),
                Spelling::Bare => format!("($.eventName = {event})"),
                Spelling::Tight => format!("($.eventName={event})"),
            })
            .collect();
        let names = match spelling {
            Spelling::Quoted | Spelling::Bare => terms.join(" || "),
            Spelling::Tight => terms.join("||"),
        };
        match source {
            Some(source) => format!("{{ ($.eventSource = {source}) && ({names}) }}"),
            None => format!("{{ {names} }}"),
        }
    }

    /// The pattern without one of its events, or where it lists none, without some addresses.
    pub fn pattern_with_a_hole(self) -> String {
        match self.events() {
            [] => narrowed(&self.pattern(), "$.sourceIPAddress != \"192.0.2.*\""),
            [.., last] => {
                self.pattern_for(self.events().iter().copied().filter(|event| event != last))
            }
        }
    }
}

/// The pattern with a further condition.
pub(crate) fn narrowed(pattern: &str, condition: &str) -> String {
    let inner = pattern.trim_start_matches('{').trim_end_matches('}').trim();
    format!("{{ ({inner}) && ({condition}) }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_read_by_the_names_they_say() {
        for (position, control) in BenchmarkControl::ALL.into_iter().enumerate() {
            assert_eq!(control.position(), position);
            let slug = serde_json::Value::from(control.slug());
            assert_eq!(
                serde_json::from_value::<BenchmarkControl>(slug).unwrap(),
                control
            );
        }
        assert_eq!(BenchmarkControl::OrganizationsChanges.section(), "4.15");
        assert_eq!(BenchmarkControl::OrganizationsChanges.events().len(), 18);
    }

    #[test]
    fn patterns_are_such_that_aws_takes_them() {
        for control in BenchmarkControl::ALL {
            let condition = "$.errorCode NOT EXISTS";
            for pattern in [
                control.pattern(),
                control.pattern_with_a_hole(),
                narrowed(&control.pattern(), condition),
            ] {
                assert!(pattern.len() <= 1024, "{pattern}");
                let opened = pattern.matches('(').count();
                assert_eq!(opened, pattern.matches(')').count(), "{pattern}");
                assert!(pattern.starts_with('{') && pattern.ends_with('}'));
            }
            assert_ne!(control.pattern(), control.pattern_with_a_hole());
        }
    }

    #[test]
    fn the_event_source_stands_where_the_benchmark_puts_it() {
        let with_source: Vec<String> = BenchmarkControl::ALL
            .into_iter()
            .filter(|control| control.pattern().contains("$.eventSource"))
            .map(BenchmarkControl::section)
            .collect();
        assert_eq!(with_source, ["4.7", "4.8", "4.9", "4.15"]);
    }
}
