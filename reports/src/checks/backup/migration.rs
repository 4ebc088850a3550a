//! `migrated` and `events`, of a chain that goes on on another QEMU: both came through the states of a migration
//! that is held before its switchover, the one was sent where the other listens, and the guest was stopped once.

use migratrix_history::{Outcome, Side};
use migratrix_matrix::BackupAction;
use serde_json::Value;

use super::seen::{Seen, Timeline};
use crate::{
    Verdict,
    checks::{evidence::Judged, timeline::OF_THE_GUEST},
};

/// The states of the source on its way (`MigrationStatus`).
const SOURCE: &[&str] = &["setup", "active", "pre-switchover", "device", "completed"];

/// The states of the destination.
const DESTINATION: &[&str] = &["setup", "active", "completed"];

/// The migration was asked for, and both sides say that it is completed.
pub(super) fn migrated(story: &Timeline<'_>) -> Judged {
    let jump = story.find(|act| *act == BackupAction::Migrate)?;
    let ends = [Side::Source, Side::Destination].map(|side| (side, jump.last_status(side)));
    let astray = ends.iter().find(|(_, end)| *end != Some("completed"));
    match (jump.outcome, astray) {
        (Outcome::Done, None) => on_its_way(story, jump),
        (Outcome::Refused(no), _) => Ok(Verdict::fail(format!(
            "expected that the guest migrates, {}",
            no.message
        ))),
        (Outcome::Done | Outcome::Unknown { .. }, Some((side, end))) => {
            let (host, end) = (story.evidence.host(*side), end.unwrap_or("in no state"));
            Err(story.unseen(&format!("on {host} the migration was last seen {end}")))
        }
        (Outcome::Unknown { .. }, None) => Err(story.unseen("the migration has not returned")),
    }
}

/// Both sides came through all states in their order, and through no other, by the commands that take them there.
fn on_its_way(story: &Timeline<'_>, jump: &Seen<'_>) -> Judged {
    for (side, due) in [(Side::Source, SOURCE), (Side::Destination, DESTINATION)] {
        let mut states = jump.statuses(side);
        states.dedup();
        if states != due {
            let (host, states, due) =
                (story.evidence.host(side), states.join(", "), due.join(", "));
            return Ok(Verdict::fail(format!(
                "expected that {host} comes through {due}, it came through {states}"
            )));
        }
    }
    let sent = jump.commands(Side::Source, "migrate");
    let listens = jump.commands(Side::Destination, "migrate-incoming");
    let place = |arguments: &Value| arguments.get("uri").map(Value::to_string);
    match (&sent[..], &listens[..]) {
        ([sent], [listens]) if place(sent) == place(listens) => Ok(Verdict::Pass),
        ([sent], [listens]) => Ok(Verdict::fail(format!(
            "the migration was sent another way than the destination listens: {sent}, {listens}"
        ))),
        _ => Err(story.unseen("the migration was not asked for once on each side")),
    }
}

/// While the chain moves, the guest is stopped once, goes on on the destination only when it is told to, and nothing
/// else befalls it.
pub(super) fn events(story: &Timeline<'_>) -> Judged {
    story.find(|act| *act == BackupAction::Migrate)?;
    let mut moves = story
        .acts
        .iter()
        .filter(|seen| is_of_the_move(seen.scene.act));
    let wrong = moves.find_map(|seen| wrong(story, seen));
    wrong.map_or_else(|| story.whole(), |wrong| Ok(Verdict::fail(wrong)))
}

/// From when the other QEMU is there until its guest runs.
fn is_of_the_move(act: BackupAction) -> bool {
    [
        BackupAction::Meet,
        BackupAction::Migrate,
        BackupAction::Continue,
    ]
    .contains(&act)
}

fn wrong(story: &Timeline<'_>, seen: &Seen<'_>) -> Option<String> {
    let (act, side) = (seen.scene.act, seen.side());
    Side::BOTH.into_iter().find_map(|on| {
        let due: &[&str] = match (act, on) {
            (BackupAction::Migrate, Side::Source) => &["STOP"],
            (BackupAction::Continue, _) if on == side => &["RESUME"],
            _ => &[],
        };
        let told = seen.events(on, &OF_THE_GUEST);
        let host = story.evidence.host(on);
        if told != due {
            let (told, due) = (listed(&told), listed(due));
            return Some(format!(
                "`{act}`: {host} was to send {due}, and sent {told}"
            ));
        }
        let goes_on = !due.contains(&"RESUME") && !seen.commands(on, "cont").is_empty();
        goes_on.then(|| format!("`{act}`: {host} was told to let the guest go on"))
    })
}

fn listed(events: &[&str]) -> String {
    match events.is_empty() {
        true => "nothing".to_owned(),
        false => events.join(", "),
    }
}
