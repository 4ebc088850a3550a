//! What TLS needs of the two sides: objects that hold keys, and parameters that name them.

use migratrix_certificates::{Authority, CLIENT, OTHER_HOST, Pair, Validity};
use migratrix_contract::Recorder;
use migratrix_history::Side;
use migratrix_matrix::{Incident, Raw, Tls, Transport, Version};
use serde_json::{Map, Value, json};

use super::address::LOOPBACK;
use crate::{error::StepError, party::Party, scratch::Scratch};

const CREDENTIALS: &str = "credentials";
const ADMISSION: &str = "admission";

/// The common name of a client that nobody has.
const OTHER_CLIENT: &str = "another-client";

/// The user of the pre-shared key, and two keys, in hexadecimal.
const USER: &str = "migratrix";
const KEY: &str = "6d6967726174726978206b6579206f6e65";
const OTHER_KEY: &str = "6d6967726174726978206b65792074776f";

/// Gives a side its credentials, and says which parameters name them.
pub(crate) async fn provide(
    raw: &Raw,
    party: &mut Party,
    scratch: &Scratch,
    record: &mut Recorder,
) -> Result<Map<String, Value>, StepError> {
    let tls = raw.tls;
    let mut parameters = Map::new();
    let credentials = match tls {
        Tls::None => return Ok(parameters),
        Tls::Psk | Tls::PskMismatch => shared_key(tls, party.side, scratch)?,
        Tls::X509
        | Tls::X509OverrideHost
        | Tls::X509MismatchHost
        | Tls::X509FriendlyClient
        | Tls::X509HostileClient
        | Tls::X509AllowAnonymous
        | Tls::X509RejectAnonymous => certificates(tls, party.side, scratch)?,
    };
    add_object(party, CREDENTIALS, credentials, record).await?;
    parameters.insert("tls-creds".to_owned(), json!(CREDENTIALS));
    if let (Some(client), Side::Destination) = (admitted(tls), party.side) {
        let admission = json!({ "qom-type": "authz-simple", "identity": format!("CN={client}") });
        add_object(party, ADMISSION, admission, record).await?;
        parameters.insert("tls-authz".to_owned(), json!(ADMISSION));
    }
    if (tls, party.side) == (Tls::X509OverrideHost, Side::Source) {
        parameters.insert("tls-hostname".to_owned(), json!(OTHER_HOST));
    }
    if party.side == Side::Source && wants_host(raw, party.host.abilities.version) {
        parameters.insert("tls-hostname".to_owned(), json!(LOOPBACK));
    }
    Ok(parameters)
}

/// Whether a name of a host must be there that nobody looks at: before QEMU 7.1 there is no
/// encryption without one (`migration/tls.c`), and only an address of TCP brings one.
fn wants_host(raw: &Raw, version: Version) -> bool {
    let is_shared_key = matches!(raw.tls, Tls::Psk | Tls::PskMismatch);
    // Postcopy is recovered over a UNIX socket.
    let is_always_tcp = raw.transport == Transport::Tcp && raw.incident != Incident::Recover;
    is_shared_key && !is_always_tcp && version < Version::new(7, 1, 0)
}

/// The object that holds a pre-shared key.
fn shared_key(tls: Tls, side: Side, scratch: &Scratch) -> Result<Value, StepError> {
    let is_other = (tls, side) == (Tls::PskMismatch, Side::Destination);
    let key = if is_other { OTHER_KEY } else { KEY };
    let folder = folder(side);
    scratch.make_within(folder)?;
    let line = format!("{USER}:{key}\n");
    scratch.write(&format!("{folder}/keys.psk"), line.as_bytes())?;
    let mut object = json!({
        "qom-type": "tls-creds-psk", "endpoint": endpoint(side), "dir": scratch.text(folder),
    });
    if side == Side::Source {
        object["username"] = json!(USER);
    }
    Ok(object)
}

/// The object that holds certificates.
fn certificates(tls: Tls, side: Side, scratch: &Scratch) -> Result<Value, StepError> {
    let authority = Authority::new()?;
    let folder = folder(side);
    scratch.make_within(folder)?;
    let file =
        |name: &str, pem: String| scratch.write(&format!("{folder}/{name}.pem"), pem.as_bytes());
    file("ca-cert", authority.certificate()?)?;
    let pair = match side {
        Side::Destination => Some(("server", authority.server(&[host(tls)], Validity::Always)?)),
        Side::Source if is_anonymous(tls) => None,
        Side::Source => Some(("client", authority.client()?)),
    };
    if let Some((name, Pair { certificate, key })) = pair {
        file(&format!("{name}-cert"), certificate)?;
        file(&format!("{name}-key"), key)?;
    }
    Ok(json!({
        "qom-type": "tls-creds-x509", "endpoint": endpoint(side), "dir": scratch.text(folder),
        "verify-peer": side == Side::Source || tls != Tls::X509AllowAnonymous,
    }))
}

/// The host that the server's certificate names.
const fn host(tls: Tls) -> &'static str {
    match tls {
        Tls::X509OverrideHost | Tls::X509MismatchHost => OTHER_HOST,
        Tls::None
        | Tls::Psk
        | Tls::PskMismatch
        | Tls::X509
        | Tls::X509FriendlyClient
        | Tls::X509HostileClient
        | Tls::X509AllowAnonymous
        | Tls::X509RejectAnonymous => LOOPBACK,
    }
}

/// Whether the client has no certificate.
const fn is_anonymous(tls: Tls) -> bool {
    matches!(tls, Tls::X509AllowAnonymous | Tls::X509RejectAnonymous)
}

/// The only client that the server admits, if it chooses.
const fn admitted(tls: Tls) -> Option<&'static str> {
    match tls {
        Tls::X509FriendlyClient => Some(CLIENT),
        Tls::X509HostileClient => Some(OTHER_CLIENT),
        Tls::None
        | Tls::Psk
        | Tls::PskMismatch
        | Tls::X509
        | Tls::X509OverrideHost
        | Tls::X509MismatchHost
        | Tls::X509AllowAnonymous
        | Tls::X509RejectAnonymous => None,
    }
}

const fn endpoint(side: Side) -> &'static str {
    match side {
        Side::Source => "client",
        Side::Destination => "server",
    }
}

/// The folder of a side's credentials, within the case's.
const fn folder(side: Side) -> &'static str {
    match side {
        Side::Source => "tls-source",
        Side::Destination => "tls-destination",
    }
}

/// Adds an object, in the form that the release takes.
async fn add_object(
    party: &mut Party,
    name: &str,
    object: Value,
    record: &mut Recorder,
) -> Result<(), StepError> {
    let mut arguments = object;
    if party.host.abilities.command_takes("object-add", "props") {
        let mut properties = arguments;
        let kind = properties
            .as_object_mut()
            .and_then(|all| all.remove("qom-type"));
        arguments = json!({ "qom-type": kind, "props": properties });
    }
    arguments["id"] = json!(name);
    party.command("object-add", arguments, record).await?;
    Ok(())
}
