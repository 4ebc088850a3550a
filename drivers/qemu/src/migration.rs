//! A migration as such: its settings, its way through its states, postcopy and checkpoint-restart.

pub(crate) mod carriers;
mod channels;
pub(crate) mod configure;
pub(crate) mod cpr;
mod postcopy;
pub(crate) mod progress;
mod strike;
pub(crate) mod trail;
mod wait;

use migratrix_contract::{RawStep, Recorder};

use crate::{QemuDriver, error::StepError};

impl QemuDriver {
    pub(crate) async fn migration(
        &mut self,
        step: RawStep,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        match step {
            RawStep::Launch(side) => self.launch(side, record).await,
            RawStep::Configure(side) => self.configure(side, record).await,
            RawStep::AskSettings(side) => self.ask_settings(side, record).await,
            RawStep::SwitchOn(side) => self.switch_on(side, record).await,
            RawStep::AwaitSleep(side) => self.await_sleep(side, record).await,
            RawStep::Wake(side) => self.wake(side, record).await,
            RawStep::UseDevice(side, when) => self.use_device(side, when, record).await,
            RawStep::Listen => self.listen(record).await,
            RawStep::Migrate => self.migrate(record).await,
            RawStep::Await(side, state) => self.await_status(side, &state.into(), record).await,
            RawStep::AwaitPass => self.await_pass(record).await,
            RawStep::CountChannels => self.count_channels(record).await,
            RawStep::InspectCarriers => self.inspect_carriers(record).await,
            RawStep::InspectPostcopy => self.inspect_postcopy(record).await,
            RawStep::Relay => self.relay_stream(),
            RawStep::InspectWire => {
                self.inspect_wire(record);
                Ok(())
            }
            RawStep::Converge => self.converge(record).await,
            RawStep::ConvergeSlowly => self.converge_slowly(record).await,
            RawStep::StartPostcopy => self.start_postcopy(record).await,
            RawStep::Cancel => self.cancel(record).await,
            RawStep::CancelTwice => self.cancel_twice(record).await,
            RawStep::Proceed => self.proceed(record).await,
            RawStep::Lose => self.lose(record).await,
            RawStep::Recover => self.recover(record).await,
            RawStep::RecoverInVain => self.recover_in_vain(record).await,
            RawStep::RecoverNowhere => self.recover_nowhere(record).await,
            RawStep::Replace => self.replace(record).await,
            RawStep::Strike(blow) => self.strike(blow, record).await,
            RawStep::ReadStream => self.read_stream(record).await,
            RawStep::PlugDevice(side) => self.plug_device(side, record).await,
            RawStep::SetClock(side) => self.set_clock(side).await,
            RawStep::DisturbDevice(side) => self.disturb_device(side).await,
            RawStep::CutStream => self.cut_stream(),
            RawStep::StopQemu(side) => self.stop_qemu(side),
            RawStep::Garble(side) => self.garble(side),
        }
    }
}
