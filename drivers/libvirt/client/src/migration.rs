//! The flags and the parameters of a migration: libvirt's names, and what they stand for.

use migratrix_client::wire::{Disks, Migration};
use virt::{domain::MigrateParameters, sys};

use crate::failure::Failure;

/// The named flags of `virDomainMigrateFlags`.
macro_rules! flags {
    ($($name:ident),* $(,)?) => { [$((stringify!($name), sys::$name)),*] };
}

/// Each flag by its name. What each is for, the axes of the cases know.
const FLAGS: [(&str, sys::virDomainMigrateFlags); 20] = flags![
    VIR_MIGRATE_LIVE,
    VIR_MIGRATE_PEER2PEER,
    VIR_MIGRATE_TUNNELLED,
    VIR_MIGRATE_PERSIST_DEST,
    VIR_MIGRATE_UNDEFINE_SOURCE,
    VIR_MIGRATE_PAUSED,
    VIR_MIGRATE_NON_SHARED_DISK,
    VIR_MIGRATE_NON_SHARED_INC,
    VIR_MIGRATE_CHANGE_PROTECTION,
    VIR_MIGRATE_UNSAFE,
    VIR_MIGRATE_OFFLINE,
    VIR_MIGRATE_COMPRESSED,
    VIR_MIGRATE_ABORT_ON_ERROR,
    VIR_MIGRATE_AUTO_CONVERGE,
    VIR_MIGRATE_RDMA_PIN_ALL,
    VIR_MIGRATE_POSTCOPY,
    VIR_MIGRATE_TLS,
    VIR_MIGRATE_PARALLEL,
    VIR_MIGRATE_ZEROCOPY,
    VIR_MIGRATE_POSTCOPY_RESUME,
];

/// The flags of a migration, with those that its disks need.
pub fn flags(how: &Migration) -> Result<sys::virDomainMigrateFlags, Failure> {
    let disks = match how.disks {
        Disks::None => 0,
        Disks::Shared => sys::VIR_MIGRATE_UNSAFE,
        Disks::Copied => sys::VIR_MIGRATE_NON_SHARED_DISK,
    };
    how.flags.iter().try_fold(disks, |all, name| {
        let known = FLAGS.iter().find(|(known, _)| known == name);
        let (_, flag) = known.ok_or_else(|| {
            Failure::Bad(format!("`{name}` is no flag of a migration that we know"))
        })?;
        Ok(all | flag)
    })
}

/// The parameters of a migration.
pub fn parameters(how: &Migration) -> Result<MigrateParameters, Failure> {
    let mut all = MigrateParameters {
        uri: how.uri.clone(),
        ..MigrateParameters::default()
    };
    for (name, number) in &how.parameters {
        put(&mut all, name, *number)?;
    }
    Ok(all)
}

fn put(all: &mut MigrateParameters, name: &str, number: u32) -> Result<(), Failure> {
    let bad = |why: &str| Failure::Bad(format!("`{name}` = {number} {why}"));
    let long = Some(u64::from(number));
    let short = i32::try_from(number).map(Some);
    let short = short.map_err(|_| bad("is more than libvirt takes"));
    match name {
        "bandwidth" => all.bandwidth = long,
        "bandwidth.postcopy" => all.bandwidth_postcopy = long,
        "compression.xbzrle.cache" => all.compression_xbzrle_cache = long,
        "auto_converge.initial" => all.auto_converge_initial = short?,
        "auto_converge.increment" => all.auto_converge_increment = short?,
        "compression.zlib.level" => all.compression_zlib_level = short?,
        "compression.zstd.level" => all.compression_zstd_level = short?,
        "parallel.connections" => all.parallel_connections = short?,
        _ => return Err(bad("is no parameter of a migration that we know")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use migratrix_matrix::{Backend, Control, Point, Profile};

    use super::*;

    fn asked(flags: &[&str], parameters: &[(&str, u32)]) -> Migration {
        let parameters = parameters.iter();
        let parameters: BTreeMap<_, _> = parameters
            .map(|(name, number)| ((*name).to_owned(), *number))
            .collect();
        Migration {
            domain: "a".to_owned(),
            control: Control::Normal,
            flags: flags.iter().map(|name| (*name).to_owned()).collect(),
            parameters,
            peer_uri: "test:///default".to_owned(),
            uri: None,
            disks: Disks::Copied,
        }
    }

    #[test]
    fn what_every_scenario_asks_for_has_a_name_that_libvirt_knows() {
        for (point, _) in Profile::ALL
            .map(|one| one.points(Backend::Libvirt))
            .concat()
        {
            let Point::Tck(scenario) = point else {
                continue;
            };
            let call = scenario.call(Some(8));
            let asked = asked(&call.flags, &call.parameters);
            let flags = flags(&asked).ok().unwrap();
            assert_eq!(flags.count_ones() as usize, call.flags.len() + 1);
            assert_eq!(parameters(&asked).ok().unwrap().bandwidth, Some(8));
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_refused_and_told() {
        let told = |failure: Failure| match failure {
            Failure::Bad(why) => why,
            Failure::Libvirt(error) => panic!("{error}"),
            Failure::Lacks(symbol) => panic!("{symbol}"),
        };
        let why = told(flags(&asked(&["VIR_MIGRATE_ODD"], &[])).unwrap_err());
        assert!(why.contains("`VIR_MIGRATE_ODD`"), "{why}");
        let why = told(parameters(&asked(&[], &[("odd", 7)])).err().unwrap());
        assert!(why.contains("`odd` = 7"), "{why}");
        let many = asked(&[], &[("parallel.connections", u32::MAX)]);
        let why = told(parameters(&many).err().unwrap());
        assert!(why.contains("more than libvirt takes"), "{why}");
    }
}
