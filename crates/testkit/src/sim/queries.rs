//! What the agent of the simulated world answers when it is asked.

use upkeep_domain::dry_start::DryStart;
use upkeep_domain::host_command::{Activity, Answer, HostError, HostQuery, Usage};

use super::hosts::failed;
use super::instance::{Record, lsn};
use super::model::Model;

impl Model {
    pub(super) fn query(&mut self, query: &HostQuery) -> Result<Answer, HostError> {
        match query {
            HostQuery::Observe { instance } => {
                let observation = Box::new(self.observe(*instance));
                // A sweep that looks by chance must not change how often a step has to.
                if self.faults.may_be_a_visit()
                    && let Some(there) = self.instances.get_mut(instance)
                {
                    there.copy_looks = there.copy_looks.saturating_sub(1);
                }
                Ok(Answer::Observed { observation })
            }
            HostQuery::Mark { instance } => {
                let there = self.running(*instance)?;
                if there.in_recovery() {
                    return Err(failed("a standby commits nothing"));
                }
                there.commit(Record::Marker, true);
                Ok(Answer::Marked {
                    lsn: lsn(there.wal.len()),
                    timeline: there.timeline,
                    system_identifier: there.system_identifier,
                })
            }
            HostQuery::Received {
                instance,
                lsn: wanted,
                ..
            } => {
                self.stream(*instance, usize::MAX);
                let there = self.running(*instance)?;
                let at = lsn(there.wal.len());
                Ok(Answer::Received {
                    received: at >= *wanted,
                    lsn: Some(at),
                    timeline: Some(there.timeline),
                    system_identifier: there.system_identifier,
                })
            }
            HostQuery::Activity { .. } => Ok(Answer::Activity {
                activity: Activity::default(),
            }),
            HostQuery::Facts { instance, .. } => {
                self.running(*instance)?;
                Ok(Answer::Facts {
                    facts: Box::new(self.facts.clone()),
                })
            }
            HostQuery::FailoverSlots { instance } => {
                self.running(*instance)?;
                let marked = self.facts.slots.iter().filter(|slot| slot.failover);
                let names = marked.map(|slot| slot.name.clone()).collect();
                Ok(Answer::FailoverSlots { names })
            }
            HostQuery::Usage { .. } => Ok(Answer::Usage {
                usage: Usage::default(),
            }),
            HostQuery::DryStart { instance, .. } => {
                let waiting = self.running(*instance)?.waiting.clone();
                let findings = self.obstacles.clone();
                let dry_start = DryStart { findings, waiting };
                Ok(Answer::DryStart { dry_start })
            }
            HostQuery::Settings { instance, names } => {
                let waiting = &self.running(*instance)?.waiting;
                let value = |name: &String| {
                    let waits = waiting.iter().any(|setting| setting.name == *name);
                    let value = match name.as_str() {
                        // Nobody replays late.
                        "recovery_min_apply_delay" => "0",
                        _ if waits => "1",
                        _ => "2",
                    };
                    (name.clone(), value.to_owned())
                };
                let values = names.iter().map(value).collect();
                Ok(Answer::Settings { values })
            }
            HostQuery::Room { .. } => Ok(Answer::Room {
                available_bytes: 1 << 40,
                instance_bytes: 1 << 20,
            }),
            HostQuery::Releases => Ok(Answer::Releases {
                releases: self.releases.clone(),
            }),
            HostQuery::Instances => Ok(Answer::Instances {
                instances: self.instances.keys().copied().collect(),
            }),
        }
    }
}
