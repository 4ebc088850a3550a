//! What happened in a run that is of no case: when it was begun and gone on with, and the hosts that were
//! lost while no case was on them.
//!
//! ```text
//! {"begun":{"at_unix":1795000000,"mark":"9f86d081884c7d65"}}
//! {"host-lost":{"release":"trixie","side":"source","why":"killed by signal 11 (SIGSEGV)","at_unix":…}}
//! ```

use std::{collections::BTreeMap, io};

use anyhow::{Context, Result};
use migratrix_contract::now_unix;
use migratrix_reports::{IdleLoss, Judgement, Run};
use serde::{Deserialize, Serialize};

use crate::{
    files,
    run::{ledger::trouble::told_lines, rundir::RunDir},
    say::Shown,
};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The run was begun, or gone on with.
    Begun {
        /// When: seconds since 1970 UTC.
        at_unix: u64,
        /// A number of 64 bits that no other session has, by which a copy of the run's directory is told from
        /// another run of the same cases; earlier versions give none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<String>,
    },
    /// A host was found lost while no case was on it.
    HostLost(IdleLoss),
}

/// All that happened.
#[derive(Debug, Default)]
pub struct Sessions {
    /// When the run was begun, and gone on with.
    begins: Vec<u64>,
    /// The marks of its sessions, where they have any.
    pub marks: Vec<String>,
    /// The hosts that were lost while no case was on them.
    pub losses: Vec<IdleLoss>,
    /// What is said of the lines that make no sense.
    pub troubles: Vec<String>,
}

impl Event {
    /// The run is begun now.
    #[must_use]
    pub fn begun_now() -> Self {
        Self::Begun {
            at_unix: now_unix(),
            mark: Some(format!("{:016x}", files::chance())),
        }
    }

    /// Its line in the file, the line's end included.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("it has only text keys") + "\n"
    }
}

impl Sessions {
    /// Reads what happened in a run; nothing where the file is not there, as in one of an earlier version.
    ///
    /// # Errors
    /// Fails where the file is there and can't be read.
    pub fn read(dir: &RunDir) -> Result<Self> {
        let path = dir.sessions_path();
        let bytes = match files::bytes(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error).with_context(|| format!("can't read {}", path.shown()));
            }
        };
        let (mut sessions, mut bad) = (Self::default(), Vec::new());
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            match serde_json::from_str(line) {
                _ if line.trim().is_empty() => {}
                Ok(Event::Begun { at_unix, mark }) => {
                    sessions.begins.push(at_unix);
                    sessions.marks.extend(mark);
                }
                Ok(Event::HostLost(loss)) => sessions.losses.push(loss),
                Err(error) => bad.push((number, error.to_string())),
            }
        }
        let told = [
            "is damaged, and what it told of hosts is lost",
            "are damaged, and what they told of hosts is lost",
        ];
        sessions.troubles.extend(told_lines(&bad, &path, told));
        Ok(sessions)
    }

    /// When the run was begun, where that is known: seconds since 1970 UTC.
    #[must_use]
    pub fn begun_unix(&self) -> Option<u64> {
        self.begins.iter().min().copied()
    }

    /// When the run worked: in each session from the first case's begin to the last one's end, in
    /// milliseconds since 1970 UTC. An attempt without a history says nothing of it: it was not run. Nor does one
    /// whose history can't be read.
    #[must_use]
    pub fn spans(&self, run: &Run) -> Vec<(u64, u64)> {
        let mut spans: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        let all = run.judgements().flat_map(|last| attempts(run, last));
        for one in all.filter(|one| did_run(one)) {
            let begin = one.began_unix * 1_000 + u64::from(one.began_ms);
            let end = begin + one.elapsed_ms;
            let before = |session: &&u64| **session <= one.began_unix;
            let session = self.begins.iter().filter(before).count();
            let span = spans.entry(session).or_insert((begin, end));
            *span = (span.0.min(begin), span.1.max(end));
        }
        spans.into_values().collect()
    }
}

