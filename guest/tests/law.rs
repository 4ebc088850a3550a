//! The law against the model: it holds at every stop, and of nothing else.

use migratrix_guest::{
    Breach, Fault, Model, PAGE, Page, Parameters, Place, Registers, Run, SECTOR, Stamper, Survey,
};
use proptest::prelude::*;

const PAGES: u32 = 6;
const TINY: Parameters = Parameters {
    start: 0x10_0000,
    end: 0x10_0000 + PAGES * PAGE,
    ..Parameters::SMALL
};
const STAMPS: u32 = TINY.bytes() / SECTOR;

fn law(memory: &[u8]) -> Result<Stamper, Breach> {
    Survey::read(&TINY, memory).unwrap().law(&TINY)
}

/// The same for a guest whose registers are known.
fn law_at(memory: &[u8], place: Place) -> Result<Stamper, Breach> {
    Survey::read(&TINY, memory).unwrap().law_at(&TINY, place)
}

/// Where the model's registers say that it stands.
fn place(model: &Model) -> Place {
    TINY.place(&model.registers().unwrap()).unwrap()
}

/// A guest that was stopped after so many laps and stamps.
fn stopped(laps: u32, stamps: u32) -> Model {
    Model::at(
        TINY,
        Stamper {
            laps,
            address: TINY.start + stamps * SECTOR,
        },
    )
}

/// Its memory so many laps before.
fn earlier(model: &Model, age: u32) -> Vec<u8> {
    let Stamper { laps, address } = model.stamper();
    Model::at(
        TINY,
        Stamper {
            laps: laps.wrapping_sub(age),
            address,
        },
    )
    .memory()
}

fn page(index: usize) -> std::ops::Range<usize> {
    index * PAGE as usize..(index + 1) * PAGE as usize
}

/// The law holds if the memory is one that the guest can be stopped with, and only then.
fn assert_exact(memory: &[u8]) {
    if let Ok(stamper) = law(memory) {
        assert!(
            Model::at(TINY, stamper).memory() == memory,
            "{stamper:?} has another memory"
        );
    }
}

fn assert_broken(memory: &[u8], before: &[u8]) -> Result<(), TestCaseError> {
    assert_exact(memory);
    let held = law(memory);
    prop_assert!(held.is_err() || memory == before, "{held:?}");
    Ok(())
}

fn any_stop() -> impl Strategy<Value = Model> {
    (any::<u32>(), 0..STAMPS).prop_map(|(laps, stamps)| stopped(laps, stamps))
}

#[test]
fn a_last_page_whose_sectors_are_all_of_one_lap_is_whole_however_it_is_told() {
    let mut survey = Survey::read(&TINY, &stopped(9, 0).memory()).unwrap();
    let laps = [9; (PAGE / SECTOR) as usize];
    survey.runs[0].pages -= 1;
    survey.runs.push(Run {
        pages: 1,
        page: Page::Torn { laps },
    });
    let whole = Stamper {
        laps: 9,
        address: TINY.start,
    };
    assert_eq!(survey.law(&TINY), Ok(whole));
}

#[test]
fn the_law_holds_wherever_the_guest_is_stopped_and_tells_where() {
    for laps in [0, 1, 255, 256, u32::MAX - 1, u32::MAX] {
        let mut model = stopped(laps, 0);
        for _ in 0..=2 * STAMPS {
            assert_eq!(model.survey().law(&TINY), Ok(model.stamper()));
            model.advance(1);
        }
    }
}

#[test]
fn the_law_holds_of_a_range_of_one_page() {
    let one = Parameters {
        end: TINY.start + PAGE,
        ..TINY
    };
    let mut model = Model::new(one);
    for _ in 0..20 {
        assert_eq!(model.survey().law(&one), Ok(model.stamper()));
        model.advance(1);
    }
}

