//! Log groups: their class, and the metrics that filters on them publish.

use std::sync::Arc;

use aws::{Api, Malformed, Target};
use model::{
    GapClass, LogGroupArn,
    evidence::{LogGroupEvidence, MetricKey, Place, Presence, Read},
};

use crate::{Collector, IsCandidate};

/// A log group, and which metrics are worth following from it.
///
/// Every account under an organization trail points at the same group: what is told from its
/// filters is told once, not once per account.
pub(crate) struct CollectedLogGroup {
    pub(crate) evidence: Arc<LogGroupEvidence>,
    /// Sorted.
    pub(crate) candidate_metrics: Vec<MetricKey>,
}

impl Collector {
    /// Asks the log group's owner, in its region.
    pub(crate) async fn collect_log_group(&self, group: &LogGroupArn) -> CollectedLogGroup {
        let (class, filters) =
            tokio::join!(self.log_group_class(group), self.metric_filters(group));
        let filters = match filters {
            // Nobody may say whether the group exists, but asking for its filters tells.
            Ok((own, others)) if own.is_empty() && class.is_err() => {
                let by_name = self.metric_filters_by_name(group).await;
                by_name.map(|own| (own, others))
            }
            filters => filters,
        };
        let (metric_filters, other_publishers) = match filters {
            // The owner itself says so: that is an absence, not a gap.
            Err(gap) if gap.class == GapClass::NotFound => (Ok(Presence::Missing), None),
            Err(gap) => (Err(gap), None),
            // A group that is not there has no filters in the list of all.
            Ok((own, Some(_))) if own.is_empty() && class == Ok(Presence::Missing) => {
                (Ok(Presence::Missing), None)
            }
            Ok((own, others)) => (Ok(Presence::Present(own)), others),
        };
        let evidence = LogGroupEvidence {
            arn: group.clone(),
            class: match class {
                // What does not exist has no class; that nobody may ask for it changes nothing.
                Err(_) if metric_filters == Ok(Presence::Missing) => Ok(Presence::Missing),
                read => read,
            },
            metric_filters,
            other_publishers,
        };
        CollectedLogGroup {
            candidate_metrics: candidate_metrics(&evidence, &self.is_candidate),
            evidence: Arc::new(evidence),
        }
    }

    /// There is no call for one group by name: the list of names that begin with it is sorted, so it
    /// comes first in it.
    async fn log_group_class(&self, group: &LogGroupArn) -> Read<Presence<String>> {
        let client = &self.aws.clients().logs;
        let session = self.aws.session(group.account());
        let resource = group.arn().as_str();
        let mut class = Presence::Missing;
        let send = |target: Target, token| {
            let request = client
                .describe_log_groups()
                .log_group_name_prefix(group.name());
            let request = request.limit(50).set_next_token(token);
            request.customize().config_override(target.logs()).send()
        };
        session
            .pages(
                Api::DescribeLogGroups,
                group.region(),
                Some(resource),
                send,
                |page| {
                    let listed = page.log_groups.unwrap_or_default().into_iter();
                    for listed in listed {
                        let name = listed.log_group_name.ok_or(Malformed)?;
                        if name == group.name() {
                            // AWS need not name the class that every group had before there were
                            // classes (CloudWatch Logs API Reference, LogGroup).
                            class = Presence::Present(listed.log_group_class.map_or_else(
                                || LogGroupEvidence::STANDARD.to_owned(),
                                |class| class.as_str().to_owned(),
                            ));
                            return Ok(None);
                        }
                    }
                    Ok(page.next_token)
                },
            )
            .await?;
        Ok(class)
    }
}

/// The metrics that filters worth following publish.
fn candidate_metrics(group: &LogGroupEvidence, is_candidate: &IsCandidate) -> Vec<MetricKey> {
    let Ok(Presence::Present(filters)) = &group.metric_filters else {
        return Vec::new();
    };
    let place = Place {
        account: group.arn.account(),
        region: group.arn.region().clone(),
    };
    let mut metrics: Vec<MetricKey> = filters
        .iter()
        .filter(|filter| is_candidate(filter))
        .flat_map(|filter| &filter.transformations)
        .map(|transformation| transformation.metric(place.clone()))
        .collect();
    metrics.sort();
    metrics.dedup();
    metrics
}
