//! Serves a scenario file, or a generated organization, until it is stopped:
//! `cargo run -p simulator --example serve -- tests/scenarios/chain_breaks.toml`.

use std::error::Error;

use simulator::{Simulator, SimulatorOptions, World};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example tells where it listens")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give a scenario file")?;
    let world = World::from_file(&path)?;
    let simulator = Simulator::start(world, SimulatorOptions::default()).await?;
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
