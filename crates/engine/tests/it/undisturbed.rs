//! Runs in which nothing goes wrong: what disturbed ones are compared with, and the list of calls in which
//! something can.

use std::collections::BTreeMap;
use std::sync::Arc;

use upkeep_testkit::sim::{Fault, Place};

use crate::case::{Case, Disturbance, Report, play_all, tables};
use crate::stage::Ended;
use crate::table::{Step, Table, Way};

/// The undisturbed runs: what disturbed ones are compared with.
pub(crate) struct Undisturbed(BTreeMap<(String, Way), Report>);

impl Undisturbed {
    pub(crate) async fn play() -> Self {
        let mut cases = Vec::new();
        for table in tables() {
            let new = |way| Case::new(&table, way, Disturbance::None);
            cases.extend(table.ways().into_iter().map(new));
        }
        let mut reports = BTreeMap::new();
        for (case, report) in play_all(cases).await {
            assert!(report.wrong.is_empty(), "{case:?}: {report:?}");
            let expected = if case.way == Way::Back {
                Ended::RolledBack
            } else {
                Ended::Succeeded
            };
            assert_eq!(report.ended, expected, "{case:?}: {report:?}");
            reports.insert((format!("{:?}", case.table), case.way), report);
        }
        Self(reports)
    }

    pub(crate) fn of(&self, case: &Case) -> &Report {
        self.on(&case.table, case.way)
    }

    fn on(&self, table: &Table, way: Way) -> &Report {
        &self.0[&(format!("{table:?}"), way)]
    }

    /// Every call of every step, on the way on which the step lies.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut all = Vec::new();
        for table in tables() {
            for step in table.disturbed() {
                let made = &self.on(&table, step.way).calls[step.name];
                assert!(!made.is_empty(), "{} was not reached", step.name);
                all.extend((0..).zip(made).map(|(call, &changes)| Call {
                    table: Arc::clone(&table),
                    step: *step,
                    place: Place {
                        procedure: table.procedure,
                        step: step.name,
                        call,
                    },
                    changes,
                }));
            }
        }
        all
    }
}

/// One call that a step makes.
pub(crate) struct Call {
    table: Arc<Table>,
    pub(crate) step: Step,
    place: Place,
    /// One that only looks is the same whether it arrived or not.
    pub(crate) changes: bool,
}

impl Call {
    pub(crate) fn once(&self, fault: Fault) -> Case {
        Case::new(
            &self.table,
            self.step.way,
            Disturbance::Once(self.place, fault),
        )
    }

    pub(crate) fn for_ever(&self, fault: Fault) -> Case {
        Case::new(
            &self.table,
            self.step.way,
            Disturbance::ForEver(self.place, fault),
        )
    }
}
