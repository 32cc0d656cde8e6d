//! `/api/queue`.

mod durability;
mod failover;
mod hangup;
mod memory;
mod plain;
mod returns;

use std::sync::Arc;

use redis::Commands;

use crate::support::{App, Database, Redis};

fn start() -> (Arc<App>, Redis) {
    let redis = Redis::start();
    let database = Arc::new(Database::migrated());
    let app = App::on(&database).with("REDIS_URL", &redis.url).start();
    (Arc::new(app), redis)
}

/// A text of this many bytes that begins with a number.
fn numbered(number: usize, bytes: usize) -> String {
    let number = format!("{number} ");
    let rest = "x".repeat(bytes - number.len());
    number + &rest
}

fn number(message: &str) -> usize {
    message.split_once(' ').unwrap().0.parse().unwrap()
}

fn length(redis: &Redis) -> usize {
    redis.connect().llen("message_queue").unwrap()
}

fn messages(redis: &Redis) -> Vec<usize> {
    let messages: Vec<String> = redis.connect().lrange("message_queue", 0, -1).unwrap();
    messages.iter().map(|message| number(message)).collect()
}
