//! A foreign proxy in front of Nginx.

use std::time::{Duration, Instant};

use reqwest::Client;
use rocket::tokio::time::sleep;

use crate::settings::{Stack, nginx};
use crate::stack::{run, said, token, url};

const PRIVATE: &str = "order-api-test-proxied";
const PUBLIC: &str = "order-api-test-world";
const PROXY: &str = "10.231.77.9";

/// A foreign Nginx, between clients with public addresses and this stack.
struct Proxy {
    container: String,
    behind: String,
}

impl Proxy {
    fn start() -> Self {
        let behind = nginx();
        for (network, subnet) in [(PRIVATE, "10.231.77.0/24"), (PUBLIC, "198.51.100.0/24")] {
            said("docker", &["network", "rm", network]); // from a killed run
            run(
                "docker",
                &["network", "create", "--internal", "--subnet", subnet, network],
            );
        }
        run(
            "docker",
            &["network", "connect", "--alias", "edge", PRIVATE, &behind],
        );
        let configuration = "events {} http { server { listen 80; location / { \
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://edge:8080; } } }";
        let start = format!(
            "echo '{configuration}' >/tmp/proxy.conf && exec nginx -c /tmp/proxy.conf -g 'daemon off;'"
        );
        let place = ["run", "--detach", "--rm", "--network", PRIVATE, "--ip", PROXY];
        let command = ["--entrypoint", "sh", "nginx:1.30", "-c", &start];
        let container = run("docker", &[&place[..], &command].concat());
        run(
            "docker",
            &["network", "connect", "--alias", "proxy", PUBLIC, &container],
        );
        Self { container, behind }
    }

    /// The status that an external client gets.
    fn status(&self, path: &str, header: &str) -> String {
        let url = format!("http://proxy{path}");
        let curl = [
            "curl",
            "-s",
            "--retry",
            "5",
            "--retry-connrefused",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ];
        let sent = ["-H", header, &url];
        let image = [
            "run",
            "--rm",
            "--network",
            PUBLIC,
            "--ip",
            "198.51.100.77",
            "nginx:1.30",
        ];
        run("docker", &[&image[..], &curl, &sent].concat())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        said("docker", &["rm", "--force", &self.container]);
        said("docker", &["network", "disconnect", PRIVATE, &self.behind]);
        said("docker", &["network", "rm", PRIVATE, PUBLIC]);
    }
}

/// The client in Nginx's last line about this path.
async fn client_of(path: &str) -> String {
    let began = Instant::now();
    loop {
        let log = said("docker", &["logs", "--since", "1m", &nginx()]);
        let found = log
            .lines()
            .rfind(|line| line.contains(&format!(r#""uri": "{path}""#)));
        if let Some(line) = found {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            return line["client"].as_str().unwrap().to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{log}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[rocket::async_test]
async fn behind_a_proxy_metrics_are_not_public() {
    let forged = "X-Forwarded-For: 10.0.0.9";
    for (trusted, path, client) in [("", "/get/untold", PROXY), (PROXY, "/get/told", "198.51.100.77")] {
        let stack = Stack::new(&[("TRUSTED_PROXIES", trusted)]);
        stack.run("scripts/up.sh", &[]);
        let proxy = Proxy::start();
        for header in ["X: x", forged] {
            assert_eq!(proxy.status("/metrics", header), "403", "{trusted}");
            assert_eq!(proxy.status("/prom-metrics/", header), "403", "{trusted}");
            assert_eq!(proxy.status("/livez", header), "200", "{trusted}");
            assert_eq!(proxy.status(path, header), "401", "{trusted}");
            assert_eq!(client_of(path).await, client);
        }
        let direct = Client::new()
            .get(url("/metrics"))
            .bearer_auth(token())
            .send()
            .await;
        assert_eq!(direct.unwrap().status(), 200);
    }
}
