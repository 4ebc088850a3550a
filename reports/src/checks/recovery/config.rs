//! `config`: on each side the configuration is as before, or as after success where the destination has the guest:
//! `UNDEFINE_SOURCE` and `PERSIST_DEST` take effect only with success.

use migratrix_history::{DomainState, Side, When};
use migratrix_matrix::{Expectation, Flag, FlagEffect, Recovery};

use super::{
    called,
    ending::{Chosen, chosen},
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        tck::after::{destination_config, kept_alike, source_config},
        words::seen,
        xml::Compared,
    },
};

/// Both sides' configurations.
pub(super) fn config(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    if let Some(wanted) = point.source_config(&chosen.ending) {
        let expected = Expectation {
            source_config: wanted,
            ..point.scenario.expectation()
        };
        let source = source_config(evidence, &expected)?;
        if source != Verdict::Pass {
            return Ok(source);
        }
    }
    destination(evidence, point, &chosen)
}

fn destination(evidence: &Evidence<'_>, point: &Recovery, chosen: &Chosen<'_>) -> Judged {
    let wanted = point.destination_config(&chosen.ending);
    let arrived = match chosen.looks[1] {
        DomainState::Present(domain) => domain.active,
        DomainState::Absent => false,
    };
    let takes_effect = chosen.ending.flags != FlagEffect::None;
    if arrived && takes_effect {
        let expected = Expectation {
            destination_config: wanted,
            ..point.scenario.expectation()
        };
        return destination_config(evidence, &expected, point.scenario.flags);
    }
    let is_kept = match chosen.looks[1] {
        DomainState::Present(domain) => domain.persistent,
        DomainState::Absent => false,
    };
    if is_kept != wanted {
        let host = evidence.host(Side::Destination);
        let wanted = if wanted { "a" } else { "no" };
        return Ok(Verdict::fail(format!(
            "{}: expected {wanted} configuration on {host}, which has {}",
            called(point),
            seen(chosen.looks[1])
        )));
    }
    // What came with a guest that was lost there is not compared: it was seen nowhere else.
    let stayed = wanted && !(takes_effect && point.scenario.flags.has(Flag::PersistDest));
    if stayed {
        let before = (Side::Destination, When::Before);
        return kept_alike(evidence, before, Side::Destination, Compared::Stayed);
    }
    Ok(Verdict::Pass)
}
