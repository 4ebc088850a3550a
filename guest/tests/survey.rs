//! Surveys: what is kept of a reading, how small it is, and how the lap is read.

#![expect(
    clippy::disallowed_types,
    reason = "the test measures how long a survey takes"
)]

use std::time::Instant;

use migratrix_guest::{Model, PAGE, Page, Parameters, Run, Stamper, Survey};

const SMALL: Parameters = Parameters::SMALL;

fn stopped(laps: u32, address: u32) -> Model {
    Model::at(SMALL, Stamper { laps, address })
}

#[test]
fn a_survey_of_a_lawful_memory_is_three_runs_at_most() {
    let survey = stopped(7, 0x10_4600).survey();
    let json = serde_json::to_string(&survey).unwrap();
    let due = concat!(
        r#"{"runs":[{"pages":4,"page":"stamped","lap":8},"#,
        r#"{"pages":1,"page":"torn","laps":[8,8,8,7,7,7,7,7]},"#,
        r#"{"pages":251,"page":"stamped","lap":7}]}"#,
    );
    assert_eq!(json, due);
    assert_eq!(serde_json::from_str::<Survey>(&json).unwrap(), survey);
}

#[test]
fn each_kind_of_page_survives_the_round_trip_through_json() {
    let mut memory = stopped(7, 0x10_4600).memory();
    memory[0x2_0000..0x3_0000].fill(0);
    memory.copy_within(0x5_0000..0x5_2000, 0x7_0000);
    memory.copy_within(0x5_0000..0x5_0200, 0x8_0400);
    memory[0xa_0123] ^= 0x55;
    let survey = Survey::read(&SMALL, &memory).unwrap();
    let json = serde_json::to_string(&survey).unwrap();
    assert_eq!(serde_json::from_str::<Survey>(&json).unwrap(), survey);
    let pages: Vec<_> = survey
        .runs
        .iter()
        .map(|run| (run.pages, &run.page))
        .collect();
    assert!(pages.contains(&(16, &Page::Zero)));
    assert!(pages.contains(&(
        2,
        &Page::Misplaced {
            lap: 7,
            sector: 0,
            shift: -0x2_0000
        }
    )));
    assert!(pages.contains(&(
        1,
        &Page::Misplaced {
            lap: 7,
            sector: 2,
            shift: -0x3_0400
        }
    )));
    assert!(pages.contains(&(
        1,
        &Page::Foreign {
            first: 7,
            offset: 0x123,
            wrong: 1
        }
    )));
}

#[test]
fn a_reading_of_another_size_is_refused() {
    let error = Survey::read(&SMALL, &[0; 512]).unwrap_err();
    let due = "512 bytes were read of a range of 1048576: read exactly 0x100000..0x200000";
    assert_eq!(error.to_string(), due);
}

#[test]
fn memory_that_is_read_part_by_part_is_surveyed_as_the_whole() {
    let odd = Parameters {
        end: SMALL.start + 19 * PAGE,
        ..SMALL
    };
    for guest in [SMALL, odd] {
        let stamper = Stamper {
            laps: 7,
            address: guest.start + 0x4600,
        };
        let mut memory = Model::at(guest, stamper).memory();
        memory[0x1_2345] ^= 0x55;
        let by_parts = Survey::read_by(&guest, |address, bytes| {
            let at = (address - guest.start) as usize;
            let lies_there = memory.get(at..at + bytes.len()).ok_or("beyond the range")?;
            bytes.copy_from_slice(lies_there);
            Ok::<_, &str>(())
        });
        assert_eq!(by_parts, Ok(Survey::read(&guest, &memory).unwrap()));
    }
    let gone = Survey::read_by(&SMALL, |address, _| {
        if address == SMALL.start {
            Ok(())
        } else {
            Err(address)
        }
    });
    assert!(gone.is_err());
}

#[test]
fn the_lap_is_that_of_the_last_whole_lap() {
    for model in [
        Model::new(SMALL),
        stopped(7, 0x10_4600),
        stopped(u32::MAX, 0x1f_fe00),
    ] {
        let memory = model.memory();
        let at = (SMALL.lap_address() - SMALL.start) as usize;
        let bytes = &memory[at..at + Parameters::LAP_BYTES];
        assert_eq!(SMALL.read_lap(bytes), Some(model.lap()));
    }
}

#[test]
fn no_lap_is_read_of_what_the_guest_did_not_write() {
    let memory = stopped(7, SMALL.start).memory();
    assert_eq!(SMALL.read_lap(&[0; 16]), None);
    assert_eq!(SMALL.read_lap(&[0xff; 16]), None);
    assert_eq!(SMALL.read_lap(&[]), None);
    assert_eq!(
        SMALL.read_lap(&memory[..16]),
        None,
        "the mark of another place"
    );
    assert_eq!(
        SMALL.read_lap(&memory[memory.len() - 512..][..15]),
        None,
        "too few bytes"
    );
}

#[test]
fn the_model_advances_by_stamps_and_by_laps() {
    let mut model = Model::new(SMALL);
    assert_eq!(model.stamps_per_lap(), 2048);
    model.advance(2047);
    assert_eq!(
        model.stamper(),
        Stamper {
            laps: 0,
            address: 0x1f_fe00
        }
    );
    model.advance(2);
    assert_eq!(
        model.stamper(),
        Stamper {
            laps: 1,
            address: 0x10_0200
        }
    );
    model.advance(u64::MAX);
    assert_eq!(
        model.stamper(),
        Stamper {
            laps: 1,
            address: SMALL.start
        }
    );
}

#[test]
fn the_worst_reading_of_a_mib_is_short_and_quick() {
    let memory: Vec<u8> = (0..SMALL.bytes())
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let began = Instant::now();
    let survey = Survey::read(&SMALL, &memory).unwrap();
    assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
    assert!(survey.runs.iter().all(|run| matches!(
        run,
        Run {
            page: Page::Foreign { .. },
            ..
        }
    )));
    assert!(serde_json::to_string(&survey).unwrap().len() < 20_000);
}

#[test]
fn pages_that_lie_in_a_file_as_in_memory_are_told_from_those_of_a_stream() {
    let memory = stopped(7, 0x10_4600).memory();
    let mapped = [&[1; 700], &memory[..], &[2; 30]].concat();
    assert_eq!(SMALL.lies_in_place(&mapped), Some(true));
    let pages = memory.chunks(PAGE as usize);
    let stream: Vec<u8> = pages.flat_map(|page| [&[3; 8], page].concat()).collect();
    assert_eq!(SMALL.lies_in_place(&stream), Some(false));
    assert_eq!(
        SMALL.lies_in_place(&mapped[..mapped.len() - 2 * PAGE as usize]),
        Some(false)
    );
    assert_eq!(SMALL.lies_in_place(&[0; 8192]), None);
}

#[test]
fn stamped_memory_is_found_in_bytes_wherever_it_lies() {
    let memory = stopped(7, 0x10_4600).memory();
    let sector = &memory[..512];
    for before in 0..9 {
        let mut bytes = vec![0x16; before];
        bytes.extend(sector);
        bytes.extend([3; 7]);
        assert!(SMALL.lies_in(&bytes), "{before}");
    }
    assert!(!SMALL.lies_in(&[0; 4096]));
    assert!(
        !SMALL.lies_in(b"a-b!a-b!a-b!a-b!"),
        "no sector has that mark"
    );
    let other = Parameters {
        start: SMALL.end,
        end: SMALL.end + SMALL.bytes(),
        ..SMALL
    };
    assert!(!other.lies_in(sector), "it is another guest's");
}
