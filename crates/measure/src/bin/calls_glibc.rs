//! What a call costs the client, with glibc's allocator.

fn main() {
    measure::cost_per_call::main();
}
