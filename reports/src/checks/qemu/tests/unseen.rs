//! Each condition, and histories in which it can't be seen.

use migratrix_history::{DomainState, History, Observation, Side, Verb, When};
use migratrix_matrix::Condition;

use super::spoiled::*;
use crate::story::{changed, without};
use Side::{Destination, Source};

fn cancelless(point: &str) -> History {
    without(
        of(point),
        |saw| matches!(saw, Observation::Command { command, .. } if command == "migrate_cancel"),
    )
}

pub(super) fn unseen() -> Vec<(Condition, History)> {
    use Condition as C;
    let is_settings = |saw: &Observation| {
        matches!(
            saw,
            Observation::Settings {
                side: Destination,
                ..
            }
        )
    };
    let is_wire = |saw: &Observation| matches!(saw, Observation::Wire { .. });
    let is_job = |saw: &Observation| matches!(saw, Observation::Job { .. });
    vec![
        (C::SourceStarted, eventless(ASLEEP, Source, "SUSPEND")),
        (C::Settings, without(of(PLAIN), is_settings)),
        (C::Migrated, came_to(PLAIN, Source, "completed", "active")),
        (C::Migrated, unanswered(PLAIN)),
        (
            C::ExpectedError,
            complaint(MISMATCH, "Unable to write to socket: Broken pipe"),
        ),
        (C::ExpectedError, without(of(MISMATCH), is_job)),
        (
            C::ExpectedError,
            came_to(MISMATCH, Source, "failed", "active"),
        ),
        (C::ExpectedError, unanswered(REFUSED)),
        (C::Incident, cancelless(CANCEL)),
        (
            C::Incident,
            as_if("precopy/unix/running/cancel-setup", CANCEL),
        ),
        (
            C::Incident,
            came_to(CANCEL, Source, "cancelled", "cancelling"),
        ),
        (
            C::Incident,
            without(of(RECOVER), |saw| {
                matches!(saw, Observation::Command { .. })
            }),
        ),
        (
            C::DestinationState,
            domain(PLAIN, (Source, When::Before), |it| {
                it.reason = "paused".to_owned()
            }),
        ),
        (
            C::Iterations,
            without(of(PLAIN), |saw| {
                matches!(
                    saw,
                    Observation::Began {
                        verb: Verb::Converge,
                        ..
                    }
                )
            }),
        ),
        (
            C::Settings,
            changed(of("precopy/unix/running/cpu-max"), |saw| {
                if let Observation::Domain {
                    look: DomainState::Present(domain),
                    ..
                } = saw
                {
                    domain.identity = None;
                }
            }),
        ),
        (
            C::Channels,
            without(of(ZLIB), |saw| {
                matches!(
                    saw,
                    Observation::Channels {
                        side: Destination,
                        ..
                    }
                )
            }),
        ),
        (
            C::Transport,
            without(of(PLAIN), |saw| {
                matches!(
                    saw,
                    Observation::Carriers {
                        side: Destination,
                        ..
                    }
                )
            }),
        ),
        (
            C::Transport,
            changed(of(FILE), |saw| {
                if let Observation::Carriers { carriers, .. } = saw {
                    carriers.clear();
                }
            }),
        ),
        (C::Transport, without(of(PSK), is_wire)),
        (
            C::Effect,
            without(of("precopy/tcp/running/return-path"), is_wire),
        ),
        (
            C::Effect,
            without(of(POSTCOPY), |saw| {
                matches!(saw, Observation::Userfaults { .. })
            }),
        ),
        (C::Effect, without(of(ZLIB), is_job)),
        (C::Effect, super::broken::placed(None)),
        (
            C::Effect,
            worked("precopy/unix/running/auto-converge", |job| {
                job.throttle_percent = None
            }),
        ),
        (
            C::Device,
            without(of(DEVICE), |saw| {
                matches!(
                    saw,
                    Observation::Device {
                        side: Destination,
                        ..
                    }
                )
            }),
        ),
        (C::Events, unanswered(PLAIN)),
        (C::Statistics, without(of(PLAIN), is_job)),
        (
            C::Stream,
            without(of(FILE), |saw| matches!(saw, Observation::Stream { .. })),
        ),
        (
            C::Alive,
            without(of(CANCEL), |saw| {
                matches!(
                    saw,
                    Observation::Domain {
                        side: Destination,
                        ..
                    }
                )
            }),
        ),
    ]
}
