//! `device` and `stream`: what was carried works on, and describes itself.

use migratrix_history::{Document, Side, When};
use migratrix_matrix::{Feature, Raw};

use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        machine,
        words::{moment, place},
    },
};

/// The device did on the destination what it did on the source.
pub(super) fn device(evidence: &Evidence<'_>) -> Judged {
    let before = did(evidence, Side::Source, When::Before)?;
    let after = did(evidence, Side::Destination, When::After)?;
    if before.is_empty() {
        return Err(evidence.unseen("the device did nothing on the source"));
    }
    let host = evidence.host(Side::Destination);
    let steps = before.len().max(after.len());
    let first = (0..steps).find(|step| before.get(*step) != after.get(*step));
    Ok(first.map_or(Verdict::Pass, |step| {
        let told = |did: &[String]| did.get(step).map_or("nothing".to_owned(), Clone::clone);
        let (before, after) = (told(before), told(after));
        Verdict::fail(format!(
            "the device on {host} does not work on: step {} was `{before}`, is `{after}`",
            step + 1
        ))
    }))
}

fn did<'h>(evidence: &Evidence<'h>, side: Side, when: When) -> Result<&'h [String], Verdict> {
    let what = format!(
        "the device was not used on {} {}",
        place(side),
        moment(when)
    );
    evidence
        .device(side, when)
        .ok_or_else(|| evidence.unseen(&what))
}

/// The first four bytes of every stream, and its version (`QEMU_VM_FILE_MAGIC`,
/// `QEMU_VM_FILE_VERSION`).
const FORMAT: (&str, u32) = ("QEVM", 3);

/// The stream in the file has its head and, at its end, the list of its devices.
pub(super) fn stream(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let stream = evidence.stream();
    let stream = stream.ok_or_else(|| evidence.unseen("the stream in the file was not read"))?;
    let host = evidence.host(Side::Source);
    if (stream.magic, stream.version) != FORMAT {
        return Ok(Verdict::fail(format!(
            "expected a stream of the format {}, version {}, {host} wrote `{}`, version {}",
            FORMAT.0, FORMAT.1, stream.magic, stream.version
        )));
    }
    if stream.in_place == Some(true) && !raw.features.has(Feature::MappedRam) {
        return Ok(Verdict::fail(format!(
            "expected a stream of pages, {host} wrote them in their places"
        )));
    }
    // Most devices of a machine have a state; some have none, as a bus.
    let machine = evidence.document_if_given(Side::Source, When::Before, Document::Machine);
    let all = machine.map_or(0, machine::devices);
    let listed = stream.devices.unwrap_or(0);
    let whole = listed > 0 && listed.saturating_mul(2) >= all;
    Ok(Verdict::pass_if(whole, || {
        format!(
            "expected a stream that ends in the list of its devices, of a machine of {all}, {host} wrote \
             one that lists {listed}"
        )
    }))
}
