//! What each mode sets in Goose; an option of the command line replaces it.

use std::time::Duration;

use goose::GooseAttack;
use goose::config::{GooseConfiguration, GooseDefault, GooseDefaultType};
use goose::prelude::GooseError;
use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

use crate::command_line::Mode;

/// Where the native run and the containers are.
const HOST: &str = "http://127.0.0.1:8080";
/// As people know it from Locust.
const PORT: usize = 8089;
const NO_ERRORS: &str = "error-rate<=0%";
/// For an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Relative to the directory that make runs in.
const REPORTS: &str = "loadtests/reports";

/// A run with thresholds of one's own is judged by its errors too, unless one of them is about these.
pub fn judge_errors_too(given: &mut GooseConfiguration) {
    let about_errors = |rule: &String| rule.trim_start().starts_with("error-rate");
    if !given.threshold.is_empty() && !given.threshold.iter().any(about_errors) {
        given.threshold.push(NO_ERRORS.to_owned());
    }
}

/// What the users ask by. A redirect is not followed: it could lead past the guard, to another service.
pub fn client(given: &GooseConfiguration) -> ClientBuilder {
    let seconds = given.timeout.as_ref().and_then(|seconds| seconds.parse().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    ClientBuilder::new()
        .redirect(Policy::none())
        .timeout(timeout.unwrap_or(PATIENCE))
}

/// The host that is going to be put under load.
pub fn host(given: &GooseConfiguration) -> &str {
    given.host.as_deref().unwrap_or(HOST)
}

/// Sets what holds for every mode, and what holds for this one.
///
/// # Errors
/// Goose's word for what cannot be.
pub fn apply(attack: GooseAttack, mode: Mode, given: &GooseConfiguration) -> Result<GooseAttack, GooseError> {
    let attack = *attack
        .set_default(GooseDefault::Host, HOST)?
        .set_default(GooseDefault::NoTelnet, true)? // open to all of the machine otherwise
        .set_default(GooseDefault::NoResetMetrics, true)? // the ramp-up counts too
        .set_default(GooseDefault::Timeout, "10")?
        .set_default(GooseDefault::IncreaseRate, "50")?
        .set_default(GooseDefault::Users, 50)?;
    match mode {
        Mode::Dashboard => dashboard(attack, given),
        Mode::Headless => headless(attack, given, "headless", 30),
        Mode::Race => {
            let attack = headless(attack, given, "race", 10)?;
            let attack = *attack.set_default(GooseDefault::IncreaseRate, "1000")?; // all from the first order on
            Ok(*attack.set_default(GooseDefault::NoPrintMetrics, true)?) // one line says it all
        }
    }
}

/// The page: control on, waiting for Start. On loopback without a token; Goose refuses any other bind without one.
fn dashboard(attack: GooseAttack, given: &GooseConfiguration) -> Result<GooseAttack, GooseError> {
    let attack = *attack
        .set_default(GooseDefault::Dashboard, true)?
        .set_default(GooseDefault::DashboardControl, true)?
        .set_default(GooseDefault::DashboardPort, PORT)?
        .set_default(GooseDefault::NoAutoStart, true)?
        .set_default(GooseDefault::OutputDir, format!("{REPORTS}/run").as_str())?;
    let token = std::env::var("DASHBOARD_TOKEN").unwrap_or_default();
    if !token.is_empty() {
        return Ok(*attack.set_default(GooseDefault::DashboardAuthToken, token.as_str())?);
    }
    let bind = given.dashboard_host.as_deref().unwrap_or("127.0.0.1");
    let open = is_loopback(bind) && given.dashboard_auth_token.is_none();
    Ok(*attack.set_default(GooseDefault::DashboardNoAuth, open)?)
}

fn is_loopback(bind: &str) -> bool {
    let bind = bind.trim_start_matches('[').trim_end_matches(']');
    bind.eq_ignore_ascii_case("localhost")
        || bind
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// No page: ends by itself, with a report and a verdict.
fn headless(
    attack: GooseAttack,
    given: &GooseConfiguration,
    name: &str,
    seconds: usize,
) -> Result<GooseAttack, GooseError> {
    std::fs::create_dir_all(REPORTS)?;
    let attack = *attack
        .set_default(GooseDefault::RunTime, seconds)?
        .set_default(GooseDefault::Quiet, 1)?
        .set_default(GooseDefault::NoThresholdAbort, true)? // all is counted, also once it has failed
        .set_default(
            GooseDefault::ReportFile,
            format!("{REPORTS}/{name}.html").as_str(),
        )?;
    if !given.threshold.is_empty() {
        return Ok(attack);
    }
    Ok(*attack
        .set_default(GooseDefault::Threshold, NO_ERRORS)?
        .set_default(GooseDefault::Threshold, "p99<1s")?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use goose::config::GooseConfiguration;

    use super::{is_loopback, judge_errors_too};

    #[test]
    fn errors_count_whatever_thresholds_are_given() {
        let rules = |words: &[&str]| {
            let mut given = GooseConfiguration::parse_from([&["goose"], words].concat());
            judge_errors_too(&mut given);
            given.threshold
        };
        assert_eq!(rules(&["--threshold", "p99<2s"]), ["p99<2s", "error-rate<=0%"]);
        assert_eq!(rules(&["--threshold", "error-rate<1%"]), ["error-rate<1%"]);
        assert!(rules(&[]).is_empty()); // then the defaults hold
    }

    #[test]
    fn loopback_is_told_from_what_others_can_reach() {
        for bind in ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "LocalHost"] {
            assert!(is_loopback(bind), "{bind}");
        }
        for bind in ["0.0.0.0", "::", "192.168.1.2", "example.com", ""] {
            assert!(!is_loopback(bind), "{bind}");
        }
    }
}