#[test]
fn a_survey_of_another_range_breaks_the_law() {
    let longer = Parameters {
        end: TINY.end + PAGE,
        ..TINY
    };
    let told = u64::from(PAGES);
    let breach = Model::new(TINY).survey().law(&longer).unwrap_err();
    assert_eq!(
        (breach.address, breach.fault),
        (TINY.end, Fault::Unread { told })
    );
    let breach = Model::new(longer).survey().law(&TINY).unwrap_err();
    assert_eq!(
        (breach.address, breach.fault),
        (TINY.end, Fault::Unread { told: told + 1 })
    );
}

#[test]
fn a_breach_says_what_is_wrong_in_plain_words() {
    let mut memory = stopped(9, 20).memory();
    memory[page(4)].fill(0);
    memory[page(5)].fill(0);
    let text = law(&memory).unwrap_err().to_string();
    let due = "page 0x104000 is nothing but zeros \
               (first byte 0x0a, last byte 0x09, current 0x00, edge hit), and 1 more page";
    assert_eq!(text, due);
}

#[test]
fn a_stale_page_is_told_by_its_lap() {
    let mut memory = stopped(9, 40).memory();
    memory[page(0)].copy_from_slice(&stopped(5, 0).memory()[page(0)]);
    let breach = law(&memory).unwrap_err();
    assert_eq!(breach.address, TINY.start);
    assert_eq!(breach.fault, Fault::Older { lap: 5, due: 10 });
    assert_eq!(
        (breach.first, breach.last, breach.current, breach.edge),
        (5, 10, 5, false)
    );
    assert_eq!(breach.more, 0);
}

#[test]
fn a_stale_lap_is_seen_where_its_low_byte_is_the_same() {
    let mut memory = stopped(900, 0).memory();
    memory[page(3)].copy_from_slice(&stopped(900 - 256, 0).memory()[page(3)]);
    assert_eq!(
        law(&memory).unwrap_err().fault,
        Fault::Older { lap: 644, due: 900 }
    );
}

#[test]
fn a_swapped_page_is_told_by_its_address() {
    let mut memory = stopped(9, 0).memory();
    let (low, high) = memory.split_at_mut(4 * PAGE as usize);
    low[page(1)].swap_with_slice(&mut high[..PAGE as usize]);
    let breach = law(&memory).unwrap_err();
    assert_eq!(
        breach.fault,
        Fault::Misplaced {
            at: 0x10_1000,
            belongs: 0x10_4000
        }
    );
    assert_eq!(breach.more, 1);
}

#[test]
fn a_torn_page_is_lawful_only_where_the_stamper_stood() {
    let mut memory = stopped(9, 11).memory();
    assert_eq!(
        law(&memory),
        Ok(Stamper {
            laps: 9,
            address: TINY.start + 11 * SECTOR
        })
    );
    memory[page(4)].copy_from_slice(&stopped(9, 35).memory()[page(4)]);
    let laps = [10, 10, 10, 9, 9, 9, 9, 9];
    assert_eq!(
        law(&memory).unwrap_err().fault,
        Fault::Torn { laps, due: 9 }
    );
}

#[test]
fn memory_that_was_never_stamped_breaks_the_law() {
    let breach = law(&vec![0; TINY.bytes() as usize]).unwrap_err();
    assert_eq!((breach.fault, breach.more), (Fault::Zero, PAGES - 1));
    let breach = law(&vec![0xff; TINY.bytes() as usize]).unwrap_err();
    let wrong = (PAGE - SECTOR / 16) as u16;
    assert_eq!(
        breach.fault,
        Fault::Foreign {
            at: TINY.start + 4,
            wrong
        }
    );
}

#[test]
fn a_breach_is_the_same_after_a_round_trip_through_json() {
    let mut memory = stopped(9, 20).memory();
    memory[0x2345] ^= 1;
    let breach = law(&memory).unwrap_err();
    let json = serde_json::to_string(&breach).unwrap();
    assert_eq!(serde_json::from_str::<Breach>(&json).unwrap(), breach);
}

#[test]
fn the_registers_say_where_the_stamper_stands_wherever_it_is_stopped() {
    let never_halts = Parameters { pace_us: 0, ..TINY };
    for parameters in [TINY, never_halts] {
        let mut model = Model::new(parameters);
        for _ in 0..=2 * STAMPS {
            let place = parameters.place(&model.registers().unwrap()).unwrap();
            let stood = model.survey().law_at(&parameters, place);
            assert_eq!(stood, Ok(model.stamper()), "{place:?}");
            model.advance(1);
        }
    }
}

