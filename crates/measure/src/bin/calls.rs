//! What a call costs the client, with the allocator of the binary `scanner`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    measure::cost_per_call::main();
}
