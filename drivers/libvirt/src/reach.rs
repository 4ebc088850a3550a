//! Whether a host answers at all: asked before anything is done to it.

use std::{ffi::OsString, time::Duration};

use migratrix_client::wire::{Op, Said};
use migratrix_history::Side;
use migratrix_matrix::Version;
use tokio::time::timeout;

use crate::{Client, Error, Program};

/// What a host that answers says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// What it calls itself.
    pub hostname: String,
    /// Its libvirt.
    pub libvirt: Version,
    /// Its QEMU.
    pub qemu: Version,
}

/// Connects to `uri` by a client that `command` starts.
///
/// # Errors
/// Returns why there is no answer within `patience`.
pub async fn reach(command: &[OsString], uri: &str, patience: Duration) -> Result<Reached, Error> {
    let client = Client::start(&Program::new(command.to_vec()))?;
    let open = Op::Open {
        side: Side::Source,
        uri: uri.to_owned(),
    };
    let silent = |_| Error::Silent {
        asked: "open".to_owned(),
        patience,
    };
    let said = timeout(patience, client.ask(open))
        .await
        .map_err(silent)??;
    let Said::Host(facts) = said else {
        return Err(Error::Malformed("open"));
    };
    Ok(Reached {
        hostname: facts.hostname,
        libvirt: Version::from_libvirt(facts.libvirt),
        qemu: Version::from_libvirt(facts.hypervisor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn reached(script: &str) -> Result<Reached, String> {
        let command = ["sh", "-c", script].map(OsString::from);
        let reached = reach(&command, "qemu://a/system", Duration::from_millis(500)).await;
        reached.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_host_that_answers_says_what_it_runs() {
        let answer =
            r#"{"id":1,"ok":{"host":{"hostname":"a","libvirt":9000000,"hypervisor":7002000}}}"#;
        let host = reached(&format!("read a; echo '{answer}'; read b"))
            .await
            .unwrap();
        assert_eq!(host.hostname, "a");
        assert_eq!(host.libvirt.to_string(), "9.0.0");
        assert_eq!(host.qemu.to_string(), "7.2.0");
    }

    #[tokio::test]
    async fn a_host_that_never_answers_costs_the_patience_that_is_given() {
        let why = reached("read a; exec sleep 60").await.unwrap_err();
        assert!(why.contains("did not answer `open`"), "{why}");
    }
}
