//! Many couriers, one order: exactly one wins.

use rocket::futures::future::join_all;

use crate::support::{Answer, App, RACERS};

/// The number of winners, and whether all others got one of the two reasons for losing.
fn winners(answers: &[Answer]) -> usize {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    for answer in lost {
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(
            ["order_taken", "order_locked"].contains(&answer.code()),
            "{answer:?}"
        );
    }
    won.len()
}

#[rocket::async_test]
async fn of_200_couriers_exactly_one_gets_an_order() {
    let (app, _database) = App::start();
    for _ in 0..50 {
        let id = app.place().await;
        let answers = join_all((0..RACERS).map(|_| app.take(id))).await;
        assert_eq!(winners(&answers), 1, "order {id}");
    }
}

#[rocket::async_test]
async fn three_services_on_one_database_give_an_order_to_exactly_one_courier() {
    let (first, database) = App::start();
    let (second, third) = (App::on(&database).start(), App::on(&database).start());
    for _ in 0..50 {
        let id = first.place().await;
        let racers = (0..RACERS).map(|n| [&first, &second, &third][n % 3].take(id));
        let answers = join_all(racers).await;
        assert_eq!(winners(&answers), 1, "order {id}");
    }
    let taken = "SELECT count(*) AS number FROM orders WHERE status = 'TAKEN'";
    assert_eq!(database.number(taken), 50);
}
