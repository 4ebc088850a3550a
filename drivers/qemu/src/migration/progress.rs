//! What `query-migrate` says, as far as it is used.

use migratrix_history::JobStats;
use migratrix_qmp::MigrationStatus;
use serde::Deserialize;

/// The answer to `query-migrate`. Which members it has depends on the state and on the release.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Progress {
    pub(crate) status: MigrationStatus,
    pub(crate) error_desc: Option<String>,
    total_time: Option<u64>,
    downtime: Option<u64>,
    pub(crate) ram: Option<Ram>,
    xbzrle_cache: Option<Xbzrle>,
    pub(crate) cpu_throttle_percentage: Option<u64>,
    pub(crate) dirty_limit_throttle_time_per_round: Option<u64>,
    pub(crate) socket_address: Vec<SocketAddress>,
}

/// Its `ram`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Ram {
    total: Option<u64>,
    transferred: Option<u64>,
    remaining: Option<u64>,
    normal_bytes: Option<u64>,
    duplicate: Option<u64>,
    dirty_sync_count: Option<u64>,
    postcopy_requests: Option<u64>,
    multifd_bytes: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Xbzrle {
    pages: Option<u64>,
}

/// Where the destination listens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SocketAddress {
    pub(crate) port: Option<String>,
}

impl Progress {
    /// How many pages the destination has asked for.
    pub(crate) fn requests(&self) -> u64 {
        let ram = self.ram.as_ref();
        ram.and_then(|ram| ram.postcopy_requests).unwrap_or(0)
    }

    /// How many bytes were sent.
    pub(crate) fn transferred(&self) -> u64 {
        let ram = self.ram.as_ref();
        ram.and_then(|ram| ram.transferred).unwrap_or(0)
    }

    /// How many pages were sent as differences.
    pub(crate) fn differences(&self) -> u64 {
        self.xbzrle_cache
            .as_ref()
            .and_then(|cache| cache.pages)
            .unwrap_or(0)
    }

    /// What is recorded of it.
    pub(crate) fn look(self) -> JobStats {
        let kind = self.status.to_string();
        let ram = self.ram.unwrap_or_default();
        JobStats {
            kind,
            elapsed_ms: self.total_time,
            downtime_ms: self.downtime,
            memory_total: ram.total,
            memory_processed: ram.transferred,
            memory_remaining: ram.remaining,
            memory_normal_bytes: ram.normal_bytes,
            memory_constant: ram.duplicate,
            memory_iteration: ram.dirty_sync_count,
            postcopy_requests: ram.postcopy_requests,
            multifd_bytes: ram.multifd_bytes,
            xbzrle_pages: self.xbzrle_cache.and_then(|cache| cache.pages),
            throttle_percent: self.cpu_throttle_percentage,
            error: self.error_desc,
            ..JobStats::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_migration_that_never_was_is_none() {
        let progress = Progress::deserialize(json!({})).unwrap();
        assert_eq!(progress.status, MigrationStatus::None);
        assert_eq!(progress.requests(), 0);
    }

    #[test]
    fn members_that_a_release_has_not_got_are_left_out() {
        let response = json!({
            "status": "completed", "downtime": 3, "ram": {"total": 9, "dirty-sync-count": 2},
            "xbzrle-cache": {"pages": 7}, "of-another-release": [1],
        });
        let look = Progress::deserialize(response).unwrap().look();
        assert_eq!((look.downtime_ms, look.xbzrle_pages), (Some(3), Some(7)));
        assert_eq!(look.postcopy_requests, None);
    }
}
