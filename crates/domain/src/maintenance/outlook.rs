//! What the list of the whole fleet says of a database, in a word and half a sentence.
//!
//! Pure: a moment and what is known come in, a verdict goes out.

use std::fmt;

use jiff::Timestamp;

use super::Window;

/// What needs a person first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outlook {
    /// What was done to it has come to no end.
    Stuck,
    /// It was required, and is not done.
    Overdue,
    /// It could be begun, or planned for a time, but for what stands in the way.
    Blocked,
    /// It will not be done before it is required.
    Late,
    /// Something is being done to it.
    Running,
    /// Its window is open: it is about to be begun.
    Due,
    Scheduled,
    /// Nothing has to be done.
    UpToDate,
}

impl Outlook {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Overdue => "overdue",
            Self::Blocked => "blocked",
            Self::Late => "late",
            Self::Running => "running",
            Self::Due => "due",
            Self::Scheduled => "scheduled",
            Self::UpToDate => "up_to_date",
        }
    }
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that the verdict depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub work: Option<Work>,
    pub planned: Option<Planned>,
}

/// What is being done, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    GoesOn {
        /// Such as `changeover`.
        procedure: String,
    },
    Stuck {
        because: Option<String>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    /// What people have to know of its time.
    pub note: Option<String>,
    /// Why it is not begun, though its time has come.
    pub waits_for: Option<String>,
}

/// The verdict, and why, if there is more to say than the word does.
pub fn judge(now: Timestamp, seen: &Seen) -> (Outlook, Option<String>) {
    match &seen.work {
        Some(Work::Stuck { because }) => return (Outlook::Stuck, because.clone()),
        Some(Work::GoesOn { procedure }) => return (Outlook::Running, Some(procedure.clone())),
        None => {}
    }
    match &seen.planned {
        Some(planned) => planned.judge(now),
        None => (Outlook::UpToDate, None),
    }
}

impl Planned {
    fn judge(&self, now: Timestamp) -> (Outlook, Option<String>) {
        let because = self.waits_for.clone().or_else(|| self.note.clone());
        let required_by = self.required_by.unwrap_or(Timestamp::MAX);
        if required_by < now {
            return (Outlook::Overdue, because);
        }
        let Some(at) = self.scheduled_for else {
            return (Outlook::Blocked, because);
        };
        let ends = Window::opening_at(at).to;
        let outlook = if self.waits_for.is_some() {
            Outlook::Blocked
        } else if required_by < ends {
            Outlook::Late
        } else if at <= now {
            Outlook::Due
        } else {
            Outlook::Scheduled
        };
        (outlook, because)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(scheduled_for: &str, required_by: &str, waits_for: Option<&str>) -> Seen {
        let at = |text: &str| (text != "-").then(|| text.parse().unwrap());
        Seen {
            work: None,
            planned: Some(Planned {
                scheduled_for: at(scheduled_for),
                required_by: at(required_by),
                note: Some("note".to_owned()),
                waits_for: waits_for.map(str::to_owned),
            }),
        }
    }

    #[test]
    fn what_is_known_of_a_database_is_one_word_and_its_reason() {
        const SOON: &str = "2030-01-15T17:30:00Z";
        const LATER: &str = "2030-01-30T00:00:00Z";
        const PAST: &str = "2030-01-07T11:00:00Z";
        let now = "2030-01-07T12:00:00Z".parse().unwrap();
        let with = |work: Work| Seen {
            work: Some(work),
            ..planned(SOON, PAST, None)
        };
        let stuck = Work::Stuck {
            because: Some("disk".to_owned()),
        };
        let goes_on = Work::GoesOn {
            procedure: "changeover".to_owned(),
        };
        for (seen, outlook, because) in [
            (with(stuck), Outlook::Stuck, Some("disk")),
            (with(goes_on), Outlook::Running, Some("changeover")),
            (planned(SOON, PAST, None), Outlook::Overdue, Some("note")),
            (planned("-", LATER, None), Outlook::Blocked, Some("note")),
            (
                planned(PAST, LATER, Some("room")),
                Outlook::Blocked,
                Some("room"),
            ),
            (
                planned(SOON, "2030-01-15T21:00:00Z", None),
                Outlook::Late,
                Some("note"),
            ),
            (
                planned(SOON, "2030-01-15T21:30:00Z", None),
                Outlook::Scheduled,
                Some("note"),
            ),
            (planned(PAST, LATER, None), Outlook::Due, Some("note")),
            (planned(SOON, "-", None), Outlook::Scheduled, Some("note")),
            (Seen::default(), Outlook::UpToDate, None),
        ] {
            let (found, why) = judge(now, &seen);
            assert_eq!((found, why.as_deref()), (outlook, because), "{seen:?}");
        }
    }
}
