//! What stands in the way of a migration before it is asked for, and is taken away again.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function puts one kind of thing in the way, and the last refuses what is left"
)]

use std::{fs, io, net::TcpListener, path::Path, sync::Arc};

use migratrix_client::wire::{DomainAction, Op};
use migratrix_contract::{Folder, Gate, HookPoint, Host, Subject, Variant, other_name};
use migratrix_history::{Deed, Side};
use migratrix_matrix::{Point, Scenario, Strike};

use super::control;
use crate::{Error, LibvirtDriver, client::done, domain_xml, image};
use Side::Destination;

/// How much memory a destination's QEMU may have that is to be too little, in bytes.
const SHORT: u64 = 256 << 20;

/// How a domain is there that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occupies {
    /// It is defined.
    Defined,
    /// It is active, and paused.
    Active,
}

/// What stands in the way.
pub(crate) enum Obstacle {
    /// A domain of this name, which is not the case's own.
    Domain { name: String, how: Occupies },
    /// A gate of the hook script.
    Gate,
    /// A folder that is full.
    Full(Folder),
    /// A bound on memory.
    Short,
    /// The guest's disk is not there, or is another one.
    Disk,
    /// Somebody listens on the port.
    Listener(#[expect(dead_code, reason = "it listens until it is dropped")] TcpListener),
    /// Certificates of the case, on both hosts.
    Certificates,
    /// The call itself is made so.
    OfTheCall,
}

impl LibvirtDriver<'_> {
    /// What a migration that is struck on its way needs, and a host has not got.
    pub(crate) async fn lacks_to_be_struck(&mut self) -> Option<String> {
        let point = self.struck().ok()?;
        for host in [&self.source, &self.destination] {
            if host.control().is_none() {
                let host = host.release();
                return Some(format!(
                    "what the lab has on its hosts: {host} is a machine of its own"
                ));
            }
        }
        // A host that can't be asked is the case's own to tell of.
        self.choose_unknown(point.strike).await.ok().flatten()
    }

    /// Puts on the destination what stands in the way.
    pub(super) async fn put_in_the_way(&mut self, strike: Strike) -> Result<Deed, Error> {
        if strike.is_of_guest() {
            return self.ask_who_knows(strike).await;
        }
        let obstacle = match self.domain_in_the_way(strike).await? {
            Some(domain) => Ok(domain),
            None if strike.is_of_encryption() && strike != Strike::TlsMissing => {
                self.give_certificates(strike)?;
                Ok(Obstacle::Certificates)
            }
            None => match self.call_into_the_void(strike)? {
                Some(call) => Ok(call),
                None => self.host_in_the_way(strike).await,
            },
        };
        let obstacle = self.broken(Destination, "can't put something in the way", obstacle)?;
        self.ordeal.obstacle = Some(obstacle);
        let what = strike.word().to_owned();
        Ok(Deed::Made { what })
    }

    /// Another domain that has what the case's own is to have there.
    async fn domain_in_the_way(&mut self, strike: Strike) -> Result<Option<Obstacle>, Error> {
        let (name, uuid) = (self.subject.domain.clone(), self.subject.uuid.clone());
        let foreign = self.subject.foreign_uuid.clone();
        let other = || other_name(&name);
        let (name, uuid, how) = match strike {
            Strike::NameInactive => (name, foreign, Occupies::Defined),
            Strike::NameActive => (name, foreign, Occupies::Active),
            Strike::UuidInactive => (other(), uuid, Occupies::Defined),
            Strike::UuidActive => (other(), uuid, Occupies::Active),
            Strike::DomainActive if self.struck()?.is_prepared() => {
                return self.own_domain().await.map(Some);
            }
            Strike::DomainActive => (name, uuid, Occupies::Active),
            _ => return Ok(None),
        };
        self.occupy(name, &uuid, how).await.map(Some)
    }

    /// A call that can't succeed as it is.
    fn call_into_the_void(&mut self, strike: Strike) -> Result<Option<Obstacle>, Error> {
        let (scheme, host) = match strike {
            Strike::UriUnknown => ("tcp", "nobody.invalid".to_owned()),
            // No host has this address of the lab's network, and none ever will: it is the last.
            Strike::UriUnreachable => ("tcp", "198.18.255.254".to_owned()),
            Strike::UriRefusing => {
                let host = Arc::clone(&self.destination);
                ("tcp", control(&host)?.our_address().to_string())
            }
            Strike::UriScheme => ("odd", "nobody.invalid".to_owned()),
            Strike::TlsMissing | Strike::SameHost => return Ok(Some(Obstacle::OfTheCall)),
            _ => return Ok(None),
        };
        let port = self.free_port()?;
        self.ordeal.routes.uri = Some(format!("{scheme}://{host}:{port}"));
        Ok(Some(Obstacle::OfTheCall))
    }

    /// A port that the destination can listen to: no other case's does, and nobody here.
    fn free_port(&self) -> Result<u16, Error> {
        let host = Arc::clone(&self.destination);
        let listener = control(&host)?.listen(0);
        let address = listener.and_then(|listener| listener.local_addr());
        let address = self.broken(Destination, "can't find a free port", address)?;
        Ok(address.port())
    }

