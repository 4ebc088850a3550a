//! What the guest does itself while it migrates.
//!
//! | fault | what its own code would do | known by |
//! |---|---|---|
//! | powered off | writes to the power management's control port (PM1a_CNT of ACPI) | `SHUTDOWN`, `guest-shutdown` |
//! | rebooted | writes to the reset control port (0xcf9) | `RESET`, `guest-reset`, and laps that begin anew |
//! | crashed | takes a tick without an interrupt table: a triple fault | `SHUTDOWN`, `guest-reset` |
//!
//! The a-b guest's boot sector listens to nobody: an ACPI button (`virDomainShutdown`, `system_powerdown`) does nothing
//! to it, an NMI is one more tick, and `virDomainReset` waits for the migration's job. So its machine is given the write
//! that its processor would have made, by `o` of the human monitor.

use std::time::Duration;

use migratrix_contract::Recorder;
use migratrix_history::{Deed, Observation, Side};
use migratrix_matrix::Strike;
use serde_json::json;
use tokio::time::timeout;

use super::{LOOK_EVERY, monitor::Mute};
use crate::{Error, LibvirtDriver, beat::Heartbeat, qtest, ticks::Ticks};

/// Sleeping state S5, by the control register of power management that SeaBIOS puts there on q35 and i440fx alike. It
/// takes two bytes (PM1a_CNT in ACPI): `/w` would write four, which QEMU drops from 11.1 on.
const POWER_OFF: &str = "o /h 0x604 0x2000";

/// A hard reset, by the reset control register of the chipset.
const RESET: &str = "o /b 0xcf9 0x6";

/// How long QEMU may take to tell of it.
const TELLS: Duration = Duration::from_secs(5);

/// How long the guest may take to boot again: less than the step has, so that it is told what did not come.
const BOOTS: Duration = Duration::from_secs(20);

impl LibvirtDriver<'_> {
    /// Has the guest do it, and waits until its QEMU has told that the guest did.
    pub(super) async fn by_guest(
        &mut self,
        strike: Strike,
        record: &mut Recorder,
    ) -> Result<Deed, Error> {
        let monitors = std::sync::Arc::clone(&self.ordeal.monitors);
        let mut events = monitors.events(Side::Source).await.map_err(mute)?;
        let lap = self.heartbeat(Side::Source).await?.read().await?;
        if strike == Strike::GuestCrashed {
            let (address, nothing) = migratrix_guest::no_interrupts();
            let socket = self.path(Side::Source, &self.subject.qtest_socket())?;
            qtest::write(socket, address, &nothing).await?;
        } else if strike == Strike::GuestPoweredOff {
            self.write_to_port(POWER_OFF).await?;
        } else {
            self.write_to_port(RESET).await?;
        }
        let tells = |event: &migratrix_qmp::Event| {
            let by_guest = event.data.get("guest").and_then(serde_json::Value::as_bool);
            by_guest == Some(true)
        };
        let told = events.wait("of what the guest does", TELLS, tells).await;
        let told = told.map_err(|error| Error::Monitor(error.to_string()))?;
        let reason = told.data.get("reason").and_then(serde_json::Value::as_str);
        let what = format!("{} ({})", told.name, reason.unwrap_or_default());
        if strike == Strike::GuestRebooted {
            self.begins_anew(lap.unwrap_or_default(), record).await?;
        }
        Ok(Deed::Made { what })
    }

    /// Has the machine take a write to a port. A QEMU that ends by it need not answer.
    async fn write_to_port(&self, line: &str) -> Result<(), Error> {
        let command = json!({ "command-line": line });
        let monitors = &self.ordeal.monitors;
        let asked = monitors.ask(Side::Source, "human-monitor-command", command);
        match asked.await {
            Ok(_) | Err(Mute::Absent) => Ok(()),
            Err(refused) => Err(mute(refused)),
        }
    }

    /// Waits until the guest has begun anew.
    async fn begins_anew(&mut self, before: u32, record: &mut Recorder) -> Result<(), Error> {
        let silent = || Error::Monitor("the guest has not booted again".to_owned());
        let anew = timeout(BOOTS, self.until_anew(before)).await;
        let (heartbeat, lap) = anew.map_err(|_| silent())??;
        let text = format!("the guest has booted again: it was at lap {before}, and is at {lap}");
        record.saw(Observation::Note { text });
        heartbeat.until_lapped().await
    }

    /// Waits until the guest's laps, which only go on otherwise, are fewer than before. A guest that boots writes
    /// little, so that the migration may be done meanwhile: then it boots on on the destination.
    async fn until_anew(&mut self, before: u32) -> Result<(Heartbeat, u32), Error> {
        let mut side = Side::Source;
        let mut heartbeat = self.heartbeat(side).await?;
        let mut tick = Ticks::every(LOOK_EVERY);
        loop {
            tick.tick().await;
            match heartbeat.read().await {
                Ok(Some(lap)) if lap < before => return Ok((heartbeat, lap)),
                Err(Error::Refused(_)) if side == Side::Source => {
                    side = Side::Destination;
                    heartbeat = self.heartbeat(side).await?;
                }
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn mute(mute: Mute) -> Error {
    Error::Monitor(match mute {
        Mute::Absent => "there is no QEMU".to_owned(),
        Mute::Silent => "it is silent".to_owned(),
        Mute::Refused(why) => why,
    })
}

#[cfg(test)]
mod tests {
    use migratrix_contract::Deadlines;

    use super::*;

    #[test]
    fn each_port_is_written_with_the_width_that_its_register_has() {
        // The human monitor's letters for one, two and four bytes.
        let width = |line: &str| match line.split(' ').nth(1).unwrap() {
            "/b" => 1,
            "/h" => 2,
            "/w" => 4,
            other => panic!("{other}"),
        };
        // PM1a_CNT of ACPI, and the reset control register.
        assert_eq!([POWER_OFF, RESET].map(width), [2, 1]);
    }

    #[test]
    fn what_the_guest_does_not_do_is_told_before_the_step_has_no_time_left() {
        assert!(TELLS + BOOTS < Deadlines::default().migrate);
    }
}
