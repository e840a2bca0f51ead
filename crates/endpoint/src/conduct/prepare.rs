//! Preparing: every session looks at itself and opens a spare on the replacement, unfelt.

use std::collections::BTreeMap;
use std::sync::Arc;

use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::hold::Prepared;
use upkeep_domain::ports::TrafficError;
use upkeep_domain::route::Target;

use super::{answers, count};
use crate::authority::{Authority, AuthorityError};
use crate::database::Database;
use crate::order::{Order, Readiness};

impl Database {
    pub(crate) async fn prepare(&self, replacement: &Target) -> Result<Prepared, TrafficError> {
        let _conducting = self.conductor.lock().await;
        let authority = self.authority_of(replacement).await?;
        self.inner().replacement = Some(authority);
        Ok(self.prepare_all(Some(Arc::new(replacement.clone()))).await)
    }

    /// Every session looks at itself, so that a hold to come has less to do.
    pub(crate) async fn read_sessions(&self) -> Prepared {
        let _conducting = self.conductor.lock().await;
        self.prepare_all(None).await
    }

    async fn prepare_all(&self, target: Option<Arc<Target>>) -> Prepared {
        let told = self.tell_all(|done| Order::Prepare {
            target: target.clone(),
            done,
        });
        let sessions = told.len() as u32;
        let mut spares = 0;
        let mut unmovable = BTreeMap::new();
        let mut at_risk = BTreeMap::new();
        answers(told, self.limits.prepare, |card, readiness| {
            if let Readiness::Unmovable(reason) = readiness {
                return count(&mut unmovable, reason);
            }
            spares += u32::from(readiness == Readiness::Spare);
            for risk in card.risks() {
                count(&mut at_risk, risk);
            }
        })
        .await;
        self.inner().unmovable.clone_from(&unmovable);
        Prepared {
            sessions,
            spares,
            unmovable,
            at_risk,
        }
    }

    /// A connected authority on `target`: the one from an earlier preparation, or a new one.
    pub(super) async fn authority_of(
        &self,
        target: &Target,
    ) -> Result<Arc<Authority>, TrafficError> {
        let known = self.inner().replacement.clone();
        let authority = known
            .filter(|known| known.target == *target)
            .unwrap_or_else(|| Arc::new(Authority::new(target.clone(), &self.limits)));
        authority.check().await.map_err(|error| unusable(&error))?;
        Ok(authority)
    }
}

pub(super) fn unusable(error: &AuthorityError) -> TrafficError {
    let sentence = format!("the replacement cannot be used: {}", ErrorChain(error));
    TrafficError::Failed { sentence }
}
