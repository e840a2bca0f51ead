//! How a maintenance is carried out, and why so: a pure choice that explains itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::{Refusal, RefusalKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// In place: the same server is stopped and started again.
    Restart,
    /// A replacement is built, follows, and takes over.
    Changeover,
    /// The standby that is there already takes over.
    Failover,
}

pub const METHODS: [Method; 3] = [Method::Restart, Method::Changeover, Method::Failover];

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Changeover => "changeover",
            Self::Failover => "failover",
        }
    }

    /// # Errors
    /// A refusal that lists the methods there are.
    pub fn named(text: &str) -> Result<Self, Refusal> {
        METHODS
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| {
                Refusal::invalid(format!("there is no method `{}`", text.escape_default()))
                    .with_hint(format!("methods: {}", METHODS.map(Self::as_str).join(", ")))
            })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the work is for, as far as the method depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Another release, or another build of the same.
    NewRelease,
    /// The host that it is on is not to be counted on.
    LeavesHost,
    /// Settings, by name, that take effect at a restart only.
    WaitingSettings(Vec<String>),
    /// A certificate that is read at a restart only.
    Certificate,
    /// Nothing is to change but that it runs anew.
    SameRelease,
}

impl Cause {
    /// Why the server that is there will do; `None` if it will not.
    fn needs_no_new_server(&self) -> Option<String> {
        match self {
            Self::NewRelease | Self::LeavesHost => None,
            Self::WaitingSettings(names) => Some(format!(
                "{} {} for a restart, which needs no new server",
                names.join(", "),
                if names.len() == 1 { "waits" } else { "wait" },
            )),
            Self::Certificate => {
                Some("a certificate is read at a restart, which needs no new server".to_owned())
            }
            Self::SameRelease => {
                Some("the release stays the same, which needs no new server".to_owned())
            }
        }
    }
}

/// What the choice depends on, and nothing else.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Its name, for sentences.
    pub database: &'a str,
    /// Its plan promises a standby.
    pub is_ha: bool,
    /// That standby could take over now.
    pub has_ready_standby: bool,
    /// Name of the database that it follows.
    pub follows: Option<&'a str>,
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub method: Method,
    /// Why this one, for people: half a sentence that goes on after *because*.
    pub because: String,
}

/// The method that fits, or the one that an operator wants instead.
///
/// # Errors
/// A refusal when the wanted one is impossible for this database, with what to do instead.
pub fn choose(facts: &Facts<'_>, wanted: Option<Method>) -> Result<Choice, Refusal> {
    let fitting = fitting(facts);
    let Some(wanted) = wanted else {
        return Ok(fitting);
    };
    if wanted == Method::Failover {
        need_standby(facts)?;
    }
    if wanted == fitting.method {
        return Ok(fitting);
    }
    if let Some(leader) = facts.follows {
        return Err(Refusal::invalid(format!(
            "`{}` follows {leader}: a follower is replaced by a new one, whatever is due",
            facts.database
        ))
        .with_hint("leave --method out"));
    }
    let Choice { method, because } = fitting;
    Ok(Choice {
        method: wanted,
        because: format!("it was asked for, instead of {method} (because {because})"),
    })
}

fn fitting(facts: &Facts<'_>) -> Choice {
    let choice = |method, because| Choice { method, because };
    if let Some(leader) = facts.follows {
        let because = format!("it follows {leader}, and a follower is replaced by a new one");
        return choice(Method::Changeover, because);
    }
    if let Some(because) = facts.cause.needs_no_new_server() {
        return choice(Method::Restart, because);
    }
    match (facts.is_ha, facts.has_ready_standby) {
        (true, true) => {
            let because = "its plan has a standby, which is ready to take over".to_owned();
            choice(Method::Failover, because)
        }
        (true, false) => {
            let because = "its standby is not ready, so that a replacement has to be built";
            choice(Method::Changeover, because.to_owned())
        }
        (false, _) => {
            let because = "its plan has no standby, so that a replacement has to be built";
            choice(Method::Changeover, because.to_owned())
        }
    }
}

