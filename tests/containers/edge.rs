//! Nginx with a certificate and a key.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::Client;
use rocket::tokio::spawn;
use rocket::tokio::task::{JoinHandle, spawn_blocking};
use rocket::tokio::time::sleep;
use std::time::{Duration, Instant};

use crate::settings::{Stack, https, nginx};
use crate::stack::{TRIP, compose, inspect, run, up, url};

#[test]
fn with_a_certificate_https_is_answered_and_plain_http_redirected() {
    let stack = Stack::with_certificate();
    let printed = stack.run("scripts/up.sh", &[]);
    assert!(printed.contains("order-api is at https://"), "{printed}");
    assert_https(&stack);
    assert_redirected(&stack);
    assert_key_is_secret(&stack);
    assert_chain_is_renewed(&stack);
    // Without the settings the key is removed.
    up(1);
    assert!(site().join("listen.conf").exists());
    assert!(!site().join("tls.pem").exists() && !site().join("tls.pem.old").exists());
}

/// The server's certificate remains, and those that signed it come with it.
fn assert_chain_is_renewed(stack: &Stack) {
    let port = https("").rsplit_once(':').unwrap().1.to_owned();
    let ask = format!("openssl s_client -showcerts -connect 127.0.0.1:{port} </dev/null 2>/dev/null");
    let served = || run("sh", &["-c", &ask]).matches("BEGIN CERTIFICATE").count();
    assert_eq!(served(), 1);
    let signer = Stack::with_certificate();
    let chain = format!(
        "cat {} >>{}",
        signer.path("certificate.pem"),
        stack.path("certificate.pem")
    );
    run("sh", &["-c", &chain]);
    std::mem::forget(signer); // the stack stays that of `stack`
    stack.run("make", &["renew-certificate"]);
    assert_eq!(served(), 2);
}

fn site() -> PathBuf {
    let project = std::env::var("COMPOSE_PROJECT_NAME").unwrap();
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("var/secrets/nginx-{project}"))
}

fn assert_https(stack: &Stack) {
    assert_eq!(inspect(&nginx())["State"]["Health"]["Status"], "healthy");
    let answer = stack.curl("/orders?page=1&limit=1");
    assert!(answer.starts_with("http/2 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age=31536000\r\n"),
        "{answer}"
    );
}

fn assert_redirected(stack: &Stack) {
    let redirected = run(
        "curl",
        &[
            "--silent",
            "--include",
            &url("/orders/1").replace("127.0.0.1", "localhost"),
        ],
    );
    assert!(redirected.starts_with("HTTP/1.1 308 "), "{redirected}");
    assert!(
        redirected.contains(&format!("\r\nLocation: {}\r\n", https("/orders/1"))),
        "{redirected}"
    );
    let followed = run(
        "curl",
        &[
            "--silent",
            "--location",
            "--cacert",
            &stack.path("certificate.pem"),
            "--data",
            TRIP,
            &url("/orders").replace("127.0.0.1", "localhost"),
        ],
    );
    assert!(followed.contains(r#""status":"UNASSIGNED""#), "{followed}");
}

/// Nginx, which is not root, can read it; the directory above is restricted to its owner.
fn assert_key_is_secret(stack: &Stack) {
    let key = std::fs::read_to_string(stack.path("key.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    assert!(
        std::fs::read_to_string(site().join("tls.pem"))
            .unwrap()
            .contains(secret)
    );
    assert!(!inspect(&nginx()).to_string().contains(secret));
    assert_ne!(compose(&["exec", "-T", "order-api-nginx", "id", "-u"]), "0");
    let listed = run("sh", &["-c", "ls -d -l var/secrets"]);
    assert!(listed.starts_with("drwx------"), "{listed}");
}

/// Clients that place orders, one after another, on kept connections.
struct Clients {
    stop: Arc<AtomicBool>,
    placed: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Vec<String>>>,
}

impl Clients {
    /// They accept any certificate, since it changes during the test.
    fn start() -> Self {
        let (stop, placed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = || {
            let (stop, placed) = (Arc::clone(&stop), Arc::clone(&placed));
            spawn(async move {
                let client = Client::builder()
                    .danger_accept_invalid_certs(true)
                    .build()
                    .unwrap();
                let mut failed = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match client.post(https("/orders")).body(TRIP).send().await {
                        Ok(answer) if answer.status() == 200 => _ = placed.fetch_add(1, Ordering::Relaxed),
                        other => failed.push(format!("{other:?}")),
                    }
                    sleep(Duration::from_millis(2)).await;
                }
                failed
            })
        };
        let tasks = (0..16).map(|_| client()).collect();
        Self { stop, placed, tasks }
    }

    /// Until this many more are placed.
    async fn go_on(&self, more: usize) {
        let (began, before) = (Instant::now(), self.placed.load(Ordering::Relaxed));
        while self.placed.load(Ordering::Relaxed) < before + more {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "no order is placed any more"
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for task in self.tasks {
            failed.extend(task.await.unwrap());
        }
        failed
    }
}

#[rocket::async_test]
async fn a_certificate_is_renewed_under_load_without_a_failed_request() {
    let stack = Arc::new(Stack::with_certificate());
    stack.run("scripts/up.sh", &[]);
    let (container, clients) = (nginx(), Clients::start());
    let started = inspect(&container)["State"]["StartedAt"].take();
    for _ in 0..3 {
        clients.go_on(300).await;
        stack.make_certificate();
        let renewing = Arc::clone(&stack);
        spawn_blocking(move || renewing.run("make", &["renew-certificate"]))
            .await
            .unwrap();
        // curl trusts only the new one.
        assert!(stack.curl("/livez").starts_with("http/2 200"));
    }
    clients.go_on(300).await;
    let failed = clients.stop().await;
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
    assert_eq!(
        (nginx(), inspect(&container)["State"]["StartedAt"].take()),
        (container.clone(), started)
    );

    // And with the command that starts everything.
    stack.make_certificate();
    stack.run("scripts/up.sh", &[]);
    assert!(stack.curl("/livez").starts_with("http/2 200"));
    assert_eq!(nginx(), container);
}

#[test]
fn a_wrong_setting_is_reported_in_one_line_and_everything_stays_up() {
    let good = Stack::with_certificate();
    good.run("scripts/up.sh", &[]);
    let before = nginx();
    let certificate = good.path("certificate.pem");
    for (settings, line) in [
        (
            vec![("TLS_CERTIFICATE", &*certificate)],
            "TLS_CERTIFICATE is set, and TLS_KEY is not",
        ),
        (
            vec![("TLS_CERTIFICATE", &*certificate), ("TLS_KEY", "/missing")],
            "TLS_KEY names /missing, which does not exist",
        ),
        (
            vec![("TRUSTED_PROXIES", "10.0.0.256")],
            "TRUSTED_PROXIES has \"10.0.0.256\", which is not an address",
        ),
    ] {
        let wrong = Stack::new(&settings);
        let refused = wrong.output("scripts/up.sh", &[]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success());
        assert!(told.starts_with(line) && told.lines().count() == 1, "{told}");
        // With such a setting the stack can still be inspected and stopped.
        wrong.run("scripts/compose.sh", &["ps", "--all"]);
        assert_eq!(nginx(), before);
        std::mem::forget(wrong); // the stack stays that of `good`
    }
    assert!(good.curl("/livez").starts_with("http/2 200"));
}