    /// Something of the host itself.
    async fn host_in_the_way(&mut self, strike: Strike) -> io::Result<Obstacle> {
        let host = Arc::clone(&self.destination);
        let control = host.control().ok_or(io::ErrorKind::Unsupported)?;
        let domain = &self.subject.domain;
        let full = |folder| async move {
            control.fill(folder).await?;
            Ok(Obstacle::Full(folder))
        };
        match strike {
            Strike::HookMigrate => {
                control.set_gate(domain, HookPoint::MigrateBegin, Gate::Refuses)?;
                Ok(Obstacle::Gate)
            }
            Strike::HookStart => {
                control.set_gate(domain, HookPoint::StartBegin, Gate::Refuses)?;
                Ok(Obstacle::Gate)
            }
            Strike::StateFolderFull => full(Folder::State).await,
            Strike::LibraryFolderFull => full(Folder::Library).await,
            Strike::LogFolderFull => full(Folder::Log).await,
            Strike::MemoryShort => {
                control.limit_memory(Some(SHORT))?;
                Ok(Obstacle::Short)
            }
            Strike::DiskMissing => {
                let image = host.path(&self.subject.boot_image);
                fs::remove_file(image.ok_or(io::ErrorKind::Unsupported)?)?;
                Ok(Obstacle::Disk)
            }
            Strike::DiskUnreadable | Strike::DiskShort => {
                let image = host.path(&self.subject.boot_image);
                spoil(&image.ok_or(io::ErrorKind::Unsupported)?, strike)?;
                Ok(Obstacle::Disk)
            }
            Strike::PortTaken => {
                let listener = control.listen(0)?;
                let port = listener.local_addr()?.port();
                self.ordeal.routes.uri = Some(format!("tcp://{}:{port}", host_name(&*host)));
                Ok(Obstacle::Listener(listener))
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The case's own domain, whose configuration is there already: paused, so that no guest runs twice.
    async fn own_domain(&mut self) -> Result<Obstacle, Error> {
        let name = self.subject.domain.clone();
        self.act(Destination, DomainAction::CreatePaused).await?;
        let how = Occupies::Active;
        Ok(Obstacle::Domain { name, how })
    }

    /// Defines a domain on the destination, or starts one, which is paused then.
    async fn occupy(&mut self, name: String, uuid: &str, how: Occupies) -> Result<Obstacle, Error> {
        let xml = domain_xml(&self.other(&name), uuid, Variant::Plain);
        let side = Destination;
        let client = self.on(side).await?;
        match how {
            Occupies::Defined => done(client, Op::Define { side, xml }).await?,
            Occupies::Active => {
                let paused = true;
                done(client, Op::CreateXml { side, xml, paused }).await?;
            }
        }
        Ok(Obstacle::Domain { name, how })
    }

    /// A plain domain of this name, without what the case's own has for itself.
    pub(super) fn other(&self, name: &str) -> Subject {
        let mut other = self.subject.clone();
        other.domain = name.to_owned();
        other.cpu = None;
        other.point = Point::Tck(Scenario::USUAL);
        other
    }

    /// Has the guest's disk on the destination as it must be, whatever it was made to be.
    fn put_disk_back(&self) -> Result<(), Error> {
        let host = &self.destination;
        let image = host.path(&self.subject.boot_image);
        if let Some(path) = image.filter(|path| path.exists()) {
            let removed = match path.is_dir() {
                true => fs::remove_dir(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(|source| Error::File { path, source })?;
        }
        image::provide(&**host, &self.subject)
    }

    /// Takes away what stands in the way.
    pub(super) async fn remove_obstacle(&mut self) -> Result<(), Error> {
        let Some(obstacle) = self.ordeal.obstacle.take() else {
            return Ok(());
        };
        let host = Arc::clone(&self.destination);
        let control = control(&host)?;
        let done = match obstacle {
            Obstacle::Domain { name, how } => {
                let act = match how {
                    Occupies::Defined => DomainAction::Undefine,
                    Occupies::Active => DomainAction::Destroy,
                };
                self.act_on(Destination, name, act).await?;
                Ok(())
            }
            Obstacle::Gate => control.open_gates(&self.subject.domain),
            Obstacle::Full(folder) => control.empty(folder).await,
            Obstacle::Short => control.limit_memory(None),
            Obstacle::Disk => return self.put_disk_back(),
            Obstacle::Certificates => return self.take_certificates(),
            Obstacle::Listener(_) | Obstacle::OfTheCall => Ok(()),
        };
        self.ordeal.routes.uri = None;
        self.broken(Destination, "can't take away what is in the way", done)
    }
}

/// Puts a folder in the place of a disk, as what mounts it may leave one where the disk is not; or has it end half-way.
fn spoil(image: &Path, strike: Strike) -> io::Result<()> {
    if strike == Strike::DiskUnreadable {
        fs::remove_file(image)?;
        return fs::create_dir(image);
    }
    let file = fs::OpenOptions::new().write(true).open(image)?;
    let whole = file.metadata()?.len();
    file.set_len(whole / 2)
}

/// The name by which other hosts know the host.
pub(super) fn host_name(host: &dyn Host) -> String {
    let uri = host.peer_uri();
    let rest = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    let name = rest.split_once('/').map_or(rest, |(name, _)| name);
    name.to_owned()
}
