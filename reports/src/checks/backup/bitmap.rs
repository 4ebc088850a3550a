//! `bitmap`: at each look there are the bitmaps that the case has and no others, each as what was
//! written says; and what arrives is what was sent.

use migratrix_history::{BitmapInfo, Side};
use migratrix_matrix::{BackupAction, BitmapExpected, Count, Drive};

use super::{
    compared::proven,
    seen::{Seen, Timeline},
};
use crate::{Verdict, checks::evidence::Judged};

pub(super) fn bitmap(story: &Timeline<'_>) -> Judged {
    // What is dirty comes of what was written.
    proven(story)?;
    let mut held: Option<&[BitmapInfo]> = None;
    let mut last = None;
    let mut writing = false;
    for seen in &story.acts {
        if seen.scene.act == BackupAction::Migrate {
            let sent = seen.bitmaps(Side::Source);
            let sent =
                sent.ok_or_else(|| story.unseen("the bitmaps that are sent were not shown"))?;
            held = Some(sent);
        } else if seen.scene.act == BackupAction::Keep {
            held = last;
        }
        writing |= seen.scene.act == BackupAction::Continue && story.guest_writes;
        if seen.scene.act != BackupAction::Inspect {
            continue;
        }
        let Some(looks) = seen.bitmaps(seen.side()) else {
            return Err(story.unseen("the bitmaps were not shown"));
        };
        last = Some(looks);
        let wrong = wrong_set(&seen.scene.bitmaps, looks).or_else(|| {
            held.take()
                .and_then(|held| wrong_arrival(held, looks, writing))
        });
        if let Some(wrong) = wrong {
            return Ok(Verdict::fail(told(story, seen, &wrong)));
        }
    }
    story.whole()
}

/// What is wrong, and after which act.
fn told(story: &Timeline<'_>, at: &Seen<'_>, wrong: &str) -> String {
    let acts = story.acts.iter();
    let before = acts.take_while(|seen| !std::ptr::eq(*seen, at)).last();
    let after = before.map_or_else(String::new, |seen| format!(" after `{}`", seen.scene.act));
    format!("{wrong}, on {}{after}", story.host(at))
}

/// What is wrong with the bitmaps of a side: one is missing, there is one more, or one is not as it
/// must be.
fn wrong_set(expected: &[BitmapExpected], looks: &[BitmapInfo]) -> Option<String> {
    let is = |expected: &BitmapExpected, look: &BitmapInfo| {
        look.drive == expected.drive.name() && look.name == expected.bitmap.name()
    };
    let wrong = expected.iter().find_map(|one| {
        let look = looks.iter().find(|look| is(one, look));
        let name = format!("{} of {}", one.bitmap, one.drive);
        match look {
            None => Some(format!("expected {name}, it is not there")),
            Some(look) => wrong(one, look).map(|wrong| format!("{name}: {wrong}")),
        }
    });
    let strange = looks
        .iter()
        .find(|look| !expected.iter().any(|one| is(one, look)));
    wrong.or_else(|| {
        strange.map(|look| format!("expected no {} of {}, it is there", look.name, look.drive))
    })
}

fn wrong(expected: &BitmapExpected, look: &BitmapInfo) -> Option<String> {
    if !is_right(expected.count, look) {
        let wanted = match expected.count {
            Count::Exactly(bytes) => format!("{bytes} dirty bytes"),
            Count::Some => "some dirty bytes, and not all".to_owned(),
            Count::Any => "no more dirty bytes than the disk has".to_owned(),
        };
        return Some(format!("expected {wanted}, it has {}", look.count));
    }
    if look.granularity != expected.granularity {
        let (wanted, found) = (expected.granularity, look.granularity);
        return Some(format!(
            "expected a granularity of {wanted}, it has {found}"
        ));
    }
    let switches = [
        ("recording", true, look.recording),
        ("busy", expected.busy, look.busy),
        ("persistent", expected.persistent, look.persistent),
        ("inconsistent", false, look.inconsistent),
    ];
    let wrong = switches
        .into_iter()
        .find(|(_, wanted, found)| wanted != found);
    wrong.map(|(name, wanted, found)| format!("expected `{name}` to be {wanted}, it is {found}"))
}

fn is_right(wanted: Count, look: &BitmapInfo) -> bool {
    match wanted {
        Count::Exactly(bytes) => look.count == bytes,
        Count::Some => (1..Drive::SIZE).contains(&look.count),
        Count::Any => look.count <= Drive::SIZE,
    }
}

/// What arrives has what was dirty on the source while nobody wrote, and more only where the guest
/// writes again.
fn wrong_arrival(held: &[BitmapInfo], looks: &[BitmapInfo], writing: bool) -> Option<String> {
    looks.iter().find_map(|came| {
        let is_it = |sent: &&BitmapInfo| came.drive == sent.drive && came.name == sent.name;
        let Some(sent) = held.iter().find(is_it) else {
            return Some(format!("{} arrives, and was not sent", came.name));
        };
        let less = came.count < sent.count;
        (less || (came.count > sent.count && !writing)).then(|| {
            let (name, sent, came) = (&sent.name, sent.count, came.count);
            format!("expected that {name} arrives with {sent} dirty bytes, it has {came}")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(count: u64) -> BitmapInfo {
        BitmapInfo {
            drive: Drive::First.name().to_owned(),
            name: "bitmap0".to_owned(),
            count,
            granularity: 65_536,
            recording: true,
            busy: false,
            persistent: false,
            inconsistent: false,
        }
    }

    #[test]
    fn some_of_a_disk_is_neither_nothing_nor_all_of_it_and_any_is_no_more_than_all() {
        let all = Drive::SIZE;
        for (wanted, count, right) in [
            (Count::Some, 0, false),
            (Count::Some, 1, true),
            (Count::Some, all - 1, true),
            (Count::Some, all, false),
            (Count::Any, 0, true),
            (Count::Any, all, true),
            (Count::Any, all + 1, false),
            (Count::Exactly(7), 7, true),
            (Count::Exactly(7), 8, false),
        ] {
            assert_eq!(
                is_right(wanted, &look(count)),
                right,
                "{wanted:?} of {count}"
            );
        }
    }

    #[test]
    fn what_arrives_is_what_was_sent_or_more_where_the_guest_writes() {
        for (sent, came, writing, right) in [
            (5, 5, false, true),
            (5, 5, true, true),
            (5, 4, false, false),
            (5, 4, true, false),
            (5, 6, false, false),
            (5, 6, true, true),
        ] {
            let wrong = wrong_arrival(&[look(sent)], &[look(came)], writing);
            assert_eq!(
                wrong.is_none(),
                right,
                "{sent} sent, {came} came: {wrong:?}"
            );
        }
        let mut other = look(5);
        other.drive = Drive::Second.name().to_owned();
        assert!(wrong_arrival(&[other.clone()], &[look(5)], true).is_some());
        other.drive = look(5).drive;
        other.name = "bitmap1".to_owned();
        assert!(wrong_arrival(&[other], &[look(5)], true).is_some());
    }
}
