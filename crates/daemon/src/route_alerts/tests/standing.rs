//! What an alert says still stands.

use super::*;

#[tokio::test]
async fn what_still_stood_is_of_the_sweep_that_saw_the_break() {
    let world = SmallWorld::new().await;
    let controls = [ORGANIZATION];
    world.sweep(5, &controls, |_, _| WELL).await;
    world
        .sweep(
            5,
            &controls,
            |number, _| {
                if number > 2 { STOPPED } else { WELL }
            },
        )
        .await;
    // It is mended before anybody is told.
    world.sweep(5, &controls, |_, _| WELL).await;
    world.route(&settings()).await;
    let standing = world.notices().await[0].standing.unwrap();
    assert_eq!((standing.hold, standing.of), (2, 5));
}
