//! Alarm settings, what one matching event does to them, and why.
//!
//! A row is `id | settings | answer | argument`. Settings change the benchmark's alarm: Sum of
//! 300 seconds, at least 1, 1 of 1 periods, missing data by default, on a filter that publishes 1
//! and no default value. The answer is `fires` or the reason, with the advice behind a `+`.
//! Sources: CloudWatch User Guide (evaluating an alarm, missing data, statistics definitions,
//! percentiles with few samples, metric math), CloudWatch Logs User Guide (metric filters) and the
//! API references of PutMetricAlarm, PutMetricData and PutMetricFilter.

pub(super) const TABLE: &str = "
plain                  |                                    | fires               | one match makes a Sum of 1
plain-default-0        | default=0                          | fires               | zeros add nothing to a sum
sum-above-0            | op=> thr=0                         | fires               | 1 > 0, and nothing is published otherwise
sum-above-0-default    | op=> thr=0 default=0               | fires               | quiet minutes sum to 0, which is not above 0
sum-above-half         | op=> thr=0.5 default=0             | fires               | 1 > 0.5
sum-above-1            | op=> thr=1                         | alarm-never-fires   | one match makes 1, which is not above 1
sum-at-least-3         | thr=3                              | alarm-never-fires   | it takes three events in a period
sum-at-least-0-default | thr=0 default=0                    | alarm-stuck         | quiet minutes make 0, which breaches
sum-at-least-0         | thr=0                              | fires               | without a default value there is no 0 to breach
sum-negative-threshold | thr=-5 default=0                   | alarm-stuck         | 0 is at least -5
sum-below-1            | op=< thr=1                         | alarm-never-fires   | 1 is not below 1
sum-below-1-default    | op=< thr=1 default=0               | alarm-stuck         | quiet minutes make 0, which is below 1
sum-at-most-1          | op=<= thr=1                        | alarm-never-fires   | two events make 2, which is not at most 1
sum-at-most-1-default  | op=<= thr=1 default=0              | alarm-stuck         | quiet minutes breach
sum-fraction           | value=0.5                          | alarm-never-fires   | one match makes 0.5
sum-fraction-reached   | value=0.5 thr=0.5                  | fires               | one match makes 0.5
sum-value-5            | value=5 thr=3                      | fires               | one match makes 5
sum-value-0            | value=0                            | alarm-never-fires   | any number of matches makes 0
sum-value-negative     | value=-1                           | alarm-never-fires   | one match makes -1
sum-negative-below     | value=-1 op=< thr=0                | fires               | any number of matches is below 0
sum-negative-default   | value=-1 default=0 op=<= thr=-1    | fires               | numerically: zeros leave -1, more matches go lower
sum-huge-value         | value=1e200                        | alarm-undecided     | PutMetricData refuses more than 2^360
sum-tiny-threshold     | thr=1e-300 default=0               | fires               | 1 is above it, 0 is not
default-5              | default=5                          | alarm-stuck         | each quiet minute makes 5
default-5-high         | default=5 thr=100                  | alarm-never-fires   | quiet minutes reach 25 at most, and so do few matches
default-fraction-low   | default=0.1                        | fires               | quiet minutes sum to 0.5 at most; a match makes at least 1
default-fraction-many  | default=0.1 period=900             | alarm-stuck         | fifteen quiet minutes sum to 1.5
default-fraction-edge  | default=0.25 period=240            | alarm-stuck         | four quiet minutes make 1: at times it is in ALARM
default-negative       | default=-1                         | alarm-never-fires   | a match beside quiet minutes makes 0 or less
default-negative-big   | value=10 default=-1                | fires               | 10 less four quiet minutes is 6
default-as-value       | default=1                          | alarm-stuck         | a quiet minute looks like a match
other-default-0        | other=0                            | fires               | zeros of other filters add nothing
other-default-1        | other=1                            | alarm-stuck         | another filter's quiet minute looks like a match
other-average          | other=0 stat=Average period=60     | alarm-never-fires   | another filter's zero may stand in the minute of the match
other-four-defaults    | default=0 other=0.1,0.2,0.3        | alarm-undecided     | too many distinct values to tell
average                | stat=Average                       | fires               | only matches are published
average-default-0      | stat=Average default=0             | alarm-never-fires   | zeros of quiet minutes dilute the average
average-default-above  | stat=Average default=0 op=> thr=0  | fires               | a match keeps the average above 0, however little
average-one-minute     | stat=Average default=0 period=60   | alarm-never-fires   | ruled: whether the minute of a match holds the default value is not documented
average-day            | stat=Average default=0 thr=0.5     | alarm-never-fires   | one match in five minutes makes 0.2
minimum                | stat=Minimum                       | fires               | only matches are published
minimum-default-0      | stat=Minimum default=0             | alarm-never-fires   | a quiet minute makes the minimum 0
maximum                | stat=Maximum                       | fires               | the greatest is the match
maximum-default-0      | stat=Maximum default=0             | fires               | the match is greater than 0
maximum-at-least-2     | stat=Maximum thr=2                 | alarm-never-fires   | no number of matches makes the greatest 2
maximum-default-2      | stat=Maximum default=2             | alarm-stuck         | a quiet minute makes 2
maximum-negative       | stat=Maximum value=-1 op=< thr=0 default=0 | alarm-never-fires | beside a quiet minute the greatest is 0
samplecount            | stat=SampleCount                   | fires               | one match is one sample
samplecount-value-0    | stat=SampleCount value=0           | fires               | samples are counted whatever their value
samplecount-default    | stat=SampleCount default=0         | alarm-stuck         | quiet minutes are samples too
samplecount-above-1    | stat=SampleCount op=> thr=1        | alarm-never-fires   | one match is one sample
samplecount-at-most    | stat=SampleCount op=<= thr=1       | alarm-never-fires   | two events are two samples
p99                    | ext=p99                            | fires               | all samples are 1, so each percentile is
p100-default-0         | ext=p100 default=0                 | fires               | the hundredth percentile is the greatest
p50-default-0          | ext=p50 default=0                  | alarm-never-fires   | one match beside four zeros: the median is 0
p99-default-0          | ext=p99 default=0                  | alarm-undecided     | of five samples it may be the fourth or the fifth
p99-ignore             | ext=p99 low=ignore                 | alarm-never-fires   | fewer than 1,000 samples: the alarm keeps its state
p50-ignore             | ext=p50 low=ignore                 | alarm-never-fires   | fewer than 20 samples
p99-evaluate           | ext=p99 low=evaluate               | fires               | few samples count
p100-ignore            | ext=p100 low=ignore                | alarm-undecided     | the rule on few samples stops below 100
sum-low-ignore         | low=ignore                         | fires               | the setting is for percentiles only
tm-low-ignore          | ext=tm90 low=ignore                | alarm-undecided     | whether a trimmed mean is a percentile here is not documented
low-unknown            | low=sometimes                      | alarm-undecided     | no such setting
p99-negative           | ext=p99 value=-1 op=< thr=0        | alarm-undecided     | percentiles are not offered for negative values
p101                   | ext=p101                           | alarm-undecided     | no such percentile
tm90                   | ext=tm90                           | fires               | the mean of ones is 1
tm90-default-0         | ext=tm90 default=0                 | alarm-undecided     | which samples go is not documented
tm-values              | ext=TM(0.5:)  default=0 thr=1      | alarm-undecided     | quiet periods keep no sample: what that makes is not documented
iqm                    | ext=IQM                            | fires               | the middle of ones is 1
wm-values              | ext=WM(:5) default=0 op=> thr=0    | fires               | the mean of 0s and 1s stays above 0
tc-values              | ext=TC(0:2)                        | fires               | one sample within the bounds
ts100                  | ext=ts100 default=0                | fires               | nothing is trimmed: a Sum
pr                     | ext=PR(0:) default=0 op=> thr=0    | fires               | a match is above 0, zeros are not: a share above 0
statistic-unknown      | stat=Median                        | alarm-undecided     | no such statistic
statistic-case         | stat=sum                           | alarm-undecided     | CloudWatch writes Sum
statistic-absent       | stat=-                             | alarm-undecided     | nothing to compute
two-statistics         | stat=Sum ext=p99 both=yes          | alarm-undecided     | the API forbids both
operator-absent        | op=-                               | alarm-undecided     | nothing to compare by
operator-unknown       | op=Near                            | alarm-undecided     | no such comparison
operator-band          | op=LessThanLowerOrGreaterThanUpperThreshold | alarm-undecided | anomaly detection has no fixed threshold
operator-upper         | op=GreaterThanUpperThreshold       | alarm-undecided     | anomaly detection has no fixed threshold
threshold-absent       | thr=-                              | alarm-undecided     | nothing to compare with
threshold-nan          | thr=NaN                            | alarm-undecided     | no number
threshold-inf          | thr=inf                            | alarm-undecided     | no number
threshold-great        | thr=1e308                          | alarm-never-fires   | no event reaches it
period-absent          | period=-                           | alarm-undecided     | nothing to look at
period-60              | period=60                          | fires               | a minute with a match makes 1
period-10              | period=10                          | alarm-undecided     | the metric has one data point a minute
period-30              | period=30                          | alarm-undecided     | the metric has one data point a minute
period-90              | period=90                          | alarm-undecided     | not a number of minutes
period-0               | period=0                           | alarm-undecided     | no period
period-negative        | period=-60                         | alarm-undecided     | no period
period-hour            | period=3600                        | fires               | an hour is not slow yet
period-6-hours         | period=21600                       | fires +alarm-slow   | it stays in ALARM for six hours
period-day             | period=86400 default=0             | fires +alarm-slow   | zeros add nothing even over a day
period-month           | period=2592000                     | alarm-undecided     | longer than seven days, which the API refuses
window-2-days          | period=3600 n=48 m=1               | fires +alarm-slow   | it stays in ALARM for two days
window-huge            | n=2147483647 m=1                   | alarm-undecided     | longer than seven days, which the API refuses
m-of-n                 | n=12 m=1 missing=notBreaching      | fires               | one breaching period is enough
n-3-notbreaching       | n=3 missing=notBreaching           | alarm-never-fires   | one event breaches one period of three
n-3-m-2                | n=3 m=2 missing=notBreaching       | alarm-never-fires   | one event breaches one period of two
n-3-m-2-default        | n=3 m=2 default=0                  | alarm-never-fires   | the next quiet minute is within the threshold
n-3-m-2-other          | n=3 m=2 other=0                    | alarm-never-fires   | another filter's quiet minute is within the threshold
n-3-m-2-missing        | n=3 m=2                            | fires +fires-late   | the only data point breaches once it is M periods old
n-3-missing            | n=3                                | fires +fires-late   | M is N; the only data point breaches once it is old enough
n-3-m-1-missing        | n=3 m=1 default=0                  | fires               | one breaching period is enough
m-above-n              | n=1 m=2                            | alarm-undecided     | the API refuses it
m-0                    | m=0                                | alarm-undecided     | the API refuses it
n-0                    | n=0                                | alarm-undecided     | the API refuses it
n-absent               | n=-                                | alarm-undecided     | nothing to look at
n-negative             | n=-2147483648                      | alarm-undecided     | the API refuses it
missing-notbreaching   | missing=notBreaching               | fires               | it returns to OK without events
missing-missing        | missing=missing                    | fires               | it returns to INSUFFICIENT_DATA without events
missing-breaching      | missing=breaching                  | alarm-stuck         | in ALARM whenever nothing happens
missing-breaching-def  | missing=breaching default=0        | alarm-stuck         | without any event there is no default value either
missing-ignore         | missing=ignore                     | alarm-stuck         | it stays in ALARM after the first event
missing-ignore-default | missing=ignore default=0           | fires               | the next quiet minute takes it to OK
missing-ignore-other   | missing=ignore other=0             | fires               | another filter's quiet minute takes it to OK
missing-ignore-m-2     | missing=ignore default=0 n=2       | alarm-never-fires   | one event breaches one period of two
missing-unknown        | missing=perhaps                    | alarm-undecided     | no such treatment
unit-none              | unit=None                          | fires               | the filter publishes None
unit-count             | unit=Count                         | alarm-other-metric  | there is no conversion of units
unit-same              | unit=Count publishes=Count         | fires               | the same unit
unit-absent            | publishes=Count                    | fires               | an alarm without a unit sees the one that is published
unit-none-of-count     | unit=None publishes=Count          | alarm-other-metric  | None is a unit of its own
dimension-on-alarm     | dims=Account                       | alarm-other-metric  | the series without dimensions is another one
dimension-on-filter    | filterdims=@aws.account            | alarm-other-metric  | the alarm without dimensions sees nothing of it
dimension-on-both      | dims=@aws.account filterdims=@aws.account | alarm-undecided | it sees events with one value of the dimension
name-other             | metric=Other                       | alarm-other-metric  | another name
name-case              | metric=orgchanges                  | alarm-other-metric  | names are case-sensitive
namespace-other        | namespace=Other                    | alarm-other-metric  | another namespace
region-other           | at=eu-west-1:111111111111          | alarm-other-metric  | metrics do not leave their region
account-other          | at=us-east-1:222222222222          | alarm-other-metric  | a plain alarm sees its own account's metric
actions-off            | actions=off                        | alarm-actions-disabled | no action is carried out
actions-none           | actions=none                       | alarm-no-action     | nothing happens in ALARM
actions-lambda         | actions=lambda                     | action-not-sns      | the benchmark asks for a topic
actions-both           | actions=both                       | fires               | a topic among others
unknown-setting        | unknown=EvaluationWindow           | alarm-undecided     | its effect is not known
unknown-and-threshold  | unknown=EvaluationWindow thr=3     | alarm-undecided     | beside an unknown setting the known ones say nothing
math-single            | math=q                             | fires               | a query of the metric alone
math-account-same      | math=q qaccount=111111111111       | fires               | the metric's own account
math-account-other     | math=q qaccount=222222222222       | alarm-other-metric  | the metric of another account
math-monitoring        | math=q at=us-east-1:999999999999 qaccount=111111111111 | fires | a monitoring account reads the metric of its source
math-monitoring-own    | math=q at=us-east-1:999999999999   | alarm-other-metric  | without the account it is the monitoring account's own metric
math-monitoring-region | math=q at=eu-west-1:999999999999 qaccount=111111111111 | alarm-other-metric | monitoring does not cross regions
math-id                | math=m1                            | fires               | the metric itself
math-fill              | math=FILL(m1,0) n=5 m=1            | fires               | filling makes zeros, and one period of five must breach
math-fill-one-period   | math=FILL(m1,0)                    | fires +fires-late   | late data fall behind the only period that is looked at
math-fill-one-minute   | math=FILL(m1,0) period=60          | alarm-undecided     | the last minute is always the filling (User Guide, FILL)
math-fill-1            | math=FILL(m1,1)                    | alarm-stuck         | empty periods look like a match
math-fill-m-2          | math=FILL(m1,0) n=3 m=2            | alarm-never-fires   | the other periods are zeros
math-fill-ignore       | math=FILL(m1,0) n=2 m=1 missing=ignore | fires           | zeros take it back to OK
math-fill-breaching    | math=FILL(m1,0) n=2 m=1 missing=breaching | alarm-undecided | whether a metric without any data is filled is not documented
math-double            | math=m1*2 thr=2                    | fires               | 2 for one match
math-half              | math=m1/2                          | alarm-never-fires   | 0.5 for one match
math-zero              | math=m1*0                          | alarm-never-fires   | 0 for any match
math-inverted          | math=0-m1 op=<= thr=-1             | fires               | -1 or less for matches
math-shifted           | math=m1+1 default=0                | alarm-stuck         | quiet minutes make 1
math-other             | math=m2                            | alarm-other-metric  | it does not use the metric
math-both              | math=m1+m2                         | alarm-undecided     | what the other metric holds is not known
";
