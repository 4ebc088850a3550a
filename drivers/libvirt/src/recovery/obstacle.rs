//! What stands in the way of a migration before it is asked for, and is taken away again.

use std::{fs, net::TcpListener, sync::Arc};

use migratrix_client::wire::{DomainAction, Op};
use migratrix_contract::{Folder, Gate, HookPoint, Host, Subject, Variant};
use migratrix_history::{Deed, Side};
use migratrix_matrix::{Point, Scenario, Strike};

use super::control;
use crate::{Error, LibvirtDriver, client::done, domain_xml, image};
use Side::Destination;

/// How much memory a destination's QEMU may have that is to be too little, in bytes.
const SHORT: u64 = 256 << 20;

/// What stands in the way.
pub(crate) enum Obstacle {
    /// A domain of this name, which is not the case's own.
    Domain {
        name: String,
        is_active: bool,
        is_kept: bool,
    },
    /// A gate of the hook script.
    Gate,
    /// A folder that is full.
    Full(Folder),
    /// A bound on memory.
    Short,
    /// The guest's disk is not there.
    NoDisk,
    /// Somebody listens on the port.
    Listener(#[expect(dead_code, reason = "it listens until it is dropped")] TcpListener),
    /// The call itself is made so.
    OfTheCall,
}

impl LibvirtDriver<'_> {
    /// What a migration that is struck on its way needs, and a host has not got.
    pub(crate) fn lacks_to_be_struck(&self) -> Option<String> {
        let point = self.struck().ok()?;
        for host in [&self.source, &self.destination] {
            if host.control().is_none() {
                let host = host.release();
                return Some(format!(
                    "what the lab has on its hosts: {host} is a machine of its own"
                ));
            }
        }
        let unknown = [
            (Strike::MachineUnknown, "a machine"),
            (Strike::CpuModelUnknown, "a processor"),
            (Strike::CpuFeatureUnknown, "a processor's feature"),
        ];
        let (_, what) = unknown.into_iter().find(|(of, _)| *of == point.strike)?;
        Some(format!("{what} that the destination does not know"))
    }

    /// Puts on the destination what stands in the way.
    pub(super) async fn put_in_the_way(&mut self, strike: Strike) -> Result<Deed, Error> {
        let host = Arc::clone(&self.destination);
        let control = control(&host)?;
        let domain = self.subject.domain.clone();
        let refuses = |at| control.set_gate(&domain, at, Gate::Refuses);
        let full =
            |folder| async move { control.fill(folder).await.map(|()| Obstacle::Full(folder)) };
        let made = match strike {
            Strike::NameInactive => Ok(self.other_name(domain.clone(), false).await?),
            Strike::NameActive => Ok(self.other_name(domain.clone(), true).await?),
            Strike::UuidInactive => Ok(self.same_uuid(false).await?),
            Strike::UuidActive => Ok(self.same_uuid(true).await?),
            Strike::DomainActive => Ok(self.same_domain().await?),
            Strike::HookMigrate => refuses(HookPoint::MigrateBegin).map(|()| Obstacle::Gate),
            Strike::HookStart => refuses(HookPoint::StartBegin).map(|()| Obstacle::Gate),
            Strike::StateFolderFull => full(Folder::State).await,
            Strike::LibraryFolderFull => full(Folder::Library).await,
            Strike::LogFolderFull => full(Folder::Log).await,
            Strike::MemoryShort => control.limit_memory(Some(SHORT)).map(|()| Obstacle::Short),
            Strike::DiskMissing => {
                let path = self.path(Destination, &self.subject.boot_image)?;
                fs::remove_file(path).map(|()| Obstacle::NoDisk)
            }
            Strike::PortTaken => control.listen(0).and_then(|listener| {
                let port = listener.local_addr()?.port();
                self.ordeal.routes.uri = Some(format!("tcp://{}:{port}", host_name(&*host)));
                Ok(Obstacle::Listener(listener))
            }),
            Strike::UriUnknown => Ok(self.call_names("tcp://nobody.invalid:49300".to_owned())),
            // No host has this address of the lab's network, and none ever will: it is the last.
            Strike::UriUnreachable => Ok(self.call_names("tcp://198.18.255.254:49300".to_owned())),
            Strike::UriRefusing => {
                let ours = control.our_address();
                Ok(self.call_names(format!("tcp://{ours}:49300")))
            }
            Strike::UriScheme => Ok(self.call_names("odd://nobody.invalid:49300".to_owned())),
            Strike::TlsMissing => Ok(Obstacle::OfTheCall),
            Strike::MachineUnknown | Strike::CpuModelUnknown | Strike::CpuFeatureUnknown => {
                Ok(Obstacle::OfTheCall)
            }
            Strike::Cancelled
            | Strike::ClientKilled
            | Strike::SourceQemuKilled
            | Strike::DestinationQemuKilled
            | Strike::SourceQemuStopped
            | Strike::DestinationQemuStopped
            | Strike::SourceDaemonKilled
            | Strike::DestinationDaemonKilled
            | Strike::SourceDaemonSilent
            | Strike::DestinationDaemonSilent
            | Strike::SourceDestroyed
            | Strike::DestinationDestroyed
            | Strike::DataReset
            | Strike::DataStalled
            | Strike::ManagementReset
            | Strike::ReplyLost
            | Strike::LinkDown
            | Strike::Suspended
            | Strike::Resumed
            | Strike::NeverConverges
            | Strike::Undisturbed
            | Strike::PostcopyPaused
            | Strike::DaemonDead => return Err(Error::NotBegun),
        };
        let made = self.broken(Destination, "can't put something in the way", made)?;
        self.ordeal.obstacle = Some(made);
        let what = strike.word().to_owned();
        Ok(Deed::Made { what })
    }

