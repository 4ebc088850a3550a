//! Checks, verdicts, and one renderer a format.
//!
//! ```text
//!   History ─▶ judge ─▶ Judgement ─▶ Run ─▶ terminal · Markdown · JUnit · HTML · JSON
//!                           │  ▲            └─▶ with another Run: Comparison
//!            verdicts.jsonl ▼  │ known failures
//! ```
//!
//! Pure: histories in, text out. It touches no file, process or clock, so that yesterday's run can
//! be judged and reported again.

mod attribution;
mod blocks;
mod checks;
mod compare;
mod damaged;
mod explain;
mod facets;
mod flaw;
mod gist;
mod go;
mod groups;
mod html;
mod inside;
mod json;
mod judgement;
mod jump;
mod junit;
mod known;
mod lines;
mod markdown;
mod printable;
#[cfg(test)]
mod raw_story;
mod recovered;
mod reproduce;
mod run;
#[cfg(test)]
mod story;
mod terminal;
mod verdict;

pub use attribution::{Attribution, Origin};
#[cfg(feature = "schema")]
pub use compare::comparison_schema;
pub use compare::{
    Change, Class, Comparison, Moved, Outcome, Pace, Runs, Side, State, Times, compare,
    comparison_markdown, comparison_text,
};
pub use damaged::{DamageOf, Damaged};
pub use explain::{
    Account, Blame, LeftOver, Neighbours, Other, Possible, Reason, Study, Trial, Tried,
    causes as account_lines, on_hosts, told as account_text,
};
pub use flaw::{Death, Flaw, HostTrouble, IdleLoss, Lost};
pub use groups::{Group, groups};
pub use html::{Files, comparison_html, html};
pub use inside::file_of_the_run;
pub use json::json;
#[cfg(feature = "schema")]
pub use json::summary_schema;
pub use judgement::{Evidence, Judgement, Known, Standing, judge};
pub use jump::{
    Avoid, Break, Fails, Gap, Jump, Jumps, Ladder, Least, Place, Safety, Span, StandIn, Step, Stop,
    Tested, Upgrade, Way, told as jumps_text,
};
pub use junit::{Flavour, Granularity, Part, Size, junit, write_junit};
pub use known::{Blessing, KnownFailures, Spot};
pub use lines::{Damage, Reading, ReportError, Verdicts, parse, read, to_line};
pub use markdown::markdown;
pub use migratrix_explain::{Budget, Outcome as CaseOutcome};
pub use printable::{printable, within_line};
pub use recovered::Recovered;
pub use reproduce::{LibvirtRecipe, NoScript, Origin as ScriptOrigin, RawRecipe, can_be_shown};
pub use run::{Exit, Flaky, KnownAre, Route, Rules, Run, Tally};
pub use terminal::{Colour, damage, terminal, terminal_within};
pub use verdict::{Kind, Verdict};
