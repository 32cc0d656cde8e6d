//! Keys that are out of reach of who starts Nginx.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::nginx::certificate::Certificate;
use crate::nginx::settings::refusal;

fn close(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What a user who is not root, to whom no file is closed, is told of this key.
fn told(certificate: &Certificate, key: &Path) -> String {
    let directory = certificate.directory();
    close(&directory, 0o755);
    let script = directory.join("nginx-settings.sh");
    fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/nginx-settings.sh"),
        &script,
    )
    .unwrap();
    close(&script, 0o755);
    let is_root = fs::metadata(&script).unwrap().uid() == 0;
    let drop: &[&str] = if is_root {
        &["setpriv", "--reuid=65534", "--clear-groups"]
    } else {
        &["env"]
    };
    let mut check = Command::new(drop[0]);
    check.args(&drop[1..]).arg(&script).arg("check").current_dir("/");
    let settings = check.envs(certificate.settings().get()).env("TLS_KEY", key);
    refusal(&settings.env_remove("TRUSTED_PROXIES").output().unwrap())
}

#[test]
fn a_key_that_cannot_be_read_is_refused_in_one_line() {
    let certificate = Certificate::make();
    let key = certificate.path("key.pem");
    close(Path::new(&key), 0o000);
    let said = told(&certificate, Path::new(&key));
    let beginning = format!("TLS_KEY names {key}, which user ");
    assert!(
        said.starts_with(&beginning) && said.contains(" cannot read"),
        "{said}"
    );
}

#[test]
fn a_key_in_a_directory_that_cannot_be_entered_is_not_said_to_be_missing() {
    let certificate = Certificate::make();
    let live = certificate.directory().join("live"); // as certbot has it
    fs::create_dir(&live).unwrap();
    let key = live.join("key.pem");
    fs::rename(certificate.path("key.pem"), &key).unwrap();
    close(&live, 0o000);
    let said = told(&certificate, &key);
    close(&live, 0o700);
    assert!(said.contains("or is in a directory that user "), "{said}");
}
