//! A backup made during the load tests has everything that they counted.

#![allow(clippy::print_stderr, reason = "the figures are worth a line")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::{Client, Method};
use rocket::tokio::spawn;
use rocket::tokio::time::sleep;
use serde_json::Value;

use crate::backup::Shelf;
use crate::stack::{ask, body, command, compose, run, token, up, url};

/// Messages pushed before the load tests, so that some of theirs always wait.
const WAITING: usize = 3000;

/// Clients that push and pop these meanwhile.
const CLIENTS: usize = 16;

/// The times of a change's request and answer, in microseconds since 1970.
type Times = (u128, u128);

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

/// The ledger of the load tests: changes by kind, and by order or message.
fn read(file: &str) -> BTreeMap<String, BTreeMap<String, Times>> {
    let mut changes: BTreeMap<String, BTreeMap<String, Times>> = BTreeMap::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let [asked, answered, what, which] = line.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
        let times = (asked.parse().unwrap(), answered.parse().unwrap());
        let twice = changes
            .entry(what.to_owned())
            .or_default()
            .insert(which.to_owned(), times);
        assert_eq!(twice, None, "{line}"); // an order with two winners, a message that came twice
    }
    changes
}

fn before(changes: &BTreeMap<String, Times>, is: impl Fn(&Times) -> bool) -> BTreeSet<String> {
    let kept = changes.iter().filter(|(_, times)| is(times));
    kept.map(|(which, _)| which.clone()).collect()
}

/// The existing orders, and those of them that are taken.
async fn orders() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut there, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for page in 1.. {
        let (_, orders) = ask(Method::GET, &format!("/orders?page={page}&limit=1000"), "").await;
        let orders = orders.as_array().unwrap();
        for order in orders {
            let id = order["id"].to_string();
            if order["status"] == "TAKEN" {
                taken.insert(id.clone());
            }
            there.insert(id);
        }
        if orders.is_empty() {
            break;
        }
    }
    (there, taken)
}

/// The queue's answer to this request.
async fn queue(client: &Client, verb: &str, message: String) -> Value {
    let request = client
        .post(url(&format!("/api/queue/{verb}")))
        .bearer_auth(token());
    let answer = request.body(message).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    body(answer).await
}

async fn push_waiting() {
    let client = Client::new();
    let pushing = (0..CLIENTS).map(|first| {
        let client = client.clone();
        spawn(async move {
            for number in (first..WAITING).step_by(CLIENTS) {
                queue(&client, "push", format!("waiting {number}")).await;
            }
        })
    });
    for pushed in pushing.collect::<Vec<_>>() {
        pushed.await.unwrap();
    }
}

/// The existing messages, as the ledger names them.
async fn messages() -> BTreeSet<String> {
    let client = Client::new();
    let popping = (0..CLIENTS).map(|_| {
        let client = client.clone();
        spawn(async move {
            let mut all = Vec::new();
            while let Some(message) = queue(&client, "pop", String::new()).await["message"].as_str() {
                all.push(message.to_owned());
            }
            all
        })
    });
    let mut there = BTreeSet::new();
    for popped in popping.collect::<Vec<_>>() {
        for message in popped.await.unwrap() {
            let number = message
                .strip_prefix("loadtest ")
                .and_then(|rest| rest.split_once(' '));
            let name = number.map_or(message.as_str(), |(_, number)| number).to_owned();
            assert!(there.insert(name), "{message} is there twice");
        }
    }
    there
}

/// All of `must` exists, and nothing outside `may`.
fn assert_between(what: &str, there: &BTreeSet<String>, must: &BTreeSet<String>, may: &BTreeSet<String>) {
    let lost: Vec<_> = must.difference(there).collect();
    let invented: Vec<_> = there.difference(may).collect();
    assert!(lost.is_empty(), "{what}: lost {lost:?}");
    assert!(invented.is_empty(), "{what}: invented {invented:?}");
    assert!(must.len() > 100, "{what}: {}", must.len());
    eprintln!(
        "{what}: {} are there, of {} that must and {} that may",
        there.len(),
        must.len(),
        may.len()
    );
}

/// Runs the load tests, makes a backup meanwhile, and returns the backup's start and end.
async fn backup_under_load(file: &str, ledger: &str, report: &str) -> Times {
    let load = format!("ARGS=--ledger {ledger} --report-file {report} --threshold 'error-rate<=0%'");
    let host = format!("HOST={}", url(""));
    let mut load = command("make")
        .args([
            "test-load-headless",
            "YES_REALLY=1",
            "USERS=30",
            "WEIGHTS=customer=9,admin=3,courier=6,race=11,queue=1",
            "TIME=20s",
            &host,
            &load,
        ])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while std::fs::read_to_string(ledger).is_ok_and(|lines| lines.lines().count() < 2000)
        || !std::fs::exists(ledger).unwrap()
    {
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "the load tests do nothing"
        );
        sleep(Duration::from_millis(100)).await;
    }
    let began = now();
    run("scripts/backup.sh", &[file]);
    let ended = now();
    assert!(
        load.wait().unwrap().success(),
        "the load tests themselves have failed"
    );
    (began, ended)
}

#[rocket::async_test]
async fn a_backup_made_under_the_load_tests_has_everything_that_they_counted() {
    compose(&["down", "--volumes"]);
    up(1);
    let shelf = Shelf::new("counts");
    let [file, ledger, report] = ["backup.tar", "ledger", "report.html"].map(|name| shelf.file(name));
    push_waiting().await;
    let (began, ended) = backup_under_load(&file, &ledger, &report).await;
    compose(&["down", "--volumes"]);
    run("make", &["restore", &format!("FILE={file}")]);

    let changes = read(&ledger);
    let [placed, won, pushed, popped] = ["placed", "won", "pushed", "popped"].map(|what| &changes[what]);
    let surely = |times: &Times| times.1 < began; // answered before the backup
    let perhaps = |times: &Times| times.0 < ended; // requested before its end
    assert!(
        placed.values().any(|times| times.0 > ended),
        "the load ended before the backup"
    );

    let (there, taken) = orders().await;
    assert_between(
        "orders",
        &there,
        &before(placed, surely),
        &before(placed, perhaps),
    );
    assert_between("winners", &taken, &before(won, surely), &before(won, perhaps));

    let there = messages().await;
    let mut must = before(pushed, surely);
    let mut may = before(pushed, perhaps);
    for sent in [&mut must, &mut may] {
        sent.extend((0..WAITING).map(|number| format!("waiting {number}")));
    }
    must.retain(|message| !before_popped(popped, message, perhaps));
    may.retain(|message| !before_popped(popped, message, surely));
    assert_between("messages", &there, &must, &may);
}

fn before_popped(popped: &BTreeMap<String, Times>, message: &str, is: impl Fn(&Times) -> bool) -> bool {
    popped.get(message).is_some_and(is)
}
