//! The state shared by all users, and the check that each of them passes before its first request.

use std::time::Duration;

use goose::prelude::*;

use crate::guard;
use crate::ledger::Ledger;
use crate::race::Race;
use crate::seen::Seen;
use crate::settings;

/// The state shared by all users.
pub struct Harness {
    /// From the command line: the data of a stack that is not marked for tests may be spoilt.
    pub yes_really: bool,
    /// The token of the queue.
    pub token: Option<String>,
    /// Every confirmed change.
    pub ledger: Ledger,
    /// The orders that have been won, in any scenario.
    pub won: Seen,
    /// The orders that couriers of the scenario Courier tried to take.
    pub wanted: Seen,
    /// The scenario Race.
    pub race: Race,
}

/// The user's host was checked, and may be put under load.
#[derive(Clone)]
struct Admitted;

impl Harness {
    /// Nothing won, and no races.
    pub fn new(yes_really: bool, token: Option<String>, ledger: Ledger) -> Self {
        Self {
            ledger,
            yes_really,
            token,
            won: Seen::default(),
            wanted: Seen::default(),
            race: Race::default(),
        }
    }

    /// Checks the environment of the user's host, once per user: the dashboard can change the host.
    ///
    /// Returns false, and reports a failure, if it must not be put under load.
    pub async fn admits(&self, user: &mut GooseUser) -> bool {
        if user.get_session_data::<Admitted>().is_some() {
            return true;
        }
        if user
            .set_client_builder(settings::client(&user.config))
            .await
            .is_err()
        {
            return false;
        }
        let Err(refusal) = guard::admit(&user.client, user.base_url.as_str(), self.yes_really).await else {
            user.set_session_data(Admitted);
            return true;
        };
        let reason = refusal.to_string();
        let _ = user
            .record_custom_request_duration("GET", "/livez", Duration::ZERO, false, None, Some(&reason))
            .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        false
    }
}

/// A step of a scenario: `async fn(&mut GooseUser, &Harness) -> TransactionResult`, after the check.
macro_rules! step {
    ($harness:expr, $step:path) => {{
        let harness = std::sync::Arc::clone($harness);
        goose::prelude::Transaction::new(std::sync::Arc::new(move |user| {
            let harness = std::sync::Arc::clone(&harness);
            Box::pin(async move {
                if harness.admits(user).await {
                    $step(user, &harness).await
                } else {
                    Ok(())
                }
            })
        }))
    }};
}
pub(crate) use step;
