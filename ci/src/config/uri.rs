//! URIs of libvirt: `qemu+ssh://root@a:22/system`. See <https://libvirt.org/uri.html>.

/// How a daemon is reached.
const TRANSPORTS: [&str; 7] = ["tls", "unix", "ssh", "ext", "tcp", "libssh", "libssh2"];

/// The transports that need a host's name.
const REMOTE: [&str; 5] = ["tls", "ssh", "tcp", "libssh", "libssh2"];

/// The daemons of a host.
const DAEMONS: [&str; 2] = ["/system", "/session"];

/// What is wrong with a URI, if anything is.
pub fn wrong(uri: &str) -> Option<String> {
    if uri.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Some("is no libvirt URI".to_owned());
    }
    let Some((scheme, rest)) = uri.split_once("://") else {
        return Some("is no libvirt URI".to_owned());
    };
    let (driver, transport) = match scheme.split_once('+') {
        Some((driver, transport)) => (driver, Some(transport)),
        None => (scheme, None),
    };
    if driver != "qemu" {
        return Some("is of no QEMU driver, which alone is tested".to_owned());
    }
    if let Some(foreign) = transport.filter(|one| !TRANSPORTS.contains(one)) {
        let all = TRANSPORTS.join(", ");
        return Some(format!(
            "has the transport `{foreign}`, which is none of {all}"
        ));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let daemon = path.split(['?', '#']).next().unwrap_or(path);
    if !DAEMONS.contains(&daemon) {
        return Some(format!(
            "names no daemon, which is one of {}",
            DAEMONS.join(" and ")
        ));
    }
    of_authority(authority, transport)
}

/// What is wrong with what stands for the host.
fn of_authority(authority: &str, transport: Option<&str>) -> Option<String> {
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    // The colons of an IPv6 address stand in brackets.
    let behind = place.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match place[behind..].split_once(':') {
        Some((name, port)) => (&place[..behind + name.len()], Some(port)),
        None => (place, None),
    };
    let needs_host = transport.is_some_and(|one| REMOTE.contains(&one));
    if host.is_empty() && (needs_host || !authority.is_empty()) {
        return Some("names no host".to_owned());
    }
    let is_port = |port: &&str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let bad = port.filter(|port| !is_port(port))?;
    Some(format!(
        "has the port `{bad}`, which is none from 1 to 65535"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_transport_a_host_a_port_and_a_daemon_that_there_can_be() {
        for good in [
            "qemu:///system",
            "qemu:///session",
            "qemu+unix:///system?socket=/run/a",
            "qemu://a/system",
            "qemu+ssh://root@a.example.org/system",
            "qemu+ssh://root@a:22/session?keyfile=/k",
            "qemu+tcp://127.0.0.1:1/system",
            "qemu+tls://[fe80::1]:16514/system",
            "qemu+libssh2://a/system",
            "qemu+ext:///system?command=/c",
        ] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for (bad, why) in [
            ("", "no libvirt URI"),
            ("nonsense", "no libvirt URI"),
            ("qemu://a b/system", "no libvirt URI"),
            ("xen:///system", "no QEMU driver"),
            ("qemu://", "names no daemon"),
            ("qemu+ssh://", "names no daemon"),
            ("qemu+ssh://a", "names no daemon"),
            ("qemu+ssh://a/", "names no daemon"),
            ("qemu+tcp:///system", "names no host"),
            ("qemu+ssh://root@/system", "names no host"),
            ("qemu://:16514/system", "names no host"),
            ("qemu+tcp://a:99999/system", "`99999`"),
            ("qemu+tcp://a:0/system", "`0`"),
            ("qemu+tcp://[::1]:x/system", "`x`"),
            ("qemu+://a/system", "transport ``"),
            ("qemu+rsh://a/system", "transport `rsh`"),
        ] {
            let told = wrong(bad).unwrap_or_default();
            assert!(told.contains(why), "{bad}: {told}");
        }
    }
}
