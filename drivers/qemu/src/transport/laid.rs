//! Relays on the way of the stream: where they lie, and what went by.

use std::os::{fd::OwnedFd, unix::net::UnixStream};

use migratrix_contract::Recorder;
use migratrix_history::Observation;
use migratrix_matrix::Transport;
use migratrix_relay::Relay;

use super::{
    Route,
    address::{LOOPBACK, Place},
};
use crate::{QemuDriver, error::StepError};

/// A relay that was laid, and between what.
#[derive(Debug)]
pub(crate) struct Laid {
    pub(crate) relay: Relay,
    from: Option<String>,
    to: Option<String>,
}

/// How much goes through until the stream is held, in bytes: more than what all channels need to shake
/// hands, and less than the guest stamps.
const BEFORE_HOLD: u64 = 256 << 10;

impl Route {
    /// Lets what comes back from the destination come slowly, after so many bytes more.
    pub(crate) fn slow_back_after(&self, bytes: u64) {
        if let Some(laid) = self.laid.last() {
            laid.relay.slow_back_after(bytes);
        }
    }
}

impl QemuDriver {
    /// Lays a relay between the destination and the address to which the source then goes. Where what carries
    /// the stream is to be looked at, it holds it until then, so that this is not seen by luck.
    pub(crate) fn relay_stream(&mut self) -> Result<(), StepError> {
        match self.subject.raw.transport {
            Transport::Unix => drop(self.lay_relay()?),
            Transport::Tcp => self.lay_relay_of_ports()?,
            Transport::Fd => self.lay_relay_of_descriptors()?,
            Transport::FdFile
            | Transport::File
            | Transport::FileOffset
            | Transport::FileFdset
            | Transport::Exec => {
                return Err(StepError::NotApplicable("a file is passed on by nobody"));
            }
        }
        if let (Some(laid), true) = (self.route.laid.last(), self.subject.raw.is_wired()) {
            drop(laid.relay.shut_after(BEFORE_HOLD));
        }
        Ok(())
    }

    /// The relay that was laid last.
    pub(crate) fn relay(&self) -> Result<&Relay, StepError> {
        let last = self.route.laid.last().map(|laid| &laid.relay);
        last.ok_or(StepError::NotApplicable("there is no relay"))
    }

    /// Lets go what relays hold.
    pub(crate) fn let_stream_go(&self) {
        for laid in &self.route.laid {
            laid.relay.open();
        }
    }

    /// Lays a relay between the destination's socket and another one, to which the source goes.
    pub(crate) fn lay_relay(&mut self) -> Result<Place, StepError> {
        let to = self.socket();
        self.turn();
        let from = self.socket();
        let relay = Relay::lay(&from, &to, self.subject.guest);
        self.route.laid.push(Laid {
            relay: relay.map_err(unlaid)?,
            from: Some(from.clone()),
            to: Some(to),
        });
        Ok(Place::Unix(from))
    }

    fn lay_relay_of_ports(&mut self) -> Result<(), StepError> {
        let to = self.route.port;
        let (from, relay) = Relay::lay_ports(to, self.subject.guest).map_err(unlaid)?;
        self.route.port = from;
        let address = |port: u16| Some(format!("{LOOPBACK}:{port}"));
        self.route.laid.push(Laid {
            relay,
            from: address(from),
            to: address(to),
        });
        Ok(())
    }

    fn lay_relay_of_descriptors(&mut self) -> Result<(), StepError> {
        let far = self.route.end.take();
        let far = far.ok_or(StepError::NotApplicable("nothing was handed over"))?;
        let (near, end) = UnixStream::pair().map_err(unlaid)?;
        let relay = Relay::between(near, far.into(), self.subject.guest).map_err(unlaid)?;
        self.route.end = Some(OwnedFd::from(end));
        self.route.laid.push(Laid {
            relay,
            from: None,
            to: None,
        });
        Ok(())
    }

    /// Records what went by.
    pub(crate) fn inspect_wire(&self, record: &mut Recorder) {
        for laid in &self.route.laid {
            record.saw(Observation::Wire {
                from: laid.from.clone(),
                to: laid.to.clone(),
                connections: laid.relay.heard(),
            });
        }
    }
}

fn unlaid(error: std::io::Error) -> StepError {
    StepError::system("lay a relay")(error)
}
