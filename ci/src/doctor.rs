//! `migratrix doctor`: what this machine can do, and the command that mends what is missing.

use migratrix_lab::{State, cache_folder, doctor as examine};

use crate::meaning;

/// Prints what was found; gives whether a run can go ahead.
#[must_use]
pub fn doctor() -> bool {
    let findings = examine(&cache_folder(), meaning::client_binary().ok().as_deref());
    for finding in &findings {
        let mark = match finding.state {
            State::Fine => "ok     ",
            State::Limited => "limited",
            State::Missing => "MISSING",
        };
        println!("{mark}  {}: {}", finding.what, finding.detail);
        if let Some(mend) = &finding.mend {
            println!("         mend it by: {mend}");
        }
    }
    findings
        .iter()
        .all(|finding| finding.state != State::Missing)
}
