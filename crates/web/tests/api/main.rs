//! The API as its users have it: over a real socket, with a client that knows nothing of ours.

mod access;
mod answers;
mod changes;
mod client;
mod described;
mod limits;
mod pages;
mod server;
mod streams;
mod world;