/// What follows the instruction that counts a sector's lap up, by the listing in the snapshots.
#[test]
fn a_sector_is_stamped_once_its_lap_is_counted_up_though_the_pointer_still_names_it() {
    let mut model = stopped(9, 20);
    let at = model.registers().unwrap();
    let after = |bytes: u64| Registers {
        next: at.next + bytes,
        ..at
    };
    model.advance(1);
    let counted = TINY.place(&after(2)).unwrap();
    assert_eq!(counted, Place::Before(at.edi + SECTOR));
    assert_eq!(model.survey().law_at(&TINY, counted), Ok(model.stamper()));
    // Then the pointer has gone on.
    for bytes in [8, 14] {
        let gone_on = Registers {
            edi: at.edi + SECTOR,
            ..after(bytes)
        };
        assert_eq!(TINY.place(&gone_on).unwrap(), counted);
    }
    assert_eq!(TINY.place(&after(16)).unwrap(), Place::Between);
    let bios = Registers {
        next: 0xf_0000,
        ..at
    };
    assert_eq!(TINY.place(&bios).unwrap(), Place::Elsewhere);
}

#[test]
fn a_guest_that_waits_has_no_stale_tail_and_no_front_of_the_next_lap() {
    let model = stopped(9, 0);
    let at = place(&model);
    assert_eq!(at, Place::Between);
    for pages in 1..PAGES as usize {
        let tail = page(pages).start..;
        let mut stale = model.memory();
        stale[tail.clone()].copy_from_slice(&earlier(&model, 1)[tail]);
        assert!(law(&stale).is_ok(), "the memory alone does not tell");
        let breach = law_at(&stale, at).unwrap_err();
        assert_eq!(breach.fault, Fault::Older { lap: 8, due: 9 });
        assert_eq!(breach.address, TINY.start + pages as u32 * PAGE);
        assert_eq!(breach.more, PAGES - 1 - pages as u32);

        let mut early = model.memory();
        let front = ..page(pages).start;
        early[front].copy_from_slice(&stopped(10, 0).memory()[front]);
        assert!(law(&early).is_ok(), "the memory alone does not tell");
        assert!(law_at(&early, at).is_err());
    }
}

#[test]
fn a_step_must_be_where_the_guest_was_to_stamp_next() {
    let stood = place(&stopped(9, 20));
    for stamps in (0..STAMPS).filter(|stamps| *stamps != 20) {
        let memory = stopped(9, stamps).memory();
        assert!(law_at(&memory, stood).is_err(), "{stamps}");
        assert!(law_at(&memory, Place::Elsewhere).is_ok(), "{stamps}");
    }
    assert_eq!(law_at(&stopped(9, 20).memory(), stood).unwrap().laps, 9);
}

#[test]
fn a_guest_whose_pointer_has_left_its_range_breaks_the_law() {
    for next in [0, TINY.start - SECTOR, TINY.start + 4, TINY.end + SECTOR] {
        let breach = law_at(&stopped(9, 0).memory(), Place::Before(next)).unwrap_err();
        assert_eq!(breach.fault, Fault::Astray { next });
    }
    let end = Place::Before(TINY.end);
    assert_eq!(
        law_at(&stopped(9, 0).memory(), end),
        Ok(stopped(9, 0).stamper())
    );
}

