//! The deployed image, and how it runs.

use std::time::{Duration, Instant};

use crate::stack::{compose, containers, inspect, run, said, up};

#[test]
fn the_image_is_smaller_than_150_mb() {
    up(1);
    let size: u64 = run(
        "docker",
        &["image", "inspect", "--format", "{{.Size}}", "order-api"],
    )
    .parse()
    .unwrap();
    assert!(size < 150_000_000, "{size}");
}

#[test]
fn it_runs_as_a_user_without_privileges() {
    up(1);
    let status = compose(&["exec", "-T", "order-api-app", "cat", "/proc/1/status"]);
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(field("Uid:").split_whitespace().next(), Some("10001"));
    for capabilities in ["CapEff:", "CapPrm:", "CapBnd:"] {
        assert_eq!(field(capabilities), "0000000000000000", "{capabilities}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    let touch = said(
        "scripts/compose.sh",
        &["exec", "-T", "order-api-app", "touch", "/usr/local/bin/x"],
    );
    assert!(touch.contains("Read-only file system"), "{touch}");
}

#[test]
fn it_holds_no_tools_no_history_and_no_secret() {
    up(1);
    let container = run("docker", &["create", "order-api"]);
    let files = run("sh", &["-c", &format!("docker export {container} | tar --list")]);
    run("docker", &["rm", &container]);
    for file in files.lines() {
        let name = file.rsplit('/').next().unwrap();
        let forbidden = [
            "cc", "gcc", "g++", "clang", "rustc", "cargo", "make", "curl", "wget", "git", ".env",
        ];
        assert!(!forbidden.contains(&name), "{file}");
        assert!(!name.ends_with("_history") && !name.ends_with(".rs"), "{file}");
        assert!(!file.starts_with("run/secrets/"), "{file}");
    }
    let image = &containers("order-api-app")[0];
    let variables = inspect(image)["Config"]["Env"].to_string();
    let history = run(
        "docker",
        &["history", "--no-trunc", "--format", "{{.CreatedBy}}", "order-api"],
    );
    for word in ["API_TOKEN", "PASSWORD", "REDIS_URL"] {
        assert!(!variables.contains(word), "{variables}");
        assert!(!history.contains(word), "{history}");
    }
}

/// Nginx as deployed, but on a machine of 64 processors; removed with the test.
struct LargeNginx(String);

impl LargeNginx {
    fn start(processors: &std::path::Path) -> Self {
        let small = &containers("order-api-nginx")[0];
        let config = inspect(small)["Config"].take();
        let word = |word: &serde_json::Value| word.as_str().unwrap().to_owned();
        let options = format!(
            "run --detach --user nginx --read-only --tmpfs /tmp --volumes-from {small} \
             --volume {}:/sys/devices/system/cpu/online:ro --entrypoint nginx",
            processors.display()
        );
        let mut words: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        words.push(word(&config["Image"]));
        words.extend(config["Cmd"].as_array().unwrap().iter().map(word));
        Self(run(
            "docker",
            &words.iter().map(String::as_str).collect::<Vec<_>>(),
        ))
    }

    fn says(&self, script: &str) -> String {
        said("docker", &["exec", &self.0, "sh", "-c", script])
    }
}

impl Drop for LargeNginx {
    fn drop(&mut self) {
        said("docker", &["rm", "--force", &self.0]);
    }
}

#[test]
fn nginx_has_two_workers_on_a_machine_of_any_size() {
    up(1);
    let processors = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(processors.path(), "0-63\n").unwrap();
    run("chmod", &["644", processors.path().to_str().unwrap()]);
    let nginx = LargeNginx::start(processors.path());
    let workers =
        || nginx.says("cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -c '^nginx: worker process'");
    let began = Instant::now();
    while !workers().trim().parse().is_ok_and(|workers: u32| workers >= 2)
        || nginx.says("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/nothing") == "000"
    {
        assert!(began.elapsed() < Duration::from_secs(20), "Nginx does not answer");
    }
    assert_eq!(nginx.says("getconf _NPROCESSORS_ONLN").trim(), "64");
    assert_eq!(workers().trim(), "2");
}
