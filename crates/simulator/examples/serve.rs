//! Serves a scenario file, or a generated organization, until it is stopped:
//! `cargo run -p simulator --example serve -- tests/scenarios/chain_breaks.toml`, or
//! `cargo run -p simulator --example serve -- 200 7` for 200 accounts from seed 7. A third argument
//! is the number of threads that answer, for measurements.

use std::error::Error;

use simulator::{GenerateOptions, Simulator, SimulatorOptions, World};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example tells where it listens")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments
        .next()
        .ok_or("give a scenario file or a number of accounts")?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let threads = arguments
        .next()
        .map(|threads| threads.parse())
        .transpose()?;
    let world = match what.parse() {
        Ok(accounts) => World::generate(&GenerateOptions {
            accounts,
            seed,
            ..Default::default()
        }),
        Err(_) => World::from_file(&what)?,
    };
    let simulator = Simulator::start(
        world,
        SimulatorOptions {
            threads,
            ..Default::default()
        },
    )
    .await?;
    let credentials = simulator.caller_credentials();
    println!("export AWS_ENDPOINT_URL={}", simulator.endpoint_url());
    println!("export AWS_ACCESS_KEY_ID={}", credentials.access_key_id);
    println!(
        "export AWS_SECRET_ACCESS_KEY={}",
        credentials.secret_access_key
    );
    println!(
        "export AWS_REGION={}",
        simulator.world().partition.default_region()
    );
    std::future::pending().await
}
