//! The ways of a migration between its hosts: the data's and the daemons' calls, each through a relay of ours
//! where the case needs one.

use std::net::SocketAddrV4;

use migratrix_contract::{Host, HostControl};
use migratrix_guest::Parameters;
use migratrix_matrix::{Control, Recovery, RecoveryMoment, Strike};
use migratrix_relay::Relay;

/// The port of a host's daemon (`tcp_port` in libvirtd.conf).
const DAEMON: u16 = 16_509;

/// Those of one case.
#[derive(Default)]
pub(crate) struct Routes {
    /// Where the guest's memory goes.
    pub(crate) data: Option<Route>,
    /// Where the destination's daemon is called.
    pub(crate) management: Option<Route>,
    /// The URI that the call names for the data, where it is none of a relay.
    pub(crate) uri: Option<String>,
    /// Whether the relay of the data holds a pass over memory, until it may end.
    pub(crate) holds_pass: bool,
}

/// A way through a relay.
pub(crate) struct Route {
    /// The URI of the relay.
    pub(crate) uri: String,
    pub(crate) relay: Relay,
}

impl Routes {
    /// Lays those that the case needs.
    pub(crate) fn lay(
        point: &Recovery,
        destination: &dyn Host,
        control: &dyn HostControl,
        guest: Parameters,
    ) -> std::io::Result<Self> {
        let address = destination
            .captured_address()
            .ok_or(std::io::ErrorKind::Unsupported)?;
        let ours = control.our_address();
        let lay = |port| Relay::lay_tcp(ours, SocketAddrV4::new(address, port), guest);
        let data = if relays_data(point) {
            // The destination listens on the port that the call names, which is the relay's.
            let (port, relay) = lay(0)?;
            let uri = format!("tcp://{ours}:{port}");
            Some(Route { uri, relay })
        } else {
            None
        };
        let management = if relays_management(point) {
            let (port, relay) = lay(DAEMON)?;
            let uri = format!("qemu+tcp://{ours}:{port}/system");
            Some(Route { uri, relay })
        } else {
            None
        };
        Ok(Self {
            data,
            management,
            uri: None,
            holds_pass: holds_pass(point),
        })
    }

    /// Those that there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Route> {
        self.data.iter().chain(&self.management)
    }

    /// Whether data have gone by, where they go through a relay.
    pub(crate) fn has_passed_data(&self) -> bool {
        let data = self.data.as_ref();
        data.is_none_or(|route| route.relay.passed() > 0)
    }

    /// The URI that the call names for the data; `None` where the destination chooses.
    pub(crate) fn data_uri(&self) -> Option<String> {
        let relayed = self.data.as_ref().map(|route| route.uri.clone());
        self.uri.clone().or(relayed)
    }
}

fn relays_data(point: &Recovery) -> bool {
    let holds = matches!(
        point.moment,
        RecoveryMoment::PostcopyMiddle | RecoveryMoment::PostcopyEnd
    );
    holds || holds_pass(point) || point.strike.is_of_data()
}

/// Whether the relay has to hold a pass over memory: that of a paused guest is over within two seconds by any
/// bandwidth. A tunnel has no connection for the data alone.
fn holds_pass(point: &Recovery) -> bool {
    let is_alone = point.control() != Control::Tunnelled && !point.strike.is_of_data();
    point.moment.is_pass() && is_alone && !point.runs()
}

fn relays_management(point: &Recovery) -> bool {
    let cuts = matches!(point.strike, Strike::ManagementReset | Strike::ReplyLost);
    let hears = matches!(point.moment, RecoveryMoment::Finish | RecoveryMoment::Reply);
    cuts || hears
}
