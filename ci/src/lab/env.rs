//! `migratrix lab env`: how a tool of one's own reaches the hosts of a lab, once they are all up.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use migratrix_lab::{LabName, Labs, UpLab, enter_network};

use super::named;
use crate::say::count;

/// How long the hosts of a lab that is coming up are waited for.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked whether they are there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until all hosts of the lab are up, where some are still coming.
///
/// # Errors
/// Fails where it ends meanwhile, or they take too long.
pub fn await_up(labs: &Labs, name: &LabName, patience: Duration) -> Result<UpLab> {
    let deadline = Instant::now() + patience;
    let mut lab = labs.get(name)?;
    let told = format!("the lab `{}` is still coming up", name.as_str());
    if !lab.is_up() {
        eprintln!("{told}: waiting for its hosts");
    }
    while !lab.is_up() {
        if Instant::now() >= deadline {
            let waited = count(usize::try_from(patience.as_secs())?, "second");
            bail!(
                "{told}, after {waited}: try again when `migratrix lab up` says that it is up, or see there \
                 what it waits for"
            );
        }
        lab.ends_within(LOOK_EVERY)?;
        lab = labs.get(name)?;
    }
    Ok(lab)
}

/// Prints how a tool of one's own reaches the lab's hosts, for a shell to evaluate.
///
/// # Errors
/// Fails where no such lab is up, or does not come up.
pub fn env(labs: &Labs, name: &LabName) -> Result<u8> {
    let hosts = await_up(labs, name, PATIENCE)?.hosts();
    let first = hosts.first().filter(|host| host.runner().is_some());
    let Some((host, runner)) = first.and_then(|host| Some((host, host.runner()?))) else {
        bail!(
            "the lab `{0}` has no host any more: `migratrix lab down {0}` ends what is left of it",
            name.as_str()
        );
    };
    print!("{}", lines(name, runner, &host.neighbours()?));
    Ok(0)
}

/// The lines that `lab env` prints.
fn lines(name: &LabName, runner: i32, hosts: &[(String, std::net::Ipv4Addr)]) -> String {
    let uri = |address| format!("qemu+tcp://{address}/system");
    let side = |letter: &'static str| hosts.iter().filter(move |(host, _)| host.ends_with(letter));
    let mut text = format!(
        "# Lab {0}: for a shell to evaluate, as in eval \"$(migratrix lab env{1})\"\n\
         # LAB_ENTER runs a command of yours on the lab's network:\n\
         #   $LAB_ENTER virsh -c $LAB_SOURCE_URI list --all\n\
         LAB_NAME={0}\n\
         LAB_PID={runner}\n\
         LAB_ENTER='{2}'\n",
        name.as_str(),
        named(name, " --lab ", ""),
        enter_network(runner).join(" "),
    );
    for (part, host) in [
        ("SOURCE", side("-s").next()),
        ("DESTINATION", side("-d").next_back()),
    ] {
        if let Some((host, address)) = host {
            text += &format!("LAB_{part}={host}\nLAB_{part}_URI={}\n", uri(address));
        }
    }
    for (host, address) in hosts {
        text += &format!("LAB_URI_{}={}\n", host.replace('-', "_"), uri(address));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, process::Command};

    use super::*;

    #[test]
    fn a_shell_can_evaluate_what_the_lab_says_of_itself() {
        let name = LabName::new("mine").unwrap();
        let address = |last| Ipv4Addr::new(198, 18, 0, last);
        let hosts = ["a-s", "a-d", "b-1-s", "b-1-d"].map(str::to_owned);
        let hosts: Vec<_> = hosts.into_iter().zip((2..).map(address)).collect();
        let said = lines(&name, 1234, &hosts);
        let script = format!("{said}\necho $LAB_SOURCE_URI $LAB_DESTINATION $LAB_URI_b_1_s");
        let shell = Command::new("sh").args(["-euc", &script]).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&shell.stdout),
            "qemu+tcp://198.18.0.2/system b-1-d qemu+tcp://198.18.0.4/system\n"
        );
        assert!(
            said.contains("eval \"$(migratrix lab env --lab mine)\""),
            "{said}"
        );
    }
}