fn need_standby(facts: &Facts<'_>) -> Result<(), Refusal> {
    const INSTEAD: &str = "leave --method out, or use --method changeover";
    let database = facts.database;
    if let Some(leader) = facts.follows {
        let sentence = format!("`{database}` follows {leader} and has no standby of its own");
        return Err(Refusal::invalid(sentence).with_hint(INSTEAD));
    }
    if !facts.is_ha {
        let sentence = format!("`{database}` cannot fail over: its plan has no standby");
        return Err(Refusal::invalid(sentence).with_hint(INSTEAD));
    }
    if !facts.has_ready_standby {
        let sentence = format!("the standby of `{database}` is not ready to take over");
        let hint = "wait until it has caught up, or use --method changeover";
        return Err(Refusal::new(RefusalKind::NotReady, sentence).with_hint(hint));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Method::{Changeover, Failover, Restart};
    use super::*;

    fn facts(is_ha: bool, has_ready_standby: bool, follows: bool, cause: Cause) -> Facts<'static> {
        Facts {
            database: "postgresql-calm-1",
            is_ha,
            has_ready_standby,
            follows: follows.then_some("postgresql-deep-2"),
            cause,
        }
    }

    #[test]
    fn the_method_fits_the_database_and_the_cause() {
        let new = || Cause::NewRelease;
        let waiting = || Cause::WaitingSettings(vec!["shared_buffers".to_owned()]);
        #[rustfmt::skip]
        let table = [
            // HA, ready, follows, cause               -> method, a word of why
            (false, false, false, new(),                  Changeover, "no standby"),
            (false, false, true,  new(),                  Changeover, "follows postgresql-deep-2"),
            (true,  true,  false, new(),                  Failover,   "ready to take over"),
            (true,  false, false, new(),                  Changeover, "not ready"),
            (true,  true,  true,  new(),                  Changeover, "follows postgresql-deep-2"),
            (false, false, false, Cause::LeavesHost,      Changeover, "no standby"),
            (true,  true,  false, Cause::LeavesHost,      Failover,   "ready to take over"),
            (false, false, false, waiting(),              Restart,    "shared_buffers waits"),
            (true,  true,  false, waiting(),              Restart,    "shared_buffers waits"),
            (false, false, true,  waiting(),              Changeover, "follows postgresql-deep-2"),
            (false, false, false, Cause::Certificate,     Restart,    "certificate"),
            (true,  true,  false, Cause::Certificate,     Restart,    "certificate"),
            (false, false, false, Cause::SameRelease,     Restart,    "release stays the same"),
            (true,  true,  true,  Cause::SameRelease,     Changeover, "follows postgresql-deep-2"),
        ];
        for (is_ha, ready, follows, cause, method, word) in table {
            let facts = facts(is_ha, ready, follows, cause);
            let choice = choose(&facts, None).unwrap();
            assert_eq!(choice.method, method, "{facts:?}");
            assert!(choice.because.contains(word), "{facts:?}: {choice:?}");
        }
    }

    #[test]
    fn an_operator_may_want_another_method_and_both_reasons_are_told() {
        for (is_ha, wanted, instead) in [
            (false, Restart, "instead of changeover"),
            (true, Restart, "instead of failover"),
            (true, Changeover, "instead of failover"),
        ] {
            let facts = facts(is_ha, is_ha, false, Cause::NewRelease);
            let choice = choose(&facts, Some(wanted)).unwrap();
            assert_eq!(choice.method, wanted);
            assert!(choice.because.contains(instead), "{choice:?}");
        }
    }

    #[test]
    fn wanting_what_fits_changes_nothing() {
        let facts = facts(true, true, false, Cause::NewRelease);
        assert_eq!(choose(&facts, Some(Failover)), choose(&facts, None));
    }

    #[test]
    fn what_is_impossible_is_refused_with_a_reason_and_a_way_out() {
        for (is_ha, ready, follows, kind, word) in [
            (false, false, false, RefusalKind::Invalid, "has no standby"),
            (true, true, true, RefusalKind::Invalid, "follows"),
            (true, false, false, RefusalKind::NotReady, "not ready"),
        ] {
            for cause in [Cause::NewRelease, Cause::SameRelease] {
                let facts = facts(is_ha, ready, follows, cause);
                let refusal = choose(&facts, Some(Failover)).unwrap_err();
                assert_eq!(refusal.kind, kind, "{facts:?}");
                assert!(refusal.sentence.contains(word), "{refusal:?}");
                assert!(refusal.hint.unwrap().contains("--method changeover"));
            }
        }
    }

    #[test]
    fn a_follower_is_replaced_and_never_restarted() {
        let facts = facts(false, false, true, Cause::SameRelease);
        let refusal = choose(&facts, Some(Restart)).unwrap_err();
        assert!(refusal.sentence.contains("replaced by a new one"));
        let wanted = choose(&facts, Some(Changeover)).unwrap();
        assert_eq!(wanted.method, Changeover);
    }

    #[test]
    fn a_name_that_is_no_method_is_refused_with_those_there_are() {
        for method in METHODS {
            assert_eq!(Method::named(method.as_str()), Ok(method));
        }
        let refusal = Method::named("reboot").unwrap_err();
        assert_eq!(
            refusal.hint.as_deref(),
            Some("methods: restart, changeover, failover")
        );
    }
}