    fn call_names(&mut self, uri: String) -> Obstacle {
        self.ordeal.routes.uri = Some(uri);
        Obstacle::OfTheCall
    }

    /// A domain with this name and another UUID.
    async fn other_name(&mut self, name: String, active: bool) -> Result<Obstacle, Error> {
        let uuid = self.subject.foreign_uuid.clone();
        self.occupy(name, &uuid, active).await
    }

    /// A domain with the case's UUID and another name.
    async fn same_uuid(&mut self, active: bool) -> Result<Obstacle, Error> {
        let name = self.subject.domain.chars().rev().collect();
        let uuid = self.subject.uuid.clone();
        self.occupy(name, &uuid, active).await
    }

    /// The case's own domain, which is there already: paused, so that no guest runs twice.
    async fn same_domain(&mut self) -> Result<Obstacle, Error> {
        let (name, uuid) = (self.subject.domain.clone(), self.subject.uuid.clone());
        if !self.struck()?.is_prepared() {
            return self.occupy(name, &uuid, true).await;
        }
        self.act(Destination, DomainAction::Create).await?;
        self.act(Destination, DomainAction::Suspend).await?;
        Ok(Obstacle::Domain {
            name,
            is_active: true,
            is_kept: false,
        })
    }

    /// Defines a domain on the destination, or starts one, which is paused then.
    async fn occupy(&mut self, name: String, uuid: &str, active: bool) -> Result<Obstacle, Error> {
        let xml = domain_xml(&self.other(&name), uuid, Variant::Plain);
        let side = Destination;
        if active {
            let (domain, act) = (name.clone(), DomainAction::Suspend);
            done(self.on(side).await?, Op::CreateXml { side, xml }).await?;
            done(self.on(side).await?, Op::Domain { side, domain, act }).await?;
        } else {
            done(self.on(side).await?, Op::Define { side, xml }).await?;
        }
        Ok(Obstacle::Domain {
            name,
            is_active: active,
            is_kept: !active,
        })
    }

    /// A plain domain of this name, without what the case's own has for itself.
    fn other(&self, name: &str) -> Subject {
        let mut other = self.subject.clone();
        other.domain = name.to_owned();
        other.point = Point::Tck(Scenario::USUAL);
        other
    }

    /// Takes away what stands in the way.
    pub(super) async fn remove_obstacle(&mut self) -> Result<(), Error> {
        let Some(obstacle) = self.ordeal.obstacle.take() else {
            return Ok(());
        };
        let host = Arc::clone(&self.destination);
        let control = control(&host)?;
        let done = match obstacle {
            Obstacle::Domain {
                name,
                is_active,
                is_kept,
            } => {
                if is_active {
                    self.act_on(&name, DomainAction::Destroy).await?;
                }
                if is_kept {
                    self.act_on(&name, DomainAction::Undefine).await?;
                }
                Ok(())
            }
            Obstacle::Gate => control.open_gates(&self.subject.domain),
            Obstacle::Full(folder) => control.empty(folder).await,
            Obstacle::Short => control.limit_memory(None),
            Obstacle::NoDisk => return image::provide(&*host, &self.subject),
            Obstacle::Listener(_) | Obstacle::OfTheCall => Ok(()),
        };
        self.ordeal.routes.uri = None;
        self.broken(Destination, "can't take away what is in the way", done)
    }

    async fn act_on(&mut self, name: &str, act: DomainAction) -> Result<(), Error> {
        let (side, domain) = (Destination, name.to_owned());
        done(self.on(side).await?, Op::Domain { side, domain, act }).await
    }
}

/// The name by which other hosts know the host.
fn host_name(host: &dyn Host) -> String {
    let uri = host.peer_uri();
    let rest = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    let name = rest.split_once('/').map_or(rest, |(name, _)| name);
    name.to_owned()
}
