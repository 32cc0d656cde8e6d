//! Goose's defaults for each mode; options of the command line replace them.

use std::time::Duration;

use goose::GooseAttack;
use goose::config::{GooseConfiguration, GooseDefault, GooseDefaultType};
use goose::prelude::GooseError;
use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

use crate::command_line::Mode;

/// The address of the native run and of the containers.
const HOST: &str = "http://127.0.0.1:8080";
/// Locust's port.
const PORT: usize = 8089;
const NO_ERRORS: &str = "error-rate<=0%";
/// The timeout of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// Relative to the directory of make.
const REPORTS: &str = "loadtests/reports";

/// A run with custom thresholds is also judged by its errors, unless one of the thresholds is about these.
pub fn judge_errors_too(given: &mut GooseConfiguration) {
    let about_errors = |rule: &String| rule.trim_start().starts_with("error-rate");
    if !given.threshold.is_empty() && !given.threshold.iter().any(about_errors) {
        given.threshold.push(NO_ERRORS.to_owned());
    }
}

/// The users' HTTP client. It does not follow redirects, which could bypass the guard to another service.
pub fn client(given: &GooseConfiguration) -> ClientBuilder {
    let seconds = given.timeout.as_ref().and_then(|seconds| seconds.parse().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    ClientBuilder::new()
        .redirect(Policy::none())
        .timeout(timeout.unwrap_or(PATIENCE))
}

/// The host to be put under load.
pub fn host(given: &GooseConfiguration) -> &str {
    given.host.as_deref().unwrap_or(HOST)
}

/// Sets the defaults of every mode, and of this one.
///
/// # Errors
/// Goose refuses a value.
pub fn apply(attack: GooseAttack, mode: Mode, given: &GooseConfiguration) -> Result<GooseAttack, GooseError> {
    let attack = *attack
        .set_default(GooseDefault::Host, HOST)?
        .set_default(GooseDefault::NoTelnet, true)? // otherwise open to the whole machine
        .set_default(GooseDefault::NoResetMetrics, true)? // the ramp-up counts, too
        .set_default(GooseDefault::Timeout, "10")?
        .set_default(GooseDefault::IncreaseRate, "50")?
        .set_default(GooseDefault::Users, 50)?;
    match mode {
        Mode::Dashboard => dashboard(attack, given),
        Mode::Headless => headless(attack, given, "headless", 30),
        Mode::Race => {
            let attack = headless(attack, given, "race", 10)?;
            let attack = *attack.set_default(GooseDefault::IncreaseRate, "1000")?; // all from the start
            Ok(*attack.set_default(GooseDefault::NoPrintMetrics, true)?) // the one line is enough
        }
    }
}

/// The page: control enabled, waiting for Start. On loopback without a token; Goose refuses any other address without.
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

/// No page: the run ends on its own, with a report and a verdict.
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
        .set_default(GooseDefault::NoThresholdAbort, true)? // count everything, even after a miss
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
    fn errors_count_with_any_thresholds() {
        let rules = |words: &[&str]| {
            let mut given = GooseConfiguration::parse_from([&["goose"], words].concat());
            judge_errors_too(&mut given);
            given.threshold
        };
        assert_eq!(rules(&["--threshold", "p99<2s"]), ["p99<2s", "error-rate<=0%"]);
        assert_eq!(rules(&["--threshold", "error-rate<1%"]), ["error-rate<1%"]);
        assert!(rules(&[]).is_empty()); // then the defaults apply
    }

    #[test]
    fn loopback_is_distinguished_from_reachable_addresses() {
        for bind in ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "LocalHost"] {
            assert!(is_loopback(bind), "{bind}");
        }
        for bind in ["0.0.0.0", "::", "192.168.1.2", "example.com", ""] {
            assert!(!is_loopback(bind), "{bind}");
        }
    }
}
