//! The stack, through the commands of its operators, and its clients.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, Response};
use rocket::tokio::time::sleep;
use serde_json::{Value, json};

pub const TRIP: &str = r#"{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}"#;
pub const SERVICES: [&str; 5] = [
    "order-api-db",
    "order-api-redis",
    "order-api-app",
    "order-api-nginx",
    "order-api-prometheus",
];

/// A checkout in another directory, with its own stack.
#[derive(Clone)]
pub struct Place {
    pub root: PathBuf,
    pub port: u16,
    /// The command prefix and the environment of every program.
    pub runner: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
}

/// The checkout in use, if it is not the one that the tests belong to: one test runs at a time.
static PLACE: RwLock<Option<Place>> = RwLock::new(None);

pub fn move_to(place: Option<Place>) {
    *PLACE.write().unwrap() = place;
}

fn place_of_stack() -> Option<Place> {
    PLACE.read().unwrap().clone()
}

fn root() -> PathBuf {
    place_of_stack().map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), |place| place.root)
}

/// A program's standard output; it must succeed.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let done = output(program, arguments);
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{program} {arguments:?}: {out}{err}");
    out.trim_end().to_owned()
}

/// All of its output, including errors, whatever its exit code.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let done = output(program, arguments);
    text(&done.stdout) + &text(&done.stderr)
}

/// Whether it exited with 0.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    output(program, arguments).status.success()
}

fn output(program: &str, arguments: &[&str]) -> Output {
    command(program).args(arguments).output().unwrap()
}

/// A command at the root of the checkout, as from a shell and not from the `make` that runs the tests.
pub fn command(program: &str) -> Command {
    let place = place_of_stack();
    let (runner, environment) =
        place.map_or_else(Default::default, |place| (place.runner, place.environment));
    let mut words = runner.into_iter().chain([program.to_owned()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir(root()).envs(environment);
    command.env_remove("MAKELEVEL").env_remove("MAKEFLAGS");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn compose(arguments: &[&str]) -> String {
    run("scripts/compose.sh", arguments)
}

/// The arguments of `compose` that run a statement as the superuser.
pub fn psql<'a>(database: &'a str, statement: &'a str) -> Vec<&'a str> {
    let psql = "exec -T order-api-db psql -U order_api -At".split(' ');
    psql.chain([database, "-c", statement]).collect()
}

/// A statement's result, as the superuser.
pub fn as_superuser(statement: &str) -> String {
    compose(&psql("order_api", statement))
}

/// Starts what does not run, and returns when all is healthy. The image is built by the first call.
pub fn up(replicas: u32) {
    static BUILT: AtomicBool = AtomicBool::new(false);
    let build = ["BUILD=yes", "BUILD=no"][usize::from(BUILT.swap(true, Ordering::Relaxed))];
    let scale = format!("order-api-app={replicas}");
    run("env", &[build, "scripts/up.sh", "--scale", &scale]);
}

/// Those of the service itself, without what a `compose run` that was killed has left.
pub fn containers(service: &str) -> Vec<String> {
    let project = std::env::var("COMPOSE_PROJECT_NAME").unwrap();
    let labels = [
        format!("label=com.docker.compose.project={project}"),
        format!("label=com.docker.compose.service={service}"),
        "label=com.docker.compose.oneoff=False".to_owned(),
    ];
    let mut list = vec!["ps", "--all", "--quiet", "--no-trunc"];
    for label in &labels {
        list.extend(["--filter", label]);
    }
    run("docker", &list).lines().map(str::to_owned).collect()
}

pub fn inspect(container: &str) -> Value {
    let mut all: Value = serde_json::from_str(&run("docker", &["inspect", container])).unwrap();
    all[0].take()
}

/// A container's health, from `docker inspect`.
pub async fn until_health(service: &str, wanted: &str) {
    let began = Instant::now();
    loop {
        let all = containers(service);
        let health = all
            .iter()
            .map(|container| inspect(container)["State"]["Health"].take());
        let health: Vec<_> = health.collect();
        if health.iter().all(|health| health["Status"] == wanted) {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{service} is not {wanted}: {health:?}"
        );
        sleep(Duration::from_millis(300)).await;
    }
}

fn variable(name: &str) -> String {
    let all = std::fs::read_to_string(root().join(".env")).unwrap();
    let value = all
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}=")));
    value.expect(name).to_owned()
}

pub fn token() -> String {
    variable("API_TOKEN")
}

pub fn redis_password() -> String {
    variable("REDIS_PASSWORD")
}

/// A secret of `.env`.
pub fn secret(name: &str) -> String {
    variable(name)
}

pub fn url(path: &str) -> String {
    let port = place_of_stack().map(|place| place.port.to_string());
    let port = port.or_else(|| std::env::var("PORT").ok());
    let port = port.expect("PORT is not set: run `make test-containers`");
    format!("http://127.0.0.1:{port}{path}")
}

pub async fn body(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// A request with the token: its status and its answer.
pub async fn ask(method: Method, path: &str, sent: &str) -> (u16, Value) {
    let request = Client::new().request(method, url(path)).bearer_auth(token());
    let answer = request.body(sent.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), body(answer).await)
}

/// Places an order and returns its id.
pub async fn place() -> i64 {
    let (status, order) = ask(Method::POST, "/orders", TRIP).await;
    assert_eq!(status, 200, "{order}");
    order["id"].as_i64().unwrap()
}

pub async fn order(id: i64) -> Value {
    ask(Method::GET, &format!("/orders/{id}"), "").await.1
}

pub async fn push(message: &str) -> u16 {
    ask(Method::POST, "/api/queue/push", message).await.0
}

pub async fn pop() -> Value {
    ask(Method::POST, "/api/queue/pop", "").await.1["message"].take()
}

/// Empties the queue.
pub async fn drain() {
    while !pop().await.is_null() {}
}

/// Writes an order, two messages and a value, and returns the order's id.
pub async fn write_everything() -> i64 {
    drain().await;
    let id = place().await;
    let (taken, _) = ask(Method::PATCH, &format!("/orders/{id}"), r#"{"status": "TAKEN"}"#).await;
    assert_eq!(taken, 200);
    assert_eq!((push("first").await, push("second").await), (200, 200));
    let (set, _) = ask(Method::POST, "/set", r#"{"id": "kept", "data": "as it was"}"#).await;
    assert!([200, 201].contains(&set));
    id
}

/// Checks that everything is as [`write_everything`] left it; pops the messages.
pub async fn assert_everything(id: i64) {
    assert_eq!(order(id).await["status"], "TAKEN");
    assert_eq!(
        (pop().await, pop().await, pop().await),
        (json!("first"), json!("second"), Value::Null)
    );
    assert_eq!(
        ask(Method::GET, "/get/kept", "").await.1,
        json!({"kept": "as it was"})
    );
}
