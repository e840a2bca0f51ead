//! What is told of a database's work, and who waits for it.

use upkeep_domain::id::{DatabaseId, WorkflowId};
use upkeep_server::backend::{EventKind, EventView, Since};
use uuid::Uuid;

use super::{World, at};

impl World {
    /// Comes back when a reader of events finds none and waits.
    pub(crate) async fn is_waited_on(&self) {
        self.waiting.notified().await;
    }

    pub(crate) fn tell(&self, id: Uuid, kind: EventKind, step: &str, sentence: &str) {
        let mut state = self.state();
        let event = EventView {
            id: state.events.len() as i64 + 1,
            at: at(1_700_000_000),
            workflow: WorkflowId(Uuid::nil()),
            procedure: "changeover".to_owned(),
            step: Some(step.to_owned()),
            kind,
            sentence: sentence.to_owned(),
            elapsed_ms: (kind == EventKind::Done).then_some(12.0),
            progress: None,
            detail: serde_json::Value::Null,
        };
        state.events.push((DatabaseId(id), event));
        self.news.notify_waiters();
    }

    pub(super) fn events_now(
        &self,
        database: DatabaseId,
        since: Since,
        limit: u32,
    ) -> Vec<EventView> {
        let state = self.state();
        let after = match since {
            Since::LatestWorkflow => state
                .begun_behind
                .get(&database)
                .copied()
                .unwrap_or_default(),
            Since::Event(id) => id,
        };
        let of_it = state
            .events
            .iter()
            .filter(|(id, event)| *id == database && event.id > after);
        of_it
            .map(|(_, event)| event.clone())
            .take(limit as usize)
            .collect()
    }
}
