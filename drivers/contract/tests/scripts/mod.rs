//! The scripts that the tests look at.
#![allow(dead_code, reason = "each test has its own use of them")]

use migratrix_contract::{DomainSpec, Script};
use migratrix_guest::Parameters;
use migratrix_matrix::Case;

/// The script of the case of this name.
pub fn script(name: &str) -> Script {
    of(&name.parse().expect("the name is one"))
}

/// The script of a case.
pub fn of(case: &Case) -> Script {
    let spec = DomainSpec {
        domain: "mq-0".into(),
        uuid: String::new(),
        foreign_uuid: String::new(),
        machine: "pc-q35-5.2".into(),
        memory_mib: 16,
        guest: Parameters::SMALL,
        boot_image: String::new(),
    };
    Script::of(case, spec, 5_000)
}

/// All its steps, in words.
pub fn said(script: &Script) -> Vec<String> {
    let steps = script.steps.iter();
    steps.map(|(_, step)| step.to_string()).collect()
}
