//! The certificates that the QEMUs of both hosts encrypt a migration by.
//!
//! libvirt names their folder to a QEMU when a migration asks for that (`default_tls_x509_cert_dir` in qemu.conf), so
//! a daemon needs not be started anew for them. The destination's QEMU is the server of the connection, and the
//! source's the client, which verifies it.

use std::{fs, io, path::Path};

use migratrix_certificates::{Authority, Pair, Validity};
use migratrix_history::Side;
use migratrix_matrix::Strike;

use super::obstacle::host_name;
use crate::{Error, LibvirtDriver};

/// Where QEMU looks for them, unless a host's configuration names another folder.
const FOLDER: &str = "/etc/pki/qemu";

impl LibvirtDriver<'_> {
    /// Gives both hosts certificates, of which the destination's own is wrong if that is what strikes.
    pub(super) fn give_certificates(&self, strike: Strike) -> Result<(), Error> {
        let trusted = Authority::new()?;
        self.write_certificates(Side::Source, &trusted, ("client", trusted.client()?))?;
        let signs = match strike == Strike::TlsForeign {
            true => Authority::foreign()?,
            false => trusted,
        };
        let validity = match strike == Strike::TlsExpired {
            true => Validity::Expired,
            false => Validity::Always,
        };
        let name = host_name(&*self.destination);
        let address = self.destination.captured_address();
        let address = address.map(|address| address.to_string());
        let hosts: Vec<&str> = [Some(name.as_str()), address.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let server = signs.server(&hosts, validity)?;
        self.write_certificates(Side::Destination, &signs, ("server", server))
    }

    /// Writes who is trusted on a side, and its own certificate.
    fn write_certificates(
        &self,
        side: Side,
        trusted: &Authority,
        (end, own): (&str, Pair),
    ) -> Result<(), Error> {
        let folder = self.path(side, FOLDER)?;
        fs::create_dir_all(&folder).map_err(cannot(&folder))?;
        for (name, text) in [
            ("ca-cert", trusted.certificate()?),
            (&format!("{end}-cert"), own.certificate),
            (&format!("{end}-key"), own.key),
        ] {
            let path = folder.join(name).with_extension("pem");
            fs::write(&path, text).map_err(cannot(&path))?;
        }
        Ok(())
    }

    /// Takes the certificates from both hosts again.
    pub(super) fn take_certificates(&self) -> Result<(), Error> {
        for side in Side::BOTH {
            let folder = self.path(side, FOLDER)?;
            match fs::remove_dir_all(&folder) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(cannot(&folder)(source));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

fn cannot(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    |source| Error::File { path, source }
}
