//! The report that a procedure makes before it touches anything, and again before clients are held.

use async_trait::async_trait;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::id::HostId;
use upkeep_domain::preflight::Report;

use super::family::following;
use crate::preflight::{Ask, Inspected, Subject, inspect};
use crate::workflow::{Failure, Visit};

/// An agent that is started again meanwhile is waited for.
pub(crate) struct Patiently<'a> {
    pub(crate) visit: &'a Visit<'a>,
    pub(crate) host: HostId,
}

#[async_trait]
impl Ask for Patiently<'_> {
    async fn ask(&self, query: HostQuery) -> Result<Answer, Failure> {
        self.visit.query_patiently(self.host, query).await
    }
}

/// The report goes into `report` whatever it says; what it blocks is a failure. Gives back what a
/// start would put into effect.
pub(crate) async fn preflight(
    visit: &Visit<'_>,
    host: HostId,
    subject: &Subject<'_>,
    report: &mut Option<Report>,
) -> Result<Vec<WaitingSetting>, Failure> {
    let Inspected {
        report: made,
        waiting,
    } = inspect(&Patiently { visit, host }, subject, &following(visit).await).await?;
    let blocked = made.blocked();
    *report = Some(made);
    blocked.map_or(Ok(waiting), |sentence| Err(Failure::Final(sentence)))
}
