//! The image that is deployed, and how it runs.

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
fn it_runs_as_a_user_without_any_power() {
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