/// Whether it was run: a case of the hypervisor in memory may take less than a millisecond.
fn did_run(attempt: &Judgement) -> bool {
    attempt.elapsed_ms > 0 || attempt.began_ms > 0
}

fn attempts<'r>(run: &'r Run, last: &'r Judgement) -> impl Iterator<Item = &'r Judgement> {
    run.earlier(&last.case).iter().chain([last])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(control: &str, began_unix: u64, elapsed_ms: u64) -> Judgement {
        let case = format!("tck/fake/a,a,b/{control}/persistent-running-undefined/none");
        let case = case.parse().expect("it is a case");
        let mut judgement = Judgement::skipped(case, "", began_unix);
        judgement.elapsed_ms = elapsed_ms;
        judgement
    }

    #[test]
    fn a_last_line_without_its_end_is_taken_where_it_is_whole_and_told_where_it_is_not() {
        let place = tempfile::tempdir().expect("there is room");
        let plan = migratrix_matrix::Plan {
            format: migratrix_matrix::Plan::FORMAT,
            selection: migratrix_matrix::Selection::default(),
            options: migratrix_matrix::RunOptions::default(),
            releases: Vec::new(),
            whole: None,
            known: None,
            keeps: Vec::new(),
            cases: Vec::new(),
        };
        let dir = RunDir::create(&place.path().join("out"), &plan).expect("there is room");
        let line =
            r#"{"host-lost":{"release":"trixie","side":"source","why":"killed","at_unix":5}}"#;
        for (kept, losses, troubles) in [(line.len(), 1, 0), (line.len() - 1, 0, 1)] {
            std::fs::write(dir.sessions_path(), &line[..kept]).expect("there is room");
            let read = Sessions::read(&dir).expect("it can be read");
            assert_eq!((read.losses.len(), read.troubles.len()), (losses, troubles));
        }
    }

    #[test]
    fn each_session_has_a_mark_of_its_own_and_one_of_before_is_read_without() {
        let read = |line: &str| serde_json::from_str(line).expect("it is an event");
        let mark = |event| match event {
            Event::Begun { mark, .. } => mark,
            Event::HostLost(_) => None,
        };
        let [one, other] = [0, 1].map(|_| mark(read(&Event::begun_now().to_line())));
        assert!(one.as_ref().is_some_and(|mark| mark.len() == 16), "{one:?}");
        assert_ne!(one, other);
        let before = r#"{"begun":{"at_unix":5}}"#;
        assert_eq!(mark(read(before)), None);
        assert_eq!(read(before).to_line(), before.to_owned() + "\n");
    }

    #[test]
    fn what_begins_late_in_a_second_ends_in_the_next_one() {
        let mut all = [judged("normal", 101, 0), judged("p2p", 101, 30)];
        (all[0].began_ms, all[1].began_ms) = (120, 990);
        let mut run = Run::new(Vec::new(), all);
        run.sessions = Sessions::default().spans(&run);
        assert_eq!(run.elapsed_ms(), 900);
    }

    #[test]
    fn an_attempt_that_took_no_time_is_of_no_session() {
        let all = [judged("normal", 101, 2_000), judged("p2p", 9_000, 0)];
        let planned = all.iter().map(|one| one.case.clone()).collect();
        let mut run = Run::new(planned, all);
        run.sessions = Sessions::default().spans(&run);
        assert_eq!(run.elapsed_ms(), 2_000);
    }

    #[test]
    fn the_pause_between_two_sessions_is_nobodys_time() {
        let all = [judged("normal", 101, 2_000), judged("p2p", 5_001, 3_500)];
        let planned = all.iter().map(|one| one.case.clone()).collect();
        let mut run = Run::new(planned, all);
        let mut of = |begins: &[u64]| {
            let sessions = Sessions {
                begins: begins.to_vec(),
                ..Sessions::default()
            };
            run.sessions = sessions.spans(&run);
            run.elapsed_ms()
        };
        assert_eq!(of(&[100, 5_000]), 5_500);
        assert_eq!(of(&[100, 3_000, 5_000]), 5_500, "one did nothing");
        assert_eq!(of(&[]), 4_903_500, "an earlier version's run does not say");
    }
}
