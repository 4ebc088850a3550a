//! The lab's network: a bridge in the sandbox, a cable to each host, and no way out.
//!
//! The addresses are those of RFC 2544, which are set aside for tests and never routed.

use std::{
    fs::File,
    io::{self, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddrV6, TcpListener},
    process::{Command, Output, Stdio},
    thread,
};

use migratrix_contract::Link;
use nix::sched::{CloneFlags, setns};
use tracing::debug;

use crate::{LabError, process};

/// The bridge that all hosts are at.
pub(crate) const BRIDGE: &str = "migratrix0";
/// The length of the network's prefix, in bits.
const PREFIX: u8 = 16;

/// The address of host number `number`; the bridge's own is that of number 0.
pub(crate) fn address(number: u16) -> Ipv4Addr {
    let [high, low] = (number + 1).to_be_bytes();
    Ipv4Addr::new(198, 18, high, low)
}

/// The hardware address that goes with an address. It is always the same one: a host that was
/// replaced is found at once, where the others would ask for its predecessor for half a minute.
fn hardware(address: Ipv4Addr) -> String {
    let [_, _, high, low] = address.octets();
    format!("02:6d:78:00:{high:02x}:{low:02x}")
}

/// Brings the loopback interface up.
pub(crate) fn loopback_up() -> Result<(), LabError> {
    batch("link set lo up\n")
}

/// Makes the bridge.
pub(crate) fn make_bridge() -> Result<(), LabError> {
    batch(&format!(
        "link add {BRIDGE} address {} type bridge\n\
         addr add {}/{PREFIX} dev {BRIDGE}\n\
         link set {BRIDGE} up\n",
        hardware(address(0)),
        address(0)
    ))
}

/// Lays a cable named `cable` from the bridge to the host of this address, in the network namespace
/// of process `pid`.
pub(crate) fn plug(cable: &str, address: Ipv4Addr, pid: i32) -> Result<(), LabError> {
    batch(&format!(
        "link add {cable} type veth peer name eth0 address {} netns {pid}\n\
         link set {cable} master {BRIDGE} up\n",
        hardware(address)
    ))
}

/// Has a cable carry what is sent, or nothing: its end is at the bridge or at none, which counts at once. A
/// cable that was taken down and up again would be found to be there up to a second later.
pub(crate) fn set(cable: &str, link: Link) -> Result<(), LabError> {
    let place = match link {
        Link::Up => format!("master {BRIDGE}"),
        Link::Down => "nomaster".to_owned(),
    };
    batch(&format!("link set {cable} {place}\n"))
}

/// Takes a cable away, if it is still there: it goes by itself with the host's namespace.
pub(crate) fn unplug(cable: &str) {
    // Where it is gone, nothing failed.
    drop(told(&format!("link del {cable}\n")));
}

/// Brings the interfaces of the host up that we are in.
pub(crate) fn configure_host(address: Ipv4Addr) -> Result<(), LabError> {
    batch(&format!(
        "link set lo up\n\
         addr add {address}/{PREFIX} dev eth0\n\
         link set eth0 up\n"
    ))
}

/// Makes a socket in the network namespace of the process `pid`. It stays in the namespace that it was made
/// in; a thread goes there for it, and ends.
pub(crate) fn made_in<T: Send + 'static>(
    pid: i32,
    make: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
    let made = thread::spawn(move || {
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        make()
    });
    made.join().map_err(|_| io::ErrorKind::Other)?
}

/// Listens to a port on all addresses in the network namespace of the process `pid`.
pub(crate) fn listen_in(pid: i32, port: u16) -> io::Result<TcpListener> {
    let all = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0);
    made_in(pid, move || TcpListener::bind(all))
}

fn batch(lines: &str) -> Result<(), LabError> {
    let (command, output) = told(lines)?;
    process::check(&command, &output)
}

/// How `ip` ends that is told these lines.
fn told(lines: &str) -> Result<(Command, Output), LabError> {
    debug!("tells `ip`: {}", lines.trim_end().replace('\n', "; "));
    let mut command = Command::new("ip");
    command
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = process::spawn(&mut command, "iproute2")?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin
        .write_all(lines.as_bytes())
        .map_err(LabError::system("tell `ip` what to do"))?;
    drop(stdin);
    let output = child
        .wait_with_output()
        .map_err(LabError::system("wait for `ip`"))?;
    Ok((command, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_an_address_of_its_own_within_the_network() {
        assert_eq!(address(0), Ipv4Addr::new(198, 18, 0, 1));
        assert_eq!(address(1), Ipv4Addr::new(198, 18, 0, 2));
        assert_eq!(address(255), Ipv4Addr::new(198, 18, 1, 0));
    }
}
