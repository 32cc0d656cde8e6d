//! Certificates that clients refuse today.

use std::path::Path;
use std::process::Command;

use crate::nginx::certificate::{Certificate, openssl};
use crate::nginx::echo;
use crate::support::Nginx;

#[test]
fn a_certificate_that_clients_refuse_for_its_dates_is_served_with_a_warning() {
    for (dates, said, date) in [
        (
            ["20200101000000Z", "20200102000000Z"],
            "Clients will refuse the certificate in ",
            "notAfter=Jan  2 00:00:00 2020 GMT",
        ),
        (
            ["20480101000000Z", "20480102000000Z"],
            "Clients refuse the certificate in ",
            "notBefore=Jan  1 00:00:00 2048 GMT",
        ),
    ] {
        warned_of(dates, said, date);
    }
}

fn warned_of(dates: [&str; 2], beginning: &str, date: &str) {
    let certificate = Certificate::make();
    let [path, key] = [certificate.path("certificate.pem"), certificate.path("key.pem")];
    let request = certificate.path("request.pem");
    openssl(&[
        "req",
        "-new",
        "-key",
        &key,
        "-subj",
        "/CN=localhost",
        "-out",
        &request,
    ]);
    dated(dates, &request, &key, &path);
    let nginx = Nginx::before(&[&echo()]);
    let started = nginx.start_again(&certificate.settings().get(), &[&echo()]);
    assert!(started.status.success());
    let said = String::from_utf8(started.stderr).unwrap();
    assert!(said.starts_with(beginning) && said.contains(date), "{said}");
}

/// Signs the request for these dates; `openssl x509` can do that from 3.4 on alone, `openssl ca` always could.
fn dated([start, end]: [&str; 2], request: &str, key: &str, certificate: &str) {
    let directory = Path::new(request).parent().unwrap();
    let configuration = directory.join("ca.conf");
    let text = "[ca]\ndefault_ca = x\n[x]\ndatabase = index\nnew_certs_dir = .\nserial = serial\n\
                default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";
    std::fs::write(&configuration, text).unwrap();
    std::fs::write(directory.join("index"), "").unwrap();
    std::fs::write(directory.join("serial"), "01").unwrap();
    let done = Command::new("openssl")
        .args(["ca", "-batch", "-notext", "-selfsign", "-config"])
        .arg(configuration)
        .args([
            "-keyfile",
            key,
            "-in",
            request,
            "-out",
            certificate,
            "-startdate",
            start,
            "-enddate",
            end,
        ])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
