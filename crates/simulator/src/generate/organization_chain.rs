//! The chain that covers a whole organization, through the accounts that share it.

use rand::RngExt;

use super::{CORE, Generator, broken};
use crate::world::{
    Account, ChainNames, PolicyKind, Selectors, Subscription, SubscriptionState, log_group_arn,
};

impl Generator<'_> {
    /// The accounts that an organization starts with, and the chain that runs through them.
    pub(super) fn core(&mut self) -> Vec<Account> {
        let count = self.options.accounts.clamp(1, CORE);
        let mut accounts: Vec<Account> = [
            ("management", ""),
            ("log-archive", "Security"),
            ("security-tooling", "Security"),
        ]
        .into_iter()
        .take(count)
        .map(|(name, unit)| self.account(name.to_owned(), unit))
        .collect();
        // The role is in accounts that the organization opened, and it did not open its first.
        accounts[0].roles.clear();

        let region = self.options.partition.default_region().to_owned();
        let partition = self.options.partition;
        let names = ChainNames {
            trail: "organization-trail".to_owned(),
            log_group: "aws-controltower/CloudTrailLogs".to_owned(),
            ..ChainNames::default()
        };
        // The last account has the topic; the log group is with the management account in half
        // of the worlds and in the log archive in the others.
        let group_owner = if self.rng.random() {
            0
        } else {
            usize::min(1, count - 1)
        };
        let topic_owner = count - 1;
        accounts[0].add_complete_chain(partition, &region, &names);
        accounts[0].trails[0].is_organization = true;
        if group_owner > 0 {
            let (mut groups, mut alarms) = (Vec::new(), Vec::new());
            std::mem::swap(&mut groups, &mut accounts[0].log_groups);
            std::mem::swap(&mut alarms, &mut accounts[0].alarms);
            let owner = &mut accounts[group_owner];
            owner.log_groups = groups;
            owner.alarms = alarms;
            owner.delegated_services = vec!["cloudtrail.amazonaws.com".to_owned()];
            let arn = log_group_arn(partition, &region, &owner.id, &names.log_group);
            accounts[0].trails[0].log_group_arn = Some(arn);
        }
        if topic_owner > 0 {
            let mut topics = Vec::new();
            std::mem::swap(&mut topics, &mut accounts[0].topics);
            accounts[topic_owner].topics = topics;
            let owner = &accounts[topic_owner].id;
            let arn = format!(
                "arn:{}:sns:{region}:{owner}:{}",
                partition.name(),
                names.topic
            );
            // A new topic's policy speaks of its own account only.
            let alarms_account = accounts[group_owner].id.clone();
            let policy = PolicyKind::CloudWatch.policy(&arn, &[alarms_account], "");
            accounts[topic_owner].topics[0].policy = policy;
            for alarm in &mut accounts[group_owner].alarms {
                alarm.alarm_actions = vec![arn.clone()];
            }
        }
        let topic = &mut accounts[topic_owner].topics[0];
        topic.subscriptions.push(Subscription {
            protocol: "https".to_owned(),
            endpoint: "https://pager.example.com/integration/organizations".to_owned(),
            state: SubscriptionState::Confirmed,
            owner: None,
        });
        if !self.options.organization_chain_works() {
            self.break_organization(&mut accounts, group_owner, topic_owner);
        }
        accounts
    }

    /// The breaks that stay unnoticed longest.
    fn break_organization(&mut self, accounts: &mut [Account], group: usize, topic: usize) {
        match self.rng.random_range(0..4) {
            0 => {
                // The other controls stay whole, as after an edit of one filter.
                let missing = ["LeaveOrganization", "MoveAccount"];
                broken::forget_events(&mut accounts[group], &missing);
            }
            1 => {
                for alarm in &mut accounts[group].alarms {
                    alarm.actions_enabled = false;
                }
            }
            2 => {
                for subscription in &mut accounts[topic].topics[0].subscriptions {
                    subscription.state = SubscriptionState::Pending;
                }
            }
            _ => accounts[0].trails[0].selectors = Selectors::only("ReadOnly"),
        }
    }
}
