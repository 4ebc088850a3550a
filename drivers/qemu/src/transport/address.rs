//! An address of a migration, in the forms that QEMU takes.

use migratrix_matrix::Address;
use serde_json::{Map, Value, json};

/// Where a stream goes to, or comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A UNIX socket.
    Unix(String),
    /// A port of the loopback interface; 0 lets QEMU choose one.
    Tcp(u16),
    /// A descriptor that was handed over under this name.
    Descriptor(&'static str),
    /// A file from an offset on.
    File { path: String, offset: u64 },
    /// A file from what is no offset on.
    BadFile(String),
    /// A command of the shell.
    Command(String),
}

impl Place {
    /// It as `uri`.
    pub(crate) fn uri(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix:{path}"),
            Self::Tcp(port) => format!("tcp:{LOOPBACK}:{port}"),
            Self::Descriptor(name) => format!("fd:{name}"),
            Self::File { path, offset: 0 } => format!("file:{path}"),
            Self::File { path, offset } => format!("file:{path},offset={offset:#x}"),
            Self::BadFile(path) => format!("file:{path},offset=0x20M"),
            Self::Command(command) => format!("exec:{command}"),
        }
    }

    /// It as the one of `channels`.
    pub(crate) fn channel(&self) -> Value {
        let addr = match self {
            Self::Unix(path) => json!({ "transport": "socket", "type": "unix", "path": path }),
            Self::Tcp(port) => json!({
                "transport": "socket", "type": "inet", "host": LOOPBACK, "port": port.to_string(),
            }),
            Self::Descriptor(name) => json!({ "transport": "socket", "type": "fd", "str": name }),
            Self::File { path, offset } => {
                json!({ "transport": "file", "filename": path, "offset": offset })
            }
            Self::BadFile(path) => json!({ "transport": "file", "filename": path, "offset": -1 }),
            Self::Command(command) => {
                json!({ "transport": "exec", "args": ["/bin/sh", "-c", command] })
            }
        };
        json!({ "channel-type": "main", "addr": addr })
    }

    /// The arguments of `migrate` or `migrate-incoming` that name it in this form.
    pub(crate) fn arguments(&self, form: Address) -> Map<String, Value> {
        let uri = ("uri".to_owned(), json!(self.uri()));
        let channels = ("channels".to_owned(), json!([self.channel()]));
        match form {
            Address::Uri => [uri].into_iter().collect(),
            Address::Channels => [channels].into_iter().collect(),
            Address::Both => [uri, channels].into_iter().collect(),
            Address::Neither => Map::new(),
        }
    }
}

/// The address of the loopback interface.
pub(crate) const LOOPBACK: &str = "127.0.0.1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_form_for_each_release() {
        let file = Place::File {
            path: "/f".to_owned(),
            offset: 4096,
        };
        assert_eq!(file.uri(), "file:/f,offset=0x1000");
        let channels = file.arguments(Address::Channels);
        assert_eq!(channels["channels"][0]["addr"]["offset"], 4096);
        assert_eq!(Place::Tcp(0).uri(), "tcp:127.0.0.1:0");
        assert_eq!(file.arguments(Address::Both).len(), 2);
        assert!(file.arguments(Address::Neither).is_empty());
    }
}