proptest! {
    /// With the registers there is no memory beside the guest's own that the law holds of.
    #[test]
    fn a_flipped_byte_breaks_the_law_of_a_guest_whose_registers_are_known(
        model in any_stop(), at in 0..TINY.bytes(), flip in 1..=255u8,
    ) {
        let mut memory = model.memory();
        memory[at as usize] ^= flip;
        prop_assert!(law_at(&memory, place(&model)).is_err());
    }

    #[test]
    fn a_run_of_stale_pages_breaks_the_law_of_a_guest_whose_registers_are_known(
        model in any_stop(), from in 0..6usize, pages in 1..6usize, age in 1..1000u32,
    ) {
        let before = model.memory();
        let mut memory = before.clone();
        let run = page(from).start..page((from + pages).min(6) - 1).end;
        prop_assume!(run.len() < before.len());
        memory[run.clone()].copy_from_slice(&earlier(&model, age)[run]);
        prop_assert!(law_at(&memory, place(&model)).is_err());
    }

    #[test]
    fn with_its_registers_the_law_holds_of_no_memory_but_of_that_place(
        model in any_stop(), other in any_stop(),
    ) {
        let held = law_at(&other.memory(), place(&model));
        let same = model.stamper().address == other.stamper().address;
        prop_assert_eq!(held.ok(), same.then(|| other.stamper()));
    }

    #[test]
    fn two_pages_that_changed_places_break_the_law(model in any_stop(), one in 0..6usize, other in 0..6usize) {
        let before = model.memory();
        let mut memory = before.clone();
        memory[page(one)].copy_from_slice(&before[page(other)]);
        memory[page(other)].copy_from_slice(&before[page(one)]);
        assert_broken(&memory, &before)?;
    }

    #[test]
    fn a_page_that_came_to_a_wrong_place_breaks_the_law(model in any_stop(), from in 0..6usize, to in 0..6usize) {
        let before = model.memory();
        let mut memory = before.clone();
        memory.copy_within(page(from), to * PAGE as usize);
        assert_broken(&memory, &before)?;
    }

    #[test]
    fn a_zeroed_page_breaks_the_law(model in any_stop(), index in 0..6usize) {
        let before = model.memory();
        let mut memory = before.clone();
        memory[page(index)].fill(0);
        assert_broken(&memory, &before)?;
    }

    /// At least two laps old: what is one lap old may be a memory of the guest's own.
    #[test]
    fn a_run_of_stale_pages_breaks_the_law(
        model in any_stop(), from in 0..6usize, pages in 1..6usize, age in 2..1000u32,
    ) {
        let before = model.memory();
        let mut memory = before.clone();
        let run = page(from).start..page((from + pages).min(6) - 1).end;
        memory[run.clone()].copy_from_slice(&earlier(&model, age)[run]);
        assert_broken(&memory, &before)?;
    }

    #[test]
    fn half_a_stale_page_breaks_the_law(model in any_stop(), index in 0..6usize, upper: bool, age in 2..1000u32) {
        let before = model.memory();
        let mut memory = before.clone();
        let old = earlier(&model, age);
        let at = page(index).start + if upper { 2048 } else { 0 };
        memory[at..at + 2048].copy_from_slice(&old[at..at + 2048]);
        assert_broken(&memory, &before)?;
    }

    /// Any byte of the range, in a stamp or between stamps. Only the stamps next to the stamper can be
    /// flipped into another memory of the guest's own.
    #[test]
    fn a_flipped_byte_breaks_the_law(model in any_stop(), at in 0..TINY.bytes(), flip in 1..=255u8) {
        let before = model.memory();
        let mut memory = before.clone();
        memory[at as usize] ^= flip;
        assert_exact(&memory);
        if law(&memory).is_ok() {
            let stood = model.stamper().address - TINY.start;
            let ahead = at == stood;
            let undone = at == (stood + TINY.bytes() - SECTOR) % TINY.bytes();
            prop_assert!(ahead || undone, "the byte at {at:#x} was flipped unseen, {stood:#x}");
        }
    }

    #[test]
    fn the_law_holds_of_no_memory_but_the_guests(
        model in any_stop(),
        changes in prop::collection::vec((0..STAMPS, 0..4u32), 1..8),
    ) {
        let mut memory = model.memory();
        for (sector, age) in changes {
            let at = (sector * SECTOR) as usize;
            let lap = model.lap().wrapping_sub(age).wrapping_add(2);
            memory[at..at + 4].copy_from_slice(&lap.to_le_bytes());
        }
        assert_exact(&memory);
    }
}
