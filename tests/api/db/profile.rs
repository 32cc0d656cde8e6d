//! A pool is as its profile says, whatever that of the orders is.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::select;
use diesel::sql_types::Text;
use order_api::db::batch::read_lane;
use order_api::db::{Database as Pool, Profile};
use rocket::tokio::join;

use super::{configured, process_after, within_ms};
use crate::support::Database;

const SECONDS: Duration = Duration::from_secs(5);

/// A pool as the orders have it, and one for statements that read much and take their time.
fn pools(database: &Database) -> [Pool; 2] {
    let variables = [
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_STATEMENT_TIMEOUT_MS", "2000"),
    ];
    let config = configured(&database.url, &variables);
    let by_key = Profile::by_key(&config);
    let analysis = Profile {
        settings: "SET jit = on",
        statement_timeout: SECONDS,
        patience: SECONDS,
        ..by_key
    };
    [by_key, analysis].map(|profile| Pool::new(&config, profile))
}

#[rocket::async_test]
async fn statements_are_planned_as_the_profile_says() {
    let plans = |connection: &mut PgConnection| {
        let settings = "current_setting('enable_seqscan') || current_setting('jit')";
        select(sql::<Text>(settings)).get_result::<String>(connection)
    };
    let database = Database::empty();
    let [by_key, analysis] = pools(&database);
    let plans = join!(
        by_key.read(within_ms(5000), plans),
        analysis.read(within_ms(5000), plans)
    );
    assert_eq!(plans, (Ok("offoff".to_owned()), Ok("onon".to_owned())));
}

#[rocket::async_test]
async fn a_statement_may_take_as_long_as_the_profile_says() {
    let database = Database::empty();
    let [by_key, analysis] = pools(&database);
    let slow = |pool: Pool| async move { pool.read(within_ms(5000), process_after(2.5)).await };
    let (canceled, answered) = join!(slow(by_key), slow(analysis));
    canceled.unwrap_err();
    answered.unwrap();
}

fn echo(_: &mut PgConnection, items: &[i32]) -> QueryResult<Vec<i32>> {
    Ok(items.to_vec())
}

#[rocket::async_test]
async fn a_lane_waits_as_long_as_the_profile_says() {
    let database = Database::empty();
    let [by_key, analysis] = pools(&database);
    let behind_another = |pool: Pool| async move {
        let lane = read_lane("test", &pool, echo);
        join!(pool.read(within_ms(5000), process_after(1.5)), lane.ask(1)).1
    };
    let (refused, answered) = join!(behind_another(by_key), behind_another(analysis));
    refused.unwrap_err();
    assert_eq!(answered, Ok(1));
}
