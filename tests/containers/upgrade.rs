//! Upgrading PostgreSQL to another major version.

use std::time::Duration;

use crate::backup::killed;
use crate::checkout::Checkout;
use crate::stack::{as_superuser, assert_everything, order, place, run, said, up, write_everything};

/// The previous version, and the one that `.env` gets.
const FROM: &str = "17";
const TO: &str = "18";

fn write_version(version: &str) {
    let line = format!("s/^POSTGRES_VERSION=.*/POSTGRES_VERSION={version}/");
    run("sed", &["--in-place", &line, ".env"]);
}

fn runs(version: &str) -> bool {
    as_superuser("SHOW server_version").starts_with(version)
}

#[rocket::async_test]
async fn an_upgrade_keeps_everything_even_if_killed_at_any_point() {
    let _checkout = Checkout::new("upgrade");
    write_version(FROM);
    up(1);
    assert!(runs(FROM));
    let id = write_everything().await;
    run("sh", &["-c", "printf LOG_LEVEL=info >>.env"]); // a last line without its end
    for (to, refusal) in [
        ("16", "which is not older"),
        ("17", "runs already"),
        ("new", "To which"),
        ("", "To which"),
    ] {
        let refused = said("make", &["upgrade-postgres", &format!("TO={to}")]);
        assert!(refused.contains(refusal), "{to}: {refused}");
    }
    let comment = "COMMENT ON ROLE order_api_service IS 'kept'";
    as_superuser(comment);

    write_version(TO);
    let refused = said("scripts/up.sh", &[]);
    assert!(refused.contains("The data is of PostgreSQL 17"), "{refused}");
    write_version(FROM);

    for _ in 0..2 {
        let after = Duration::from_millis(fastrand::u64(2000..12000));
        killed("scripts/upgrade-postgres.sh", TO, after).await;
        up(1);
        assert_eq!(order(id).await["status"], "TAKEN", "killed after {after:?}");
    }
    if runs(FROM) {
        let said = run("env", &["OVERWRITE=yes", "make", "upgrade-postgres", "TO=18"]);
        assert!(runs(TO), "{said}");
    }
    let settings = run("cat", &[".env"]);
    for line in ["LOG_LEVEL=info", "POSTGRES_VERSION=18"] {
        assert!(settings.lines().any(|found| found == line), "{settings}");
    }
    let later = place().await;
    assert!(later > id);
    assert_everything(id).await;
    let kept = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'order_api_service'";
    assert_eq!(as_superuser(kept), "kept");
    let again = said("make", &["upgrade-postgres", "TO=18"]);
    assert!(again.contains("nothing was changed"), "{again}");

    // Back to the data of the upgrade.
    write_version(FROM);
    up(1);
    assert!(runs(FROM));
    assert_eq!(order(id).await["status"], "TAKEN");
    assert_eq!(order(later).await["code"], "order_not_found");
    let refused = said("make", &["upgrade-postgres", "TO=18"]);
    assert!(refused.contains("OVERWRITE=yes"), "{refused}");
}
